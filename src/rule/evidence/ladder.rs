//! The best evidence that both runs have: the same cases, else seeds or folds, else standard errors.

use std::borrow::Cow;

use super::aggregated::find_in_aggregates;
use super::basis::{Basis, Found, HowScored, how_scored};
use super::cases::{CaseEvidence, PairedCases};
use super::lack::Lack;
use crate::cases::{Cases, Sample};
use crate::document::Node;
use crate::run::{Decimal, Metric, Run};
use crate::scorer::{Aggregate, Compared, Metric as Scorer};
use crate::stats::{Moments, Refusal, RightWrong};

/// Evidence on a difference: candidate minus baseline. `rows` restricts it to a slice.
pub(in crate::rule) fn find_relative(
    evidence: &CaseEvidence<'_>,
    [ours, theirs]: [&Metric<'_>; 2],
    candidate: &Run,
    as_name: Option<&str>,
    rows: Option<&[u32]>,
) -> Found {
    let name = ours.name;
    let why = match evidence.paired() {
        Ok(paired) => {
            let has = |column: &str| {
                [&paired.baseline, &paired.candidate].iter().all(|cases| cases.values(column).is_some())
            };
            match how_scored(name, as_name, paired.candidate.classes(), has) {
                Err(raised) => return Found::Wrong(raised),
                Ok(HowScored::Not) => {
                    format!("`{name}` can't be computed from predictions; `as:` says which metric it is")
                }
                Ok(HowScored::Column(column)) => return of_column(paired, column, rows),
                Ok(HowScored::By(metric)) => {
                    let part = Part::of(paired, rows);
                    return match of_metric(&metric, &part.compared()) {
                        Ok(basis) => Found::Basis(Box::new(basis)),
                        Err(why) => {
                            Found::Nothing(format!("`{name}` can't be computed from predictions: {why}"))
                        }
                    };
                }
            }
        }
        Err(Lack::Wrong(raised)) => return Found::Wrong(raised.clone()),
        Err(Lack::NotRecorded(lack)) => lack.to_string(),
    };
    if rows.is_some() {
        return Found::Nothing(why);
    }
    match find_in_aggregates(evidence, (name, as_name), None, true) {
        Some(found) => found,
        None => from_records(ours, theirs, candidate, why),
    }
}

/// Some of the cases of both runs.
struct Part<'p> {
    base: Cow<'p, Sample>,
    cand: Cow<'p, Sample>,
    clusters: Option<Cow<'p, [u32]>>,
}

/// The cases of these rows, or all cases without rows.
fn taken<'s>(sample: &'s Sample, rows: Option<&[u32]>) -> Cow<'s, Sample> {
    rows.map_or(Cow::Borrowed(sample), |rows| Cow::Owned(sample.take(rows)))
}

/// The clusters of these rows, or all clusters without rows.
fn clusters_of<'c>(clusters: Option<&'c [u32]>, rows: Option<&[u32]>) -> Option<Cow<'c, [u32]>> {
    let clusters = clusters?;
    let of_rows = |rows: &[u32]| rows.iter().map(|row| clusters[*row as usize]).collect();
    Some(rows.map_or(Cow::Borrowed(clusters), |rows| Cow::Owned(of_rows(rows))))
}

impl<'p> Part<'p> {
    /// These rows in the baseline's order, or all rows.
    fn of(paired: &'p PairedCases, rows: Option<&[u32]>) -> Self {
        Self {
            base: taken(&paired.base, rows),
            cand: taken(&paired.cand, rows),
            clusters: clusters_of(paired.clusters.as_deref(), rows),
        }
    }

    fn compared(&self) -> Compared<'_> {
        Compared { baseline: Some(&self.base), candidate: &self.cand, clusters: self.clusters.as_deref() }
    }
}

/// Evidence from a column that has the metric's value on each case.
fn of_column(paired: &PairedCases, column: &str, rows: Option<&[u32]>) -> Found {
    let read = |cases: &Cases| cases.values(column)?.ok();
    let (Some(theirs), Some(ours)) = (read(&paired.baseline), read(&paired.candidate)) else {
        return Found::Nothing(format!("the column `{column}` has no numbers"));
    };
    let ours: Vec<f64> = paired.pairing.candidate.iter().map(|row| ours[*row as usize]).collect();
    // A tool measures a metric only on the cases of its own task; skip the cases of other tasks.
    let is_part = |row: &u32| {
        let row = *row as usize;
        !paired.baseline.is_kept_by_tool() || theirs[row].is_finite() || ours[row].is_finite()
    };
    let all = || (0..theirs.len()).filter_map(|row| u32::try_from(row).ok()).collect();
    let mut rows = rows.map_or_else(all, <[u32]>::to_vec);
    rows.retain(is_part);
    let pick = |values: &[f64]| -> Vec<f64> { rows.iter().map(|row| values[*row as usize]).collect() };
    let part = Part::of(paired, Some(&rows));
    Found::Basis(Box::new(of_values(&part.compared(), &pick(&theirs), &pick(&ours))))
}

