//! What training and evaluation tools write, compared with what an independent Python reader found in the
//! same files.

use serde_json::Value;

use super::{fixture, oracle, project_with, shown};
use crate::project::Project;

/// The oracle of a tool, file by file.
fn expected(tool: &str) -> Vec<(String, Value)> {
    let all = oracle(&format!("evals/{tool}/expected.json"));
    all.as_object().expect("an object").iter().map(|(file, found)| (file.clone(), found.clone())).collect()
}

fn number(value: &Value) -> Option<f64> {
    let value = value.get("value").unwrap_or(value);
    value.as_f64().or_else(|| value.as_str().map(|_| f64::NAN))
}

/// Checks that a record has each metric of the oracle, with its value; `named` gives gate's name for it.
#[track_caller]
fn same_metrics(file: &str, record: &Value, found: &Value, named: &dyn Fn(&str) -> String) {
    for (name, of) in found["metrics"].as_object().expect("metrics") {
        let wanted = number(of.get("last").unwrap_or(of)).unwrap_or(f64::NAN);
        let ours = record["metrics"].get(named(name)).and_then(number);
        let ours = ours.unwrap_or_else(|| panic!("{file}: no metric {name} in {}", record["metrics"]));
        let same = (ours.is_nan() && wanted.is_nan()) || (ours - wanted).abs() < 1e-9;
        assert!(same, "{file}: {name} is {ours}, and not {wanted}");
    }
}

#[test]
fn ultralytics_is_read_as_it_is() {
    let project = project_with("evals/ultralytics", "u");
    for (file, found) in expected("ultralytics") {
        let folder = file.trim_end_matches("/results.csv");
        let record = shown(&project, &format!("u/{folder}"));
        same_metrics(&file, &record, &found, &str::to_owned);
        assert_eq!(record["params"]["epochs"], found["params"]["epochs"], "{file}");
        assert_eq!(record["validation"]["split"], "val", "{file}");
    }
    let early = shown(&project, "u/runs/detect/early");
    assert_eq!((&early["status"], &early["best_pt"]["epoch"]), (&"finished".into(), &13.into()));
    assert_eq!(shown(&project, "u/hand-made/nan")["status"], "unknown");
    // The last row does not belong to the model that is shipped.
    let policy = "version: 1\nruns: u/runs/detect/train\nrules:\n  r: { metrics: { \"metrics/mAP50-95(B)\": { min: 0.44 } } }\n";
    project.file("gate.yaml", policy);
    project.gate(&["check", "--all"]).leaves_with(1).says("best_pt.metrics");
    project.file("gate.yaml", policy.replace("rules:", "fields: { metrics: best_pt.metrics }\nrules:"));
    project.gate(&["check", "--all"]).leaves_with(0);
}

#[test]
fn catboost_says_which_direction_is_better() {
    let project = project_with("evals/catboost", "c");
    for (file, found) in expected("catboost") {
        let folder = file.trim_end_matches("/catboost_training.json");
        let record = shown(&project, &format!("c/{folder}"));
        same_metrics(&file, &record, &found, &str::to_owned);
        for (name, of) in found["metrics"].as_object().expect("metrics") {
            assert_eq!(record["metrics"][name]["higher_is_better"], of["higher_is_better"], "{file}: {name}");
        }
    }
    let record = shown(&project, "c/two-sets-disagree/catboost_info");
    assert_eq!(record["best_model"]["iteration"], 0, "the last set decides");
}

#[test]
fn tables_of_loggers_are_read_by_their_last_filled_cells() {
    let project = project_with("evals/lightning", "l");
    for (file, found) in expected("lightning") {
        let folder = file.trim_end_matches("/metrics.csv");
        let record = shown(&project, &format!("l/{folder}"));
        same_metrics(&file, &record, &found, &str::to_owned);
        assert_eq!(record["params"], found["params"], "{file}");
    }
    let project = project_with("evals/keras", "k");
    for (file, found) in expected("keras") {
        same_metrics(&file, &shown(&project, &format!("k/{file}")), &found, &str::to_owned);
    }
    project.gate(&["show", "k/baseline/appended.csv"]).says("start again in line 4");
}

#[test]
fn files_of_nothing_but_metrics_are_metrics() {
    let project = project_with("evals/sklearn", "s");
    for (file, found) in expected("sklearn") {
        same_metrics(&file, &shown(&project, &format!("s/{file}")), &found, &str::to_owned);
    }
    let record = shown(&project, "s/baseline/metrics-epoch.json");
    assert_eq!((&record["epoch"], &record["created_at"]), (&12.into(), &"2026-11-20T08:15:00".into()));
}

