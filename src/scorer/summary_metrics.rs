//! Which metrics a summary shows, by what the columns allow.

use super::{Average, Confusion, Metric, Score};
use crate::cases::Sample;
use crate::stats::sum;

/// Every metric of these cases, by name; NaN if it is undefined. With `confusion`, the decisions of `sample`
/// are ignored.
pub(super) fn metrics(sample: &Sample, confusion: Option<&Confusion>) -> Vec<(String, f64)> {
    let mut found: Vec<(String, f64)> = Vec::new();
    let binary = sample.labels.len() <= 2;
    let value = |score: Result<Score, &str>| score.map_or(f64::NAN, |score| score.value);
    if let Some(confusion) = confusion {
        for (name, metric) in of_decisions(binary) {
            found.push((name, value(metric.score_of_confusion(confusion, sample))));
        }
    }
    let mut others = of_scores(sample, binary);
    if confusion.is_none() && !sample.estimate.is_empty() {
        others.extend(of_numbers(sample));
    }
    found.extend(others.into_iter().map(|(name, metric)| (name, value(metric.score(sample)))));
    let Some(confusion) = confusion else { return found };
    if binary && let Some(positive) = sample.positive {
        for (name, truth, predicted) in
            [("tp", true, true), ("fp", false, true), ("fn", true, false), ("tn", false, false)]
        {
            let is_counted =
                |cell: &(u32, u32, f64)| (cell.0 == positive) == truth && (cell.1 == positive) == predicted;
            found.push((name.to_owned(), sum(confusion.cells().filter(is_counted).map(|cell| cell.2))));
        }
    }
    if !binary {
        for (name, metric) in of_decisions(binary) {
            if let Some(score) = metric.over_all_labels(confusion, sample) {
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
            if k < sample.scored_classes() {
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
