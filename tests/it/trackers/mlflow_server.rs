//! MLflow's tracking server: what it answers, and what a server answers that is ill, or is none.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{POLICY, fixture, oracle, value};
use crate::project::{Project, Ran};

/// What the server does with a request: its method, its path with the query, its headers and body.
type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: Vec<String>,
    body: String,
}

enum Answer {
    /// A status, a sort of content, and the body.
    Whole(u16, &'static str, Vec<u8>),
    /// As many bytes as are given, and then the end, though more were promised.
    Half(Vec<u8>),
    /// Nothing, for longer than anyone waits.
    Silence,
    /// Bytes that are not HTTP.
    Garbage,
    /// A redirect to an address.
    Elsewhere(String),
}

pub(super) struct Server {
    pub(super) uri: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(answering: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let uri = format!("http://{}", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (shared, answering): (_, Arc<Answering>) = (Arc::clone(&requests), Arc::new(answering));
        // It ends with the process; at most so many connections are taken.
        thread::spawn(move || {
            for stream in listener.incoming().take(2_000).flatten() {
                let (shared, answering) = (Arc::clone(&shared), Arc::clone(&answering));
                thread::spawn(move || serve(&stream, &shared, &*answering));
            }
        });
        Self { uri, requests }
    }

    /// A server with the runs that MLflow's client read from a database, in the shape in which a server gives them.
    pub(super) fn of_oracle(path: &str) -> Self {
        let known = oracle(path);
        Self::start(move |request| {
            if request.line.contains("logged-models/") {
                return Answer::Whole(404, "text/html", b"<!doctype html>".to_vec());
            }
            let asked = |run: &&Value| request.line.contains(run["info"]["run_id"].as_str().expect("an id"));
            let experiments = known["experiments"].as_array().expect("a list").iter();
            let mut runs = experiments.flat_map(|experiment| experiment["runs"].as_array().expect("runs"));
            let Some(run) = runs.find(asked).filter(|_| request.line.contains("runs/get")) else {
                return api(&json!({}));
            };
            let pairs = |field: &str| -> Value {
                let pairs = run[field].as_object().expect("an object").iter();
                pairs.map(|(key, value)| json!({"key": key, "value": value})).collect()
            };
            let inputs: Value = run["datasets"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|data| json!({"tags": [{"key": "mlflow.data.context", "value": data["context"]}], "dataset": data}))
                .collect();
            let outputs: Value = run["model_outputs"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|id| json!({"model_id": id}))
                .collect();
            api(&json!({"run": {"info": run["info"], "inputs": {"dataset_inputs": inputs},
                "outputs": {"model_outputs": outputs},
                "data": {"metrics": pairs("metrics"), "params": pairs("params"), "tags": pairs("tags")}}}))
        })
    }

    /// The answers that a real server gave.
    fn recorded(folder: &str) -> Self {
        let index = oracle(&format!("mlflow/{folder}/index.json"));
        let folder = format!("mlflow/{folder}");
        Self::start(move |request| {
            let found =
                index.as_array().expect("a list").iter().find(|known| is_of(&known["request"], request));
            let Some(found) = found else {
                if let Some(history) = one_value(&index, &folder, request) {
                    return api(&history);
                }
                // What is registered of a run was not asked when these were recorded.
                let searched = request.line.contains("model-versions/search");
                let page = || Answer::Whole(404, "text/html", b"<!doctype html>".to_vec());
                return if searched { api(&json!({})) } else { page() };
            };
            let response = &found["response"];
            let body = fixture(&format!("{folder}/{}", response["body_file"].as_str().expect("a file")));
            let status =
                response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
            match std::fs::read(body) {
                Ok(body) => Answer::Whole(status, "application/json", body),
                Err(_) => Answer::Whole(404, "text/html", b"<!doctype html>".to_vec()),
            }
        })
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics in it").clone()
    }

    fn gate(&self, arguments: &[&str]) -> Ran {
        self.gate_with(arguments, &[])
    }

    fn gate_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let project = Project::new();
        project.file("gate.yaml", POLICY);
        let own = [
            ("MLFLOW_TRACKING_URI", self.uri.as_str()),
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "1"),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1"),
        ];
        project.gate_with(arguments, &[&own[..], environment].concat())
    }
}

fn serve(stream: &TcpStream, requests: &Mutex<Vec<Request>>, answering: &Answering) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    for _ in 0..1_000 {
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            let mut request =
                Request { line: line.trim().to_owned(), headers: Vec::new(), body: String::new() };
            let mut length = 0;
            loop {
                let mut header = String::new();
                if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
                    break;
                }
                if let Some(text) = header.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a length");
                }
                request.headers.push(header.trim().to_owned());
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            request.body = String::from_utf8(body).expect("UTF-8");
            let answer = answering(&request);
            requests.lock().expect("no test panics in it").push(request);
            let sent = match answer {
                Answer::Whole(status, sort, body) => {
                    let head = format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: {sort}\r\ncontent-length: {}\r\n\r\n",
                        body.len()
                    );
                    writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body))
                }
                Answer::Half(body) => {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() * 2);
                    let _ = writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body));
                    return;
                }
                Answer::Silence => {
                    thread::sleep(Duration::from_secs(5));
                    return;
                }
                Answer::Elsewhere(location) => {
                    let head = format!("HTTP/1.1 302 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
                    writer.write_all(head.as_bytes())
                }
                Answer::Garbage => {
                    let _ = writer.write_all(&[0, 159, 146, 150, b'\n']);
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        } else {
            return;
        }
    }
}

