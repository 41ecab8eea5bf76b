//! Compares every metric with scikit-learn's value on small tables full of edge cases.

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
                    metric
                        .over_all_labels(&Confusion::of(sample), sample)
                        .ok_or("none")
                        .map(|score| score.value)
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
        // There scikit-learn's mean of a constant is off by rounding, so its answer is −10²⁹.
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

fn side(table: &Value, role: &str) -> Cases {
    let path = table["files"][role].as_str().expect("a file").replace("tables/", "pairs/");
    let file = std::fs::File::open(folder().join(path)).expect("a table");
    Cases::new(read_delimited(file, b',').expect("a table"), &columns(table)).expect("cases")
}

fn close(ours: f64, theirs: &Value, tolerance: f64, what: &str) {
    let theirs = theirs.as_f64().expect("a number");
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{what}: {ours} is not {theirs}");
}

/// The metric for the name of a bootstrap or a loss.
fn compared_metric(name: &str) -> Metric {
    match name {
        "squared_error" => Metric::Mse,
        "absolute_error" => Metric::Mae,
        "macro_f1" => Metric::FBeta(1.0, Average::Macro),
        _ => metric_named(name, None).expect("one meaning").expect("a metric"),
    }
}

#[test]
fn comparisons_equal_those_of_scipy_and_statsmodels() {
    let text = std::fs::read_to_string(folder().join("pairs.json")).expect("a fixture");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let confidence = crate::stats::Confidence::new(0.95).expect("a confidence");
    for table in expected["pairs"].as_array().expect("a list") {
        let name = table["name"].as_str().expect("a name");
        if table["answer"] != "compare" || table["same_numbers_as"].is_string() {
            continue;
        }
        let (mut baseline, mut candidate) = (side(table, "baseline"), side(table, "candidate"));
        baseline.align(&mut candidate);
        let pairing = crate::cases::pair(&baseline, &candidate).expect("the same cases");
        let base = baseline.sample().expect("a sample");
        let cand = candidate.sample().expect("a sample").take(&pairing.candidate);
        let compared = Compared { baseline: Some(&base), candidate: &cand, clusters: None };
        let clusters: Option<Vec<u32>> = table["columns"]["cluster"].as_str().map(|name| {
            let column = baseline.clusters().or_else(|| baseline.column(name)).expect("clusters");
            (0..baseline.rows()).filter_map(|row| column.code(row)).collect()
        });
        if table["right_wrong"].is_object() {
            let pairs = compared.right_wrong().expect("decisions");
            assert_eq!(Some(pairs.gained), table["right_wrong"]["gained"].as_u64(), "{name}");
            assert_eq!(Some(pairs.lost), table["right_wrong"]["lost"].as_u64(), "{name}");
        }
        let check = |aggregate: &Aggregate, theirs: &Value, sign: f64, what: &str| {
            let ours = aggregate.estimate(confidence);
            if theirs["refuse"].is_string() || theirs["limits"].is_null() {
                assert!(ours.is_err(), "{name} {what}: {ours:?}");
                return;
            }
            let Ok(ours) = ours else { panic!("{name} {what}: {ours:?}") };
            let limits = if sign < 0.0 { ours.limits.negated() } else { ours.limits };
            close(limits.lower, &theirs["limits"]["0.95"][0], 1e-10, &format!("{name} {what}"));
            close(limits.upper, &theirs["limits"]["0.95"][1], 1e-10, &format!("{name} {what}"));
        };
        if let Some(clusters) = &clusters {
            let clustered = Compared { clusters: Some(clusters), ..compared };
            if table["right_wrong_clustered"].is_object() {
                let aggregate = clustered.aggregate(&Metric::Accuracy).expect("an aggregate");
                let theirs = &table["right_wrong_clustered"];
                // The fixtures give numbers even if nothing varies; here that gives no interval.
                if theirs["se_cr1"].as_f64().is_some_and(|se| se > 1e-12) {
                    check(&aggregate, theirs, 1.0, "clustered");
                }
            }
        }
        if table["roc_auc"].is_object() {
            let auc = &table["roc_auc"];
            let few =
                ["positives", "negatives"].iter().any(|class| auc[class].as_u64().is_none_or(|n| n < 10));
            match compared.aggregate(&Metric::RocAuc) {
                Ok(aggregate) if !few => check(&aggregate, auc, 1.0, "AUC"),
                Ok(aggregate) => assert!(aggregate.estimate(confidence).is_err(), "{name}: few of a class"),
                Err(_) => assert!(auc["refuse"].is_string(), "{name}"),
            }
        }
        for loss in ["log_loss", "brier", "squared_error", "absolute_error"] {
            let theirs = &table[loss];
            if !theirs.is_object() {
                continue;
            }
            let aggregate = compared.aggregate(&compared_metric(loss)).expect("an aggregate");
            let Aggregate::Mean(moments) = aggregate else { panic!("a mean") };
            let paired = &theirs["paired_t"];
            match crate::stats::student_limits(&moments, confidence) {
                Ok(ours) => {
                    let limits = ours.limits.negated();
                    close(limits.lower, &paired["limits"]["0.95"][0], 1e-10, loss);
                    close(limits.upper, &paired["limits"]["0.95"][1], 1e-10, loss);
                }
                Err(refusal) => assert!(paired["refuse"].is_string(), "{name} {loss}: {refusal}"),
            }
            // Johnson's statistic reaches the quantile exactly when his limit reaches the margin.
            if let (Some(johnson), Ok(ours)) =
                (paired["johnson_t"].as_object(), crate::stats::johnson_limits(&moments, confidence))
            {
                let n = paired["n"].as_f64().expect("a count");
                let quantile = crate::stats::student_quantile(0.95, n - 1.0);
                for (margin, statistic) in johnson {
                    let margin: f64 = margin.parse().expect("a margin");
                    let passes = statistic.as_f64().expect("a statistic") >= quantile;
                    assert_eq!(ours.limits.negated().lower >= -margin, passes, "{name} {loss} {margin}");
                }
            }
            if let (Some(clusters), true) = (&clusters, theirs["clustered"].is_object()) {
                let clustered = Compared { clusters: Some(clusters), ..compared };
                let theirs = &theirs["clustered"];
                if theirs["se_cr1"].as_f64().is_some_and(|se| se > 1e-12) {
                    check(
                        &clustered.aggregate(&compared_metric(loss)).expect("an aggregate"),
                        theirs,
                        -1.0,
                        loss,
                    );
                }
            }
        }
        resampled_equals(table, name, &compared, confidence);
    }
}

