//! The output: for people in a terminal of any kind, and for programs.

use insta::assert_snapshot;
use mlgate::check;

use crate::project::{Project, here};

const NOW: [&str; 4] = ["check", "runs/new.json", "--now", "2026-06-01T00:00:00Z"];

fn failing() -> Project {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.70");
    project
}

#[test]
fn in_a_narrow_terminal() {
    assert_snapshot!(failing().gate_with(&NOW, &[("COLUMNS", "46")]).out);
}

#[test]
fn in_a_terminal_without_utf_8() {
    let ran = failing().gate_with(&NOW, &[("LC_ALL", "C")]);
    assert!(ran.out.is_ascii(), "{}", ran.out);
    assert_snapshot!(ran.out);
}

#[test]
fn in_colour_when_it_is_asked_for() {
    let ran =
        failing().gate(&["--color", "always", "check", "runs/new.json", "--now", "2026-06-01T00:00:00Z"]);
    assert_snapshot!(ran.out.replace('\u{1b}', "ESC"));
}

#[test]
fn colour_is_for_terminals_unless_the_environment_says_otherwise() {
    let project = failing();
    let coloured = |arguments: &[&str], environment: &[(&str, &str)]| {
        let arguments: Vec<&str> = NOW.iter().chain(arguments).copied().collect();
        project.gate_with(&arguments, environment).out.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "this is not a terminal");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "no is no");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]), "empty says nothing");
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "the flag is nearer");
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn several_candidates_at_a_glance() {
    let project = Project::churn();
    for (name, f1) in [("a", "0.85"), ("b", "0.70"), ("c", "0.845")] {
        let record = crate::project::CANDIDATE.replace("0.842", f1).replace("\"r2\"", &format!("\"{name}\""));
        project.file(&format!("runs/{name}.json"), record);
    }
    project.file("runs/broken.json", "{").remove("runs/new.json");
    let ran = project.gate(&["check", "--all", "--now", "2026-06-01T00:00:00Z"]);
    ran.leaves_with(2);
    assert_snapshot!(ran.out);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let project = Project::churn();
    project.edit("runs/new.json", "\"r2\"", "\"r2\\u001b[2J\\u202e\\u0007\"").edit(
        "runs/new.json",
        "0.842",
        "0.70",
    );
    let ran = project.gate(&NOW);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{}", ran.out);
}

/// Reports of every sort.
fn reports() -> Vec<(&'static str, serde_json::Value)> {
    let mut reports = Vec::new();
    let mut add = |name: &'static str, set_up: &dyn Fn(&Project), arguments: &[&str]| {
        let project = Project::churn();
        set_up(&project);
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--format", "json"]).collect();
        reports.push((name, project.gate(&arguments).json()));
    };
    let check = ["check", "runs/new.json"];
    add("pass", &|_| {}, &check);
    add("fail", &|project| _ = project.edit("runs/new.json", "0.842", "0.7"), &check);
    add("NaN", &|project| _ = project.edit("runs/new.json", "0.842", "NaN"), &check);
    add("another split", &|project| _ = project.edit("runs/new.json", "holdout", "other"), &check);
    add("no split", &|project| _ = project.edit("runs/new.json", "\"validation\"", "\"x\""), &check);
    add("a broken policy", &|project| _ = project.edit("gate.yaml", "max_drop", "max_dorp"), &check);
    add("a broken record", &|project| _ = project.file("runs/new.json", "{"), &check);
    add("no such file", &|_| {}, &["check", "runs/none.json"]);
    add(
        "no baseline",
        &|project| _ = project.remove("approved.json"),
        &["check", "runs/new.json", "--first"],
    );
    add("unchanged", &|project| _ = project.repository(), &["check"]);
    add(
        "waived, skipped, shadow, extended",
        &|project| {
            let policy = project.read("gate.yaml");
            project.edit("runs/new.json", "0.842", "0.835").file(
                "gate.yaml",
                policy.replace("rules:", "extends: [ { pack: gate:pull-request, with: { primary: f1, allowed: 0.5 } } ]\nrules:\n  staged: { stages: [production], require: [model] }\n  quiet: { level: shadow, require: [nope] }\n  soon: { from: 2099-01-01, require: [nope], message: because, docs: \"https://example.org\" }")
                    + "waivers:\n  - { rule: holds-up, for: { metric: f1 }, down_to: { max_drop: 0.02 }, reason: labels, approved_by: ada, expires: 2098-01-01 }\n  - { rule: holds-up, for: { metric: f1 }, down_to: { max_drop: 0.02 }, model: other, reason: labels, approved_by: ada, expires: 2020-01-01 }\n",
            );
        },
        &check,
    );
    add(
        "a change that adds a model without a record",
        &|project| {
            project
                .file("gate.yaml", project.read("gate.yaml") + "  accounted: { linked: true }\n")
                .repository();
            project.file("models/new.pkl", "a model");
        },
        &["check"],
    );
    reports
}

#[test]
fn every_report_fits_its_schema() {
    let schema = std::fs::read_to_string(here().join("docs/schemas/report.v2.json")).expect("the schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    for (name, report) in reports() {
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}\n{report:#}");
    }
}

#[test]
fn a_saved_report_is_rendered_again_as_it_was() {
    for (name, report) in reports() {
        let project = Project::new();
        project.file("report.json", report.to_string());
        let ran = project.gate(&["report", "report.json", "--format", "json"]);
        assert_eq!(i64::from(ran.code), report["exit_code"].as_i64().expect("a code"), "{name}: {}", ran.err);
        assert_eq!(ran.json(), report, "{name}");
        for format in ["human", "markdown", "github"] {
            assert_eq!(
                project.gate(&["report", "report.json", "--format", format]).code,
                ran.code,
                "{name} {format}"
            );
        }
    }
}

