//! Every metric that can be computed from a table of cases.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Confusion;
use super::summary_metrics::metrics;
use crate::cases::{
    Cases, CasesError, DecisionTally, Decisions, MOST_SLICES, Sample, added_up, slice_name, slices_of,
};
use crate::stats::Moments;

/// Metrics of some cases.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// The number of cases.
    pub rows: usize,
    /// Names and values; NaN if a metric is undefined or can't be computed.
    pub metrics: Vec<(String, f64)>,
}

/// Metrics of all cases and of each slice.
#[derive(Debug, Clone, PartialEq)]
pub struct CasesSummary {
    /// Cases without a prediction, or with an error.
    pub unscored: usize,
    /// The metrics of all cases.
    pub overall: MetricSummary,
    /// The metrics of each slice, by a key such as `region=EU`.
    pub slices: Vec<(String, MetricSummary)>,
}

/// Computes every metric that the columns allow.
pub fn summary(cases: &Cases) -> Result<CasesSummary, CasesError> {
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
            // A tool measures a metric only on the cases of its task.
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

/// Like [`summary`], for a table whose decisions were counted. `cases` has each pair of a label and a
/// prediction that occurs.
pub fn summary_of_tally(tally: &DecisionTally, cases: &Cases) -> CasesSummary {
    let labels = cases.class_names();
    let classes = cases.class_places();
    let class = |text: &str| classes.get(text).copied().unwrap_or(u32::MAX);
    let of = |decisions: &Decisions| {
        let rows = usize::try_from(decisions.values().sum::<u64>()).unwrap_or(usize::MAX);
        let counts: BTreeMap<(u32, u32), u64> = decisions
            .iter()
            .map(|((truth, predicted), count)| ((class(truth), class(predicted)), *count))
            .collect();
        let confusion = Confusion::of_counts(counts.into_iter().map(|((a, b), count)| (a, b, count)));
        let about =
            Sample { n: rows, labels: labels.clone(), positive: cases.positive(), ..Sample::default() };
        MetricSummary { rows, metrics: metrics(&about, Some(&confusion)) }
    };
    let mut slices = Vec::new();
    for (column, counts) in &tally.by {
        let Some(counts) =
            counts.as_ref().filter(|counts| are_slices(counts.keys().flatten().count(), tally.rows()))
        else {
            continue;
        };
        let mut by: BTreeMap<String, Vec<&Decisions>> = BTreeMap::new();
        for (value, decisions) in counts {
            by.entry(slice_name(column, value.as_deref())).or_default().push(decisions);
        }
        slices.extend(by.into_iter().map(|(slice, decisions)| (slice, of(&added_up(decisions.into_iter())))));
    }
    CasesSummary { unscored: 0, overall: of(&tally.all), slices }
}

/// Whether a column with this many distinct values is shown as slices.
fn are_slices(distinct: usize, rows: u64) -> bool {
    distinct > 0 && 2 * distinct as u64 <= rows.max(2)
}

/// The columns that look like slices and are not values.
fn columns_of_slices(cases: &Cases, is_value: impl Fn(&str) -> bool) -> Vec<&str> {
    let mut columns = cases.slice_columns();
    columns.retain(|name| {
        let distinct = cases.column(name).and_then(|column| column.distinct(MOST_SLICES));
        distinct.is_some_and(|distinct| are_slices(distinct, cases.rows() as u64)) && !is_value(name)
    });
    columns
}

/// The rows of each slice, by one column at a time, for columns that look like slices and are not values.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{CaseColumns, read_delimited};

    fn of(csv: &str) -> CasesSummary {
        let said = CaseColumns { unscored_are_wrong: true, ..CaseColumns::default() };
        let table = read_delimited(csv.as_bytes(), b',').expect("a table");
        summary(&Cases::new(table, &said).expect("cases")).expect("a summary")
    }

    #[test]
    fn scores_of_a_case_without_a_prediction_count() {
        let csv = "id,label,prediction,p_a,p_b,p_c\n1,a,a,0.5,0.3,0.2\n2,b,b,0.1,0.8,0.1\n3,c,PREDICTION,0.1,0.1,0.8\n\
                   4,a,c,0.2,0.2,0.6\n5,c,c,0.1,0.2,0.7\n6,a,a,0.6,0.2,0.2\n7,b,b,0.2,0.7,0.1\n";
        let (with, without) = (of(&csv.replace("PREDICTION", "b")), of(&csv.replace("PREDICTION", "")));
        assert_eq!((with.unscored, without.unscored), (0, 1));
        let value = |summary: &CasesSummary, name: &str| {
            summary.overall.metrics.iter().find(|(known, _)| known == name).expect("a metric").1.to_bits()
        };
        for name in ["accuracy", "log_loss", "brier_multiclass", "roc_auc_ovr_macro", "top_2_accuracy"] {
            assert_eq!(value(&with, name), value(&without, name), "{name}");
        }
    }
}
