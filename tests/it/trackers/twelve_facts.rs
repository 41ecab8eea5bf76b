//! Facts about trackers that decide how gate reads them, one test each.

use serde_json::json;

use super::{check, copy, fixture, project_with, shown, value};
use crate::project::Project;

const CHAMPION: &str = "mlflow:models:/churn@champion";

fn change(project: &Project, sql: &str) {
    let path = project.path().join("mlflow.db");
    rusqlite::Connection::open(path).expect("a database").execute_batch(sql).expect("a change");
}

#[test]
fn mlflow_prefers_its_folder_only_where_that_holds_an_experiment() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    change(&project, "UPDATE latest_metrics SET value=0.5 WHERE key='f1'");
    // MLflow leaves an empty folder for artifacts.
    project.file("mlruns/1/models/x", "");
    assert_eq!(value(&shown(&project, CHAMPION), "f1"), Some(0.5.into()));
    copy(&fixture("mlflow/folder-3.17"), &project.path().join("mlruns"));
    assert_eq!(value(&shown(&project, CHAMPION), "f1"), Some(0.80731.into()));
    // The environment takes precedence over both.
    let store = [("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")];
    let record = project.gate_with(&["show", CHAMPION, "--format", "json"], &store).json();
    assert_eq!(value(&record, "f1"), Some(0.5.into()));
}

#[test]
fn mlflow_on_sql_keeps_no_infinity_and_a_zero_for_what_is_no_number() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    let lower = "version: 1\nrules:\n  r: { metrics: { log_loss: { max: 1 } } }\n";
    check(&project, lower, &[CHAMPION]).leaves_with(0);
    // A reader that forgets the flag sees a perfect loss.
    change(&project, "UPDATE latest_metrics SET value=0, is_nan=1 WHERE key='log_loss'");
    check(&project, lower, &[CHAMPION]).leaves_with(1).says("is NaN");
}

#[test]
fn mlflows_dataset_digest_proves_little_when_equal_and_nothing_when_different() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.01 } } }\n";
    let ran = check(&project, policy, &["mlflow:models:/churn/2", "--baseline", CHAMPION]);
    ran.leaves_with(0).says("this digest is weak: equal digests prove little");
    // The database of MLflow 2 was written with another pandas: the same rows have another digest.
    let older = project_with("mlflow/sqlite-2.22.db", "mlflow.db");
    let digest = |project: &Project| shown(project, CHAMPION)["validation"]["digest"].clone();
    assert_eq!((digest(&project), digest(&older)), (json!("mlflow:38f2b138"), json!("mlflow:b5c6bc77")));
    let ids = |project: &Project| shown(project, CHAMPION)["tags"]["split.test"].clone();
    assert_eq!(ids(&project), ids(&older));
}

#[test]
fn mlflow_keeps_no_digest_of_artifacts_and_no_dirty_flag() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    let record = shown(&project, CHAMPION);
    assert!(record["artifact"].get("digest").is_none() && record.get("git_dirty").is_none());
    let ran = project.gate(&["show", CHAMPION]);
    ran.says("not recorded by MLflow; to add it in training")
        .says("mlflow.set_tag(\"git_dirty\"")
        .says("mlflow.set_tag(\"artifact.digest\"");
    let policy = "version: 1\nrules:\n  r: { require: [git_dirty] }\n";
    check(&project, policy, &[CHAMPION]).leaves_with(1).says("MLflow does not record this itself");
    // In a notebook there is no commit, and on a detached HEAD no branch.
    change(&project, "DELETE FROM tags WHERE key LIKE 'mlflow.source.git.%'");
    assert!(shown(&project, CHAMPION).get("git_commit").is_none());
}

#[test]
fn an_offline_run_of_wandb_is_only_in_its_log() {
    let project = project_with("wandb", "wandb");
    for folder in ["wandb/offline-run-20261123_085125-5vot4blv", "wandb/offline-run-20261123_092344-qljowvia"]
    {
        let record = shown(&project, folder);
        assert!(value(&record, "f1").is_some() && record["params"].get("train").is_some(), "{folder}");
    }
    // The older client also leaves a summary, which contains only the run time.
    let summary = project.read("wandb/offline-run-20261123_092344-qljowvia/files/wandb-summary.json");
    assert!(summary.contains("_wandb") && !summary.contains("f1"), "{summary}");
}

#[test]
fn a_commit_that_looks_like_a_number_is_none() {
    let project = project_with("wandb", "wandb");
    let folder = "wandb/run-20261123_085744-hzg531on";
    project.remove(&format!("{folder}/run-hzg531on.wandb"));
    project.remove(&format!("{folder}/files/wandb-metadata.json"));
    // W&B writes these strings without quotes: YAML 1.1 reads them as strings.
    project.file(
        &format!("{folder}/files/config.yaml"),
        "_wandb:\n  value:\n    e:\n      abc:\n        git:\n          commit: 3e10203\ndata_version:\n  value: 3e102\nversion:\n  value: 1.10\n",
    );
    let record = shown(&project, folder);
    assert_eq!((&record["git_commit"], &record["data_version"]), (&json!("3e10203"), &json!("3e102")));
    project.file(
        "gate.yaml",
        "version: 1\nfields: { data_version: params.version }\nrules:\n  r: { require: [params] }\n",
    );
    project.file(&format!("{folder}/files/config.yaml"), "version:\n  value: 1.10\n");
    assert_eq!(shown(&project, folder)["data_version"].to_string().trim_matches('"'), "1.10");
}