/// The history of a metric that was not recorded: its last value.
fn one_value(index: &Value, folder: &str, request: &Request) -> Option<Value> {
    let (_, query) = request.line.split(' ').nth(1)?.split_once("metrics/get-history?")?;
    let asked = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let of_run = |known: &&Value| known["request"]["query"]["run_id"] == asked("run_id").unwrap_or_default();
    let mut runs = index.as_array()?.iter().filter(of_run);
    runs.find_map(|known| {
        let body = std::fs::read_to_string(fixture(&format!(
            "{folder}/{}",
            known["response"]["body_file"].as_str()?
        )));
        let answer: Value = serde_json::from_str(&body.ok()?).ok()?;
        let metrics = answer["run"]["data"]["metrics"].as_array()?.iter();
        let name = asked("metric_key")?.replace("%2F", "/");
        Some(json!({"metrics": metrics.filter(|metric| metric["key"] == name).collect::<Vec<_>>()}))
    })
}

/// Whether a request is the one that was recorded, whatever the size of its pages.
fn is_of(recorded: &Value, request: &Request) -> bool {
    let mut parts = request.line.split(' ');
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("max_results=")).collect();
    asked.sort_unstable();
    let mut known: Vec<String> = recorded["query"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    known.sort_unstable();
    recorded["method"] == method && recorded["path"] == path && asked == known
}

fn api(answer: &Value) -> Answer {
    Answer::Whole(200, "application/json", answer.to_string().into_bytes())
}

#[test]
fn what_a_real_server_answered_is_read() {
    let server = Server::recorded("rest-3.17");
    let ran = server.gate(&["show", "mlflow:runs:/bbd34f3c36fb40a8b54382836d077d68", "--format", "json"]);
    ran.leaves_with(0);
    let record = ran.json();
    assert_eq!(value(&record, "f1"), Some(0.81152.into()));
    assert_eq!(record["metrics"]["f1"]["dataset"], "churn-test");
    assert_eq!(record["validation"]["digest"], "mlflow:38f2b138");
    assert_eq!(record["params"]["max_depth"], "5");
    assert_eq!(record["created_at"], "2026-11-23T08:37:55.006Z");
    // Whoever looks at a run sees the history too.
    assert_eq!(record["metrics"]["valid_log_loss"]["points"], 16);
    server.gate(&["show", "mlflow:models:/churn@nope"]).leaves_with(2).says("has no alias `nope`");
    server
        .gate(&["show", "mlflow:runs:/00000000000000000000000000000000"])
        .leaves_with(2)
        .says("there is no run");
}

#[test]
fn a_server_of_mlflow_2_has_no_logged_models() {
    let server = Server::recorded("rest-2.22");
    let alias = oracle("mlflow/rest-2.22/alias_champion.json");
    let run = alias["model_version"]["run_id"].as_str().expect("an id").to_owned();
    let record = server.gate(&["show", &format!("mlflow:runs:/{run}"), "--format", "json"]).json();
    assert_eq!(value(&record, "f1"), Some(0.80731.into()));
    assert_eq!(record["fields_from"]["artifact.uri"], "tags.mlflow.log-model.history");
    let ran = server.gate(&["show", "mlflow:models:/m-d499110b96174ab898cfbd4769d50999"]);
    ran.leaves_with(2).says("these are in MLflow 3 only");
}

/// A server with one run that is registered as version 1 of `churn`.
fn small(change: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        if let Some(answer) = change(request) {
            return answer;
        }
        let version =
            json!({"name": "churn", "version": "1", "run_id": "a1", "source": "s3://b/m", "status": "READY"});
        let metrics = json!([{"key": "f1", "value": 0.8, "step": 0, "timestamp": 1}]);
        match request.line.as_str() {
            line if line.contains("metric_key=f1") => api(&json!({ "metrics": metrics })),
            line if line.contains("registered-models/alias") || line.contains("model-versions/get") => {
                api(&json!({ "model_version": version }))
            }
            line if line.contains("runs/get?run_id=a1 ") => api(&json!({"run": {
                "info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active", "experiment_id": "1"},
                "data": {"metrics": metrics}}})),
            line if line.contains("/search") => api(&json!({})),
            _ => Answer::Whole(404, "application/json", NOTHING.to_vec()),
        }
    })
}

/// What MLflow says of a thing that is not there.
const NOTHING: &[u8] = b"{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"no\"}";

const CHAMPION: [&str; 2] = ["check", "mlflow:models:/churn@champion"];