/// What was drawn again, and what was left out, one case at a time.
fn resampled_equals(
    table: &Value,
    name: &str,
    compared: &Compared<'_>,
    confidence: crate::stats::Confidence,
) {
    for theirs in table["bootstrap"].as_array().into_iter().flatten() {
        let metric = compared_metric(theirs["metric"].as_str().expect("a name"));
        let what = format!("{name} {}", theirs["metric"]);
        match compared.aggregate(&metric) {
            Err(_) => {
                let undefined = theirs["undefined_share"].as_f64().is_some_and(|share| share > 0.0);
                assert!(theirs["refuse"].is_string() || undefined, "{what}");
            }
            Ok(Aggregate::Jackknife { estimate, .. }) => {
                close(estimate.value, &theirs["difference"], 1e-12, &what);
                close(estimate.stderr, &theirs["jackknife_se"], 1e-9, &what);
            }
            Ok(aggregate @ Aggregate::Resampled(_))
                if theirs["stratified"] == true || table["task"] == "regression" =>
            {
                let Ok(ours) = aggregate.estimate(confidence) else {
                    assert!(theirs["refuse"].is_string(), "{what}");
                    continue;
                };
                let tolerance = theirs["tolerance_by_resamples"]["10000"].as_f64().expect("a tolerance");
                for (ours, theirs) in [ours.limits.lower, ours.limits.upper]
                    .iter()
                    .zip(theirs["bca"].as_array().expect("limits"))
                {
                    let theirs = theirs.as_f64().expect("a limit");
                    assert!(
                        (ours - theirs).abs() <= tolerance,
                        "{what}: {ours} is not {theirs} ± {tolerance}"
                    );
                }
            }
            Ok(_) => {}
        }
    }
}
