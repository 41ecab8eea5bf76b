//! `gate record` around training that logs to MLflow: what the record takes from that run, and writes back to
//! it.

use std::process::Command;

use rusqlite::Connection;

use super::{project_with, shown};
use crate::project::{Project, Ran};

const BETTER: &str = "bbd34f3c36fb40a8b54382836d077d68";

/// The part of MLflow that training needs to log a run into a folder, in MLflow's format.
const MLFLOW: &str = r#"
import json, os, time, uuid

def get_tracking_uri():
    return 'file://' + os.path.join(os.getcwd(), 'store')

def log(metrics, params=(), parent=None):
    run = uuid.uuid4().hex
    folder = os.path.join('store', '1', run)
    tags = dict(json.loads(os.environ['MLFLOW_RUN_CONTEXT']))
    if parent:
        tags['mlflow.parentRunId'] = parent
    def write(path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, 'w').write(text)
    write('store/1/meta.yaml', "artifact_location: store/1\nexperiment_id: '1'\nlifecycle_stage: active\nname: churn\n")
    write(folder + '/meta.yaml', "run_id: %s\nrun_name: r\nexperiment_id: '1'\nlifecycle_stage: active\nstatus: 3\n"
          "start_time: 1\nend_time: %d\nartifact_uri: store/1/%s/artifacts\n" % (run, 1000 * time.time() + 1, run))
    for kind, values in (('tags', tags), ('params', dict(params))):
        for key, value in values.items():
            write('%s/%s/%s' % (folder, kind, key), str(value))
    for key, values in metrics.items():
        lines = ['%d %r %d' % (1000 + step, value, step) for step, value in enumerate(values)]
        write('%s/metrics/%s' % (folder, key), '\n'.join(lines) + '\n')
    return run
"#;

/// `None` if this machine has no Python.
fn project(train: &str) -> Option<Project> {
    Command::new("python3").arg("-V").output().ok()?;
    let project = Project::new();
    project
        .file("mlflow.py", MLFLOW)
        .file("train.py", format!("import mlflow\n{train}"))
        .file("data/train.csv", "a\n1\n")
        .file("data/holdout.csv", "a\n2\n")
        .file("requirements.txt", "mlflow==3.17.2\n")
        .file(".gitignore", "__pycache__/\nstore/\nm.bin\n");
    project.repository();
    Some(project)
}

fn record(project: &Project, more: &[&str]) -> Ran {
    let options = ["record", "-o", "runs/r.json", "--no-artifact"];
    project.gate(&[&options[..], more, &["--", "python3", "train.py"]].concat())
}

#[test]
fn the_values_of_the_run_that_training_logged_are_recorded() {
    let train = "run = mlflow.log({'f1': [0.5, 0.842], 'loss': [float('nan')]}, {'lr': 0.1, 'seed': 7, 'api_key': 'hunter2'})\n\
                 mlflow.log({'f1': [0.1]}, parent=run)\n";
    let Some(project) = project(train) else { return };
    record(&project, &[])
        .leaves_with(0)
        .says("mlflow:runs:/")
        .says("left out of the metrics because they are not numbers: loss");
    let text = project.read("runs/r.json");
    let made: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(made["metrics"], serde_json::json!({ "f1": 0.842 }), "the last value of the outer run");
    assert_eq!((&made["params"]["lr"], &made["seed"]), (&0.1.into(), &7.into()));
    assert!(!text.contains("hunter2"), "{text}");
    // Values that the user gives in other ways take precedence over MLflow's.
    project.file(
        "train.py",
        format!(
            "import mlflow, os\nopen(os.environ['GATE_RECORD_FILE'], 'a').write('metrics.f1=0.9\\n')\n{train}"
        ),
    );
    record(&project, &[]).leaves_with(0);
    assert!(project.read("runs/r.json").contains("\"f1\": 0.9"));
}

#[test]
fn a_run_without_a_name_among_several_is_not_guessed() {
    let Some(project) = project("mlflow.log({'f1': [0.5]})\nmlflow.log({'f1': [0.6]})\n") else { return };
    record(&project, &[]).leaves_with(1).says("the command logged 2 runs to MLflow").says("nested=True");
    record(&project, &["--no-metrics"]).leaves_with(0).says("nothing was taken from MLflow");
    project.file("train.py", "import mlflow\n");
    record(&project, &["--no-metrics"]).leaves_with(0).never_says("MLflow");
    record(&project, &["--no-metrics", "--mlflow-tags"]).leaves_with(1).says("created no run in MLflow");
}