#[test]
fn a_server_that_is_ill_is_an_error_in_bounded_time() {
    type Change = fn(&Request) -> Option<Answer>;
    let cases: [(&str, Change, &str, u64); 14] = [
        ("well", |_| None, "verdict: pass", 0),
        (
            "silent",
            |_| Some(Answer::Silence),
            "did not answer /api/2.0/mlflow/registered-models/alias within 1 seconds",
            2,
        ),
        ("garbage", |_| Some(Answer::Garbage), "http/cut-off", 2),
        ("half", |_| Some(Answer::Half(b"{\"model_version\": {".to_vec())), "did not finish its answer", 2),
        ("401", |_| Some(Answer::Whole(401, "text/plain", b"who?".to_vec())), "with 401", 2),
        ("403", |_| Some(Answer::Whole(403, "text/plain", b"no".to_vec())), "check the credentials", 2),
        ("500", |_| Some(Answer::Whole(500, "text/plain", b"oh".to_vec())), "with 500, 2 times", 2),
        (
            "a page",
            |_| Some(Answer::Whole(200, "text/html", b"<html>log in</html>".to_vec())),
            "something that is not read",
            2,
        ),
        (
            "a page for 404",
            |_| Some(Answer::Whole(404, "text/html", b"<html>".to_vec())),
            "answered with 404",
            2,
        ),
        (
            "a list",
            |_| Some(Answer::Whole(200, "application/json", b"[]".to_vec())),
            "answered with 200 and a list",
            2,
        ),
        (
            "half JSON",
            |_| Some(Answer::Whole(200, "application/json", b"{\"model_version\": {".to_vec())),
            "something that is not read",
            2,
        ),
        (
            "a key twice",
            |_| Some(Answer::Whole(200, "application/json", b"{\"a\": 1, \"a\": 2}".to_vec())),
            "the key `a` stands twice",
            2,
        ),
        (
            "another status",
            |_| Some(Answer::Whole(201, "application/json", b"{}".to_vec())),
            "answered with 201",
            2,
        ),
        ("a loop", |_| Some(Answer::Elsewhere("/api".into())), "leads elsewhere", 2),
    ];
    for (name, change, says, code) in cases {
        let ran = small(change).gate(&CHAMPION);
        assert_eq!(u64::try_from(ran.code).expect("a code"), code, "{name}\n{}\n{}", ran.out, ran.err);
        ran.says(says);
    }
    // Nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let project = Project::new();
    project.file("gate.yaml", POLICY);
    let uri = format!("http://{port}");
    let ran = project
        .gate_with(&CHAMPION, &[("MLFLOW_TRACKING_URI", &uri), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")]);
    ran.leaves_with(2).says("can't be reached");
}

#[test]
fn an_answer_that_lacks_something_is_no_verdict() {
    for (answer, says) in [
        (json!({}), "an answer lacks run"),
        (json!({"run": {}}), "an answer lacks run.info"),
        (json!({"run": {"info": {"run_id": "a1", "lifecycle_stage": "active"}}}), "lacks run.info.status"),
        (json!({"run": {"info": {"run_id": "a1", "status": "FINISHED"}}}), "lacks run.info.lifecycle_stage"),
        (
            json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
                   "data": {"metrics": [{"key": "f1", "value": "good"}]}}}),
            "a number as the value of the metric `f1`",
        ),
    ] {
        let server = small(move |request| request.line.contains("runs/get").then(|| api(&answer)));
        server.gate(&CHAMPION).leaves_with(2).says(says);
    }
    // Not finite, in the spellings of a server.
    for value in [json!("NaN"), json!("Infinity"), json!(f64::MAX), json!("-Infinity")] {
        let answer = json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
            "data": {"metrics": [{"key": "f1", "value": value}]}}});
        let server = small(move |request| request.line.contains("runs/get").then(|| api(&answer)));
        server.gate(&CHAMPION).leaves_with(1).says("is not a finite number");
    }
}

type Environment<'e> = &'e [(&'e str, &'e str)];

