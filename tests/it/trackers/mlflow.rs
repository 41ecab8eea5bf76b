//! MLflow's own stores on disk: the database, which is the default, and the older folder.

use std::fs;

use rusqlite::Connection;

use super::{POLICY, check, oracle, project_with, shown, value};
use crate::project::Project;

const BASELINE: &str = "7f972113ab8048e08b368e3ce8cac2c2";
const BETTER: &str = "bbd34f3c36fb40a8b54382836d077d68";

/// A project with MLflow's database in its default place.
fn with_database() -> Project {
    project_with("mlflow/sqlite-3.17.db", "mlflow.db")
}

/// A project with MLflow's `mlruns` folder.
fn with_folder() -> Project {
    project_with("mlflow/folder-3.17", "mlruns")
}

fn change(project: &Project, sql: &str) {
    let path = project.path().join("mlflow.db");
    Connection::open(path).expect("a database").execute_batch(sql).expect("a change");
}

#[test]
fn every_run_is_read_as_mlflow_reads_it() {
    let project = with_database();
    let known = oracle("mlflow/sqlite-3.17.json");
    let mut seen = 0;
    for run in known["experiments"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|e| e["runs"].as_array().expect("runs"))
    {
        let id = run["info"]["run_id"].as_str().expect("an id");
        let ours = shown(&project, &format!("mlflow:runs:/{id}"));
        assert_eq!(ours["run_id"], run["info"]["run_id"]);
        assert_eq!(ours["name"], run["info"]["run_name"]);
        for (name, theirs) in run["metrics"].as_object().expect("metrics") {
            let ours = value(&ours, name).unwrap_or_else(|| panic!("{id} lacks {name}"));
            // Python's JSON and gate's spell non-numbers alike.
            match (ours.as_f64(), theirs.as_f64()) {
                (Some(ours), Some(theirs)) => {
                    assert!((ours - theirs).abs() < 1e-15 * theirs.abs().max(1.0), "{name}");
                }
                _ => assert_eq!(ours.as_str(), theirs.as_str(), "{name} of {id}"),
            }
        }
        for (name, theirs) in run["params"].as_object().expect("params") {
            assert_eq!(&ours["params"][name], theirs);
        }
        let datasets = run["datasets"].as_array().expect("datasets");
        assert_eq!(ours["data"].as_array().map_or(0, Vec::len), datasets.len());
        for (ours, theirs) in ours["data"].as_array().into_iter().flatten().zip(datasets) {
            assert_eq!(ours["digest"], format!("mlflow:{}", theirs["digest"].as_str().expect("a digest")));
            assert_eq!((&ours["name"], &ours["role"]), (&theirs["name"], &theirs["context"]));
        }
        seen += 1;
    }
    assert_eq!(seen, 30);
}

#[test]
fn each_way_to_name_a_model_leads_to_its_run() {
    let project = with_database();
    for (name, run, resolved) in [
        ("models:/churn/1", BASELINE, "version 1, run 7f97"),
        ("models:/churn@champion", BASELINE, "version 1, run 7f97"),
        ("models:/churn@challenger", BETTER, "version 2, run bbd3"),
        ("models:/churn/latest", BETTER, "version 2, run bbd3"),
        ("models:/m-d499110b96174ab898cfbd4769d50999", BETTER, ""),
    ] {
        let record = shown(&project, &format!("mlflow:{name}"));
        assert_eq!(record["run_id"], run, "{name}");
        assert!(record["origin"]["resolved"].as_str().unwrap_or_default().starts_with(resolved), "{name}");
    }
    let record = shown(&project, "mlflow:models:/churn@champion");
    assert_eq!(record["model"], "churn");
    assert_eq!(record["git_commit"], "64a17f38dd4b6e0d1e52414a6f08254a6d857dcc");
    assert_eq!(record["data_version"], "2026-05-30");
    assert_eq!(record["validation"]["digest"], "mlflow:38f2b138");
    assert_eq!(record["artifact"]["uri"], "models:/m-6a985ebe389d47f0b5e42f385c0f7f78");
    assert_eq!(record["fields_from"]["data_version"], "tags.data_version");
    // A run knows its registered model, and where its metrics were measured.
    let run = shown(&project, &format!("mlflow:runs:/{BASELINE}"));
    assert_eq!(run["model"], "churn");
    assert_eq!(run["metrics"]["f1"]["dataset"], "churn-test");
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let project = with_database();
    for (name, says) in [
        ("models:/churn/3", "there is no version 3 of the model `churn`"),
        ("models:/churn@nope", "the model `churn` has no alias `nope`"),
        ("models:/churn@Champion", "case-sensitive"),
        ("models:/nope@champion", "no alias `champion`"),
        ("models:/churn/Production", "is in the stage `Production`"),
        ("runs:/00000000000000000000000000000000", "there is no run `0000"),
        ("models:/m-00000000000000000000000000000000", "there is no logged model"),
        ("experiments:/nope", "there is no experiment `nope`"),
        ("models:/churn", "does not say which run"),
    ] {
        project.gate(&["show", &format!("mlflow:{name}")]).leaves_with(2).says(says).says("help:");
    }
    let empty = Project::new();
    let ran = empty.gate(&["show", "mlflow:models:/churn@champion"]);
    ran.leaves_with(2).says("there is no MLflow store here").says("MLFLOW_TRACKING_URI");
}

