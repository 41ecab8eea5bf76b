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

/// Whether a request is the one that was recorded.
fn is_of(recorded: &Value, request: &Request) -> bool {
    let mut parts = request.line.split(' ');
    let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
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
            line if line.contains("registered-models/alias") || line.contains("model-versions/get") => {
                api(&json!({ "model_version": version }))
            }
            line if line.contains("runs/get") => api(&json!({"run": {
                "info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active", "experiment_id": "1"},
                "data": {"metrics": metrics}}})),
            _ => api(&json!({})),
        }
    })
}

const CHAMPION: [&str; 2] = ["check", "mlflow:models:/churn@champion"];

#[test]
fn a_server_that_is_ill_is_an_error_in_bounded_time() {
    type Change = fn(&Request) -> Option<Answer>;
    let cases: [(&str, Change, &str, u64); 11] = [
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
            "something that is not JSON",
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
            "something that is not JSON",
            2,
        ),
        (
            "half JSON",
            |_| Some(Answer::Whole(200, "application/json", b"{\"model_version\": {".to_vec())),
            "not JSON",
            2,
        ),
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
    let credentials = "[other]\nmlflow_tracking_username = x\n[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = hunter2\n";
    let cases: [(Environment, bool, &str); 4] = [
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
}

#[test]
fn names_become_part_of_an_address_safely() {
    let server = small(|_| None);
    server.gate(&["show", "mlflow:models:/Bahn Prognose&x=1@champion"]).leaves_with(0);
    assert!(
        server.requests()[0].line.contains("name=Bahn+Prognose%26x%3D1&alias=champion"),
        "{:?}",
        server.requests()[0]
    );
}

#[test]
fn pages_are_followed_to_their_end() {
    // Three pages of children, the first of which is asked for again in smaller parts.
    let runs = |from: u64, to: u64| -> Value {
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
        Some(match body["page_token"].as_str() {
            None => api(&json!({"runs": runs(0, 100), "next_page_token": "one"})),
            Some("one") => api(&json!({"runs": runs(100, 200), "next_page_token": "two"})),
            _ => api(&json!({"runs": runs(200, 230)})),
        })
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
}

#[test]
fn the_history_is_asked_for_where_a_person_looks() {
    let answering = |request: &Request| {
        if request.line.contains("metrics/get-history") {
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