#[test]
fn who_asks_is_said_and_never_printed() {
    let refused = |_: &Request| Some(Answer::Whole(401, "text/plain", b"who?".to_vec()));
    let credentials = "[other]\nmlflow_tracking_username = x\n[mlflow]\nMLFLOW_Tracking_Username = ada\nmlflow_tracking_password: hunter2\n";
    let cases: [(Environment, bool, &str); 7] = [
        (
            &[("MLFLOW_TRACKING_TOKEN", "hunter2"), ("MLFLOW_TRACKING_USERNAME", "ada")],
            false,
            "Bearer hunter2",
        ),
        (
            &[("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")],
            false,
            "Basic YWRhOmh1bnRlcjI=",
        ),
        (&[], true, "Basic YWRhOmh1bnRlcjI="),
        // As MLflow's client: a name and password before a token, and each of them from where it is known.
        (&[("MLFLOW_TRACKING_TOKEN", "t0ken")], true, "Basic YWRhOmh1bnRlcjI="),
        (&[("MLFLOW_TRACKING_USERNAME", "ada")], true, "Basic YWRhOmh1bnRlcjI="),
        (&[("MLFLOW_TRACKING_PASSWORD", "hunter3")], true, "Basic YWRhOmh1bnRlcjM="),
        (&[], false, ""),
    ];
    for (environment, file, expected) in cases {
        let server = small(refused);
        let project = Project::new();
        project.file("gate.yaml", POLICY);
        if file {
            project.file(".mlflow/credentials", credentials);
        }
        let uri = [("MLFLOW_TRACKING_URI", server.uri.as_str()), ("MLFLOW_WORKSPACE", "growth")];
        let ran = project.gate_with(&CHAMPION, &[&uri[..], environment].concat());
        ran.leaves_with(2).never_says("hunter2").never_says("YWRhOmh1bnRlcjI=");
        let request = server.requests().pop().expect("a request");
        let header = request.headers.iter().find_map(|header| header.strip_prefix("authorization: "));
        assert_eq!(header.unwrap_or_default(), expected);
        assert!(request.headers.contains(&"x-mlflow-workspace: growth".to_owned()), "{:?}", request.headers);
    }
    // In the address itself.
    let server = small(refused);
    let uri = server.uri.replace("http://", "http://ada:hunter2@");
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_URI", &uri)]);
    ran.leaves_with(2).never_says("hunter2");
    assert!(server.requests()[0].headers.contains(&"authorization: Basic YWRhOmh1bnRlcjI=".to_owned()));
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_TOKEN", "hunter2\nx: y")]);
    ran.leaves_with(2).says("characters that no header may have").never_says("hunter2");
    // Half of it is nobody.
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_PASSWORD", "hunter2")]);
    ran.leaves_with(2).says("only the password of who asks is known").never_says("hunter2");
    let ran = server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_USERNAME", "ada")]);
    ran.leaves_with(2).says("set MLFLOW_TRACKING_PASSWORD too");
}

#[test]
fn a_server_that_repeats_the_request_does_not_tell_who_asked() {
    let server = small(|request| {
        let said = json!({"error_code": "INVALID_PARAMETER_VALUE", "message": request.headers.join(" ") + " hunter2"});
        Some(Answer::Whole(400, "application/json", said.to_string().into_bytes()))
    });
    for environment in [
        &[("MLFLOW_TRACKING_TOKEN", "hunter2")][..],
        &[("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "hunter2")],
    ] {
        let ran = server.gate_with(&CHAMPION, environment);
        ran.leaves_with(2).says("***").never_says("hunter2").never_says("YWRhOmh1bnRlcjI=");
    }
}

#[test]
fn credentials_are_for_one_server() {
    let other = small(|_| None);
    let uri = other.uri.clone();
    let server = small(move |request| {
        let path = request.line.split(' ').nth(1).expect("a path");
        Some(Answer::Elsewhere(format!("{uri}{path}")))
    });
    server.gate_with(&CHAMPION, &[("MLFLOW_TRACKING_TOKEN", "hunter2")]).leaves_with(0);
    assert!(server.requests()[0].headers.contains(&"authorization: Bearer hunter2".to_owned()));
    for request in other.requests() {
        assert!(!request.headers.iter().any(|header| header.contains("hunter2")), "{request:?}");
    }
}

#[test]
fn the_newest_version_is_no_baseline_by_any_name() {
    // A server of MLflow 3 leads from an alias that nobody can set to the newest version.
    let server = small(|_| None);
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.1 } } }\n");
    for name in ["latest", "Latest", "LATEST"] {
        let arguments =
            ["check", "mlflow:models:/churn/1", "--baseline", &format!("mlflow:models:/churn@{name}")];
        let ran = project.gate_with(&arguments, &[("MLFLOW_TRACKING_URI", &server.uri)]);
        ran.leaves_with(2).says("mlflow/latest").says("is no baseline");
    }
}