#[test]
fn a_metric_that_was_not_logged_is_answered_with_the_line_that_logs_it() {
    let project = with_database();
    let policy = "version: 1\nrules:\n  good: { metrics: { zzz: { min: 0.5 } } }\n";
    check(&project, policy, &[&format!("mlflow:runs:/{BETTER}")])
        .leaves_with(1)
        .says("mlflow.log_metric(\"zzz\", value)");
}

#[test]
fn the_newest_version_is_no_baseline() {
    let project = with_database();
    let policy = "version: 1\nbaseline: mlflow:models:/churn/latest\nrules:\n  r: { metrics: { f1: { max_drop: 0.01 } } }\n";
    let ran = check(&project, policy, &["mlflow:models:/churn/2"]);
    ran.leaves_with(2).says("mlflow/latest").says("mlflow:models:/churn@champion");
    let ran = check(
        &project,
        policy,
        &["mlflow:models:/churn/latest", "--baseline", "mlflow:models:/churn@champion"],
    );
    ran.leaves_with(0).says("version 1, run 7f97");
    // An alias that was moved too early names the candidate itself.
    let moved = ["mlflow:models:/churn/1", "--baseline", "mlflow:models:/churn@champion"];
    check(&project, policy, &moved).leaves_with(1).says("is the candidate itself");
}

#[test]
fn versions_are_numbers_and_not_text() {
    let project = with_database();
    change(
        &project,
        "INSERT INTO model_versions (name, version, run_id, source, status, current_stage, workspace)
         SELECT name, 9, run_id, source, status, 'Production', workspace FROM model_versions WHERE name='churn' AND version=1;
         INSERT INTO model_versions (name, version, run_id, source, status, current_stage, workspace)
         SELECT name, 10, run_id, source, status, 'production', workspace FROM model_versions WHERE name='churn' AND version=2;",
    );
    for name in ["models:/churn/latest", "models:/churn/Production", "models:/churn/PRODUCTION"] {
        let record = shown(&project, &format!("mlflow:{name}"));
        assert_eq!(
            (record["model_version"].as_str(), record["run_id"].as_str()),
            (Some("10"), Some(BETTER)),
            "{name}"
        );
    }
}

#[test]
fn stages_and_the_older_layout_are_read() {
    let project = project_with("mlflow/sqlite-2.22.db", "mlflow.db");
    let record = shown(&project, "mlflow:models:/churn/Production");
    assert_eq!(value(&record, "f1"), Some(0.80731.into()));
    assert_eq!(record["fields_from"]["artifact.uri"], "tags.mlflow.log-model.history");
    assert_eq!(shown(&project, "mlflow:models:/churn@champion")["run_id"], record["run_id"]);
    project.gate(&["show", "mlflow:models:/m-d499110b96174ab898cfbd4769d50999"]).leaves_with(2);
}

