//! Numbers are often typed by hand, copied, or from another run. `consistent` recomputes reported metrics
//! from the predictions, and finds numbers that can't all be true.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::{Diagnostic, Node, Path, Value};
use crate::rule::evidence::{
    CaseEvidence, Found, Lack, NOT_RECOMPUTED, decimal, find_absolute, mismatch, too_coarse,
};
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::run::{Decimal, Run};
use crate::verdict::{Comparison, Finding, Method, Outcome};

codes! {
    IMPOSSIBLE = "consistent/impossible": "Reported numbers can't be true together.";
    OTHER_ROWS = "consistent/other-rows": "The number of predicted rows differs from the record.";
    NOTHING_TO_CHECK = "consistent/nothing": "Nothing in the record can be checked against anything else.";
}

pub(super) const KIND: Kind = Kind {
    name: "consistent",
    says: "the reported numbers agree with each other and with the predictions",
    codes: CODES,
    load,
};

#[derive(Debug)]
struct Consistent;

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    if !matches!(body.value, Value::Bool(_)) {
        loading.reader.wrong_sort(body, "`consistent`", "`true`");
        return None;
    }
    loading.is_true(body, "consistent").then(|| Box::new(Consistent) as Box<dyn RuleCheck>)
}

/// A value with how far the true one may be from it, by the digits that are reported.
#[derive(Debug, Clone, Copy)]
struct Rounded {
    value: f64,
    half: f64,
}

impl Rounded {
    fn of(decimal: &Decimal) -> Option<Self> {
        let written = decimal.written();
        let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
        let digits = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
        let unit = 10f64.powi(exponent.parse::<i32>().ok()? - i32::try_from(digits).ok()?);
        let value: f64 = written.parse().ok()?;
        Some(Self { value, half: (unit / 2.0).max(value.abs() * 1e-12) * (1.0 + 1e-9) })
    }
}

impl RuleCheck for Consistent {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let evidence = CaseEvidence::new(case, None);
        let rows = match evidence.own() {
            Ok(own) => Ok(own.cases.rows()),
            Err(Lack::NotRecorded(lack)) => match evidence.aggregated() {
                Ok(aggregates) => Ok(usize::try_from(aggregates.all.cases()).unwrap_or(usize::MAX)),
                Err(Lack::NotRecorded(_)) => Err(Lack::NotRecorded(*lack)),
                Err(wrong) => Err(wrong.clone()),
            },
            Err(wrong) => Err(wrong.clone()),
        };
        match rows {
            Err(Lack::Wrong(raised)) => {
                judgement.fail(Comparison::exact("predictions", "cases", Outcome::Fail), *raised);
            }
            Err(Lack::NotRecorded(_)) => {
                judgement.notes.push("no predictions are recorded, so no metric could be recomputed".into());
            }
            Ok(predicted) => {
                recomputed(&mut judgement, case.candidate, &evidence);
                let rows = case.candidate.validation().and_then(|validation| validation.get("rows"));
                if let Some(rows) =
                    rows.and_then(Node::as_written).and_then(|rows| rows.parse::<usize>().ok())
                {
                    let outcome = if rows == predicted { Outcome::Pass } else { Outcome::Fail };
                    let comparison = Comparison::exact("validation.rows", "rows", outcome)
                        .candidate(rows.to_string())
                        .limit(predicted.to_string());
                    if outcome == Outcome::Pass {
                        judgement.compare(comparison);
                    } else {
                        let message = format!("the split has {rows} rows, but {predicted} were predicted");
                        let raised = Finding::new(OTHER_ROWS, message)
                            .at(Path::of(["validation", "rows"]), "another number")
                            .help("predict every row of the split, including those that failed");
                        judgement.fail(comparison, raised);
                    }
                }
            }
        }
        together(&mut judgement, case.candidate);
        if judgement.comparisons.is_empty() && judgement.findings.is_empty() {
            let message = "nothing can be checked: there are no recorded predictions, and no metrics that depend on each other";
            judgement.raise(
                Finding::new(NOTHING_TO_CHECK, message)
                    .at(Path::of(["metrics"]), "these")
                    .help("record the file of predictions"),
            );
        }
        Ok(judgement)
    }
}