#[test]
fn an_answer_about_something_else_is_no_answer() {
    let run = |id: &str, data: Value| {
        json!({"run": {"info": {"run_id": id, "status": "FINISHED", "lifecycle_stage": "active", "experiment_id": "1"},
            "data": data}})
    };
    let version = |name: &str, number: &str| json!({"model_version": {"name": name, "version": number, "run_id": "a1", "source": "s3://b/m", "status": "READY"}});
    let logged = json!([{"key": "f1", "value": 0.8, "step": 3, "timestamp": 1}]);
    let history = |key: &str| json!({"metrics": [{"key": key, "value": 0.99, "step": 9, "timestamp": 1}]});
    for (call, answer, says) in [
        ("runs/get", run("b2", json!({})), "asked for the run `a1`, it answered with `b2`"),
        ("model-versions/get", version("other", "1"), "asked for the model `churn`"),
        ("model-versions/get", version("churn", "7"), "asked for the version `1`, it answered with `7`"),
        ("registered-models/alias", version("other", "1"), "asked for the model `churn`"),
        ("get-history", history("auc"), "lacks a value of `f1`, and has one of `auc`"),
        ("get-history", json!({}), "has a last value of `f1`, and no first one"),
        ("get-by-name", json!({"experiment": {"name": "y", "experiment_id": "1"}}), "the experiment `x`"),
        ("runs/search", json!({"runs": [run("b2", json!({}))["run"]]}), "the experiment `7`"),
    ] {
        let whole = run("a1", json!({"metrics": logged}));
        let server = small(move |request| {
            let line = &request.line;
            if line.contains(call) {
                return Some(api(&answer));
            }
            let by_name = json!({"experiment": {"name": "x", "experiment_id": "7"}});
            let known = [("get-by-name", &by_name), ("runs/get", &whole)];
            known.iter().find(|(call, _)| line.contains(call)).map(|(_, answer)| api(answer))
        });
        let experiment = matches!(call, "get-by-name" | "runs/search");
        let name = if experiment { "mlflow:experiments:/x" } else { "mlflow:models:/churn@champion" };
        server.gate(&["show", name]).leaves_with(2).says("mlflow/broken").says(says);
    }
    // What is asked for later does not change what was read first.
    let server = small(move |request| {
        let line = &request.line;
        let asked = line.contains("get-history").then(|| api(&history("f1")));
        asked.or_else(|| line.contains("runs/get").then(|| api(&run("a1", json!({"metrics": logged})))))
    });
    let record = server.gate(&["show", "mlflow:runs:/a1", "--format", "json"]).json();
    assert_eq!(value(&record, "f1"), Some(0.8.into()));
}

#[test]
fn a_sort_that_mlflow_never_writes_is_not_taken_for_nothing() {
    let info = json!({"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"});
    let with = |key: &str, value: Value| {
        let mut info = info.clone();
        info[key] = value;
        json!({"info": info})
    };
    let data = |data: Value| json!({"info": info, "data": data});
    let metric = |metric: Value| data(json!({ "metrics": [metric] }));
    for (run, says) in [
        (data(json!({"tags": {"experimental": "yes"}})), "a list as `tags`"),
        (data(json!({"params": "x"})), "a list as `params`"),
        (data(json!({"metrics": {"f1": 0.1}})), "a list as `metrics`"),
        (data(json!([])), "an object as `data`"),
        (data(json!({"tags": [{"key": "k", "value": ["v"]}]})), "text as `value`"),
        (json!({"info": info, "inputs": {"dataset_inputs": {}}}), "a list as `dataset_inputs`"),
        (json!({"info": info, "outputs": {"model_outputs": [{}]}}), "model_outputs[].model_id"),
        (with("lifecycle_stage", json!("DELETED")), "`active` or `deleted`"),
        (with("lifecycle_stage", json!("xyz")), "`active` or `deleted`"),
        (with("start_time", json!("noon")), "a whole number as `start_time`"),
        (metric(json!({"key": "f1", "value": "0.9"})), "a number as the value of the metric `f1`"),
        (metric(json!({"key": "f1", "value": true})), "a number as the value of the metric `f1`"),
        (metric(json!({"key": "f1", "value": 0.9, "step": 5.5})), "a whole number as `step`"),
    ] {
        let answer = json!({ "run": run });
        let server = small(move |request| request.line.contains("runs/get").then(|| api(&answer)));
        server.gate(&CHAMPION).leaves_with(2).says("an answer lacks").says(says);
    }
    let page = json!({"runs": [], "next_page_token": {"a": 1}});
    let server = in_an_experiment(move |request| request.line.contains("runs/search").then(|| api(&page)));
    server.gate(&["check", "mlflow:experiments:/x"]).leaves_with(2).says("text as `next_page_token`");
}

/// A server with the experiment `x`, number 1.
fn in_an_experiment(change: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
    small(move |request| {
        let by_name = || api(&json!({"experiment": {"name": "x", "experiment_id": "1"}}));
        change(request).or_else(|| request.line.contains("get-by-name").then(by_name))
    })
}

