//! Runs and models that MLflow deleted, and names that refer to them: each has its own message.

use rusqlite::Connection;

use super::{POLICY, check, project_with, shown};
use crate::project::Project;

const BASELINE: &str = "7f972113ab8048e08b368e3ce8cac2c2";

fn with_database(sql: &str) -> Project {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    let path = project.path().join("mlflow.db");
    Connection::open(path)
        .expect("a database")
        .execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}"))
        .expect("a change");
    project
}

#[test]
fn an_alias_or_a_version_that_leads_nowhere_says_where_it_breaks_off() {
    let project = with_database("DELETE FROM model_versions WHERE name = 'churn' AND version = 1");
    let ran = project.gate(&["show", "mlflow:models:/churn@champion"]);
    ran.leaves_with(2)
        .says("the alias `champion` of the model `churn` points to version 1, which does not exist");
    let project = with_database("DELETE FROM runs WHERE run_uuid = '7f972113ab8048e08b368e3ce8cac2c2'");
    let ran = project.gate(&["show", "mlflow:models:/churn/1"]);
    ran.leaves_with(2).says("that produced").says("does not exist");
}

#[test]
fn a_deleted_experiment_is_not_an_empty_one() {
    let project = with_database("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'churn'");
    let ran = project.gate(&["show", "mlflow:experiments:/churn"]);
    ran.leaves_with(2).says("the experiment `churn`").says("is deleted").says("mlflow experiments restore");
}

#[test]
fn a_run_in_the_trash_of_a_folder_is_deleted() {
    let project = project_with("mlflow/folder-3.17", "mlruns");
    let mlruns = project.path().join("mlruns");
    let experiment = mlruns
        .read_dir()
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.join("meta.yaml").is_file() && path.read_dir().is_ok_and(|inner| inner.count() > 2))
        .expect("an experiment with runs");
    let run = experiment
        .read_dir()
        .expect("a folder")
        .flatten()
        .find(|entry| entry.path().join("metrics").is_dir())
        .expect("a run")
        .file_name()
        .into_string()
        .expect("an id");
    let reference = format!("mlflow:runs:/{run}");
    assert_eq!(shown(&project, &reference)["status"], "finished");
    let other = "artifact_location: x\nexperiment_id: '0'\nlifecycle_stage: active\nname: Default\n";
    project.file("mlruns/0/meta.yaml", other);
    std::fs::create_dir(mlruns.join(".trash")).expect("a folder");
    let name = experiment.file_name().expect("a name");
    std::fs::rename(&experiment, mlruns.join(".trash").join(name)).expect("a move");
    assert_eq!(shown(&project, &reference)["status"], "deleted");
    check(&project, POLICY, &[&reference]).leaves_with(1).says("its experiment is deleted");
}

#[test]
fn many_runs_are_the_same_as_each_of_them() {
    let project = with_database("");
    let alone = shown(&project, &format!("mlflow:runs:/{BASELINE}"));
    let all = project.gate(&["show", "mlflow:experiments:/churn", "--format", "json"]);
    all.leaves_with(0).says(BASELINE).says(&alone["metrics"]["f1"]["value"].to_string());
}
