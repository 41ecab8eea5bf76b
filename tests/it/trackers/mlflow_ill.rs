//! Answers that are not MLflow's: from a server that is failing, is not MLflow, or sends something else.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::mlflow_fake::{Answer, CHAMPION, Request, api, in_an_experiment, small};
use super::{POLICY, value};
use crate::project::Project;

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
            "the key `a` occurs twice",
            2,
        ),
        (
            "another status",
            |_| Some(Answer::Whole(201, "application/json", b"{}".to_vec())),
            "answered with 201",
            2,
        ),
        ("a loop", |_| Some(Answer::Elsewhere("/api".into())), "redirects instead of answering", 2),
    ];
    for (name, change, says, code) in cases {
        let ran = small(change).gate(&CHAMPION);
        assert_eq!(u64::try_from(ran.code).expect("a code"), code, "{name}\n{}\n{}", ran.out, ran.err);
        ran.says(says);
    }
    // No server listens on this port.
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
    // Non-finite numbers, as servers spell them.
    for value in [json!("NaN"), json!("Infinity"), json!(f64::MAX), json!("-Infinity")] {
        let answer = json!({"run": {"info": {"run_id": "a1", "status": "FINISHED", "lifecycle_stage": "active"},
            "data": {"metrics": [{"key": "f1", "value": value}]}}});
        let server = small(move |request| request.line.contains("runs/get").then(|| api(&answer)));
        server.gate(&CHAMPION).leaves_with(1).says("is not a finite number");
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
    // Later requests don't change what was read first.
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