#[test]
fn a_run_of_an_experiment_is_the_run_that_it_is_by_itself() {
    const BEST: &str = "version: 1\nrules:\n  r: { require: { metrics.loss.best.min: { max: 0.2 } } }\n";
    let id = "m-d499110b96174ab898cfbd4769d50999";
    let run = json!({"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active", "experiment_id": "1"},
        "data": {"metrics": [{"key": "loss", "value": 0.3, "step": 0, "timestamp": 5}]},
        "outputs": {"model_outputs": [{"model_id": id}]}});
    let model = json!({"info": {"model_id": id, "source_run_id": "a1", "status": "LOGGED_MODEL_READY", "artifact_uri": "s3://b/m"},
        "data": {"metrics": [{"key": "loss", "value": 0.3, "step": 0, "timestamp": 5, "run_id": "a1", "dataset_name": "holdout"},
                             {"key": "loss", "value": 0.9, "step": 0, "timestamp": 6, "run_id": "e5", "dataset_name": "next year"}]}});
    let server = || {
        let (run, model) = (run.clone(), model.clone());
        in_an_experiment(move |request| {
            let line = &request.line;
            // Values without a step are all at step 0.
            let points: Value = [(1, 0.5), (2, 0.2), (3, 0.3)]
                .iter()
                .map(|(time, value)| json!({"key": "loss", "value": value, "step": 0, "timestamp": time}))
                .collect();
            let version =
                json!({"name": "churn", "version": "4", "run_id": "a1", "source": format!("models:/{id}")});
            let other = json!({"name": "other", "version": "1", "run_id": "b2", "source": "s3://b/m"});
            [
                ("runs/get", json!({ "run": run })),
                ("runs/search", json!({ "runs": [run] })),
                ("logged-models/search", json!({ "models": [model] })),
                ("logged-models/m-", json!({ "model": model })),
                ("model-versions/search", json!({ "model_versions": [version, other] })),
                ("get-history", json!({ "metrics": points })),
            ]
            .iter()
            .find(|(call, _)| line.contains(call))
            .map(|(_, answer)| api(answer))
        })
    };
    let one = server().gate(&["show", "mlflow:runs:/a1", "--format", "json"]).json();
    let mut of_experiment = server().gate(&["show", "mlflow:experiments:/x", "--format", "json"]).json();
    assert_eq!(one["model"], "churn");
    assert_eq!(
        one["metrics"]["loss"],
        json!({"value": 0.3, "step": 0, "best": {"min": 0.2, "max": 0.5}, "points": 3, "dataset": "holdout"})
    );
    server()
        .gate(&["show", "mlflow:runs:/a1"])
        .says("the run `e5` measured this model too on `next year`: loss 0.9");
    of_experiment["origin"] = one["origin"].clone();
    assert_eq!(of_experiment, one);
    let asked = server();
    let project = Project::new();
    project.file("gate.yaml", BEST);
    for name in ["mlflow:experiments:/x", "mlflow:runs:/a1"] {
        project.gate_with(&["check", name], &[("MLFLOW_TRACKING_URI", &asked.uri)]).leaves_with(0);
    }
}

#[test]
fn the_registry_may_be_another_server() {
    let registry = small(|_| None);
    let runs = small(|request| {
        request.line.contains("alias").then(|| Answer::Whole(500, "text/plain", b"no".to_vec()))
    });
    let ran = runs.gate_with(&CHAMPION, &[("MLFLOW_REGISTRY_URI", &registry.uri)]);
    ran.leaves_with(0).says("model churn · run a1");
    assert!(registry.requests().iter().all(|request| !request.line.contains("runs/")));
    let ran = runs.gate_with(&CHAMPION, &[("MLFLOW_REGISTRY_URI", "databricks-uc")]);
    ran.leaves_with(2).says("MLFLOW_REGISTRY_URI is a `databricks-uc:` address");
}

#[test]
fn a_name_with_every_quote_is_not_searched_for() {
    let server = small(|_| None);
    let ran = server.gate(&["show", "mlflow:models:/it's \"new\"/latest"]);
    ran.leaves_with(2).says("both sorts of quotes");
    assert!(server.requests().is_empty());
}

#[test]
fn names_become_part_of_an_address_safely() {
    let server = small(|request| {
        let version =
            json!({"name": "Bahn Prognose&x=1", "version": "1", "run_id": "a1", "source": "s3://b/m"});
        let registry = request.line.contains("alias") || request.line.contains("model-versions/get");
        registry.then(|| api(&json!({ "model_version": version })))
    });
    server.gate(&["show", "mlflow:models:/Bahn Prognose&x=1@champion"]).leaves_with(0);
    assert!(
        server.requests()[0].line.contains("name=Bahn+Prognose%26x%3D1&alias=champion"),
        "{:?}",
        server.requests()[0]
    );
}

#[test]
fn pages_are_followed_to_their_end() {
    // Ten pages of children, the first of which is asked for again in smaller parts.
    let runs = |from: usize, to: usize| -> Value {
        (from..to)
            .map(|n| json!({"info": {"run_id": format!("c{n}"), "status": "FINISHED", "lifecycle_stage": "active"},
                "data": {"metrics": [{"key": "f1", "value": 0.5, "step": 0, "timestamp": 1}],
                         "tags": [{"key": "mlflow.parentRunId", "value": "a1"}], "params": [{"key": "seed", "value": n.to_string()}]}}))
            .collect()
    };
    let server = small(move |request| {
        if !request.line.contains("runs/search") {
            return None;
        }
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!(body["filter"], "tags.`mlflow.parentRunId` = 'a1'");
        let size = usize::try_from(body["max_results"].as_u64().expect("a size")).expect("a small one");
        let from = body["page_token"].as_str().map_or(0, |token| token.parse().expect("a number"));
        if size > 90 {
            return Some(Answer::Whole(200, "application/json", vec![b' '; 9 << 20]));
        }
        let to = (from + size).min(230);
        let mut page = json!({ "runs": runs(from, to) });
        if to < 230 {
            page["next_page_token"] = json!(to.to_string());
        }
        Some(api(&page))
    });
    let project = Project::new();
    project.file(
        "gate.yaml",
        "version: 1\nseeds: tags.\"mlflow.parentRunId\"\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n",
    );
    let ran = project
        .gate_with(&["show", "mlflow:runs:/a1", "--format", "json"], &[("MLFLOW_TRACKING_URI", &server.uri)]);
    ran.leaves_with(0);
    assert_eq!(ran.json()["metrics"]["f1"]["values"].as_array().map(Vec::len), Some(230));
    // One that never ends does.
    let endless = small(move |request| {
        request
            .line
            .contains("runs/search")
            .then(|| api(&json!({"runs": runs(0, 1), "next_page_token": "again"})))
    });
    let ran = project.gate_with(&["show", "mlflow:runs:/a1"], &[("MLFLOW_TRACKING_URI", &endless.uri)]);
    ran.leaves_with(2).says("the list of runs has no end");
    // One that promises more and gives nothing.
    let empty = in_an_experiment(|request| {
        request.line.contains("runs/search").then(|| api(&json!({"runs": [], "next_page_token": "more"})))
    });
    empty.gate(&["check", "mlflow:experiments:/x"]).leaves_with(2).says("the list of runs has no end");
    assert_eq!(empty.requests().len(), 2);
}