#[test]
fn tags_that_are_written_back_make_the_reference_as_good_as_the_record() {
    let train = "open('m.bin', 'w').write('model')\nrun = mlflow.log({'f1': [0.842]}, {'lr': 0.1, 'seed': 7})\n\
                 open('run', 'w').write(run)\n";
    let Some(project) = project(train) else { return };
    project
        .file("gate.yaml", "version: 1\nextends: [{ pack: gate:checklist }]\nstages: { production: {} }\n");
    project.file(".gitignore", "__pycache__/\nstore/\nm.bin\nrun\n");
    project.commit("policy");
    let options = [
        "record",
        "-o",
        "runs/r.json",
        "--model",
        "churn",
        "--artifact",
        "m.bin",
        "--data",
        "train=data/train.csv",
        "--validation",
        "data/holdout.csv",
        "--data-version",
        "2026-05-30",
    ];
    let recorded = |more: &[&str]| {
        project.gate(&[&options[..], more, &["--", "python3", "train.py"]].concat()).leaves_with(0);
        format!("mlflow:runs:/{}", project.read("run"))
    };
    let check = |reference: &str, code: i32| {
        let store = format!("file://{}", project.path().join("store").display());
        project.gate_with(&["check", reference], &[("MLFLOW_TRACKING_URI", &store)]).leaves_with(code);
    };
    check(&recorded(&[]), 1);
    let reference = recorded(&["--mlflow-tags"]);
    check(&reference, 0);
    let store = format!("file://{}", project.path().join("store").display());
    let promote = ["promote", &reference, "--stage", "production", "--model", "churn", "--first"];
    project.gate_with(&promote, &[("MLFLOW_TRACKING_URI", &store)]).leaves_with(0);
    project.gate(&["verify", "m.bin", "--stage", "production"]).says("churn");
}

#[test]
fn the_run_that_the_environment_names_is_the_one() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    project.file("requirements.txt", "x==1\n");
    let options =
        ["record", "-o", "runs/r.json", "--data-version", "v7", "--no-artifact", "--mlflow-tags", "--"];
    let record =
        || project.gate_with(&[&options[..], &["sh", "-c", "true"]].concat(), &[("MLFLOW_RUN_ID", BETTER)]);
    record().leaves_with(1).says("did not write to the run");
    let database = Connection::open(project.path().join("mlflow.db")).expect("a database");
    database.execute_batch("UPDATE runs SET end_time = 4102444800000").expect("a run that has ended since");
    record().leaves_with(0).says(&format!("mlflow:runs:/{BETTER}"));
    assert!(project.read("runs/r.json").contains("0.81152"));
    let run = shown(&project, &format!("mlflow:runs:/{BETTER}"));
    assert_eq!(run["data_version"], "v7");
    assert_eq!(run["command"], "sh -c true");
    assert_eq!(run["environment"]["lockfile"]["path"], "requirements.txt");
    let sql = "SELECT count(*) FROM tags WHERE key = 'data_version' AND run_uuid = ?1";
    let count: i64 = database.query_row(sql, [BETTER], |row| row.get(0)).expect("a count");
    assert_eq!(count, 1, "written twice, it is there once");
}

/// The folder of a model as `mlflow artifacts download` leaves it.
fn downloaded(project: &Project, run: &str) {
    project
        .file("down/MLmodel", format!("flavors: {{}}\nmodel_id: m-{}\nrun_id: {run}\n", "0".repeat(32)))
        .file("down/model.pkl", "weights")
        .file("down/registered_model_meta", "model_name: churn\nmodel_version: '2'\n");
}

#[test]
fn a_model_that_was_logged_is_promoted_and_verified_by_its_download() {
    let project = project_with("mlflow/sqlite-2.22.db", "mlflow.db");
    project.file(
        "gate.yaml",
        "version: 1\nstages: { production: {} }\nrules:\n  r: { metrics: { f1: { min: 0 } } }\n",
    );
    project.repository();
    let run = shown(&project, "mlflow:models:/churn/2")["run_id"].as_str().expect("an id").to_owned();
    let promote =
        ["promote", "mlflow:models:/churn/2", "--stage", "production", "--first", "--artifact", "down"];
    downloaded(&project, "00000000000000000000000000000000");
    project.gate(&promote).leaves_with(1).says("MLmodel");
    downloaded(&project, &run);
    project.gate(&promote).leaves_with(0).says("MLflow keeps no digest of a model");
    let verify = || project.gate(&["verify", "down", "--stage", "production"]);
    verify().says("churn in production");
    project.remove("down/registered_model_meta");
    verify().says("churn in production");
    project.file("down/registered_model_meta", "model_name: churn\nloader: evil\n");
    verify().leaves_with(1).never_says("churn in production");
    project.file("down/registered_model_meta", "model_name: churn\n").file("down/extra.py", "");
    verify().leaves_with(1);
}
