//! An alias on a tracking server that follows a promotion.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::mlflow_fake::{Answer, Request, Server, api, small};
use crate::project::{Project, Ran};

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

/// Promotes version 2, whose model file matches the tag.
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
    promoted(&server, &project, &alias).leaves_with(0).says("churn@champion points to version 2");
    assert_eq!(*leads_to.lock().expect("a version"), "2");
    let statement = project.read("ledger/churn/production/000001.json");
    assert!(
        statement.contains("\"alias\": \"champion\"") && statement.contains("\"version\": \"2\""),
        "{statement}"
    );
    let environment = [("MLFLOW_TRACKING_URI", server.uri.as_str())];
    let audit =
        |environment: &[(&str, &str)]| project.gate_with(&["audit", "--stage", "production"], environment);
    audit(&environment).leaves_with(0).says("churn@champion points to version 2");
    "3".clone_into(&mut leads_to.lock().expect("a version"));
    audit(&environment)
        .leaves_with(1)
        .says("churn@champion points to version 3, but promotion 1 is for version 2");
    // A server that can't be asked is not the same as a wrong alias.
    audit(&[("MLFLOW_TRACKING_URI", "http://127.0.0.1:9"), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")])
        .leaves_with(0)
        .says("it is not known where");
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
        .says("the promotion is in the ledger, but the alias churn@champion was not set")
        .says("client.set_registered_model_alias(\"churn\", \"champion\", \"2\")");
    assert_eq!(*leads_to.lock().expect("a version"), "1");
    let environment = [("MLFLOW_TRACKING_URI", server.uri.as_str())];
    project
        .gate_with(&["audit"], &environment)
        .leaves_with(1)
        .says("points to version 1, but promotion 1 is for version 2");
}

#[test]
fn an_alias_that_can_t_be_set_is_refused_before_anything_is_written() {
    let project = Project::new();
    project.file("model.bin", "weights");
    // The version now belongs to another run.
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