#[test]
fn dvc_writes_yaml_of_version_1_2() {
    let project = Project::new();
    project
        .file("dvc.yaml", "metrics: [m.yaml]\nparams: [params.yaml]\n")
        .file("params.yaml", "nesterov: yes\nversion: '2026-05-30'\nother: 2026.05-0518\noctal: 0123456\n")
        .file("m.yaml", "f1: 0.8\n");
    let params = shown(&project, ".")["params"].clone();
    assert_eq!(
        (&params["nesterov"], &params["version"], &params["other"]),
        (&json!("yes"), &json!("2026-05-30"), &json!("2026.05-0518"))
    );
}

#[test]
fn a_metric_of_dvc_is_not_in_git_by_default() {
    let project = Project::new();
    project
        .file("dvc.yaml", "stages:\n  t:\n    cmd: t\n    metrics: [m.json]\n")
        .file("dvc.lock", "schema: '2.0'\nstages:\n  t:\n    cmd: t\n    outs:\n    - path: m.json\n      hash: md5\n      md5: 5d41402abc4b2a76b9719d911017c592\n");
    let ran = check(&project, super::POLICY, &["."]);
    ran.leaves_with(1).says("the metric `f1` is missing").says("recorded but not fetched");
}

#[test]
fn dvclive_writes_what_is_no_number_in_two_ways_into_one_file() {
    let project = project_with("dvclive/churn-nan-metric-s0", "live");
    project.file("live/metrics.json", "{\"a\": \"nan\", \"b\": NaN, \"c\": \"inf\", \"d\": Infinity}");
    for metric in ["a", "b", "c", "d"] {
        let policy = format!("version: 1\nrules:\n  r: {{ metrics: {{ {metric}: {{ max: 1 }} }} }}\n");
        check(&project, &policy, &["live"]).leaves_with(1).says("not a finite number");
    }
}

#[test]
fn a_metric_that_vanished_fails_where_dvc_leaves_with_zero() {
    let project = Project::new();
    let bundle = fixture("dvc/churn.bundle").display().to_string();
    project.git(&["clone", "--quiet", &bundle, "."]);
    let policy = "version: 1\nbaseline: dvc:.@baseline\ncomparable: [data]\nrules:\n  r: { metrics: { '*': { max_drop: 1, except: ['*.*', n] } } }\n";
    check(&project, policy, &["dvc:.@origin/renamed-metric"])
        .leaves_with(1)
        .says("the metric `f1` is in the baseline, but not here");
    check(&project, policy, &["dvc:.@nope"]).leaves_with(2);
}

#[test]
fn a_baseline_that_is_no_number_does_not_let_everything_pass() {
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 5% } } }\n";
    let arguments = ["mlflow:models:/churn/2", "--baseline", CHAMPION];
    for (sql, says) in [
        (
            "UPDATE latest_metrics SET value=0, is_nan=1 WHERE key='f1' AND run_uuid LIKE '7f97%'",
            "the baseline's `f1` is NaN",
        ),
        (
            "DELETE FROM latest_metrics WHERE key='f1' AND run_uuid LIKE '7f97%'; DELETE FROM logged_model_metrics",
            "is not in the baseline",
        ),
        ("UPDATE latest_metrics SET value=0 WHERE key='f1' AND run_uuid LIKE '7f97%'", "zero"),
    ] {
        let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
        check(&project, policy, &arguments).leaves_with(0);
        change(&project, sql);
        check(&project, policy, &arguments).leaves_with(1).says(says);
    }
    // A policy can allow a drop, and 0.3 against 0.2 is exactly 0.1 of it.
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    change(
        &project,
        "UPDATE latest_metrics SET value=0.3 WHERE key='f1' AND run_uuid LIKE '7f97%'; UPDATE latest_metrics SET value=0.2 WHERE key='f1' AND run_uuid LIKE 'bbd3%'",
    );
    check(&project, &policy.replace("5%", "0.1"), &arguments).leaves_with(0);
    check(&project, &policy.replace("5%", "0.0999"), &arguments).leaves_with(1);
}

#[test]
fn names_are_no_identity_and_parameters_are_text() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    change(
        &project,
        "UPDATE runs SET name='the same'; UPDATE params SET value='0.10' WHERE key='learning_rate';
         INSERT INTO params (key, value, run_uuid) VALUES ('l', '[24, 12]', 'bbd34f3c36fb40a8b54382836d077d68'),
         ('n', 'None', 'bbd34f3c36fb40a8b54382836d077d68'), ('tol', '1e-05', 'bbd34f3c36fb40a8b54382836d077d68')",
    );
    let record = shown(&project, "mlflow:models:/churn/2");
    assert_eq!(
        (&record["params"]["l"], &record["params"]["n"], &record["params"]["learning_rate"]),
        (&json!("[24, 12]"), &json!("None"), &json!("0.10"))
    );
    // Text with the same number is the same parameter; two runs with one name are two runs.
    project.file(
        "plain.json",
        "{\"params\": {\"learning_rate\": 0.1, \"tol\": 0.00001}, \"metrics\": {\"f1\": 0.8}}",
    );
    let policy =
        "version: 1\nbaseline: plain.json\nrules:\n  r: { same: [params.learning_rate, params.tol] }\n";
    check(&project, policy, &["mlflow:models:/churn/2"]).leaves_with(0);
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.01 } } }\n";
    check(&project, policy, &["mlflow:models:/churn/2", "--baseline", CHAMPION]).leaves_with(0);
}
