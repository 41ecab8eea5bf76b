//! `gate init` writes files that fit the repository, and never overwrites anything.

use crate::project::{BASELINE, CANDIDATE, Project};

/// A repository with two records on its default branch, and no files of gate.
fn repository() -> Project {
    let project = Project::new();
    project.file("runs/old.json", BASELINE).file("runs/new.json", CANDIDATE).file("README.md", "churn\n");
    project.repository();
    project
}

#[test]
fn a_policy_is_written_that_the_repository_passes() {
    let project = repository();
    project
        .gate(&["init", "--yes"])
        .leaves_with(0)
        .says("2 run records in runs/*.json")
        .says("wrote gate.yaml");
    project.gate(&["policy", "check"]).leaves_with(0);
    project.gate(&["check"]).leaves_with(0);
    project.gate(&["check", "--all"]).leaves_with(0);
    let policy = project.read("gate.yaml");
    for part in [
        "baseline: git:main",
        "on_missing_baseline: pass",
        "same: [validation.split, validation.digest]",
        "f1: { min: 0.79, max_drop: 0.009 } # now 0.842 to 0.847 in 2 runs",
        "precision: { min: 0.76, max_drop: 0.01 }",
    ] {
        assert!(policy.contains(part), "{part}\n{policy}");
    }
}

#[test]
fn the_first_pull_request_passes_and_a_worse_model_after_it_fails() {
    let project = repository();
    project.gate(&["init", "--yes"]).leaves_with(0);
    project.git(&["switch", "--quiet", "--create", "gate"]);
    project.commit("add gate");
    project.gate(&["check", "--trust", "main"]).leaves_with(0);
    project.git(&["switch", "--quiet", "main"]);
    project.git(&["merge", "--quiet", "gate"]);
    project.git(&["switch", "--quiet", "--create", "worse"]);
    project.edit("runs/new.json", "0.842", "0.80").commit("train");
    project.gate(&["check", "--trust", "main"]).leaves_with(1).says("limit/drop").says("holds-up");
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let project = repository();
    project.file("gate.yml", "version: 1\n").file(".gitattributes", "*.csv text");
    project.gate(&["init", "--yes"]).says("exists, left unchanged: gate.yaml");
    assert_eq!(project.read("gate.yml"), "version: 1\n");
    assert!(!project.path().join("gate.yaml").exists());
    let attributes = project.read(".gitattributes");
    assert!(attributes.starts_with("*.csv text\n") && attributes.contains("ledger/** -merge -text\n"));
    project.gate(&["init", "--yes"]);
    assert_eq!(project.read(".gitattributes"), attributes, "a second time adds nothing");
}

#[test]
fn without_a_yes_nothing_is_written() {
    let project = repository();
    for arguments in [&["init"][..], &["init", "--dry-run"]] {
        project.gate(arguments).leaves_with(0).says("version: 1").says("nothing was written");
        assert!(!project.path().join("gate.yaml").exists());
    }
}

#[test]
fn without_a_record_it_says_how_to_make_one() {
    let project = Project::new();
    project
        .file("train.py", "")
        .file("out/metrics.json", r#"{"f1": 0.8}"#)
        .file("out/model.pkl", "w")
        .repository();
    project
        .gate(&["init", "--yes"])
        .leaves_with(0)
        .says("gate record --metrics out/metrics.json --artifact out/model.pkl -- python train.py");
    project.gate(&["policy", "check"]).leaves_with(0);
}

#[test]
fn every_layout_gives_a_policy_that_can_be_loaded() {
    for layout in ["plain", "mlflow", "dvc"] {
        let project = repository();
        project.gate(&["init", "--yes", "--for", layout]).leaves_with(0);
        project.gate(&["policy", "check"]).leaves_with(0).says("gate.yaml: ok");
    }
}

#[cfg(unix)]
#[test]
fn a_hook_is_written_where_it_is_wanted() {
    use std::os::unix::fs::PermissionsExt;
    let project = repository();
    project.gate(&["init", "--yes", "--hook"]).leaves_with(0);
    let mode =
        std::fs::metadata(project.path().join(".git/hooks/pre-push")).expect("a hook").permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
}

#[test]
fn where_there_are_predictions_the_limit_is_one_that_they_can_show() {
    let project = Project::new();
    let predictions = |wrong: usize| -> String {
        let row = |case: usize| format!("c{case},{},{}\n", case % 2, (case + usize::from(case < wrong)) % 2);
        format!("id,y_true,y_pred\n{}", (0..500).map(row).collect::<String>())
    };
    project.file("eval/one.csv", predictions(100));
    project.file(
        "runs/one.json",
        r#"{"run_id": "r1", "model": "churn", "metrics": {"accuracy": 0.8}, "validation": {"split": "holdout"}, "predictions": {"path": "eval/one.csv"}}"#,
    );
    project.repository();
    project.gate(&["init", "--yes"]).leaves_with(0);
    let policy = project.read("gate.yaml");
    // 13 gained and 13 lost: (1.6449 + 0.8416)·√26/500 is 0.0254.
    let limit =
        "accuracy: { min: 0.76, max_drop: 0.026, confidence: 95% } # now 0.8, a drop that 500 cases can show";
    assert!(policy.contains(limit), "{policy}");
    project.gate(&["check", "--all"]).leaves_with(0);
    project.file("eval/one.csv", predictions(160)).edit("runs/one.json", "0.8}", "0.68}");
    project.gate(&["check", "--all"]).leaves_with(1).says("limit/drop");
}
