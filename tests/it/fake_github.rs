//! A GitHub that remembers: comments, check runs and pull requests on a local port. It checks every request
//! against GitHub's own description of its API.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// An answer that the server gives once, instead of the right one.
#[derive(Debug, Clone)]
pub struct Fault {
    pub method: &'static str,
    pub path: &'static str,
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// The server still carries out the request; only the answer is lost.
    pub done: bool,
}

impl Fault {
    pub fn new(method: &'static str, path: &'static str, status: u16, message: &str) -> Self {
        let body = json!({"message": message, "documentation_url": "https://docs.github.com"}).to_string();
        Self { method, path, status, headers: Vec::new(), body, done: false }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn after_it_was_done(mut self) -> Self {
        self.done = true;
        self
    }
}

#[derive(Default)]
pub struct State {
    pub requests: Vec<Request>,
    pub comments: Vec<Value>,
    pub check_runs: Vec<Value>,
    pub pulls: Vec<Value>,
    pub faults: VecDeque<Fault>,
    /// Violations of GitHub's own API description.
    pub wrong: Vec<String>,
    /// The account that the token belongs to; if empty, the server does not say.
    pub viewer: String,
    next: u64,
}

pub struct FakeGithub {
    pub url: String,
    pub state: Arc<Mutex<State>>,
}

const PREFIX: &str = "/api/v3";

impl FakeGithub {
    /// Starts on a free port, under a path prefix like that of a GitHub Enterprise server.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}{PREFIX}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { viewer: "github-actions[bot]".into(), ..State::default() }));
        let shared = Arc::clone(&state);
        let base = url.clone();
        // The thread ends with the process; the number of connections is bounded.
        thread::spawn(move || {
            for stream in listener.incoming().take(10_000).flatten() {
                let (shared, base) = (Arc::clone(&shared), base.clone());
                thread::spawn(move || serve(&stream, &shared, &base));
            }
        });
        Self { url, state }
    }

    pub fn fault(&self, fault: Fault) -> &Self {
        self.lock().faults.push_back(fault);
        self
    }

    pub fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in it")
    }

    /// Adds a comment that exists before the test.
    pub fn comment(&self, login: &str, kind: &str, body: &str) -> u64 {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        state.comments.push(json!({
            "id": id, "body": body, "html_url": format!("https://github.com/c/{id}"),
            "user": {"login": login, "type": kind}, "something_new": [1],
        }));
        id
    }

    pub fn bodies(&self) -> Vec<String> {
        let state = self.lock();
        state.comments.iter().map(|comment| comment["body"].as_str().expect("a body").to_owned()).collect()
    }

    /// How many requests used a method, without those that ask who the token belongs to.
    pub fn count(&self, method: &str) -> usize {
        let state = self.lock();
        state.requests.iter().filter(|one| one.method == method && !one.path.contains("graphql")).count()
    }

    #[track_caller]
    pub fn contract_holds(&self) {
        let state = self.lock();
        assert!(state.wrong.is_empty(), "{:#?}", state.wrong);
    }
}