#[test]
fn what_did_not_finish_or_was_deleted_fails() {
    for (sql, status) in [
        ("UPDATE runs SET status='RUNNING'", "running"),
        ("UPDATE runs SET status='FAILED'", "failed"),
        ("UPDATE runs SET status='KILLED'", "killed"),
        ("UPDATE runs SET status='SCHEDULED'", "queued"),
        ("UPDATE runs SET lifecycle_stage='deleted'", "deleted"),
    ] {
        let project = with_database();
        check(&project, POLICY, &["mlflow:models:/churn/2"]).leaves_with(0);
        change(&project, sql);
        check(&project, POLICY, &["mlflow:models:/churn/2"])
            .leaves_with(1)
            .says(&format!("status is `{status}`"));
    }
    let project = with_database();
    change(&project, "UPDATE model_versions SET current_stage='Deleted_Internal', run_id='REDACTED-RUN-ID'");
    check(&project, POLICY, &["mlflow:models:/churn/2"]).leaves_with(2).says("it may have been deleted");
    let project = with_database();
    change(&project, "UPDATE model_versions SET status='FAILED_REGISTRATION'");
    check(&project, POLICY, &["mlflow:models:/churn/2"])
        .leaves_with(2)
        .says("is FAILED_REGISTRATION, not READY");
}

#[test]
fn what_is_not_finite_fails_however_it_is_kept() {
    for (sql, says) in [
        ("value=0, is_nan=1", "NaN"),
        ("value=1.7976931348623157e308, is_nan=0", "Infinity"),
        ("value=-1.7976931348623157e308, is_nan=0", "-Infinity"),
    ] {
        let project = with_database();
        change(&project, &format!("UPDATE latest_metrics SET {sql} WHERE key='f1'"));
        let ran = check(
            &project,
            "version: 1\nrules:\n  r: { metrics: { f1: { max: 1 } } }\n",
            &["mlflow:models:/churn/2"],
        );
        ran.leaves_with(1).says(&format!("is {says}, which is not a finite number"));
    }
}

#[test]
fn the_last_value_is_not_the_best() {
    for project in [with_database(), with_folder()] {
        let record = shown(&project, "mlflow:models:/churn/2");
        let loss = &record["metrics"]["valid_log_loss"];
        assert_eq!((&loss["value"], &loss["step"]), (&0.260_296.into(), &160.into()));
        assert_eq!(loss["best"], serde_json::json!({ "min": 0.249_449, "max": 0.336_511 }));
        assert_eq!(loss["points"], 16);
    }
}

#[test]
fn the_folder_gives_what_the_database_gives() {
    let (database, folder) = (with_database(), with_folder());
    for name in ["models:/churn/1", "models:/churn@challenger"] {
        let (one, other) =
            (shown(&database, &format!("mlflow:{name}")), shown(&folder, &format!("mlflow:{name}")));
        for field in ["name", "model", "status", "git_commit", "data_version", "validation", "params", "seed"]
        {
            assert_eq!(one[field], other[field], "{field} of {name}");
        }
        // Times differ from run to run; no other metric does.
        for (metric, value) in one["metrics"].as_object().expect("metrics") {
            if metric != "train_seconds" {
                assert_eq!(Some(value), other["metrics"].get(metric), "{metric} of {name}");
            }
        }
    }
}

/// The folder of version 2's run.
const RUN: &str = "mlruns/336426615295345085/d4be4020f91d47b8a07fbc9603cb5b7c";

#[test]
fn a_run_is_recognised_by_its_folder() {
    let project = with_folder();
    assert_eq!(value(&shown(&project, RUN), "f1"), Some(0.81152.into()));
    assert_eq!(shown(&project, RUN)["origin"]["tracker"], "mlflow");
    project.gate(&["show", "mlflow:mlruns/models"]).leaves_with(2).says("is not the folder of an MLflow run");
}

#[test]
fn a_folder_is_read_by_the_true_step() {
    let project = with_folder();
    let lines = "1 5.0 5 churn test, 2026 38f2b138\n2 9.0 9 churn test, 2026 38f2b138\n3 7.0 7 churn test, 2026 38f2b138\n";
    project.file(&format!("{RUN}/metrics/f1"), lines);
    let ran = project.gate(&["show", RUN]);
    ran.leaves_with(0)
        .says("metrics.f1.value 9.0")
        .says("churn test, 2026")
        .says("MLflow's client shows the newest");
    for broken in ["not a line\n", "1 0.8 x\n", "1 0,8 0\n"] {
        project.file(&format!("{RUN}/metrics/f1"), broken);
        project.gate(&["show", RUN]).leaves_with(2).says("mlflow/broken").says("the metric `f1`");
    }
    project.file(&format!("{RUN}/metrics/f1"), "1 nan 0\n");
    check(&project, POLICY, &[RUN]).leaves_with(1).says("is NaN");
}

