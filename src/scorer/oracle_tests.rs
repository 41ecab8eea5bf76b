//! Every metric held to scikit-learn's value on small tables that bite.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::cases::{CaseColumns, Cases, Scores, read_delimited, slices_of};

const CLOSE: f64 = 1e-12;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evidence")
}

fn columns(table: &Value) -> CaseColumns {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let columns = &table["columns"];
    let labels: Vec<String> = table["labels"].as_array().into_iter().flatten().filter_map(&text).collect();
    let scores: Vec<String> =
        columns["probabilities"].as_array().into_iter().flatten().filter_map(&text).collect();
    CaseColumns {
        id: text(&columns["id"]),
        label: text(&columns["y_true"]),
        prediction: text(&columns["y_pred"]),
        score: match text(&columns["score"]) {
            Some(score) => Some(Scores::One(score)),
            None if scores.is_empty() => None,
            None => Some(Scores::Each(labels.iter().cloned().zip(scores).collect())),
        },
        positive: text(&table["positive"]),
        labels,
        ..CaseColumns::default()
    }
}

/// The metric of an oracle's key.
fn metric(key: &str) -> Option<Metric> {
    match key {
        "r2_not_forced_finite" => None,
        _ => metric_named(key, None).expect("a name that means one thing"),
    }
}

fn check(what: &str, sample: &Sample, expected: &Value, ill: &mut Vec<String>) {
    let weighted_sum = |truth: bool, predicted: bool| {
        crate::stats::sum((0..sample.n).filter_map(|case| {
            let is = |class: u32| Some(class) == sample.positive;
            (is(sample.truth[case]) == truth && is(sample.predicted[case]) == predicted)
                .then(|| sample.weight(case))
        }))
    };
    for (key, theirs) in expected.as_object().expect("an object") {
        let ours = match key.as_str() {
            "tp" => Ok(weighted_sum(true, true)),
            "fp" => Ok(weighted_sum(false, true)),
            "fn" => Ok(weighted_sum(true, false)),
            "tn" => Ok(weighted_sum(false, false)),
            _ => match key.strip_suffix("_all_labels") {
                Some(key) => {
                    let metric = metric(key).expect("a metric");
                    metric.over_all_labels(sample).ok_or("none").map(|score| score.value)
                }
                None => match metric(key) {
                    Some(metric) => metric.score(sample).map(|score| score.value),
                    None => {
                        assert_eq!(key, "r2_not_forced_finite", "no metric has this name");
                        continue;
                    }
                },
            },
        };
        let value =
            if theirs["value"].is_null() && !theirs.is_number() { &Value::Null } else { &theirs["value"] };
        let theirs = theirs.as_f64().or_else(|| value.as_f64());
        let agrees = match (theirs, ours) {
            (None, ours) => !ours.is_ok_and(f64::is_finite),
            (Some(theirs), Ok(ours)) => (ours - theirs).abs() <= CLOSE * theirs.abs().max(1.0),
            (Some(_), Err(_)) => false,
        };
        // scikit-learn's mean of a constant is off by rounding there, and its answer is −10²⁹.
        let noise = what.starts_with("r04-constant-truth") && theirs.is_some_and(|value| value < -1e20);
        if !agrees && !noise {
            ill.push(format!("{what} {key}: {ours:?} is not {theirs:?}"));
        }
    }
}

#[test]
fn metrics_equal_scikit_learns() {
    let text = std::fs::read_to_string(folder().join("metrics.json")).expect("a fixture");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let mut ill = Vec::new();
    let mut tables = 0;
    for table in expected["tables"].as_array().expect("a list") {
        let name = table["name"].as_str().expect("a name");
        if table["task"] == "ranking" || name == "b24-float32" {
            continue;
        }
        let file = std::fs::File::open(folder().join(format!("metrics/{name}.csv"))).expect("a table");
        let read = || read_delimited(&file, b',').expect("a table");
        let cases =
            Cases::new(read(), &columns(table)).unwrap_or_else(|error| panic!("{name}: {}", error.message));
        let whole = cases.sample().unwrap_or_else(|error| panic!("{name}: {}", error.message));
        let mut each = |what: &str, sample: &Sample, expected: &Value| {
            let plain = Sample { weights: Vec::new(), ..sample.clone() };
            check(&format!("{what} plain"), &plain, &expected["plain"], &mut ill);
            if expected["weighted"].is_object() {
                check(&format!("{what} weighted"), sample, &expected["weighted"], &mut ill);
            }
        };
        each(name, &whole, &table["overall"]);
        if let Some(slices) = table["slices"].as_object() {
            let rows = slices_of(&cases, &["region"]).expect("slices");
            for (slice, expected) in slices {
                each(&format!("{name} {slice}"), &whole.take(&rows[&format!("region={slice}")]), expected);
            }
        }
        tables += 1;
    }
    assert!(ill.is_empty(), "{} differ:\n{}", ill.len(), ill.join("\n"));
    assert_eq!(tables, 55);
}

#[test]
fn names_are_those_of_scorers_also_behind_a_prefix() {
    let named = |name: &str, classes| metric_named(name, Some(classes));
    assert_eq!(named("test_f1", 2), Ok(Some(Metric::FBeta(1.0, Average::Binary))));
    assert_eq!(named("val/f1_macro", 5), Ok(Some(Metric::FBeta(1.0, Average::Macro))));
    assert_eq!(named("eval_accuracy", 2), Ok(Some(Metric::Accuracy)));
    assert_eq!(named("neg_root_mean_squared_error", 2), Ok(Some(Metric::Rmse)));
    assert_eq!(named("latency_p95_ms", 2), Ok(None));
    assert!(named("f1", 4).is_err_and(|ambiguous| ambiguous.choices.contains(&"f1_macro")));
    assert_eq!(named("top_3_accuracy", 4), Ok(Some(Metric::TopK(3))));
}
