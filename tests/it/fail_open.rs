//! Bugs that made other gates pass what they should have stopped, each by its name.

use proptest::prelude::*;

use crate::project::{Project, Ran};

fn check(edit: impl Fn(&Project), arguments: &[&str]) -> Ran {
    let project = Project::churn();
    edit(&project);
    project.gate(&[&["check"], arguments].concat())
}

const NEW: &[&str] = &["runs/new.json"];

#[test]
fn the_exit_code_is_not_that_of_the_last_file() {
    let ran = check(
        |project| {
            project.file("runs/a.json", crate::project::CANDIDATE.replace("0.842", "0.1"));
            project.file("runs/z.json", crate::project::CANDIDATE.replace("r2", "r3"));
        },
        &["runs/a.json", "runs/new.json", "runs/z.json"],
    );
    ran.leaves_with(1);
}

#[test]
fn a_misspelt_scope_is_not_a_rule_that_never_applies() {
    check(
        |project| _ = project.edit("gate.yaml", "  holds-up:\n", "  holds-up:\n    stages: [prodction]\n"),
        NEW,
    )
    .leaves_with(2);
    check(
        |project| {
            project.edit("gate.yaml", "rules:", "models: [churn]\nrules:");
            project.edit("gate.yaml", "  holds-up:\n", "  holds-up:\n    models: [chrun]\n");
        },
        NEW,
    )
    .leaves_with(2);
}

#[test]
fn no_policies_is_not_a_pass() {
    check(|project| _ = project.remove("gate.yaml"), NEW).leaves_with(2);
    check(|project| _ = project.file("gate.yaml", ""), NEW).leaves_with(2);
    check(|project| _ = project.file("gate.yaml", "version: 1\nrules: {}\n"), NEW).leaves_with(2);
}

#[test]
fn nothing_judged_is_not_a_pass() {
    let off = "version: 1\nrules: { a: { level: off, require: [params] } }\n";
    let never = "version: 1\nrules: { a: { when: 'false', require: [params] } }\n";
    let other =
        "version: 1\nstages: { production: {} }\nrules: { a: { stages: [production], require: [nope] } }\n";
    let elsewhere = "version: 1\nrules: { a: { models: [fraud], require: [nope] } }\n";
    // That a run finished, as every `gate record` writes, is no rule that held.
    let with_status = |project: &Project, status: &str| {
        let status = format!("{{\n  \"status\": \"{status}\",");
        project.edit("runs/new.json", "{", &status);
    };
    for policy in [off, never, other, elsewhere] {
        check(|project| _ = project.file("gate.yaml", policy), NEW)
            .leaves_with(2)
            .says("check/nothing-judged");
        let finished = |project: &Project| {
            project.file("gate.yaml", policy);
            with_status(project, "finished");
        };
        check(finished, NEW).leaves_with(2).says("check/nothing-judged");
        let failed = |project: &Project| {
            project.file("gate.yaml", policy);
            with_status(project, "failed");
        };
        check(failed, NEW).leaves_with(1).says("the run's status is `failed`");
    }
}

#[test]
fn a_broken_policy_is_not_a_failed_one_and_neither_passes() {
    check(|project| _ = project.edit("gate.yaml", "max_drop: 0.005", "max_drop: lots"), NEW).leaves_with(2);
    check(|project| _ = project.edit("gate.yaml", "max_drop: 0.005", "max_drop: 0.001"), NEW).leaves_with(1);
}

#[test]
fn no_records_found_is_not_a_pass() {
    check(|_| {}, &["runs/none-*.json"]).leaves_with(2);
    check(|project| _ = project.remove("runs/new.json"), &["--all"]).leaves_with(2);
    check(|project| _ = project.remove("runs/new.json"), &["runs/"]).leaves_with(2);
}