#[test]
fn a_long_history_comes_in_pages() {
    const POINTS: usize = 60_000;
    let server = small(|request| {
        let line = &request.line;
        let asked = |key: &str| -> Option<usize> {
            let from = line.find(&format!("{key}="))? + key.len() + 1;
            line[from..].split(['&', ' ']).next()?.parse().ok()
        };
        if line.contains("get-history") {
            // All of it at once is more than is read.
            let size = asked("max_results").filter(|size| *size < 20_000);
            let Some(size) = size else {
                return Some(Answer::Whole(200, "application/json", vec![b' '; 9 << 20]));
            };
            let from = asked("page_token").unwrap_or(0);
            let to = (from + size).min(POINTS);
            let points: Value =
                (from..to).map(|n| json!({"key": "loss", "value": n, "step": n, "timestamp": n})).collect();
            let mut page = json!({ "metrics": points });
            if to < POINTS {
                page["next_page_token"] = json!(to.to_string());
            }
            return Some(api(&page));
        }
        line.contains("runs/get").then(|| {
            api(&json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
                "data": {"metrics": [{"key": "loss", "value": 59_999, "step": 59_999, "timestamp": 59_999}]}}}))
        })
    });
    let record = server.gate(&["show", "mlflow:runs:/a1", "--format", "json"]).json();
    assert_eq!(record["metrics"]["loss"]["points"], POINTS);
    assert_eq!(record["metrics"]["loss"]["best"]["min"], 0.0);
}

#[test]
fn the_history_is_asked_for_where_a_person_looks() {
    let answering = |request: &Request| {
        if request.line.contains("metrics/get-history") {
            if request.line.contains("metric_key=f1") {
                return Some(api(
                    &json!({"metrics": [{"key": "f1", "value": 0.9, "step": 0, "timestamp": 3}]}),
                ));
            }
            let points = [(0, 5.0), (10, 2.0), (5, 3.0), (10, 2.5), (-1, 99.0)];
            let metrics: Value = points
                .iter()
                .enumerate()
                .map(|(time, (step, value))| json!({"key": "loss", "value": value, "step": step, "timestamp": time}))
                .collect();
            return Some(api(&json!({ "metrics": metrics })));
        }
        request.line.contains("runs/get").then(|| {
            api(&json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
                "data": {"metrics": [{"key": "loss", "value": 2.5, "step": 10, "timestamp": 3},
                                     {"key": "f1", "value": 0.9, "step": 0, "timestamp": 3}]}}}))
        })
    };
    let server = small(answering);
    let record = server.gate(&["show", "mlflow:runs:/a1", "--format", "json"]).json();
    assert_eq!(
        record["metrics"]["loss"],
        json!({"value": 2.5, "step": 10, "best": {"min": 2.0, "max": 99.0}, "points": 5})
    );
    let server = small(answering);
    server.gate(&["check", "mlflow:runs:/a1"]).leaves_with(0);
    assert!(server.requests().iter().all(|request| !request.line.contains("history")));
}