#[test]
fn values_of_parameters_are_whole_files() {
    let project = with_folder();
    project.file(&format!("{RUN}/params/empty"), "").file(&format!("{RUN}/params/opt/name"), "a\r\nb");
    let record = shown(&project, RUN);
    assert_eq!(record["params"]["empty"], "");
    assert_eq!(record["params"]["opt/name"], "a\r\nb");
    assert_eq!(record["metrics"]["slice/west/f1"], 0.885_691);
}

#[test]
fn a_run_that_died_while_it_was_made_is_none() {
    let project = with_folder();
    fs::remove_file(project.path().join(RUN).join("meta.yaml")).expect("it is there");
    let ran = project.gate(&["show", "mlflow:runs:/d4be4020f91d47b8a07fbc9603cb5b7c"]);
    ran.leaves_with(2).says("there is no run `d4be");
    project.file(&format!("{RUN}/meta.yaml"), "");
    project.gate(&["show", "mlflow:runs:/d4be4020f91d47b8a07fbc9603cb5b7c"]).leaves_with(2);
}

#[test]
fn names_lead_nowhere_else() {
    let project = with_folder();
    project.file("secret/meta.yaml", "run_id: x\nstatus: 3\nlifecycle_stage: active\n");
    for name in
        ["models:/..%2Fsecret/1", "models:/../secret/1", "models:/churn@..%2F..%2Fsecret", "runs:/../secret"]
    {
        project.gate(&["show", &format!("mlflow:{name}")]).leaves_with(2);
    }
    // A dataset that a run names must be among the store's datasets.
    let inputs = format!("{RUN}/inputs");
    let input =
        fs::read_dir(project.path().join(&inputs)).expect("inputs").next().expect("one").expect("one");
    let meta = format!("{inputs}/{}/meta.yaml", input.file_name().to_string_lossy());
    project.edit(&meta, "source_id: ", "source_id: ../../../secret #");
    let record = shown(&project, RUN);
    assert_eq!(record["data"].as_array().map(Vec::len), Some(1));
}

#[test]
fn several_datasets_to_measure_on_are_none() {
    let project = with_database();
    change(&project, "UPDATE input_tags SET value='validation'");
    let ran = project.gate(&["show", "mlflow:models:/churn/2"]);
    ran.leaves_with(0)
        .never_says("validation.split churn")
        .says("which of these the metrics were measured on");
    // A tag says it.
    change(
        &project,
        "INSERT INTO tags (key, value, run_uuid) VALUES ('validation.split', 'test', 'bbd34f3c36fb40a8b54382836d077d68'),
         ('validation.digest', 'sha256:aa', 'bbd34f3c36fb40a8b54382836d077d68')",
    );
    let record = shown(&project, "mlflow:models:/churn/2");
    assert_eq!(record["validation"], serde_json::json!({ "split": "test", "digest": "sha256:aa" }));
}

#[test]
fn a_weak_digest_is_called_weak() {
    let project = with_database();
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0.01 } } }\n";
    let ran =
        check(&project, policy, &["mlflow:models:/churn/2", "--baseline", "mlflow:models:/churn@champion"]);
    ran.leaves_with(0).says("this digest is weak");
    // Another version of pandas gives the same rows another digest.
    change(
        &project,
        "INSERT INTO datasets SELECT 'other', experiment_id, name, 'ffffffff', dataset_source_type, dataset_source,
         dataset_schema, dataset_profile FROM datasets WHERE digest='38f2b138';
         UPDATE inputs SET source_id='other' WHERE destination_id='bbd34f3c36fb40a8b54382836d077d68'
         AND source_id IN (SELECT dataset_uuid FROM datasets WHERE digest='38f2b138')",
    );
    let ran =
        check(&project, policy, &["mlflow:models:/churn/2", "--baseline", "mlflow:models:/churn@champion"]);
    ran.leaves_with(1).says("not comparable").says("differs between versions of pandas");
}

