//! What a person asks of the program itself: versions, completions, man pages, kinds, codes.

use crate::project::Project;

#[test]
fn a_version_says_how_the_program_was_built() {
    let project = Project::new();
    project.gate(&["--version"]).leaves_with(0).never_says("target:");
    let ran = project.gate(&["--version", "--verbose"]);
    for part in [env!("CARGO_PKG_VERSION"), "commit:", "target:", "features:"] {
        ran.leaves_with(0).says(part);
    }
}

#[test]
fn every_shell_has_completions() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        project.gate(&["completions", shell]).leaves_with(0).says("promote");
    }
}

#[test]
fn every_command_has_a_man_page() {
    let project = Project::new();
    project.gate(&["man", "pages"]).leaves_with(0);
    for page in ["gate.1", "gate-check.1", "gate-policy-show.1"] {
        assert!(project.read(&format!("pages/{page}")).contains(".TH"), "{page}");
    }
}

#[test]
fn a_kind_can_be_read_about() {
    let project = Project::new();
    project.gate(&["rules"]).leaves_with(0).says("metrics").says("gate rules KIND");
    project.gate(&["rules", "metrics"]).leaves_with(0).says("max_drop");
    project.gate(&["rules", "metric"]).leaves_with(2).says("did you mean `metrics`?");
}

#[test]
fn a_code_can_be_looked_up() {
    let project = Project::new();
    let explained = project.gate(&["explain-code", "limit/drop"]);
    explained.leaves_with(0).says("codes.md#limit-drop").says("\nExample: ").says("\nFix: ");
    project.gate(&["explain-code", "limit/dorp"]).leaves_with(2).says("did you mean `limit/drop`?");
}

#[test]
fn a_policy_is_shown_with_the_place_of_each_line() {
    let project = Project::new();
    project.file(
        "gate.yaml",
        "version: 1\nextends:\n  - pack: gate:checklist\nrules:\n  artifact-linked: off\n  mine: { require: [tags] }\n",
    );
    let ran = project.gate(&["policy", "show"]);
    ran.leaves_with(0).says("# gate:checklist:").says("# gate.yaml:6");
    assert!(
        ran.out.lines().any(|line| line.contains("level: \"off\"") && line.contains("gate.yaml:5")),
        "{}",
        ran.out
    );
}

#[test]
fn quiet_is_the_verdict_and_verbose_is_everything() {
    let project = Project::churn();
    let quiet = project.gate(&["check", "runs/new.json", "--now", "2026-06-02T00:00:00Z", "-q"]);
    assert_eq!(quiet.leaves_with(0).out.lines().count(), 1, "{}", quiet.out);
    quiet.says("verdict: pass");
    let run = ["check", "runs/new.json", "--now", "2026-06-02T00:00:00Z"];
    project.gate(&run).says("rules pass: recorded, same-split");
    project.gate(&[&run[..], &["--verbose"]].concat()).never_says("rules hold").says("params, metrics.f1");
}

#[test]
fn failures_come_first_and_limits_are_never_cut() {
    let project = Project::churn();
    project.edit("runs/new.json", "\"latency_p95_ms\": 101", "\"latency_p95_ms\": 1234567.891");
    project.edit("gate.yaml", "max_rise: 5%", "max_rise: 123456.789012345");
    for columns in ["60", "80", "100", "200"] {
        let ran = project
            .gate_with(&["check", "runs/new.json", "--now", "2026-06-02T00:00:00Z"], &[("COLUMNS", columns)]);
        ran.leaves_with(1).says("max_rise 123456.789012345");
        let at = |part: &str| ran.out.find(part).unwrap_or_else(|| panic!("{part}\n{}", ran.out));
        assert!(at("holds-up") < at("recorded"), "{}", ran.out);
    }
}
