//! Every metric that a table of cases gives.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Confusion;
use super::summary_metrics::metrics;
use crate::cases::{Cases, CasesError, DecisionCounts, Sample, slices_of};
use crate::stats::Moments;

/// A column with more different values than this is not shown as slices.
const MOST_SLICES: usize = 20;

/// Metrics of some cases.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// How many cases.
    pub rows: usize,
    /// Names with values; NaN where a metric is not defined or can't be computed.
    pub metrics: Vec<(String, f64)>,
}

/// Metrics of all cases, and of each slice.
#[derive(Debug, Clone, PartialEq)]
pub struct CasesSummary {
    /// Cases without a prediction, or with an error.
    pub unscored: usize,
    /// Of all cases.
    pub overall: MetricSummary,
    /// By a key such as `region=EU`.
    pub slices: Vec<(String, MetricSummary)>,
}

/// Computes every metric that the columns allow.
pub fn summary(cases: &Cases) -> Result<CasesSummary, CasesError> {
    if let Some(summary) = summary_of_counts(cases)? {
        return Ok(summary);
    }
    let sample = cases.sample()?;
    let values: Vec<(String, Vec<f64>)> = if cases.has_decisions() {
        Vec::new()
    } else {
        let columns = cases.slice_columns();
        columns.iter().filter_map(|name| Some(((*name).to_owned(), cases.values(name)?.ok()?))).collect()
    };
    let of = |sample: &Sample, rows: Option<&[u32]>| {
        let decisions = !sample.predicted.is_empty() && !sample.truth.is_empty();
        let mut metrics = metrics(sample, decisions.then(|| Confusion::of(sample)).as_ref());
        for (name, values) in &values {
            let picked: Vec<f64> = match rows {
                None => values.clone(),
                Some(rows) => rows.iter().map(|row| values[*row as usize]).collect(),
            };
            // A tool measures a metric on the cases of its task only.
            let measured: Vec<f64> = picked
                .iter()
                .copied()
                .filter(|value| !cases.is_kept_by_tool() || value.is_finite())
                .collect();
            let value = if measured.len() < picked.len() {
                Moments::of(&measured).mean
            } else {
                sample.mean(|case| picked[case])
            };
            metrics.push((name.clone(), value));
        }
        MetricSummary { rows: sample.n, metrics }
    };
    let is_value = |column: &str| values.iter().any(|(name, _)| name == column);
    let slices = slice_rows(cases, is_value)?
        .into_par_iter()
        .map(|(slice, rows)| {
            let summary = of(&sample.take(&rows), Some(&rows));
            (slice, summary)
        })
        .collect();
    Ok(CasesSummary { unscored: cases.unscored(), overall: of(&sample, None), slices })
}

/// The same where labels and predictions are all there is: counted in one pass for each column, with no copy of the cases.
fn summary_of_counts(cases: &Cases) -> Result<Option<CasesSummary>, CasesError> {
    if !cases.has_decisions_only() {
        return Ok(None);
    }
    let of = |counts: &DecisionCounts| {
        let rows = counts.iter().map(|(_, _, count)| usize::try_from(*count).unwrap_or(usize::MAX)).sum();
        let about =
            Sample { n: rows, labels: cases.class_names(), positive: cases.positive(), ..Sample::default() };
        MetricSummary { rows, metrics: metrics(&about, Some(&Confusion::of_counts(counts))) }
    };
    let mut slices = Vec::new();
    let mut all: Option<DecisionCounts> = None;
    for column in columns_of_slices(cases, |_| false) {
        let Some(counts) = cases.decision_counts(Some(column))? else { return Ok(None) };
        slices.extend(counts.iter().map(|(slice, counts)| (slice.clone(), of(counts))));
        // Each case is in one slice of each column.
        all.get_or_insert_with(|| added_up(counts.into_values().flatten()));
    }
    let all = match all {
        Some(all) => all,
        None => match cases.decision_counts(None)? {
            Some(counts) => counts.into_values().flatten().collect(),
            None => return Ok(None),
        },
    };
    Ok(Some(CasesSummary { unscored: cases.unscored(), overall: of(&all), slices }))
}

/// The counts of several slices as one.
fn added_up(counts: impl Iterator<Item = (u32, u32, u64)>) -> DecisionCounts {
    let mut sums: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for (truth, predicted, count) in counts {
        *sums.entry((truth, predicted)).or_default() += count;
    }
    sums.into_iter().map(|((truth, predicted), count)| (truth, predicted, count)).collect()
}

/// The columns that look like slices, and are no values.
fn columns_of_slices(cases: &Cases, is_value: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut columns = cases.slice_columns();
    columns.retain(|name| {
        let distinct = cases.column(name).and_then(|column| column.distinct(MOST_SLICES));
        distinct.is_some_and(|distinct| distinct > 0 && 2 * distinct <= cases.rows().max(2))
            && !is_value(name)
    });
    columns
}

/// The rows of each slice by one column, of the columns that look like slices and are no values.
pub(super) fn slice_rows(
    cases: &Cases,
    is_value: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u32>)>, CasesError> {
    let mut slices = Vec::new();
    for column in columns_of_slices(cases, is_value) {
        slices.extend(slices_of(cases, &[column])?);
    }
    Ok(slices)
}