#[test]
fn what_is_no_store_of_mlflow_is_refused() {
    let project = Project::new();
    project.file("mlflow.db", "SQLite format 3\0 but no more");
    project.gate(&["show", "mlflow:models:/churn/1"]).leaves_with(2).says("can't be read");
    let project = Project::new();
    change(&project, "CREATE TABLE runs (id)");
    project.gate(&["show", "mlflow:models:/churn/1"]).leaves_with(2).says("not a database of MLflow's runs");
    let password = [("MLFLOW_TRACKING_URI", "postgresql://ada:hunter2@db/mlflow")];
    let ran = project.gate_with(&["show", "mlflow:models:/churn/1"], &password);
    ran.leaves_with(2).says("`postgresql:` address").never_says("hunter2");
}

#[test]
fn the_store_is_only_read() {
    let project = with_database();
    let before = fs::read(project.path().join("mlflow.db")).expect("the database");
    shown(&project, "mlflow:models:/churn/1");
    assert_eq!(fs::read(project.path().join("mlflow.db")).expect("the database"), before);
    let names: Vec<_> =
        fs::read_dir(project.path()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["mlflow.db"]);
}

#[test]
fn seeds_are_the_children_of_one_parent() {
    const SEEDS: &str =
        "version: 1\nseeds: tags.\"mlflow.parentRunId\"\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n";
    let values = [0.80731, 0.806_899, 0.801_352, 0.807_601, 0.798_884];
    let project = with_database();
    assert!(
        shown(&project, "mlflow:models:/churn/1")["metrics"]["f1"].get("values").is_none(),
        "never by itself"
    );
    project.file("gate.yaml", SEEDS);
    let child = shown(&project, "mlflow:models:/churn/1");
    assert_eq!(child["metrics"]["f1"]["values"], serde_json::json!(values));
    assert_eq!(child["metrics"]["f1"]["value"], 0.80731);
    let parent = shown(&project, "mlflow:runs:/799ae5a62c20448b93c1bb2881fb875f");
    assert_eq!(parent["metrics"]["f1"]["values"], serde_json::json!(values));
    assert_eq!(parent["metrics"]["f1"]["value"], 0.804_409_2);
    assert_eq!(parent["name"], "churn-baseline");
    // One seed whose value is not a number makes the whole metric invalid.
    change(
        &project,
        "UPDATE latest_metrics SET value=0, is_nan=1 WHERE key='f1' AND run_uuid IN (SELECT run_uuid FROM runs WHERE name='churn-baseline-s3')",
    );
    check(&project, SEEDS, &["mlflow:models:/churn/1"]).leaves_with(1).says("is NaN");
    let project = with_database();
    change(&project, "UPDATE runs SET status='FAILED' WHERE name='churn-baseline-s3'");
    check(&project, SEEDS, &["mlflow:models:/churn/1"]).leaves_with(1).says("status is `failed`");
    let project = with_database();
    change(
        &project,
        "UPDATE params SET value='9' WHERE key='max_depth' AND run_uuid IN (SELECT run_uuid FROM runs WHERE name='churn-baseline-s3')",
    );
    check(&project, SEEDS, &["mlflow:models:/churn/1"]).leaves_with(2).says("differ in `params.max_depth`");
}

#[test]
fn an_experiment_is_all_its_runs() {
    let project = with_database();
    let ran = check(
        &project,
        "version: 1\nrules:\n  r: { require: [git_commit] }\n",
        &["mlflow:experiments:/churn"],
    );
    ran.leaves_with(0).says("22 candidates");
}

#[test]
fn what_an_evaluation_measured_is_not_what_training_measured() {
    let project = with_database();
    let model = "m-d499110b96174ab898cfbd4769d50999";
    let measured = |name: &str, value: f64| {
        format!(
            "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, \
             experiment_id, run_id, dataset_name, dataset_digest) SELECT model_id, '{name}', 1895423342975, 0, {value}, \
             experiment_id, (SELECT run_uuid FROM runs WHERE run_uuid != '{BETTER}' LIMIT 1), 'holdout', '00000000' \
             FROM logged_models WHERE model_id = '{model}';"
        )
    };
    change(&project, &(measured("f1", 0.4) + &measured("auc", 0.3)));
    for name in
        ["mlflow:models:/churn/2", &format!("mlflow:models:/{model}"), &format!("mlflow:runs:/{BETTER}")]
    {
        let record = shown(&project, name);
        assert_eq!(record["metrics"]["f1"]["value"], 0.81152, "{name}");
        assert_eq!(record["metrics"]["f1"]["dataset"], "churn-test", "{name}");
        let ran = project.gate(&["show", name]);
        if name.contains("runs:/") {
            assert!(record["metrics"].get("auc").is_none(), "{name}");
            ran.says("measured this model too on `holdout`: f1 0.4, auc 0.3");
        } else {
            // The model was named, so its evaluation counts, but the metrics of training take precedence.
            assert_eq!(record["metrics"]["auc"]["value"], 0.3, "{name}");
            ran.says("evaluated this model too on `holdout`: f1 0.4").says("count as the model's: auc 0.3");
        }
    }
}

