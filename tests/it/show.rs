//! `gate show`: the record as the rules see it.

use insta::assert_snapshot;

use crate::project::Project;

const FULL: &str = r#"{
  "run_id": "r2", "model": "churn", "git_commit": "3f2a9c1", "data_version": 2026.10,
  "data": [{"name": "train", "path": "data/train.csv", "digest": "sha256:3df2", "rows": 80000}],
  "params": {"optimizer": {"lr": 1e-3}, "layers": [64, 32]},
  "metrics": {"valid": {"f1": 0.842}, "loss": NaN, "recall": {"value": 0.875, "values": [0.87, 0.88]}},
  "artifact": "models/churn.pkl", "created_at": "2026-05-30T12:00:00", "team": "growth"
}
"#;

#[test]
fn for_a_person() {
    let project = Project::new();
    project.file("a.json", FULL);
    let ran = project.gate(&["show", "a.json"]);
    ran.leaves_with(0);
    assert_snapshot!(ran.out);
}

#[test]
fn as_json() {
    let project = Project::new();
    project.file("a.json", FULL);
    let ran = project.gate(&["show", "a.json", "--format", "json"]);
    ran.leaves_with(0).json();
    assert_snapshot!(ran.out);
}

#[test]
fn of_another_shape() {
    let project = Project::new();
    project
        .file(
            "gate.yaml",
            "version: 1\nfields: { git_commit: meta.sha }\nrules: { r: { require: [git_commit] } }\n",
        )
        .file("a.json", "{\"meta\": {\"sha\": \"3f2a9c1\"}}");
    let ran = project.gate(&["show", "a.json"]);
    ran.leaves_with(0).says("from meta.sha");
    assert_snapshot!(ran.out);
}

#[test]
fn of_several_and_of_a_broken_one() {
    let project = Project::new();
    project
        .file("runs/a.json", "{\"run_id\": \"a\"}")
        .file("runs/b.json", "{")
        .file("runs/c.json", "{\"run_id\": \"c\"}");
    let ran = project.gate(&["show", "runs/"]);
    ran.leaves_with(2).says("run_id a").says("run_id c").says("runs/b.json:1:1");
    project.gate(&["show", "nothing.json"]).leaves_with(2).says("`nothing.json` does not exist");
}

#[test]
fn where_a_field_stood_is_what_the_policy_says_and_then_what_the_tracker_did() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nfields: { data_version: params.data, metrics.lr: params.lr }\nrules: { r: { require: [params] } }\n")
        .file("runs/1/run.json", "{\"status\": \"COMPLETED\"}")
        .file("runs/1/config.json", "{\"data\": \"v7\", \"data_version\": \"v1\", \"lr\": 0.1}")
        .file("runs/1/metrics.json", "{}");
    let ran = project.gate(&["show", "sacred:runs/1"]);
    ran.leaves_with(0).says("data_version v7 params.data (config.json)");
    let record = project.gate(&["show", "sacred:runs/1", "--format", "json"]).json();
    assert_eq!(record["data_version"], "v7");
    assert_eq!(record["fields_from"]["data_version"], "params.data (config.json)");
    assert_eq!(record["fields_from"]["metrics.lr"], "params.lr (config.json)");
}

#[test]
fn what_a_tracker_does_not_record_is_in_the_json_too() {
    let project = Project::new();
    project
        .file("runs/1/run.json", "{\"status\": \"RUNNING\", \"start_time\": \"2026-05-30T12:00:00.5\"}")
        .file("runs/1/config.json", "{}")
        .file("runs/1/metrics.json", "{}");
    let human = project.gate(&["show", "sacred:runs/1"]);
    let record = project.gate(&["show", "sacred:runs/1", "--format", "json"]).json();
    let absent = record["not_recorded"].as_array().expect("a list");
    assert!(!absent.is_empty());
    for one in absent {
        human.says(one["field"].as_str().expect("a field")).says(one["add"].as_str().expect("a line"));
    }
    for note in record["origin"]["notes"].as_array().into_iter().flatten() {
        human.says(note.as_str().expect("a note"));
    }
    // A plain record is what a person wrote.
    project.file("a.json", "{\"notes\": \"mine\", \"created_at\": \"2026-05-30T12:00:00\"}");
    let record = project.gate(&["show", "a.json", "--format", "json"]).json();
    assert_eq!((&record["notes"], record.get("not_recorded")), (&"mine".into(), None));
    assert_eq!(record["origin"]["notes"][0], "`created_at` has no zone, and was read as UTC");
}

#[test]
fn numbers_of_a_file_of_metrics_are_listed_once() {
    let project = Project::new();
    project.file("a.json", r#"{"accuracy": 0.9, "test": {"f1": 0.8}, "epoch": 3}"#);
    project.file("b.json", r#"{"accuracy": 0.91, "test": {"f1": 0.7}, "epoch": 3}"#);
    let shown = project.gate(&["show", "a.json"]);
    shown.leaves_with(0).says("plain record epoch 3 line 1 metrics.accuracy 0.9").says("metrics.\"test.f1\"");
    project.gate(&["diff", "a.json", "b.json"]).says("accuracy").never_says("other");
}
