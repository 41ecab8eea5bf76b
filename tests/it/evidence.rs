//! Limits with `confidence`: what the cases show, refute or leave open, as a person and a program see it.

use serde_json::Value;

use crate::project::{Project, Ran};

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
rules:
  no-worse:
    metrics:
      accuracy: { max_drop: 0.02, confidence: 95% }
";

/// Cases of a model that is right except where `wrong` says otherwise.
fn predictions(n: usize, wrong: impl Fn(usize) -> bool) -> String {
    let mut text = String::from("id,y_true,y_pred,region\n");
    for case in 0..n {
        let truth = case % 3 == 0;
        let region = if case % 2 == 0 { "EU" } else { "US" };
        text.push_str(&format!("c{case},{},{},{region}\n", u8::from(truth), u8::from(truth != wrong(case))));
    }
    text
}

fn record(accuracy: f64, predictions: &str) -> String {
    format!(
        "{{\"run_id\": \"{predictions}\", \"model\": \"churn\", \"metrics\": {{\"accuracy\": {accuracy}}}, \
         \"predictions\": {{\"path\": \"{predictions}\"}}}}"
    )
}

/// Two models on the same `n` cases; the baseline gets every tenth wrong.
fn project(n: usize, also_wrong: impl Fn(usize) -> bool, regained: impl Fn(usize) -> bool) -> Project {
    let project = Project::new();
    let base = |case: usize| case.is_multiple_of(10);
    let new = |case: usize| (base(case) && !regained(case)) || also_wrong(case);
    let share = |wrong: &dyn Fn(usize) -> bool| {
        let right = (0..n).filter(|case| !wrong(*case)).count();
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let share = right as f64 / n as f64;
        (share * 1e4).round() / 1e4
    };
    project
        .file("gate.yaml", POLICY)
        .file("old.csv", predictions(n, base))
        .file("new.csv", predictions(n, new))
        .file("approved.json", record(share(&base), "old.csv"))
        .file("runs/new.json", record(share(&new), "new.csv"));
    project
}

fn check(project: &Project) -> Ran {
    project.gate(&["check", "runs/new.json", "--format", "json"])
}

/// The first comparison of the first rule.
fn comparison(ran: &Ran) -> Value {
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    report["candidates"][0]["rules"][0]["comparisons"][0].clone()
}