#[test]
fn a_run_without_metrics_is_a_run_of_its_experiment() {
    let project = with_folder();
    // git does not keep empty folders.
    for folder in ["metrics", "params"] {
        fs::remove_dir_all(project.path().join(RUN).join(folder)).expect("it is there");
    }
    let name =
        fs::read_to_string(project.path().join("mlruns/336426615295345085/meta.yaml")).expect("a file");
    let name = name.lines().find_map(|line| line.strip_prefix("name: ")).expect("a name").to_owned();
    let experiment = format!("mlflow:experiments:/{name}");
    check(&project, POLICY, &[&experiment])
        .leaves_with(1)
        .says("mlflow:runs:/d4be4020f91d47b8a07fbc9603cb5b7c");
    let meta = project.read(&format!("{RUN}/meta.yaml"));
    for (from, to, says) in [
        ("d4be4020", "", "has no run_id"),
        ("d4be4020", "e4be4020", "is in a folder with another name"),
        ("lifecycle_stage: active", "lifecycle_stage: Deleted", "the lifecycle_stage `Deleted`"),
    ] {
        let meta = if to.is_empty() {
            meta.lines().filter(|line| !line.starts_with("run_")).collect::<Vec<_>>().join("\n")
        } else {
            meta.replace(from, to)
        };
        project.file(&format!("{RUN}/meta.yaml"), meta);
        check(&project, POLICY, &[&experiment]).leaves_with(2).says("mlflow/broken").says(says);
    }
}

#[test]
fn a_version_is_what_its_folder_is_called() {
    let project = with_folder();
    project.edit("mlruns/models/churn/version-2/meta.yaml", "version: 2", "version: 1");
    project.gate(&["show", "mlflow:models:/churn/1"]).leaves_with(2).says("is in a folder with another name");
    let project = with_folder();
    project.edit("mlruns/models/churn/version-2/meta.yaml", "name: churn", "name: other");
    project.gate(&["show", "mlflow:models:/churn/2"]).leaves_with(2).says("is of the model `other`");
    let project = with_folder();
    project.file("mlruns/models/churn/aliases/champion", "newest");
    project
        .gate(&["show", "mlflow:models:/churn@champion"])
        .leaves_with(2)
        .says("does not contain a version number");
}

#[test]
fn names_are_those_of_the_workspace() {
    let project = with_database();
    change(
        &project,
        &format!(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (77, 'churn', 'active', 'growth');
             UPDATE runs SET experiment_id = 77 WHERE run_uuid = '{BETTER}'"
        ),
    );
    let policy = "version: 1\nrules:\n  r: { require: [git_commit] }\n";
    check(&project, policy, &["mlflow:experiments:/churn"]).leaves_with(0).says("21 candidates");
    let ran = project.gate_with(&["check", "mlflow:experiments:/churn"], &[("MLFLOW_WORKSPACE", "growth")]);
    ran.leaves_with(0).says(&format!("mlflow:runs:/{BETTER}"));
}

#[test]
fn a_name_is_what_is_written() {
    let project = with_database();
    // As versions of these: a name with a space, and one that an address would write so.
    let named = |name: &str, run: &str| {
        format!(
            "INSERT INTO registered_models (name, workspace) VALUES ('{name}', 'default');
             INSERT INTO model_versions (name, version, run_id, source, status, current_stage, workspace)
             VALUES ('{name}', 1, '{run}', 's3://b/m', 'READY', 'None', 'default');"
        )
    };
    change(&project, &named("a b", BASELINE));
    assert_eq!(shown(&project, "mlflow:models:/a%20b/1")["run_id"], BASELINE);
    change(&project, &named("a%20b", BETTER));
    assert_eq!(shown(&project, "mlflow:models:/a%20b/1")["run_id"], BETTER);
    assert_eq!(shown(&project, "mlflow:models:/a b/1")["run_id"], BASELINE);
    change(&project, &named("ndcg@10", BETTER));
    assert_eq!(shown(&project, "mlflow:models:/ndcg@10/1")["run_id"], BETTER);
}

