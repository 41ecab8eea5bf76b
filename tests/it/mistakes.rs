//! Mistakes that people make in their first hour: each answer says what to write.

use crate::project::{CANDIDATE, Project};

/// What `gate check` says about a policy with this rule; it never gives a verdict.
fn told(policy: &str) -> String {
    let project = Project::churn();
    project.file("gate.yaml", policy);
    let ran = project.gate_with(&["check", "runs/new.json"], &[("COLUMNS", "400")]);
    ran.leaves_with(2);
    ran.out + &ran.err
}

#[test]
fn a_wrong_shape_is_answered_with_the_right_one() {
    for (rule, expected) in [
        ("metrics: { f1: 0.8 }", "{ min: 0.8 }"),
        ("metrics: { f1: '>=0.8' }", "{ min: 0.8 }"),
        ("metrics: { latency: '<120' }", "{ max: 120 }"),
        ("metrics: [f1]", "metrics: { f1: { min: 0.8 } }"),
        ("metrics: { f1: { threshold: 0.8 } }", "`min: 0.8`"),
        ("metrics: { f1: { max_decrease: 0.01 } }", "`max_drop`"),
        ("metrics: { f1: { tolerance: 0.01 } }", "`max_drop` or `max_rise`"),
        ("severity: warning, metrics: { f1: { min: 0.8 } }", "`level: error`"),
        ("fresh: 30d", "fresh: { candidate: 30d }"),
        ("artifact: digest", "artifact: { digest: true"),
        ("data: true", "data: { digests: true }"),
        ("code: clean", "`code: true`"),
        ("metric: f1, min: 0.8", "a limit goes below a metric: `metrics: { f1: { min: 0.8 } }`"),
        ("f1: { min: 0.8 }", "a limit goes below a metric: `metrics: { f1: { min: 0.8 } }`"),
        ("metrics: { f1: { min: 80% } }", "write `min: 0.8`"),
    ] {
        let said = told(&format!("version: 1\nrules:\n  a: {{ {rule} }}\n"));
        assert!(said.contains(expected), "{rule}: {expected:?} is not in\n{said}");
    }
    for (top, expected) in [
        ("rules:\n  - name: a\n", "rules have ids"),
        ("rules:\n  a:\n    metrics:\n      f1: >=0.8\n", "f1: { min: 0.8 }"),
        ("extends: gate:checklist\n", "extends: [{ pack: gate:checklist }]"),
        ("stages: [production]\nrules: { a: { require: [params] } }\n", "stages: { staging: {}"),
        ("rules:\n  a: { require: [params]\n", "close it"),
        ("checks: {}\n", "write `rules`"),
        ("rules:\nr: { metrics: { f1: { min: 0.8 } } }\n", "indent `r` by two spaces below `rules:`"),
        ("fail_on: warning\nrules: { a: { require: [params] } }\n", "`level: warning` into one"),
        ("rules:\n  my rule: { require: [params] }\n", "write `my-rule`"),
        (
            "rules: { a: { require: [params] } }\nwaivers: [{ rule: a, reason: x, expires: 2099-01-01 }]\n",
            "add `approved_by: NAME`",
        ),
    ] {
        let said = told(&format!("version: 1\n{top}"));
        assert!(said.contains(expected), "{top}: {expected:?} is not in\n{said}");
    }
}