/// The rows on which a tool measured a metric; `None` for cases of a file, where a row without a value is an omission.
fn measured_rows(cases: &Cases, column: &str, rows: Option<&[u32]>) -> Option<Vec<u32>> {
    if !cases.is_kept_by_tool() {
        return None;
    }
    let values = cases.values(column)?.ok()?;
    let is_measured = |row: &u32| values[*row as usize].is_finite();
    Some(match rows {
        Some(rows) => rows.iter().copied().filter(is_measured).collect(),
        None => (0..values.len()).filter_map(|row| u32::try_from(row).ok()).filter(is_measured).collect(),
    })
}

/// Evidence on the candidate's value alone.
pub(in crate::rule) fn find_absolute(
    evidence: &CaseEvidence<'_>,
    ours: &Metric<'_>,
    as_name: Option<&str>,
    rows: Option<&[u32]>,
) -> Found {
    let name = ours.name;
    let why = match evidence.own() {
        Ok(own) => {
            match how_scored(name, as_name, own.cases.classes(), |column| own.cases.values(column).is_some())
            {
                Err(raised) => return Found::Wrong(raised),
                Ok(HowScored::Not) => {
                    format!("`{name}` can't be computed from predictions; `as:` says which metric it is")
                }
                Ok(how) => {
                    let measured = match &how {
                        HowScored::Column(column) => measured_rows(&own.cases, column, rows),
                        _ => None,
                    };
                    let rows = measured.as_deref().or(rows);
                    let sample = taken(&own.sample, rows);
                    let clusters = clusters_of(own.clusters.as_deref(), rows);
                    let compared =
                        Compared { baseline: None, candidate: &sample, clusters: clusters.as_deref() };
                    let basis = match how {
                        HowScored::By(metric) => of_metric(&metric, &compared),
                        HowScored::Column(column) => match own.cases.values(column) {
                            Some(Ok(values)) => {
                                let values = match rows {
                                    None => values,
                                    Some(rows) => rows.iter().map(|row| values[*row as usize]).collect(),
                                };
                                Ok(of_values(&compared, &vec![0.0; values.len()], &values))
                            }
                            _ => Err("the column has no numbers"),
                        },
                        HowScored::Not => Err("no metric has that name"),
                    };
                    return match basis {
                        Ok(basis) => Found::Basis(Box::new(basis)),
                        Err(why) => {
                            Found::Nothing(format!("`{name}` can't be computed from predictions: {why}"))
                        }
                    };
                }
            }
        }
        Err(Lack::Wrong(raised)) => return Found::Wrong(raised.clone()),
        Err(Lack::NotRecorded(lack)) => lack.to_string(),
    };
    let counted =
        if rows.is_some() { None } else { find_in_aggregates(evidence, (name, as_name), None, false) };
    counted.unwrap_or_else(|| from_record(ours, why))
}

/// Evidence from the records alone, for a slice without cases: seeds, folds or standard errors. Without a
/// baseline's value, it is evidence on the candidate's own.
pub(in crate::rule) fn find_recorded(
    ours: &Metric<'_>,
    theirs: Option<&Metric<'_>>,
    candidate: &Run,
) -> Found {
    let why = "slices of a record have no cases".to_owned();
    match theirs {
        Some(theirs) => from_records(ours, theirs, candidate, why),
        None => from_record(ours, why),
    }
}

/// Evidence from the standard error in the record of the candidate's value.
fn from_record(ours: &Metric<'_>, why: String) -> Found {
    let (Some(value), Some(stderr)) = (number(ours.value().ok()), detail(ours, "stderr")) else {
        return Found::Nothing(why);
    };
    Found::Basis(Box::new(Basis {
        aggregate: Ok(Aggregate::Stderr((0.0, f64::MIN_POSITIVE), (value, stderr))),
        values: [value, f64::NAN],
        n: detail(ours, "n").and_then(whole),
        pairs: None,
        clusters: None,
        recomputed: false,
        resolution: [0.0; 2],
        coarse: None,
        why_not_better: Some(why),
    }))
}

