//! What a new user gets wrong, and what the program says to it: each message tells what to do next.

use crate::project::{Project, Ran};

/// A whole answer, without what differs from machine to machine.
fn shown(ran: &Ran) -> String {
    format!("exit code {}\n{}{}", ran.code, ran.out, ran.err)
}

macro_rules! snapshot {
    ($ran:expr) => {
        insta::assert_snapshot!(shown(&$ran))
    };
}

const NOW: [&str; 4] = ["check", "runs/new.json", "--now", "2026-06-01T00:00:00Z"];

#[test]
fn a_run_that_passes() {
    snapshot!(Project::churn().gate(&NOW));
}

#[test]
fn delete_a_field_from_a_record() {
    let project = Project::churn();
    project.edit("runs/new.json", "  \"data_version\": \"2026-05-30\",\n", "");
    snapshot!(project.gate(&NOW));
}

#[test]
fn misspell_a_field_of_a_record() {
    let project = Project::churn();
    project.edit("runs/new.json", "git_commit", "git_comit");
    snapshot!(project.gate(&NOW));
}

#[test]
fn misspell_a_metric_in_the_policy() {
    let project = Project::churn();
    project.edit("gate.yaml", "      f1:", "      F1:");
    snapshot!(project.gate(&NOW));
}

#[test]
fn swap_the_split() {
    let project = Project::churn();
    project.edit(
        "runs/new.json",
        "\"holdout\", \"digest\": \"sha256:aa11\"",
        "\"holdout\", \"digest\": \"sha256:bb22\"",
    );
    snapshot!(project.gate(&NOW));
}

#[test]
fn put_nan() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "NaN");
    snapshot!(project.gate(&NOW));
}

#[test]
fn point_the_artifact_elsewhere() {
    let project = Project::churn();
    project.edit("gate.yaml", "rules:\n", "rules:\n  the-file:\n    artifact: true\n");
    snapshot!(project.gate(&NOW));
    project.edit("runs/new.json", "models/churn-2026-05-30.pkl", "../../etc/passwd");
    snapshot!(project.gate(&NOW));
}

#[test]
fn rename_the_baseline() {
    let project = Project::churn();
    std::fs::rename(project.path().join("approved.json"), project.path().join("aproved.json"))
        .expect("it is there");
    snapshot!(project.gate(&NOW));
}

#[test]
fn write_a_limit_with_a_space() {
    let project = Project::churn();
    project.edit("gate.yaml", "5%", "5 %");
    snapshot!(project.gate(&NOW));
}

#[test]
fn write_a_limit_in_quotes() {
    let project = Project::churn();
    project.edit("gate.yaml", "min: 0.80", "min: \"0.80\"");
    snapshot!(project.gate(&NOW));
}

#[test]
fn forget_the_space_behind_a_colon() {
    let project = Project::churn();
    project.edit("gate.yaml", "{ min: 0.80, max_drop: 0.005 }", "{min:0.80}");
    snapshot!(project.gate(&NOW));
}

#[test]
fn empty_the_rules() {
    let project = Project::churn();
    let policy = project.read("gate.yaml");
    project.file("gate.yaml", &policy[..policy.find("  recorded").expect("a rule")]);
    snapshot!(project.gate(&NOW));
}

#[test]
fn misspell_a_stage() {
    let project = Project::churn();
    project.edit("gate.yaml", "  same-split:\n", "  same-split:\n    stages: [prodution]\n");
    snapshot!(project.gate(&NOW));
}

#[test]
fn misspell_a_kind_and_a_key() {
    let project = Project::churn();
    project.edit("gate.yaml", "    require:", "    requires:").edit("gate.yaml", "max_rise", "max_raise");
    snapshot!(project.gate(&NOW));
}

#[test]
fn let_a_waiver_expire() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.835").file(
        "gate.yaml",
        project.read("gate.yaml")
            + "waivers:
  - rule: holds-up
    for: { metric: f1 }
    down_to: { max_drop: 0.02 }
    reason: label definition changed, see docs/labels.md
    approved_by: risk-team
    expires: 2026-06-01
",
    );
    snapshot!(project.gate(&NOW));
    snapshot!(project.gate(&["check", "runs/new.json", "--now", "2026-06-02T00:00:00Z"]));
}

#[test]
fn ask_for_a_baseline_that_no_one_named() {
    let project = Project::churn();
    project.edit("gate.yaml", "baseline: approved.json\n", "");
    snapshot!(project.gate(&NOW));
}

#[test]
fn start_in_an_empty_folder() {
    snapshot!(Project::new().gate(&["check"]));
}

#[test]
fn write_an_expression_over_a_name_that_no_record_has() {
    let project = Project::churn();
    project.edit(
        "gate.yaml",
        "rules:\n",
        "rules:\n  big-enough:\n    expr: candidate.validaton.rows >= 5000 && candidate.metrics.f1 > 0.8\n",
    );
    snapshot!(project.gate(&NOW));
}