/// Checks each reported metric that the predictions give.
fn recomputed(judgement: &mut RuleResult, run: &Run, evidence: &CaseEvidence<'_>) {
    for metric in run.metrics() {
        let Ok(value) = metric.value() else { continue };
        let Found::Basis(basis) = find_absolute(evidence, &metric, None, None) else { continue };
        if !basis.recomputed {
            continue;
        }
        if let Some(why) = too_coarse(basis.resolution[0]) {
            let raised = Finding::new(NOT_RECOMPUTED, format!("`{}` {why}", metric.name))
                .at(metric.path(), "can't be recomputed")
                .subject(metric.name)
                .help("record the files of predictions");
            judgement.fail(
                Comparison::by(Method::Recomputed, metric.name, "recomputed", Outcome::Fail)
                    .candidate(value.written()),
                raised,
            );
            continue;
        }
        let mut comparison = Comparison::by(Method::Recomputed, metric.name, "recomputed", Outcome::Pass)
            .candidate(value.written())
            .limit(decimal(basis.values[0], 6).written());
        comparison.n = basis.n;
        match mismatch(metric.name, "the candidate", &value, (basis.values[0], basis.resolution[0])) {
            None => {
                judgement.compare(comparison);
            }
            Some(raised) => {
                comparison.outcome = Outcome::Fail;
                judgement.fail(comparison, raised.at(metric.path(), "differs from the predictions"));
            }
        }
    }
}

/// Checks numbers that bound each other: F1 by precision and recall; accuracy times rows is a whole number.
fn together(judgement: &mut RuleResult, run: &Run) {
    let of = |name: &str| run.metric(name).and_then(|metric| Rounded::of(&metric.value().ok()?));
    let all: Vec<String> = run.metrics().map(|metric| metric.name.to_owned()).collect();
    for name in &all {
        let Some(prefix) = name.strip_suffix("f1") else { continue };
        let (Some(f1), Some(precision), Some(recall)) =
            (of(name), of(&format!("{prefix}precision")), of(&format!("{prefix}recall")))
        else {
            continue;
        };
        // F1 rises with both.
        let harmonic = |p: f64, r: f64| if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 };
        let low =
            harmonic((precision.value - precision.half).max(0.0), (recall.value - recall.half).max(0.0));
        let high = harmonic(precision.value + precision.half, recall.value + recall.half);
        let holds = f1.value + f1.half >= low && f1.value - f1.half <= high;
        let said = format!("{} to {}", decimal(low, 4), decimal(high, 4));
        let message = format!(
            "`{name}` is {}, but precision and recall give {said}",
            run.metric(name)
                .and_then(|metric| metric.value().ok())
                .map(|value| value.written().to_owned())
                .unwrap_or_default()
        );
        say(judgement, name, "precision and recall", holds, said, message);
    }
    let rows = run.validation().and_then(|validation| validation.get("rows")).and_then(Node::as_written);
    let Some(rows) = rows.and_then(|rows| rows.parse::<f64>().ok()).filter(|rows| *rows > 0.0) else {
        return;
    };
    for name in all.iter().filter(|name| name.ends_with("accuracy") && !name.ends_with("balanced_accuracy")) {
        let Some(accuracy) = of(name).filter(|accuracy| (0.0..=1.0).contains(&accuracy.value)) else {
            continue;
        };
        let (low, high) = ((accuracy.value - accuracy.half) * rows, (accuracy.value + accuracy.half) * rows);
        let holds = high.floor() >= low.ceil();
        let nearest = decimal((accuracy.value * rows).round() / rows, 6).written().to_owned();
        let message =
            format!("`{name}` of {rows} rows is not a whole number of cases: the nearest is {nearest}");
        say(judgement, name, "whole number of rows", holds, nearest.clone(), message);
    }
}

fn say(
    judgement: &mut RuleResult,
    name: &str,
    word: &'static str,
    holds: bool,
    limit: String,
    message: String,
) {
    let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
    let comparison = Comparison::exact(name, word, outcome).limit(limit);
    if holds {
        judgement.compare(comparison);
    } else {
        let raised = Finding::new(IMPOSSIBLE, message)
            .at(Path::of(["metrics", name]), "contradicts the others")
            .subject(name)
            .help("one of these numbers is from another run, or was typed: record all of them from one evaluation");
        judgement.fail(comparison, raised);
    }
}