fn serve(stream: &TcpStream, state: &Arc<Mutex<State>>, base: &str) {
    let mut reader = BufReader::new(stream);
    // Several requests may come over one connection.
    for _ in 0..1_000 {
        let Some(request) = read(&mut reader) else { return };
        let (status, headers, body) = {
            let mut state = state.lock().expect("no test panics in it");
            state.requests.push(request.clone());
            answer(&mut state, &request, base)
        };
        let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("content-type: application/json; charset=utf-8\r\n\r\n");
        let mut stream = stream;
        if stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut parts = line.split_whitespace();
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

type Answer = (u16, Vec<(&'static str, String)>, String);

fn answer(state: &mut State, request: &Request, base: &str) -> Answer {
    // Through a proxy, the request names the whole address.
    let asked = request.path.strip_prefix("http://api.github.test").unwrap_or(&request.path);
    if asked == "/graphql" {
        return graphql(state, request);
    }
    let Some(path) = asked.strip_prefix(PREFIX).or(asked.starts_with("/repos/").then_some(asked)) else {
        // GitHub Enterprise serves GraphQL beside the versions of its API.
        return graphql(state, request);
    };
    if path == "/graphql" {
        return (404, Vec::new(), json!({"message": "Not Found"}).to_string());
    }
    state.wrong.extend(contract(request, path));
    let fault =
        state.faults.iter().position(|fault| fault.method == request.method && path.contains(fault.path));
    let fault = fault.and_then(|at| state.faults.remove(at));
    if let Some(fault) = fault.as_ref().filter(|fault| !fault.done) {
        return (fault.status, fault.headers.clone(), fault.body.clone());
    }
    let done = carry_out(state, request, path, base);
    match fault {
        Some(fault) => (fault.status, fault.headers, fault.body),
        None => done,
    }
}

fn graphql(state: &State, request: &Request) -> Answer {
    if request.header("authorization").is_none() {
        return (401, Vec::new(), json!({"message": "Requires authentication"}).to_string());
    }
    if state.viewer.is_empty() {
        return (403, Vec::new(), json!({"message": "Resource not accessible by integration"}).to_string());
    }
    (200, Vec::new(), json!({"data": {"viewer": {"login": state.viewer}}}).to_string())
}

fn carry_out(state: &mut State, request: &Request, path: &str, base: &str) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.trim_start_matches("/repos/acme/churn/").split('/').collect();
    let found = |value: &Value| (200, Vec::new(), value.to_string());
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["issues", _, "comments"]) => page(&state.comments, query),
        ("POST", ["issues", _, "comments"]) => {
            state.next += 1;
            let id = state.next;
            let login = if state.viewer.is_empty() { "github-actions[bot]" } else { &state.viewer };
            let comment = json!({
                "id": id, "body": request.json()["body"], "html_url": format!("https://github.com/c/{id}"),
                "user": {"login": login, "type": "Bot"},
            });
            state.comments.push(comment.clone());
            (201, Vec::new(), comment.to_string())
        }
        ("PATCH", ["issues", "comments", id]) => {
            let comment = state.comments.iter_mut().find(|one| is(&one["id"], id)).expect("the comment");
            comment["body"] = request.json()["body"].clone();
            found(comment)
        }
        ("DELETE", ["issues", "comments", id]) => {
            state.comments.retain(|one| !is(&one["id"], id));
            (204, Vec::new(), String::new())
        }
        ("GET", ["pulls"]) => page(&state.pulls, query),
        ("GET", ["pulls", number]) => match state.pulls.iter().find(|one| is(&one["number"], number)) {
            Some(pull) => found(pull),
            None => (404, Vec::new(), json!({"message": "Not Found"}).to_string()),
        },
        ("POST", ["check-runs"]) => {
            state.next += 1;
            let mut run = request.json();
            run["id"] = json!(state.next);
            run["html_url"] = json!(format!("{base}/runs/{}", state.next));
            state.check_runs.push(run.clone());
            (201, Vec::new(), run.to_string())
        }
        ("PATCH", ["check-runs", id]) => {
            let more = request.json()["output"]["annotations"].as_array().cloned().unwrap_or_default();
            let run = state.check_runs.iter_mut().find(|one| is(&one["id"], id)).expect("the run");
            run["output"]["annotations"].as_array_mut().expect("a list").extend(more);
            found(run)
        }
        ("GET", ["commits", _, "check-runs"]) => {
            found(&json!({"total_count": state.check_runs.len(), "check_runs": state.check_runs}))
        }
        _ => (
            404,
            Vec::new(),
            json!({"message": format!("no such call: {} {path}", request.method)}).to_string(),
        ),
    }
}

/// Whether a number equals the one in a path.
fn is(number: &Value, text: &str) -> bool {
    number.as_u64() == text.parse().ok()
}

fn page(items: &[Value], query: &str) -> Answer {
    let number = |name: &str, default: usize| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            .unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30), number("page", 1));
    let items: Vec<&Value> = items.iter().skip(size * (page - 1)).take(size).collect();
    (200, Vec::new(), json!(items).to_string())
}

/// What is wrong with a request, by GitHub's description and by rules that the description leaves out.
fn contract(request: &Request, path: &str) -> Vec<String> {
    let spec: Value = serde_json::from_str(include_str!("../fixtures/github/api.json")).expect("JSON");
    let mut wrong = Vec::new();
    let mut say = |what: String| wrong.push(format!("{} {path}: {what}", request.method));
    if !request.header("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
        say("no token".into());
    }
    if request.header("user-agent").is_none() {
        say("no user agent".into());
    }
    if request.header("accept") != Some("application/vnd.github+json") {
        say(format!("accepts {:?}", request.header("accept")));
    }
    let parts: Vec<&str> =
        path.split('?').next().unwrap_or(path).trim_start_matches('/').split('/').collect();
    let fits = |template: &&String| {
        let wanted: Vec<&str> = template.trim_start_matches('/').split('/').collect();
        wanted.len() == parts.len()
            && wanted.iter().zip(&parts).all(|(one, part)| one.starts_with('{') || one == part)
    };
    let literal = |template: &&String| template.split('/').filter(|part| !part.starts_with('{')).count();
    let paths = spec["paths"].as_object().expect("paths");
    let Some(template) = paths.keys().filter(fits).max_by_key(literal) else {
        say("GitHub has no such call, or gate should not make it".into());
        return wrong;
    };
    let operation = &paths[template][request.method.to_lowercase()];
    if operation.is_null() {
        say(format!("{template} has no such method"));
        return wrong;
    }
    if !operation["body"].is_null() {
        let mut schema = operation["body"].clone();
        schema["components"] = spec["components"].clone();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for error in validator.iter_errors(&request.json()) {
            say(format!("{}: {error}", error.instance_path()));
        }
    }
    let body = request.json();
    for (place, most) in [("/body", 65_536), ("/output/summary", 65_535), ("/output/title", 255)] {
        if body.pointer(place).and_then(Value::as_str).is_some_and(|text| text.len() > most) {
            say(format!("{place} is longer than {most} bytes"));
        }
    }
    if body["output"]["annotations"].as_array().is_some_and(|all| all.len() > 50) {
        say("more than 50 annotations".into());
    }
    if matches!(body["conclusion"].as_str(), Some("neutral" | "skipped")) {
        say("a conclusion that counts as passing".into());
    }
    wrong
}