#[test]
fn a_run_knows_its_model_without_a_logged_one() {
    let project = with_database();
    let run = "799ae5a62c20448b93c1bb2881fb875f";
    assert!(shown(&project, &format!("mlflow:runs:/{run}")).get("model").is_none());
    change(
        &project,
        &format!(
            "INSERT INTO model_versions (name, version, run_id, source, status, current_stage, workspace)
             VALUES ('churn', 3, '{run}', 's3://b/m', 'READY', 'None', 'default')"
        ),
    );
    assert_eq!(shown(&project, &format!("mlflow:runs:/{run}"))["model"], "churn");
}

#[test]
fn passwords_in_addresses_are_printed_nowhere() {
    let project = project_with("mlflow/sqlite-2.22.db", "mlflow.db");
    change(
        &project,
        "UPDATE runs SET artifact_uri = 'sftp://ada:hunter2@host/x';
         UPDATE datasets SET dataset_source = '{\"uri\": \"postgresql:ada:hunter2@h/db\"}';
         INSERT INTO tags (key, value, run_uuid) SELECT 'mlflow.source.git.repoURL', 'https://x-access-token:hunter2@github.com/a/b.git', run_uuid FROM runs;
         UPDATE tags SET value = 'https://ada:hunter2@github.com/a/b#train.py' WHERE key = 'mlflow.source.name'",
    );
    for format in ["human", "json"] {
        let ran = project.gate(&["show", "mlflow:models:/churn@champion", "--format", format]);
        ran.leaves_with(0).never_says("hunter2");
        ran.says("sftp://host/x").says("https://github.com/a/b.git").says("postgresql:h/db");
    }
}

#[cfg(unix)]
#[test]
fn a_database_with_a_log_is_read_where_nothing_can_be_written() {
    let project = with_database();
    change(&project, "PRAGMA journal_mode = WAL; UPDATE runs SET name = 'changed'");
    assert!(!project.path().join("mlflow.db-wal").exists(), "the last one who had it open took it along");
    // gate does not create the target of a dangling link.
    std::os::unix::fs::symlink("nowhere/x", project.path().join("mlflow.db-shm")).expect("a link");
    assert_eq!(shown(&project, "mlflow:models:/churn/2")["name"], "changed");
    project.file("mlflow.db-wal", "what somebody writes now");
    let ran = project.gate(&["show", "mlflow:models:/churn/2"]);
    ran.leaves_with(2).says("mlflow/store").says("it has a write-ahead log");
}

#[test]
fn an_alias_that_mlflow_would_refuse_is_refused_first() {
    let project = with_database();
    let long = "a".repeat(256);
    for alias in ["latest", "Latest", "v1", "V12", "bad/alias", "a b", "", long.as_str()] {
        let alias = format!("--mlflow-alias={alias}");
        let ran =
            project.gate(&["promote", "mlflow:models:/churn/2", "--stage", "production", "--first", &alias]);
        ran.leaves_with(2).says("--mlflow-alias");
        assert!(!project.path().join("ledger").exists(), "{alias}");
    }
}

#[test]
fn a_baseline_names_the_user_of_its_run() {
    let project = with_database();
    change(&project, "UPDATE tags SET value = '@ada <b>' WHERE key = 'mlflow.user'");
    let policy = "version: 1\nrules:\n  holds-up:\n    metrics: { f1: { max_drop: 0.5 } }\n";
    let arguments = ["mlflow:models:/churn/2", "--baseline", "mlflow:models:/churn@champion"];
    check(&project, policy, &arguments).leaves_with(0).says("by @ada <b>");
    let page = check(&project, policy, &[&arguments[..], &["--format", "markdown"]].concat());
    page.says(", by @").never_says("@ada").never_says("<b>");
}