fn of_metric(metric: &Scorer, compared: &Compared<'_>) -> Result<Basis, &'static str> {
    let scores = compared.scores(metric)?;
    let values = [scores.candidate.value, scores.baseline.map_or(f64::NAN, |score| score.value)];
    Ok(basis(compared, compared.aggregate_of(metric, scores), values))
}

fn of_values(compared: &Compared<'_>, theirs: &[f64], ours: &[f64]) -> Basis {
    let mean = |values: &[f64]| Moments::of(values).mean;
    let values = [mean(ours), mean(theirs)];
    if let Some(aggregate) = of_decisions(compared, theirs, ours) {
        return basis(compared, Ok(aggregate), values);
    }
    let differences: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
    let aggregate = if values.iter().all(|value| value.is_finite()) {
        Ok(compared.aggregate_values(differences))
    } else {
        Err(Refusal::Undefined)
    };
    basis(compared, aggregate, values)
}

/// Values that are all 0 or 1, such as whether a test passed, are decisions: right or wrong.
fn of_decisions(compared: &Compared<'_>, theirs: &[f64], ours: &[f64]) -> Option<Aggregate> {
    let right = |value: f64| value > 0.5;
    let are_decisions = ours.iter().chain(theirs).all(|value| [0.0, 1.0].contains(value));
    if !are_decisions || compared.clusters.is_some() || !compared.candidate.weights.is_empty() {
        return None;
    }
    if compared.baseline.is_none() {
        let hits = ours.iter().filter(|value| right(**value)).count();
        return Some(Aggregate::Share { hits: hits as u64, n: ours.len() as u64 });
    }
    let mut pairs = RightWrong::default();
    for (theirs, ours) in theirs.iter().zip(ours) {
        pairs.add(right(*theirs), right(*ours));
    }
    Some(Aggregate::Pairs(pairs))
}

fn basis(compared: &Compared<'_>, aggregate: Result<Aggregate, Refusal>, values: [f64; 2]) -> Basis {
    let own = aggregate.as_ref().ok().and_then(Aggregate::n);
    let own_pairs = match &aggregate {
        Ok(Aggregate::Pairs(pairs)) => Some(*pairs),
        _ => None,
    };
    let clusters = compared.clusters.map(|clusters| {
        let distinct: std::collections::HashSet<&u32> = clusters.iter().collect();
        distinct.len() as u64
    });
    Basis {
        aggregate,
        values,
        n: own.or(Some(compared.candidate.n as u64)),
        pairs: compared.right_wrong().or(own_pairs),
        clusters,
        recomputed: true,
        resolution: [0.0; 2],
        coarse: None,
        why_not_better: None,
    }
}

/// Evidence from the seeds, folds or standard errors in the records.
fn from_records(ours: &Metric<'_>, theirs: &Metric<'_>, candidate: &Run, why: String) -> Found {
    let value = |metric: &Metric<'_>| number(metric.value().ok());
    let basis = |aggregate: Aggregate, values: [f64; 2], n: Option<u64>| {
        Found::Basis(Box::new(Basis {
            n: aggregate.n().or(n),
            aggregate: Ok(aggregate),
            values,
            pairs: None,
            clusters: None,
            recomputed: false,
            resolution: [0.0; 2],
            coarse: None,
            why_not_better: Some(why.clone()),
        }))
    };
    if let (Some(our_values), Some(their_values)) = (seeds(ours), seeds(theirs)) {
        let mean = |values: &[f64]| Moments::of(values).mean;
        let means = [mean(&our_values), mean(&their_values)];
        let differences = || {
            let each: Vec<f64> = our_values.iter().zip(&their_values).map(|(a, b)| a - b).collect();
            Moments::of(&each)
        };
        let names = |metric: &Metric<'_>| {
            metric.detail("seeds").and_then(Node::as_list).map(|seeds| {
                seeds.iter().map(|seed| seed.as_written().unwrap_or_default().to_owned()).collect::<Vec<_>>()
            })
        };
        let same_length = our_values.len() == their_values.len();
        let folds =
            candidate.validation().and_then(|validation| validation.get("folds")).and_then(Node::as_written);
        if let (Some(folds), true) = (folds.and_then(|folds| folds.parse::<u32>().ok()), same_length)
            && folds > 1
            && our_values.len().is_multiple_of(folds as usize)
        {
            let share = 1.0 / (f64::from(folds) - 1.0);
            return basis(Aggregate::Folds(differences(), share), means, None);
        }
        if same_length && names(ours).is_some() && names(ours) == names(theirs) {
            return basis(Aggregate::Seeds(differences()), means, None);
        }
        return basis(Aggregate::OtherSeeds(their_values, our_values), means, None);
    }
    match (value(ours), value(theirs), detail(ours, "stderr"), detail(theirs, "stderr")) {
        (Some(our), Some(their), Some(our_error), Some(their_error)) => {
            let n = detail(ours, "n").and_then(whole);
            basis(Aggregate::Stderr((their, their_error), (our, our_error)), [our, their], n)
        }
        _ => Found::Nothing(why),
    }
}

fn number(decimal: Option<Decimal>) -> Option<f64> {
    decimal?.written().parse().ok()
}

fn detail(metric: &Metric<'_>, key: &str) -> Option<f64> {
    metric.detail(key)?.as_written()?.parse().ok().filter(|number: &f64| number.is_finite())
}

fn seeds(metric: &Metric<'_>) -> Option<Vec<f64>> {
    let values = metric.detail("values")?.as_list()?;
    let numbers: Vec<f64> = values.iter().filter_map(|value| value.as_written()?.parse().ok()).collect();
    (numbers.len() == values.len() && numbers.len() > 1 && numbers.iter().all(|number| number.is_finite()))
        .then_some(numbers)
}

fn whole(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit")]
    (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
}
