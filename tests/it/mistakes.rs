//! Mistakes that people make in their first hour: each answer says what to write.

use crate::project::{CANDIDATE, Project};

/// What `gate check` says of a policy with this rule; it never gives a verdict.
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
        ("latest", "git:main"),
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
        project.gate(arguments).leaves_with(2).says(expected);
    }
}