fn codes(ran: &Ran) -> Vec<String> {
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    report["candidates"][0]["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|rule| rule["findings"].as_array().cloned().unwrap_or_default())
        .filter_map(|finding| finding["code"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn many_cases_show_that_the_drop_is_within_the_margin() {
    let project = project(3000, |case| case % 100 == 1, |case| case % 100 == 0);
    let ran = check(&project);
    ran.leaves_with(0);
    let comparison = comparison(&ran);
    assert_eq!(comparison["method"], "Tango");
    assert_eq!(comparison["n"], 3000);
    assert_eq!((&comparison["gained"], &comparison["lost"]), (&30.into(), &30.into()));
    assert_eq!(comparison["confidence"], "95%");
    let lower: f64 = comparison["interval"][0].as_str().expect("a limit").parse().expect("a number");
    assert!((-0.02..0.0).contains(&lower), "{lower}");
    project
        .gate(&["check", "runs/new.json"])
        .leaves_with(0)
        .says("at 95%, Tango, 3,000 cases, 30 gained, 30 lost");
}

#[test]
fn few_cases_can_not_tell_and_that_blocks() {
    let project = project(200, |case| case % 50 == 1, |case| case % 50 == 0);
    let ran = check(&project);
    ran.leaves_with(1);
    assert_eq!(comparison(&ran)["outcome"], "inconclusive");
    assert_eq!(codes(&ran), ["evidence/inconclusive"]);
    project.gate(&["check", "runs/new.json"]).leaves_with(1).says("can't decide it").says("would decide it");
    project.edit("gate.yaml", "confidence: 95%", "confidence: 95%, on_inconclusive: warn");
    check(&project).leaves_with(0);
    project.edit("gate.yaml", "on_inconclusive: warn", "on_inconclusive: fail");
    assert_eq!(comparison(check(&project).leaves_with(1))["outcome"], "fail");
}

#[test]
fn a_drop_beyond_the_margin_is_shown() {
    let project = project(2000, |case| case % 10 == 1, |_| false);
    let ran = check(&project);
    ran.leaves_with(1);
    assert_eq!(comparison(&ran)["outcome"], "fail");
    assert_eq!(codes(&ran), ["limit/drop"]);
}

/// The number of cases that gate calls enough does pass, and one fewer does not.
#[test]
fn the_fewest_right_cases_that_would_pass_do_pass() {
    for n in [200, 2000] {
        let ran = check(&project(n, |case| case % 10 == 1, |_| false));
        let text = &ran.out;
        let more: usize = text
            .split(" more of these ")
            .next()
            .and_then(|before| before.rsplit(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("a number: {text}"));
        let passes = |more: usize| {
            // The first `more` of the cases that only the baseline gets right.
            let project = project(n, |case| case % 10 == 1 && case / 10 >= more, |_| false);
            check(&project).code == 0
        };
        assert!(passes(more) && !passes(more - 1), "{n}: {more}");
        let needed: f64 = comparison(&ran)["needed"].as_str().expect("a value").parse().expect("a number");
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let share = (0.8 * n as f64 + more as f64) / n as f64;
        assert!((needed - share).abs() < 1e-4, "{n}: {needed} {share}");
    }
    // No number is given if no number of cases is enough, or if the rule passes.
    let ran = check(&project(10, |_| false, |_| false));
    assert_eq!(comparison(&ran)["needed"], Value::Null, "{}", ran.out);
    let ran = check(&project(3000, |case| case % 100 == 1, |case| case % 100 == 0));
    assert_eq!(comparison(&ran)["needed"], Value::Null);
}

#[test]
fn what_other_metrics_need_keeps_the_width_of_the_interval() {
    let project = Project::new();
    let record = |value: f64| {
        format!(
            "{{\"model\": \"m\", \"metrics\": {{\"acc\": {{\"value\": {value}, \"stderr\": 0.004, \"n\": 9000}}}}}}"
        )
    };
    project
        .file("gate.yaml", POLICY.replace("accuracy:", "acc:"))
        .file("approved.json", record(0.84))
        .file("runs/new.json", record(0.8));
    let ran = check(&project);
    ran.leaves_with(1).says("or more would pass, with an interval as wide as this");
    let needed = comparison(&ran)["needed"].as_str().expect("a value").to_owned();
    let value: f64 = needed.parse().expect("a number");
    project.file("runs/new.json", record(value));
    check(&project).leaves_with(0);
    project.file("runs/new.json", record(value - 0.0002));
    check(&project).leaves_with(1);
    // A share can't exceed 1.
    project.file("approved.json", record(0.999)).file("runs/new.json", record(0.9));
    project.edit("gate.yaml", "max_drop: 0.02", "min_rise: 0.02");
    let ran = check(&project);
    assert_eq!(comparison(ran.leaves_with(1))["needed"], Value::Null, "{}", ran.out);
}

#[test]
fn identical_models_on_few_cases_are_no_certainty() {
    let project = project(60, |_| false, |_| false);
    assert_eq!(comparison(check(&project).leaves_with(1))["outcome"], "inconclusive");
}

#[test]
fn a_waiver_widens_the_margin() {
    let project = project(200, |case| case % 50 == 1, |case| case % 50 == 0);
    let policy = project.read("gate.yaml");
    project.file(
        "gate.yaml",
        format!(
            "{policy}waivers:\n  - rule: no-worse\n    for: {{ metric: accuracy }}\n    down_to: {{ max_drop: 0.06 }}\n    \
             reason: small split\n    approved_by: risk\n    expires: 2999-01-01\n"
        ),
    );
    let ran = check(&project);
    ran.leaves_with(0);
    assert_eq!(comparison(&ran)["outcome"], "waived");
    project.edit("gate.yaml", "max_drop: 0.06", "max_drop: 0.021");
    check(&project).leaves_with(1);
}

#[test]
fn what_vanished_or_changed_is_never_compared() {
    let project = project(3000, |case| case % 100 == 1, |case| case % 100 == 0);
    let whole = project.read("new.csv");
    // The hardest cases are left out.
    let kept: Vec<&str> = whole.lines().filter(|line| !line.starts_with("c10,")).collect();
    project.file("new.csv", kept.join("\n") + "\n");
    let ran = check(&project);
    assert!(codes(ran.leaves_with(1)).contains(&"cases/other-ids".to_owned()), "{}", ran.out);
    // A label is changed.
    project.file("new.csv", whole.replace("c1,0,", "c1,1,"));
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/labels-changed".to_owned()));
    // An id occurs twice.
    project.file("new.csv", whole.replace("c7,", "c8,"));
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/ids".to_owned()));
    // An evaluation failed on a case.
    project.file("new.csv", whole.replace("c5,0,0,", "c5,0,,"));
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/unscored".to_owned()));
    // Rows in another order are the same cases.
    let mut lines: Vec<&str> = whole.lines().collect();
    lines[1..].reverse();
    project.file("new.csv", lines.join("\n") + "\n");
    check(&project).leaves_with(0);
    project.remove("new.csv");
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/unreadable".to_owned()));
}

#[test]
fn a_forged_metric_and_a_swapped_file_are_found() {
    let project = project(3000, |case| case % 100 == 1, |case| case % 100 == 0);
    let record = project.read("runs/new.json");
    project.file("runs/new.json", record.replace("0.9,", "0.95,").replace("0.9}", "0.95}"));
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/not-recomputed".to_owned()));
    let digest = "\"new.csv\", \"digest\": \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}";
    project.file("runs/new.json", record.replace("\"new.csv\"}}", &format!("{digest}}}")));
    assert!(codes(check(&project).leaves_with(1)).contains(&"cases/changed".to_owned()));
}

#[test]
fn without_evidence_nothing_is_shown() {
    let project = project(3000, |_| false, |_| false);
    project.file("runs/new.json", "{\"model\": \"churn\", \"metrics\": {\"accuracy\": 0.9}}");
    let ran = check(&project);
    ran.leaves_with(1);
    assert_eq!(codes(&ran), ["evidence/none"]);
}

#[test]
fn seeds_and_standard_errors_are_evidence_too() {
    let project = Project::new();
    let record = |values: &str| format!("{{\"model\": \"m\", \"metrics\": {{\"acc\": {values}}}}}");
    project
        .file("gate.yaml", POLICY.replace("accuracy:", "acc:"))
        .file("approved.json", record("{\"value\": 0.812, \"stderr\": 0.004, \"n\": 9000}"))
        .file("runs/new.json", record("{\"value\": 0.815, \"stderr\": 0.004, \"n\": 9000}"));
    let ran = check(&project);
    ran.leaves_with(0);
    assert_eq!(comparison(&ran)["method"], "normal, from stderr");
    project
        .file("approved.json", record("{\"value\": 0.803, \"values\": [0.80, 0.81, 0.80]}"))
        .file("runs/new.json", record("{\"value\": 0.807, \"values\": [0.81, 0.80, 0.81]}"));
    let ran = check(&project);
    ran.leaves_with(0);
    assert_eq!(comparison(&ran)["method"], "Welch");
}

#[test]
fn the_value_itself_must_reach_a_minimum() {
    let project = project(3000, |case| case % 100 == 1, |case| case % 100 == 0);
    project.edit("gate.yaml", "max_drop: 0.02", "min: 0.88");
    let ran = check(&project);
    ran.leaves_with(0);
    assert_eq!(comparison(&ran)["method"], "Wilson");
    project.edit("gate.yaml", "min: 0.88", "min: 0.895");
    assert_eq!(comparison(check(&project).leaves_with(1))["outcome"], "inconclusive");
}

#[test]
fn every_slice_must_hold_and_the_worst_comes_first() {
    let project = project(3000, |case| case % 20 == 1, |case| case % 20 == 0);
    let slices =
        "      accuracy: { max_drop: 0.02, confidence: 95% }\n    slices: { by: region, min_rows: 200 }\n";
    project.edit("gate.yaml", "      accuracy: { max_drop: 0.02, confidence: 95% }\n", slices);
    let ran = check(&project);
    ran.leaves_with(1);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let comparisons = report["candidates"][0]["rules"][0]["comparisons"].as_array().expect("a list").clone();
    let of = |index: usize| (comparisons[index]["slice"].as_str(), comparisons[index]["outcome"].as_str());
    assert_eq!(of(0), (None, Some("pass")));
    assert_eq!(of(1), (Some("region=US"), Some("fail")));
    assert_eq!(of(2), (Some("region=EU"), Some("pass")));
}

#[test]
fn churn_counts_what_users_notice() {
    let project = project(1000, |case| case % 50 == 1, |case| case % 50 == 0);
    let policy = "version: 1\nruns: runs/*.json\nbaseline: approved.json\nrules:\n  few:\n    churn: { max_broken: 3%, max_changed: 5% }\n";
    project.file("gate.yaml", policy);
    check(&project).leaves_with(0);
    project.edit("gate.yaml", "max_broken: 3%", "max_broken: 1%");
    let ran = check(&project);
    assert_eq!(codes(ran.leaves_with(1)), ["churn/broken"]);
    assert!(ran.out.contains("20 of 1000 cases were right and are now wrong"), "{}", ran.out);
}

#[test]
fn numbers_that_can_not_be_true_together_are_found() {
    let project = project(1000, |_| false, |_| false);
    project.file("gate.yaml", "version: 1\nruns: runs/*.json\nrules:\n  honest:\n    consistent: true\n");
    check(&project).leaves_with(0);
    project.file(
        "runs/new.json",
        "{\"model\": \"churn\", \"metrics\": {\"f1\": 0.90, \"precision\": 0.80, \"recall\": 0.80}}",
    );
    assert_eq!(codes(check(&project).leaves_with(1)), ["consistent/impossible"]);
}

#[test]
fn the_metrics_of_cases_are_shown() {
    let project = project(1000, |_| false, |_| false);
    let ran = project.gate(&["show", "--cases", "runs/new.json", "--format", "json"]);
    let shown: Value = serde_json::from_str(&ran.leaves_with(0).out).expect("JSON");
    assert_eq!(shown["rows"], 1000);
    assert_eq!(shown["metrics"]["accuracy"], 0.9);
    assert_eq!(shown["slices"]["region=EU"]["rows"], 500);
    project.gate(&["show", "--cases", "runs/new.json"]).leaves_with(0).says("balanced_accuracy");
}

#[test]
fn a_slice_of_the_record_may_bring_its_standard_error() {
    let record = |value: &str| {
        format!(
            r#"{{"model": "m", "validation": {{"split": "holdout"}}, "metrics": {{"f1": {{"value": 0.9, "stderr": 0.002}}}}, "slices": {{"region=EU": {{"rows": 900, "metrics": {{"f1": {value}}}}}}}}}"#
        )
    };
    let policy = POLICY.replace("accuracy:", "f1:") + "    slices: { by: region }\n";
    let project = Project::new();
    project.file("gate.yaml", policy).file("approved.json", record(r#"{"value": 0.812, "stderr": 0.002}"#));
    for (value, outcome, code) in [
        (r#"{"value": 0.815, "stderr": 0.002}"#, "pass", 0),
        (r#"{"value": 0.795, "stderr": 0.004}"#, "inconclusive", 1),
        (r#"{"value": 0.7, "stderr": 0.002}"#, "fail", 1),
        ("0.815", "inconclusive", 1),
    ] {
        project.file("runs/new.json", record(value));
        let ran = check(&project);
        ran.leaves_with(code);
        let report: Value = serde_json::from_str(&ran.out).expect("JSON");
        let rules = report["candidates"][0]["rules"].as_array().expect("rules");
        let rule = rules.iter().find(|rule| rule["id"] == "no-worse").expect("the rule");
        let of_slice = rule["comparisons"].as_array().expect("comparisons").iter();
        let of_slice: Vec<&Value> = of_slice.filter(|one| one["slice"] == "region=EU").collect();
        assert_eq!(of_slice.len(), 1, "{report}");
        assert_eq!(of_slice[0]["outcome"], outcome, "{value}: {report}");
    }
}

/// Predictions without known labels: nothing can be computed, and the report says so.
#[test]
fn predictions_without_labels_are_no_evidence_and_no_panic() {
    for (columns, row) in [("id,score,region", "0.4,EU"), ("id,y_pred", "1")] {
        let project = Project::new();
        let rows: String = (0..50).map(|case| format!("c{case},{row}\n")).collect();
        project
            .file(
                "gate.yaml",
                "version: 1\nrules:\n  sure: { metrics: { log_loss: { max: 0.5, confidence: 95% } } }\n  honest: { consistent: true }\n",
            )
            .file("p.csv", format!("{columns}\n{rows}"))
            .file("run.json", "{\"predictions\": \"p.csv\", \"metrics\": {\"log_loss\": 0.4, \"accuracy\": 0.9}}");
        let ran = project.gate(&["check", "run.json"]);
        assert!(!ran.out.contains("✓ sure") && !ran.err.contains("panicked"), "{}{}", ran.out, ran.err);
        assert_ne!(ran.code, 0, "{columns}: {}", ran.out);
        for command in [&["show", "--cases", "run.json"][..], &["power", "run.json"]] {
            let ran = project.gate(command);
            assert!(!ran.err.contains("panicked"), "{command:?}: {}", ran.err);
        }
    }
}
