//! A tracking server for tests, which replays a real server's answers or gives those of the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{POLICY, fixture, oracle};
use crate::project::{Project, Ran};

/// Maps a request (its method, path with query, headers and body) to an answer.
type Answering = dyn Fn(&Request) -> Answer + Send + Sync;

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

pub(super) enum Answer {
    /// A status, a content type, and the body.
    Whole(u16, &'static str, Vec<u8>),
    /// These bytes and then the end, although more were promised.
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
    pub(super) fn start(answering: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let uri = format!("http://{}", listener.local_addr().expect("an address"));
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (shared, answering): (_, Arc<Answering>) = (Arc::clone(&requests), Arc::new(answering));
        // The thread ends with the process; the number of connections is bounded.
        thread::spawn(move || {
            for stream in listener.incoming().take(2_000).flatten() {
                let (shared, answering) = (Arc::clone(&shared), Arc::clone(&answering));
                thread::spawn(move || serve(&stream, &shared, &*answering));
            }
        });
        Self { uri, requests }
    }

    /// A server with the runs that MLflow's client read from a database, as a server would answer them.
    pub(super) fn of_oracle(path: &str) -> Self {
        let known = oracle(path);
        Self::start(move |request| {
            if request.line.contains("logged-models/") {
                return Answer::Whole(404, "text/html", b"<!doctype html>".to_vec());
            }
            let asked = |run: &&Value| request.line.contains(run["info"]["run_id"].as_str().expect("an id"));
            let experiments = known["experiments"].as_array().expect("a list").iter();
            let mut runs = experiments.flat_map(|experiment| experiment["runs"].as_array().expect("runs"));
            let history =
                request.line.split("metric_key=").nth(1).and_then(|rest| rest.split(['&', ' ']).next());
            let Some(run) =
                runs.find(asked).filter(|_| history.is_some() || request.line.contains("runs/get"))
            else {
                return api(&json!({}));
            };
            if let Some(name) = history {
                let name = percent_encoding::percent_decode_str(name).decode_utf8().expect("UTF-8");
                let value = &run["metrics"][&*name];
                return api(&json!({"metrics": [{"key": name, "value": value}]}));
            }
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
    pub(super) fn recorded(folder: &str) -> Self {
        let index = oracle(&format!("mlflow/{folder}/index.json"));
        let folder = format!("mlflow/{folder}");
        Self::start(move |request| {
            let found =
                index.as_array().expect("a list").iter().find(|known| is_of(&known["request"], request));
            let Some(found) = found else {
                if let Some(history) = one_value(&index, &folder, request) {
                    return api(&history);
                }
                // The recordings contain no search for registered models.
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

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics in it").clone()
    }

    pub(super) fn gate(&self, arguments: &[&str]) -> Ran {
        self.gate_with(arguments, &[])
    }

    pub(super) fn gate_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
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

/// Whether a request matches the recorded one, ignoring the page size.
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

pub(super) fn api(answer: &Value) -> Answer {
    Answer::Whole(200, "application/json", answer.to_string().into_bytes())
}

/// A server with one run that is registered as version 1 of `churn`.
pub(super) fn small(change: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Server {
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

/// MLflow's answer for something that does not exist.
pub(super) const NOTHING: &[u8] = b"{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"no\"}";

/// A server with the experiment `x`, number 1.
pub(super) fn in_an_experiment(
    change: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
) -> Server {
    small(move |request| {
        let by_name = || api(&json!({"experiment": {"name": "x", "experiment_id": "1"}}));
        change(request).or_else(|| request.line.contains("get-by-name").then(by_name))
    })
}

pub(super) const CHAMPION: [&str; 2] = ["check", "mlflow:models:/churn@champion"];