#[test]
fn a_saved_report_that_contradicts_itself_is_refused() {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", "0.7");
    let report = project.gate(&["check", "runs/new.json", "--format", "json"]).out;
    let forgeries = [
        ("\"verdict\":\"fail\"", "\"verdict\":\"pass\""),
        ("\"exit_code\":1", "\"exit_code\":0"),
        ("gate-report/v2", "gate-report/v9"),
        ("\"failed\":1", "\"failed\":0"),
    ];
    for (from, to) in forgeries {
        assert!(report.contains(from), "{from} is not in {report}");
        project.file("forged.json", report.replace(from, to));
        project.gate(&["report", "forged.json"]).leaves_with(2).says("report/unreadable");
    }
    // Turns every mention of failure into success, except for the rule itself.
    let forged = report
        .replacen("\"verdict\":\"fail\"", "\"verdict\":\"pass\"", 2)
        .replace("\"exit_code\":1", "\"exit_code\":0")
        .replace("\"failed\":1", "\"failed\":0")
        .replace("\"passed\":0", "\"passed\":1");
    project.file("forged.json", forged);
    project.gate(&["report", "forged.json"]).leaves_with(2).says("that one of its rules failed");
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let project = failing();
    let arguments: Vec<&str> = NOW.into_iter().chain(["--format", "json"]).collect();
    assert_eq!(project.gate(&arguments).out, project.gate(&arguments).out);
}

#[test]
fn a_report_in_a_file_is_whole_and_leaves_with_the_same_code() {
    let project = failing();
    for format in ["human", "json", "markdown", "github"] {
        let ran = project.gate(&["check", "runs/new.json", "--format", format, "--output", "out/report"]);
        ran.leaves_with(2).says("out/report");
        project.file("out/.keep", "");
        let printed =
            project.gate(&["check", "runs/new.json", "--now", "2026-06-01T00:00:00Z", "--format", format]);
        printed.leaves_with(1);
        let arguments = [
            "check",
            "runs/new.json",
            "--now",
            "2026-06-01T00:00:00Z",
            "--format",
            format,
            "--output",
            "out/report",
        ];
        let ran = project.gate(&arguments);
        ran.leaves_with(1);
        assert_eq!(ran.out, "");
        assert_eq!(project.read("out/report"), printed.out);
        std::fs::remove_dir_all(project.path().join("out")).expect("the folder is there");
    }
}

#[test]
fn a_report_never_replaces_what_it_cannot_write_whole() {
    let project = failing();
    project.file("report.json", "old");
    std::fs::create_dir(project.path().join("folder")).expect("a folder");
    project.gate(&["check", "runs/new.json", "--output", "folder"]).leaves_with(2);
    assert_eq!(project.read("report.json"), "old");
}

#[test]
fn markdown_for_a_page() {
    assert_snapshot!(failing().gate(&[NOW.as_slice(), &["--format", "markdown"]].concat()).out);
}

#[test]
fn what_changed_between_the_runs_stands_beside_the_verdict() {
    let report = failing().gate(&[NOW.as_slice(), &["--format", "json"]].concat()).json();
    let differences =
        report["candidates"][0]["baselines"][0]["differences"].as_array().expect("differences").clone();
    let of = |field: &str| differences.iter().find(|one| one["field"] == field).cloned().unwrap_or_default();
    assert_eq!(
        of("params.max_depth"),
        serde_json::json!({"field": "params.max_depth", "baseline": "6", "candidate": "8"})
    );
    assert_eq!(of("data_version")["candidate"], "2026-05-30");
    let fields: Vec<&str> = differences.iter().map(|one| one["field"].as_str().expect("a field")).collect();
    assert_eq!(
        fields,
        ["git_commit", "data_version", "params.max_depth", "artifact.path"],
        "what is the same is not listed"
    );
}

#[test]
fn commands_for_github() {
    assert_snapshot!(failing().gate(&[NOW.as_slice(), &["--format", "github"]].concat()).out);
}

#[test]
fn the_library_gives_the_same_report_as_the_program() {
    let project = failing();
    let clock: jiff::Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    let request =
        check::Request { runs: vec!["runs/new.json".into()], now: Some(clock), ..Default::default() };
    let report = check::check(&request, project.path(), clock);
    let arguments: Vec<&str> = NOW.into_iter().chain(["--format", "json"]).collect();
    assert_eq!(serde_json::to_value(&report).expect("JSON"), project.gate(&arguments).json());
}

#[test]
fn what_no_policy_says_has_no_place_in_one() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nrules: { r: { metrics: { f1: { min: 0.5 } } } }\n")
        .file("a.json", "{\"status\": \"failed\", \"metrics\": {\"f1\": 0.9}}");
    project.gate(&["check", "a.json", "--format", "github"]).leaves_with(1).says("[status/not-finished]");
}

#[test]
fn many_candidates_that_passed_say_by_how_many_rules() {
    let project = Project::new();
    project.file("gate.yaml", "version: 1\nruns: runs\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n");
    for number in 0..12 {
        project.file(
            &format!("runs/{number}.json"),
            format!("{{\"metrics\": {{\"f1\": 0.8}}, \"run_id\": \"{number}\"}}"),
        );
    }
    let ran = project.gate(&["check", "--all"]);
    ran.leaves_with(0).says("12 passed").says("1 rule").never_says("no rule of level error");
}