#[test]
fn errors_of_promptfoo_are_no_smaller_denominator() {
    let project = project_with("evals/promptfoo", "p");
    let found = oracle("evals/promptfoo/expected.json");
    let one = &found["baseline.json"]["runs"][0];
    let record = shown(&project, "p/baseline.json");
    for (name, ours) in [
        ("pass_rate_errors_count_as_wrong", "pass_rate"),
        ("score_errors_count_as_zero", "score"),
        ("namedScores.right", "namedScores.right"),
        ("namedScores.short", "namedScores.short"),
    ] {
        let wanted = one["metrics"][name].as_f64().expect("a number");
        let value = number(&record["metrics"][ours]).unwrap_or(f64::NAN);
        assert!((value - wanted).abs() < 1e-9, "{name}: {value} and {wanted}");
    }
    assert_eq!(
        (number(&record["metrics"]["errors"]), &record["validation"]["rows"]),
        (Some(1.0), &12.into())
    );
    // Repeats of a case count as one case, and an inserted test makes a different set of cases.
    assert_eq!(shown(&project, "p/repeat.jsonl")["validation"]["rows"], 4);
    let inserted = shown(&project, "p/inserted-test.json");
    assert_ne!(inserted["validation"]["digest"], record["validation"]["digest"]);
    // Two providers with two prompts make four runs.
    let policy = "version: 1\nrules:\n  r: { metrics: { pass_rate: { min: 0.6 }, errors: { max: 0 } } }\n";
    project.file("gate.yaml", policy);
    project.gate(&["check", "p/two-by-two.jsonl"]).leaves_with(1).says("4 candidates");
}

#[test]
fn errors_of_deepeval_count_as_wrong_and_a_lowered_bar_shows() {
    let project = project_with("evals/deepeval", "d");
    let found = oracle("evals/deepeval/expected.json");
    for (file, of) in found.as_object().expect("an object") {
        let record = shown(&project, &format!("d/{file}"));
        for (metric, of) in of["metrics"].as_object().expect("metrics") {
            let wanted = of.get("mean_errors_as_zero").unwrap_or(of);
            let wanted = number(wanted).unwrap_or(f64::NAN);
            let value = number(&record["metrics"][metric]).unwrap_or(f64::NAN);
            assert!((value - wanted).abs() < 1e-9, "{file}: {metric} is {value}, and not {wanted}");
        }
        assert_eq!(record["params"], of["params"], "{file}");
    }
    project.file("gate.yaml", "version: 1\nrules:\n  bar: { same: [thresholds] }\n");
    let ran = project.gate(&[
        "check",
        "d/lowered/test_run_20261128_035928.json",
        "--baseline",
        "d/baseline/.deepeval/.latest_test_run.json",
    ]);
    ran.leaves_with(1).says("thresholds");
}

#[test]
fn a_log_of_inspect_that_lacks_cases_did_not_finish() {
    let project = project_with("evals/inspect", "i");
    for (file, found) in expected("inspect") {
        let record = shown(&project, &format!("i/{file}"));
        if !found["metrics"].as_object().expect("metrics").is_empty() {
            same_metrics(&file, &record, &found, &str::to_owned);
        }
        assert_eq!(record["git_commit"], found["commit"], "{file}");
        assert_eq!(record["git_dirty"], found["dirty"], "{file}");
        assert_eq!(record["validation"]["rows"], found["validation"]["n"], "{file}");
        let kind = file.split('/').next().expect("a folder");
        let status = match kind {
            "unscored" | "errors" => "incomplete",
            "failed" => "error",
            "cancelled" => "cancelled",
            "unfinished" => "started",
            _ => "success",
        };
        assert_eq!(record["status"], status, "{file}");
        let policy = "version: 1\nrules:\n  r: { require: [git_commit] }\n";
        project.file("gate.yaml", policy);
        let code = i32::from(status != "success");
        project.gate(&["check", &format!("i/{file}")]).leaves_with(code);
    }
}

#[test]
fn what_is_no_record_is_named_with_what_to_do() {
    let project = Project::new();
    let files: [(&str, &[u8], &str); 5] = [
        ("m.pkl", b"\x80\x04\x95", "a Python pickle"),
        ("m.pt", b"PK\x03\x04", "a ZIP archive"),
        ("p.png", b"\x89PNG\r\n", "a picture"),
        ("events.out.tfevents.1.host.0", b"\x18\x00\x00\x00", "holds no event"),
        ("x.csv", b"id,y_true,y_pred\n1,0,0\n2,1,0\n", "predictions are named in a record"),
    ];
    for (name, bytes, says) in files {
        project.file(name, bytes);
        project.gate(&["show", name]).leaves_with(2).says(says);
    }
    assert!(fixture("evals").is_dir());
}

#[test]
fn what_a_tool_kept_of_each_case_is_evidence() {
    let project = project_with("evals/promptfoo", "p");
    let policy = "version: 1\nbaseline: p/baseline.json\nrules:\n  r: { metrics: { pass_rate: { max_drop: 0.5, confidence: 80% } } }\n";
    project
        .file("new.json", project.read("p/baseline.json").replace("eval-", "eval-new-"))
        .file("gate.yaml", policy);
    // One case broke, so it was not judged.
    project.gate(&["check", "new.json"]).leaves_with(1).says("1 of 12 cases").says("cases/unscored");
    project.file("gate.yaml", policy.replace("rules:", "cases: { unscored: wrong }\nrules:"));
    project.gate(&["check", "new.json"]).leaves_with(0).says("Tango, 12 cases, 0 gained, 0 lost");
    // An additional test makes a different set of cases.
    project.gate(&["check", "p/inserted-test.json"]).leaves_with(1).says("not comparable");
    let shown: Value = project.gate(&["show", "--cases", "p/repeat.jsonl", "--format", "json"]).json();
    assert_eq!(shown["rows"], 4, "repeats of a case are one case");
}