/// A server with an artifact's digest in a tag, which keeps an alias.
fn with_alias(
    changes: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> (Server, Arc<Mutex<String>>) {
    let leads_to = Arc::new(Mutex::new("1".to_owned()));
    let kept = Arc::clone(&leads_to);
    let server = small(move |request| {
        if let Some(answer) = changes(request) {
            return Some(answer);
        }
        let mut version = kept.lock().expect("no test panics in it");
        if request.line.starts_with("POST") && request.line.contains("registered-models/alias") {
            let body: Value = serde_json::from_str(&request.body).expect("JSON");
            assert_eq!((&body["name"], &body["alias"]), (&"churn".into(), &"champion".into()));
            body["version"].as_str().expect("a number as text").clone_into(&mut version);
            return Some(api(&json!({})));
        }
        if request.line.contains("registered-models/alias") {
            return Some(api(
                &json!({"model_version": {"name": "churn", "version": *version, "run_id": "a1", "status": "READY"}}),
            ));
        }
        if request.line.contains("model-versions/get") {
            return Some(api(
                &json!({"model_version": {"name": "churn", "version": "2", "run_id": "a1", "status": "READY"}}),
            ));
        }
        // sha256 of "weights".
        let digest = "sha256:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c";
        request.line.contains("runs/get").then(|| {
            api(&json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
                "data": {"metrics": [{"key": "f1", "value": 0.8, "step": 0, "timestamp": 1}],
                         "tags": [{"key": "artifact.digest", "value": digest}, {"key": "artifact.path", "value": "model.bin"}]}}}))
        })
    });
    (server, leads_to)
}

const STAGED: &str =
    "version: 1\nstages: { production: {} }\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n";

/// Promotes version 2, whose model file is as the tag says.
fn promoted(server: &Server, project: &Project, alias: &[&str]) -> Ran {
    project.file("gate.yaml", STAGED);
    let arguments = ["promote", "mlflow:models:/churn/2", "--stage", "production", "--first"];
    let environment =
        [("MLFLOW_TRACKING_URI", server.uri.as_str()), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")];
    project.gate_with(&[&arguments[..], alias].concat(), &environment)
}

#[test]
fn an_alias_follows_a_promotion_and_an_audit_finds_where_it_does_not() {
    let (server, leads_to) = with_alias(|_| None);
    let project = Project::new();
    project.file("model.bin", "weights");
    let alias = ["--mlflow-alias", "champion"];
    promoted(&server, &project, &[&alias[..], &["--dry-run"]].concat()).leaves_with(0);
    assert_eq!(*leads_to.lock().expect("a version"), "1", "nothing is set that was only tried");
    promoted(&server, &project, &alias).leaves_with(0).says("churn@champion leads to version 2");
    assert_eq!(*leads_to.lock().expect("a version"), "2");
    let statement = project.read("ledger/churn/production/000001.json");
    assert!(
        statement.contains("\"alias\": \"champion\"") && statement.contains("\"version\": \"2\""),
        "{statement}"
    );
    let environment = [("MLFLOW_TRACKING_URI", server.uri.as_str())];
    let audit =
        |environment: &[(&str, &str)]| project.gate_with(&["audit", "--stage", "production"], environment);
    audit(&environment).leaves_with(0).says("churn@champion leads to version 2");
    "3".clone_into(&mut leads_to.lock().expect("a version"));
    audit(&environment)
        .leaves_with(1)
        .says("churn@champion leads to version 3, and promotion 1 is of version 2");
    // Not found out is not the same as wrong.
    audit(&[("MLFLOW_TRACKING_URI", "http://127.0.0.1:9"), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")])
        .leaves_with(0)
        .says("was not found out");
}

#[test]
fn an_alias_that_is_not_set_does_not_undo_the_promotion() {
    let refuse = |request: &Request| {
        let sets = request.line.starts_with("POST") && request.line.contains("alias");
        sets.then(|| Answer::Whole(500, "text/plain", b"oh".to_vec()))
    };
    let (server, leads_to) = with_alias(refuse);
    let project = Project::new();
    project.file("model.bin", "weights");
    let ran = promoted(&server, &project, &["--mlflow-alias", "champion"]);
    ran.leaves_with(2)
        .says("churn in production promoted: promotion 1")
        .says("the promotion is in the ledger, and the alias churn@champion was not set")
        .says("client.set_registered_model_alias(\"churn\", \"champion\", \"2\")");
    assert_eq!(*leads_to.lock().expect("a version"), "1");
    let environment = [("MLFLOW_TRACKING_URI", server.uri.as_str())];
    project
        .gate_with(&["audit"], &environment)
        .leaves_with(1)
        .says("leads to version 1, and promotion 1 is of version 2");
}

#[test]
fn an_alias_that_can_t_be_set_is_refused_before_anything_is_written() {
    let project = Project::new();
    project.file("model.bin", "weights");
    // The version is of another run by now.
    let (server, _) = with_alias(|request| {
        let asked = request.line.contains("model-versions/get");
        asked.then(|| api(&json!({"model_version": {"name": "churn", "version": "2", "run_id": "b2", "status": "READY"}})))
    });
    let ran = promoted(&server, &project, &["--mlflow-alias", "champion"]);
    assert_eq!(ran.code, 2, "{}\n{}", ran.out, ran.err);
    assert!(!project.path().join("ledger").exists());
    // A database has no server to ask.
    let project = super::project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    project.file("gate.yaml", STAGED).file("m/model.bin", "x");
    let ran = project.gate(&[
        "promote",
        "mlflow:models:/churn/2",
        "--stage",
        "production",
        "--first",
        "--mlflow-alias",
        "champion",
    ]);
    assert_ne!(ran.code, 0);
    assert!(!project.path().join("ledger").exists());
}
