//! Every metric that a table of cases gives.

use super::{Average, Metric, Score};
use crate::cases::{Cases, CasesError, Sample, slices_of};
use crate::stats::{Moments, sum};

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
    let sample = cases.sample()?;
    let values: Vec<(String, Vec<f64>)> = if cases.has_decisions() {
        Vec::new()
    } else {
        let columns = cases.slice_columns();
        columns.iter().filter_map(|name| Some(((*name).to_owned(), cases.values(name)?.ok()?))).collect()
    };
    let of = |sample: &Sample, rows: Option<&[u32]>| {
        let mut metrics = metrics(sample);
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
        .into_iter()
        .map(|(slice, rows)| {
            let summary = of(&sample.take(&rows), Some(&rows));
            (slice, summary)
        })
        .collect();
    Ok(CasesSummary { unscored: cases.unscored(), overall: of(&sample, None), slices })
}

/// The rows of each slice by one column, of the columns that look like slices and are no values.
pub(super) fn slice_rows(
    cases: &Cases,
    is_value: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u32>)>, CasesError> {
    let mut slices = Vec::new();
    for column in cases.slice_columns() {
        let distinct = cases.column(column).map_or(0, |column| column.texts().len());
        if (1..=MOST_SLICES).contains(&distinct) && 2 * distinct <= cases.rows().max(2) && !is_value(column) {
            slices.extend(slices_of(cases, &[column])?);
        }
    }
    Ok(slices)
}

fn metrics(sample: &Sample) -> Vec<(String, f64)> {
    let mut found: Vec<(String, f64)> = Vec::new();
    let (decisions, binary) = (!sample.predicted.is_empty(), sample.labels.len() <= 2);
    let mut all = if decisions { of_decisions(binary) } else { Vec::new() };
    all.extend(of_scores(sample, binary));
    if !decisions && !sample.estimate.is_empty() {
        all.extend(of_numbers(sample));
    }
    for (name, metric) in &all {
        found.push((name.clone(), metric.score(sample).map_or(f64::NAN, |score: Score| score.value)));
    }
    if decisions && binary && sample.positive.is_some() {
        for (name, truth, predicted) in
            [("tp", true, true), ("fp", false, true), ("fn", true, false), ("tn", false, false)]
        {
            let is = |class: u32| Some(class) == sample.positive;
            let cases = (0..sample.n)
                .filter(|case| is(sample.truth[*case]) == truth && is(sample.predicted[*case]) == predicted);
            found.push((name.to_owned(), sum(cases.map(|case| sample.weight(case)))));
        }
    }
    if decisions && !binary {
        for (name, metric) in &all {
            if let Some(score) = metric.over_all_labels(sample) {
                found.push((format!("{name}_all_labels"), score.value));
            }
        }
    }
    found
}

fn named(names: &[(&str, Metric)]) -> Vec<(String, Metric)> {
    names.iter().map(|(name, metric)| ((*name).to_owned(), metric.clone())).collect()
}

/// Metrics of labels and predictions.
fn of_decisions(binary: bool) -> Vec<(String, Metric)> {
    let mut all = Vec::new();
    all.extend(named(&[
        ("accuracy", Metric::Accuracy),
        ("exact_match", Metric::ExactMatch),
        ("balanced_accuracy", Metric::BalancedAccuracy),
        ("mcc", Metric::Mcc),
        ("cohen_kappa", Metric::Kappa { quadratic: false }),
        ("cohen_kappa_quadratic", Metric::Kappa { quadratic: true }),
    ]));
    if binary {
        all.extend(named(&[
            ("precision", Metric::Precision(Average::Binary)),
            ("recall", Metric::Recall(Average::Binary)),
            ("f1", Metric::FBeta(1.0, Average::Binary)),
            ("f2", Metric::FBeta(2.0, Average::Binary)),
            ("specificity", Metric::Specificity),
        ]));
    } else {
        all.extend(named(&[("specificity_macro", Metric::SpecificityMacro)]));
    }
    for (average, word) in
        [(Average::Macro, "macro"), (Average::Micro, "micro"), (Average::Weighted, "weighted")]
    {
        all.extend([
            (format!("precision_{word}"), Metric::Precision(average)),
            (format!("recall_{word}"), Metric::Recall(average)),
            (format!("f1_{word}"), Metric::FBeta(1.0, average)),
            (format!("f2_{word}"), Metric::FBeta(2.0, average)),
        ]);
    }
    all
}

/// Metrics of labels and scores.
fn of_scores(sample: &Sample, binary: bool) -> Vec<(String, Metric)> {
    let mut all = Vec::new();
    let equal = |equal_mass| Metric::Ece { bins: 15, equal_mass };
    let top = |equal_mass| Metric::EceTopLabel { bins: 15, equal_mass };
    if !sample.scores.is_empty() && binary {
        all.extend(named(&[
            ("roc_auc", Metric::RocAuc),
            ("average_precision", Metric::AveragePrecision),
            ("log_loss", Metric::LogLoss),
            ("brier", Metric::Brier),
            ("ece_15", equal(false)),
            ("ece_15_equal_mass", equal(true)),
        ]));
    }
    if !sample.probabilities.is_empty() && !binary {
        all.extend(named(&[
            ("roc_auc_ovr_macro", Metric::RocAucOneVsRest { weighted: false }),
            ("roc_auc_ovr_weighted", Metric::RocAucOneVsRest { weighted: true }),
            ("roc_auc_ovo_macro", Metric::RocAucOneVsOne { weighted: false }),
            ("roc_auc_ovo_weighted", Metric::RocAucOneVsOne { weighted: true }),
            ("average_precision_macro", Metric::AveragePrecisionMacro),
            ("log_loss", Metric::LogLoss),
            ("brier_multiclass", Metric::BrierMulticlass),
            ("ece_15_top_label", top(false)),
            ("ece_15_top_label_equal_mass", top(true)),
        ]));
        for k in [2, 3] {
            if k < sample.labels.len() {
                all.push((format!("top_{k}_accuracy"), Metric::TopK(k)));
            }
        }
    }
    all
}

/// Metrics of numbers.
fn of_numbers(sample: &Sample) -> Vec<(String, Metric)> {
    let mut all = Vec::new();
    all.extend(named(&[
        ("rmse", Metric::Rmse),
        ("mse", Metric::Mse),
        ("mae", Metric::Mae),
        ("mape", Metric::Mape),
        ("median_ae", Metric::MedianAbsoluteError),
        ("r2", Metric::R2),
        ("bias", Metric::Bias),
        ("pinball_0.1", Metric::Pinball(0.1)),
        ("pinball_0.5", Metric::Pinball(0.5)),
        ("pinball_0.9", Metric::Pinball(0.9)),
    ]));
    if sample.weights.is_empty() {
        all.extend(named(&[("max_error", Metric::MaxError), ("spearman", Metric::Spearman)]));
    }
    all
}