#[test]
fn what_is_absent_does_not_slip_past_a_denial() {
    let rule = |condition: &str| {
        format!("version: 1\nrules: {{ r: {{ require: {{ tags.owner: {condition} }} }} }}\n")
    };
    for condition in ["{ none_of: [bot] }", "{ one_of: [ada] }", "{ matches: '.*' }", "{ equals: ada }", "{}"]
    {
        check(|project| _ = project.file("gate.yaml", rule(condition)), NEW)
            .leaves_with(1)
            .says("field/missing");
    }
    let expression = "version: 1\nrules: { r: { expr: 'candidate.tags.owner != \"bot\"' } }\n";
    check(|project| _ = project.file("gate.yaml", expression), NEW).leaves_with(1).says("expr/no-answer");
    let negated = "version: 1\nrules: { r: { expr: '!(candidate.metrics.auc < 0.9)' } }\n";
    check(|project| _ = project.file("gate.yaml", negated), NEW).leaves_with(1);
}

#[test]
fn an_error_is_not_absorbed_by_a_true_neighbour() {
    let policy = |text: &str| format!("version: 1\nrules: {{ r: {{ expr: '{text}' }} }}\n");
    for text in
        ["candidate.metrics.auc > 0.9 || true", "candidate.params.none == 1 || candidate.metrics.f1 > 0.1"]
    {
        check(|project| _ = project.file("gate.yaml", policy(text)), NEW).leaves_with(1);
    }
    for text in ["true || candidate.metrics.auc > 0.9", "1", "\"true\"", "candidate.metrics"] {
        let ran = check(|project| _ = project.file("gate.yaml", policy(text)), NEW);
        assert!(text.starts_with("true ||") || ran.code != 0, "{text}: {}", ran.out);
    }
}

#[test]
fn the_case_of_a_metrics_name_counts_and_the_near_miss_is_named() {
    check(|project| _ = project.edit("gate.yaml", "f1: { min", "F1: { min"), NEW)
        .leaves_with(1)
        .says("the record has `f1`");
}

#[test]
fn a_nan_on_either_side_is_not_less_than_anything() {
    for side in ["runs/new.json", "approved.json"] {
        for value in ["NaN", "Infinity", "-Infinity"] {
            let from = if side == "approved.json" { "0.847" } else { "0.842" };
            check(|project| _ = project.edit(side, from, value), NEW).leaves_with(1).says(value);
        }
    }
    // A latency that is not finite is not within its bound.
    check(
        |project| {
            _ = project.edit("runs/new.json", "\"latency_p95_ms\": 101", "\"latency_p95_ms\": -Infinity");
        },
        NEW,
    )
    .leaves_with(1);
}

#[test]
fn a_baseline_of_zero_does_not_make_every_relative_limit_hold() {
    let zero = |project: &Project| {
        _ = project.edit("approved.json", "\"latency_p95_ms\": 100", "\"latency_p95_ms\": 0");
    };
    check(zero, NEW).leaves_with(1).says("limit/relative-to-zero");
    let zero = |project: &Project| {
        _ = project.edit("approved.json", "\"latency_p95_ms\": 100", "\"latency_p95_ms\": -0.0e5");
    };
    check(zero, NEW).leaves_with(1);
}

#[test]
fn a_percentage_of_a_negative_baseline_keeps_its_direction() {
    let policy =
        "version: 1\nbaseline: approved.json\nrules: { r: { metrics: { ll: { max_drop: 10% } } } }\n";
    let with = |value: &'static str| {
        move |project: &Project| {
            project.file("gate.yaml", policy);
            project.file(
                "approved.json",
                "{\"validation\": {\"digest\": \"sha256:aa\"}, \"metrics\": {\"ll\": -100}}",
            );
            project.file(
                "runs/new.json",
                format!(
                    "{{\"validation\": {{\"digest\": \"sha256:aa\"}}, \"metrics\": {{\"ll\": {value}}}}}"
                ),
            );
        }
    };
    check(with("-110"), NEW).leaves_with(0);
    check(with("-110.1"), NEW).leaves_with(1);
    check(with("-50"), NEW).leaves_with(0);
}

