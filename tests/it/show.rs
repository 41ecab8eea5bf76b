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
    project.gate(&["show", "nothing.json"]).leaves_with(2).says("`nothing.json` is not there");
}