#[test]
fn a_baseline_by_its_bare_name_is_answered_with_its_reference() {
    let project = Project::churn();
    for (baseline, expected) in [
        ("main", "git:main"),
        ("latest", "write `git:main` for the newest record there, or `stage:production`"),
        ("models:/churn@champion", "`mlflow:` names are looked up"),
    ] {
        project.file(
            "gate.yaml",
            format!("version: 1\nbaseline: '{baseline}'\nrules:\n  a: {{ metrics: {{ f1: {{ max_drop: 1 }} }} }}\n"),
        );
        let ran = project.gate_with(&["check", "runs/new.json"], &[("COLUMNS", "400")]);
        assert!(
            ran.code != 0 && (ran.out.clone() + &ran.err).contains(expected),
            "{baseline}: {}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn a_model_file_is_not_taken_for_a_record_in_another_encoding() {
    let project = Project::churn();
    project.file("models/churn.joblib", b"\x80\x04\x95\xff\xfe\x00").file("runs/new.json", CANDIDATE);
    project
        .gate(&["check", "models/churn.joblib"])
        .leaves_with(2)
        .says("a Python pickle, which gate never opens");
}

#[test]
fn commands_and_options_of_other_tools_are_answered_with_ours() {
    let project = Project::churn();
    for (arguments, expected) in [
        (&["lint"][..], "gate policy check"),
        (&["validate"], "gate policy check"),
        (&["compare"], "gate diff"),
        (&["check", "--config", "gate.yaml"], "--policy FILE"),
        (&["check", "--strict"], "level"),
        (&["record", "python", "train.py"], "gate record -- python train.py"),
    ] {
        project.gate(arguments).leaves_with(2).says(expected).never_says("tip:");
    }
    project
        .gate(&["record", "--", "no-such-program train.py 5"])
        .leaves_with(127)
        .says("gate record -- no-such-");
}

const COMPARES: &str = "\
version: 1
runs: runs/*.json
baseline: git:main
rules:
  good: { metrics: { f1: { min: 0.8, max_drop: 0.01 } } }
";
const RECORD: &str =
    r#"{"model": "churn", "created_at": "2026-05-01T10:00:00Z", "metrics": {"f1": 0.9, "auc": 0.95}}"#;

/// A repository with one record, in a commit on `main`.
fn committed() -> Project {
    let project = Project::new();
    project.file("gate.yaml", COMPARES).file("runs/churn.json", RECORD).repository();
    project
}

#[test]
fn a_record_that_was_broken_is_not_reported_as_deleted() {
    let project = committed();
    for (from, to, expected) in [
        ("}}", ",}}", "not JSON"),
        ("2026-05-01T10:00:00Z", "2026-05-01", "a date without a time"),
        ("2026-05-01T10:00:00Z", "01/05/2026 10:00", "RFC 3339"),
    ] {
        project.file("runs/churn.json", RECORD.replace(from, to));
        let ran = project.gate(&["check"]);
        ran.leaves_with(2).says(expected);
        ran.never_says("newest-record").never_says("the change deletes");
    }
    // If another run is named, nothing else reports the broken one.
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("runs/other.json", RECORD.replace("churn", "other")).commit("break one, add another");
    project.gate(&["check", "runs/other.json", "--trust", "main"]).says("change/newest-record-removed");
}

#[test]
fn a_record_whose_model_was_renamed_is_not_reported_as_removed() {
    let project = committed();
    project.file("runs/churn.json", RECORD.replace("\"model\": \"churn\", ", ""));
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("`runs/churn.json` no longer names its model (`churn` on the base)")
        .says("write `\"model\": \"churn\"` into it")
        .never_says("the change removes");
    project.file("runs/churn.json", RECORD.replace("\"churn\"", "\"churn2\""));
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("`runs/churn.json` names the model `churn2` now, on the base it is `churn`")
        .never_says("the change removes");
}

#[test]
fn records_that_git_ignores_are_named_as_the_cause() {
    let project = Project::new();
    project.file("gate.yaml", COMPARES).file("runs/churn.json", RECORD).file(".gitignore", "runs/\n");
    project.repository();
    project.gate(&["check"]).leaves_with(1).says(
        "git ignores `runs/churn.json` (.gitignore:1: `runs/`), so `git:main` can't have it: remove that line",
    );
}

#[test]
fn a_slip_in_the_baseline_is_found_even_if_nothing_changed() {
    let project = committed();
    project.gate(&["check"]).leaves_with(0).says("nothing changed");
    for (baseline, expected) in [
        ("nosuch", "`nosuch` does not exist"),
        ("git:nosuch", "the branches here are `main`"),
        ("git:master", "did you mean `main`?"),
    ] {
        project
            .gate(&["check", "--baseline", baseline])
            .leaves_with(2)
            .says("the baseline can't be found")
            .says(expected);
    }
    project.gate(&["check", "--baseline", "git:main"]).leaves_with(0);
}

#[test]
fn a_name_of_a_run_that_is_nearly_right_is_answered_with_the_right_one() {
    let project = committed();
    project.file("models/churn.joblib", b"\x80\x04\x95").file("sub/readme.txt", "");
    let artifact = RECORD.replacen('{', "{\"artifact\": \"models/churn.joblib\", ", 1);
    project.file("runs/churn.json", artifact);
    for (run, expected) in [
        ("bbd34f3c36fb40a8b54382836d077d68", "did you mean `mlflow:runs:/bbd34f3c36fb40a8b54382836d077d68`?"),
        ("dvc", "did you mean `dvc:.`?"),
        (
            "mlflow:churn",
            "write `mlflow:models:/churn@champion` for a registered model, or `mlflow:runs:/ID`",
        ),
        ("mlflow:churn@champion", "did you mean `mlflow:models:/churn@champion`?"),
        ("models/churn.joblib", "the record `runs/churn.json` names this file as its artifact"),
    ] {
        project.gate(&["check", run]).leaves_with(2).says(expected);
    }
    let sub = project.path().join("sub");
    let ran = project.gate_in(&sub, &["check", "runs/churn.json"], &[]);
    ran.leaves_with(2).says("did you mean `../runs/churn.json`?");
    let around = Project::new();
    around.file("project/gate.yaml", COMPARES).file("project/runs/churn.json", RECORD);
    around
        .gate(&["check", "project/runs/churn.json"])
        .leaves_with(2)
        .says("gate -C project check runs/churn.json");
}

#[test]
fn a_policy_that_finds_no_record_is_told_where_there_are_some() {
    let project = committed();
    project.edit("gate.yaml", "runs/*.json", "results/*.json");
    project.gate(&["check"]).leaves_with(2).says("write `runs: runs/*.json`");
    project.edit("gate.yaml", "runs: results/*.json\n", "");
    project.gate(&["check"]).leaves_with(2).says("gate check runs/churn.json");
    project.remove("runs/churn.json").file("dvc.yaml", "stages: {}\n");
    project.gate(&["check"]).leaves_with(2).says("gate check dvc:.; or add `runs: .` to the policy");
    project.file("gate.yaml", "");
    project.gate(&["check"]).leaves_with(2).says("`gate init` writes a policy");
}

#[test]
fn a_revision_without_a_record_and_a_repository_without_a_commit_are_told_so() {
    let project = Project::new();
    project.file("gate.yaml", COMPARES).repository().file("runs/churn.json", RECORD);
    project.commit("the first record");
    project.gate(&["check", "git:HEAD~1"]).leaves_with(2).says("matches no record at `HEAD~1`");
    let unborn = Project::new();
    unborn.file("gate.yaml", COMPARES).file("runs/churn.json", RECORD);
    unborn.git(&["init", "--quiet", "--initial-branch=main"]);
    unborn.gate(&["check"]).leaves_with(2).says("make a first commit");
    unborn.gate(&["check", "--all"]).leaves_with(2).says("make a first commit");
}

#[test]
fn a_finding_says_what_to_write() {
    let project = committed();
    for (limit, expected) in [
        ("f1: { min: 80 }", "did you mean `min: 0.8`? the value is between 0 and 1"),
        ("roc: { min: 0.8 }", "\"metrics\": {\"roc\":"),
    ] {
        project.file("gate.yaml", format!("version: 1\nrules:\n  good: {{ metrics: {{ {limit} }} }}\n"));
        project.gate(&["check", "runs/churn.json"]).leaves_with(1).says(expected);
    }
    project.file("metrics.json", "{\"f1\": 0.9}\n");
    let checked = ["check", "metrics.json", "--policy", "gate:checklist", "--first"];
    project
        .gate(&checked)
        .leaves_with(1)
        .says("`metrics.json` has only metrics")
        .says("gate record --metrics metrics.json --artifact MODEL -- COMMAND")
        .never_says("`data_version` is missing");
    let explained = project.gate(&[&checked[..], &["--verbose"]].concat());
    explained.leaves_with(1).says("`data_version` is missing");
    project
        .gate(&["verify", "runs/churn.json", "--stage", "production"])
        .leaves_with(2)
        .says("the ledger `ledger`");
}
