//! Compares every method with values from scipy, statsmodels and scikit-learn;
//! `tests/fixtures/evidence/README.md` says how they were made.

use std::path::Path;

use serde_json::Value;

use super::*;

/// The accuracy that the fixtures promise for closed forms.
const CLOSE: f64 = 1e-10;

fn oracle(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/evidence").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().expect("a double"),
        Value::String(text) if text == "inf" => f64::INFINITY,
        Value::String(text) if text == "-inf" => f64::NEG_INFINITY,
        _ => f64::NAN,
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(number).collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

fn confidence(text: &str) -> Confidence {
    Confidence::new(text.parse().expect("a share")).expect("a confidence")
}

#[track_caller]
fn close(ours: f64, theirs: f64, what: &str) {
    let far = (ours - theirs).abs() > CLOSE * theirs.abs().max(1.0);
    assert!(!far && ours.is_nan() == theirs.is_nan(), "{what}: {ours} is not {theirs}");
}

#[track_caller]
fn close_limits(ours: Limits, theirs: &Value, what: &str) {
    close(ours.lower, number(&theirs[0]), &format!("{what} lower"));
    close(ours.upper, number(&theirs[1]), &format!("{what} upper"));
}

fn verdict(text: &Value) -> Verdict {
    match text.as_str() {
        Some("pass") => Verdict::Shown,
        Some("fail") => Verdict::Refuted,
        _ => Verdict::Open,
    }
}

fn right_wrong(entry: &Value) -> RightWrong {
    RightWrong {
        both_right: count(&entry["both_right"]),
        gained: count(&entry["gained"]),
        lost: count(&entry["lost"]),
        both_wrong: count(&entry["both_wrong"]),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

#[track_caller]
fn check_right_wrong(entry: &Value) {
    let pairs = right_wrong(entry);
    let what = format!("{pairs:?}");
    for (share, limits) in entries(&entry["limits"]) {
        let ours = pairs.tango(confidence(share));
        close(ours.lower, number(&limits["tango_lower"]), &what);
        close(ours.upper, number(&limits["tango_upper"]), &what);
    }
    for (share, verdicts) in entries(&entry["verdict_tango_edge"]) {
        for (margin, theirs) in entries(verdicts) {
            let margin: f64 = margin.parse().expect("a margin");
            let ours = pairs.at_least(margin, confidence(share));
            assert_eq!(ours, verdict(theirs), "{what} at {margin}, {share}");
            assert_eq!(
                pairs.limits(confidence(share)).at_least(-margin),
                ours,
                "{what} at {margin}, {share}"
            );
        }
    }
    let mcnemar = pairs.mcnemar();
    close(mcnemar.exact, number(&entry["mcnemar"]["exact_two_sided"]), &what);
    close(mcnemar.mid_p, number(&entry["mcnemar"]["mid_p_two_sided"]), &what);
    for (margin, needed) in entries(&entry["n_needed"]) {
        let margin: f64 = margin.parse().expect("a margin");
        let ours = cases_needed_for_pairs(&pairs, margin, confidence("0.95"));
        assert_eq!(ours, needed["same_rates"].as_u64(), "{what} at {margin}");
    }
}

#[test]
fn tango_with_the_edge_rule_mcnemar_and_the_cases_needed() {
    let oracle = oracle("pairs.json");
    for entry in oracle["counts"].as_array().expect("a list") {
        check_right_wrong(entry);
    }
    for pair in oracle["pairs"].as_array().expect("a list") {
        if pair["right_wrong"].is_object() {
            check_right_wrong(&pair["right_wrong"]);
        }
        for (_, slice) in pair["slices"].as_object().into_iter().flatten() {
            check_right_wrong(slice);
        }
    }
}

#[test]
fn tango_as_other_sources_have_it() {
    let oracle = oracle("statistics.json");
    for entry in oracle["tango"].as_array().expect("a list") {
        let (gained, lost, n) = (count(&entry["gain"]), count(&entry["loss"]), count(&entry["n"]));
        let pairs = RightWrong { both_right: n - gained - lost, gained, lost, both_wrong: 0 };
        close(pairs.tango(confidence("0.95")).lower, number(&entry["one_sided_lower_95"]), "tango");
        close_limits(pairs.tango(confidence("0.975")), &entry["two_sided_95"], "tango");
    }
    let airway = RightWrong { both_right: 1, gained: 1, lost: 7, both_wrong: 12 };
    close_limits(
        airway.tango(confidence("0.975")),
        &oracle["airway"]["two_sided_95"],
        "Fagerland et al. 2014",
    );
}

#[test]
fn quantiles_and_wilson() {
    let oracle = oracle("statistics.json");
    for (p, z) in entries(&oracle["quantiles"]["normal"]) {
        close(normal_quantile(p.parse().expect("p")), number(z), "normal");
    }
    for entry in oracle["quantiles"]["student_t"].as_array().expect("a list") {
        let ours = student_quantile(number(&entry["p"]), number(&entry["df"]));
        close(ours, number(&entry["t"]), &format!("t, {entry}"));
    }
    for entry in oracle["proportion_interval"].as_array().expect("a list") {
        // The fixture's intervals are two-sided.
        let two_sided = number(&entry["confidence"]);
        let one_sided = Confidence::new(f64::midpoint(1.0, two_sided)).expect("a confidence");
        let ours = wilson(number(&entry["k"]), number(&entry["n"]), one_sided);
        close_limits(ours, &entry["wilson"], &entry.to_string());
    }
}

#[test]
fn seeds_folds_and_standard_errors() {
    let oracle = oracle("pairs.json");
    for entry in oracle["seeds"].as_array().expect("a list") {
        let (baseline, candidate) = (numbers(&entry["baseline"]), numbers(&entry["candidate"]));
        let few = baseline.len() < 3 || candidate.len() < 3;
        let what = entry["name"].as_str().expect("a name");
        let check = |ours: &dyn Fn(Confidence) -> Result<Estimate, Refusal>, theirs: &Value| {
            if few || theirs["refuse"].is_string() {
                assert!(ours(confidence("0.95")).is_err(), "{what}");
                return;
            }
            for (share, limits) in entries(&theirs["limits"]) {
                close_limits(ours(confidence(share)).expect(what).limits, limits, what);
            }
        };
        check(&|c| welch(&baseline, &candidate, c), &entry["welch"]);
        if entry["paired"].is_object() {
            check(&|c| paired(&baseline, &candidate, c), &entry["paired"]);
        }
        let corrected = &entry["corrected_resampled"];
        if corrected.is_object() {
            let share = number(&corrected["n_test"]) / number(&corrected["n_train"]);
            check(&|c| corrected_resampled(&baseline, &candidate, share, c), corrected);
        }
    }
    for entry in oracle["stderr"].as_array().expect("a list") {
        let side = |name: &str| (number(&entry[name]), number(&entry[format!("{name}_stderr")]));
        for (share, limits) in entries(&entry["limits"]) {
            match stderr_difference(side("baseline"), side("candidate"), confidence(share)) {
                Ok(ours) => close_limits(ours.limits, limits, "stderr"),
                Err(refusal) => assert!(entry["refuse"].is_string(), "{refusal}"),
            }
        }
    }
}

#[test]
fn clusters_and_delong() {
    let oracle = oracle("statistics.json");
    let entry = &oracle["delong"];
    let positive: Vec<bool> = numbers(&entry["y"]).iter().map(|y| *y > 0.5).collect();
    let side = |name: &str| placements(&positive, &numbers(&entry[name])).expect("both classes");
    let pair = AucPair::of(&positive, Some(&side("a")), &side("b"));
    close(side("a").auc, number(&entry["auc_a"]), "area");
    close(side("b").auc, number(&entry["auc_b"]), "area");
    close(pair.variance, number(&entry["var_diff"]), "variance");
    let ours = pair.limits(confidence("0.95")).expect("limits");
    close(ours.limits.lower, number(&entry["lower_95_one_sided_b_minus_a"]), "DeLong");
    let entry = &oracle["clustered"];
    let mut sums: std::collections::BTreeMap<String, ClusterSums> = std::collections::BTreeMap::new();
    for (difference, cluster) in numbers(&entry["d"]).iter().zip(entry["g"].as_array().expect("a list")) {
        let cluster = sums.entry(cluster.to_string()).or_default();
        cluster.n += 1;
        cluster.total += difference;
    }
    let sums: Vec<ClusterSums> = sums.into_values().collect();
    let ours = cluster_limits(&sums, confidence("0.95")).expect("limits");
    close(ours.value, number(&entry["mean"]), "mean over clusters");
    close(ours.stderr, number(&entry["se_cr1"]), "CR1");
}

#[test]
fn sizes() {
    let oracle = oracle("statistics.json");
    for entry in oracle["sample_size"].as_array().expect("a list") {
        let (q, d) = (number(&entry["disagreement"]), number(&entry["difference"]));
        let confidence = Confidence::new(1.0 - number(&entry["alpha"])).expect("a confidence");
        let stderr = (q - d * d).sqrt();
        let ours = cases_needed(1, stderr, d, number(&entry["margin"]), confidence, number(&entry["power"]));
        assert_eq!(ours, entry["n"].as_u64(), "{entry}");
    }
}
