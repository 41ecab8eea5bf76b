//! MLflow's tracking server: its answers, page by page, and the requests that gate sends.

use serde_json::{Value, json};

use super::mlflow_fake::{Answer, CHAMPION, Request, Server, api, in_an_experiment, small};
use super::{oracle, value};
use crate::project::Project;

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
    // Showing a run reads its history too.
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
    ran.leaves_with(2).says("logged models exist only in MLflow 3");
}

#[test]
fn the_newest_version_is_no_baseline_by_any_name() {
    // A server of MLflow 3 resolves an alias that nobody can set to the newest version.
    let server = small(|_| None);
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.1 } } }\n");
    for name in ["latest", "Latest", "LATEST"] {
        let arguments =
            ["check", "mlflow:models:/churn/1", "--baseline", &format!("mlflow:models:/churn@{name}")];
        let ran = project.gate_with(&arguments, &[("MLFLOW_TRACKING_URI", &server.uri)]);
        ran.leaves_with(2).says("mlflow/latest").says("can't be a baseline");
    }
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
    ran.leaves_with(2).says("MLFLOW_REGISTRY_URI is Databricks");
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
    // Ten pages of children; gate asks for the first again in smaller parts.
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
    // A server that promises more and sends nothing.
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
            // The whole answer at once is more than gate reads.
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