#[test]
fn a_metric_that_vanished_is_missing() {
    check(|project| _ = project.edit("runs/new.json", "\"f1\": 0.842, ", ""), NEW)
        .leaves_with(1)
        .says("missing");
    let glob = |project: &Project| {
        project.edit(
            "gate.yaml",
            "      f1: { min: 0.80, max_drop: 0.005 }\n",
            "      \"*\": { max_change: 100 }\n",
        );
        project.edit("runs/new.json", "\"recall\": 0.875, ", "");
    };
    check(glob, NEW).leaves_with(1).says("metrics/vanished");
    let nothing = |project: &Project| _ = project.edit("gate.yaml", "      f1: {", "      \"auc*\": {");
    check(nothing, NEW).leaves_with(1).says("metrics/nothing-matched");
}

#[test]
fn a_base_without_a_record_is_not_a_comparison_that_holds() {
    let project = Project::churn();
    project.edit("gate.yaml", "baseline: approved.json", "baseline: git:main");
    project.remove("approved.json").remove("runs/new.json").repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", crate::project::CANDIDATE);
    project.gate(&["check"]).leaves_with(1).says("baseline/missing");
}

#[test]
fn passes_are_in_the_report() {
    let report = check(|_| {}, &["runs/new.json", "--format", "json"]).json();
    let rules = report["candidates"][0]["rules"].as_array().expect("rules");
    assert!(rules.iter().all(|rule| !rule["comparisons"].as_array().expect("comparisons").is_empty()));
    assert_eq!(report["summary"]["comparisons"], 12);
}

#[test]
fn a_rule_that_did_not_apply_is_not_counted_among_the_passes() {
    let ran = check(
        |project| _ = project.edit("gate.yaml", "  holds-up:\n", "  holds-up:\n    stages: [production]\n"),
        NEW,
    );
    ran.leaves_with(0).says("1 rule did not apply: holds-up");
}

#[test]
fn no_format_changes_the_code() {
    for format in ["human", "json", "markdown", "github"] {
        check(
            |project| _ = project.edit("runs/new.json", "0.842", "0.1"),
            &["runs/new.json", "--format", format],
        )
        .leaves_with(1);
        check(|project| _ = project.file("runs/new.json", "{"), &["runs/new.json", "--format", format])
            .leaves_with(2);
    }
}

/// Anything that can replace a number in JSON as Python writes it.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("NaN".to_owned()),
        Just("Infinity".to_owned()),
        Just("-Infinity".to_owned()),
        Just("true".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned()),
        Just("[0.9]".to_owned()),
        Just("{\"value\": 0.9}".to_owned()),
        Just("{\"value\": null}".to_owned()),
        Just("{\"value\": \"0.9\"}".to_owned()),
        "\"[0-9.]{1,4}\"",
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?",
        "(0|[1-9])\\.[0-9]{1,3}[eE][+-]?[0-9]{1,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// A bound passes only for a finite number within it.
    #[test]
    fn only_a_finite_number_within_the_bound_passes(value in anything()) {
        let project = Project::new();
        project
            .file("gate.yaml", "version: 1\nrules: { r: { metrics: { m: { min: 0.8, max: 1.5 } } } }\n")
            .file("a.json", format!("{{\"metrics\": {{\"m\": {value}}}}}"));
        let number: Option<f64> = match value.as_str() {
            "{\"value\": 0.9}" => Some(0.9),
            text => text.parse().ok().filter(|number: &f64| number.is_finite() && !text.starts_with(|c: char| c.is_alphabetic())),
        };
        let holds = number.is_some_and(|number| (0.8..=1.5).contains(&number));
        let code = project.gate(&["check", "a.json"]).code;
        prop_assert_eq!(code == 0, holds, "{} left with {}", value, code);
    }
}
