//! Finds the metric that a name means.

use super::{Average, Metric};

/// A name that could mean two things for these labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous {
    /// The unambiguous names to write instead.
    pub choices: &'static [&'static str],
}

/// Prefixes that trackers add to a metric's name.
const PREFIXES: [&str; 8] = ["test_", "val_", "valid_", "validation_", "eval_", "test-", "val-", "eval-"];

/// The metric that a name means: the name of a scikit-learn scorer or function, optionally with a prefix such
/// as `test_`, `val/` or `eval_`. `classes` is the number of labels, or `None` if the labels are not classes.
/// `Ok(None)` if the name means no metric.
pub fn metric_named(name: &str, classes: Option<usize>) -> Result<Option<Metric>, Ambiguous> {
    let lower = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    if let Some(found) = exact(&lower, classes)? {
        return Ok(Some(found));
    }
    match PREFIXES.iter().find_map(|prefix| lower.strip_prefix(prefix)) {
        Some(rest) => exact(rest, classes),
        None => Ok(None),
    }
}

fn exact(name: &str, classes: Option<usize>) -> Result<Option<Metric>, Ambiguous> {
    let name = name.strip_prefix("neg_").unwrap_or(name).replace('-', "_");
    let name = name.strip_suffix("_score").unwrap_or(&name);
    let many = classes.is_some_and(|classes| classes > 2);
    if let Some(found) = averaged(name, many)? {
        return Ok(Some(found));
    }
    Ok(Some(match name {
        "accuracy" | "acc" => Metric::Accuracy,
        "exact_match" | "em" => Metric::ExactMatch,
        "balanced_accuracy" => Metric::BalancedAccuracy,
        "specificity" if many => return Err(Ambiguous { choices: &["specificity_macro"] }),
        "specificity" | "true_negative_rate" | "tnr" => Metric::Specificity,
        "specificity_macro" => Metric::SpecificityMacro,
        "mcc" | "matthews_corrcoef" => Metric::Mcc,
        "cohen_kappa" | "kappa" => Metric::Kappa { quadratic: false },
        "cohen_kappa_quadratic" | "quadratic_weighted_kappa" | "qwk" => Metric::Kappa { quadratic: true },
        "roc_auc" | "auc" | "auroc" if many => {
            return Err(Ambiguous {
                choices: &["roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"],
            });
        }
        "roc_auc" | "auc" | "auroc" => Metric::RocAuc,
        "roc_auc_ovr" | "roc_auc_ovr_macro" => Metric::RocAucOneVsRest { weighted: false },
        "roc_auc_ovr_weighted" => Metric::RocAucOneVsRest { weighted: true },
        "roc_auc_ovo" | "roc_auc_ovo_macro" => Metric::RocAucOneVsOne { weighted: false },
        "roc_auc_ovo_weighted" => Metric::RocAucOneVsOne { weighted: true },
        "average_precision" | "pr_auc" | "auprc" if many => Metric::AveragePrecisionMacro,
        "average_precision" | "pr_auc" | "auprc" => Metric::AveragePrecision,
        "average_precision_macro" => Metric::AveragePrecisionMacro,
        "log_loss" | "logloss" | "cross_entropy" => Metric::LogLoss,
        "brier" | "brier_score_loss" | "brier_loss" if many => Metric::BrierMulticlass,
        "brier" | "brier_score_loss" | "brier_loss" => Metric::Brier,
        "brier_multiclass" => Metric::BrierMulticlass,
        "ece" | "ece_15" if many => Metric::EceTopLabel { bins: 15, equal_mass: false },
        "ece" | "ece_15" => Metric::Ece { bins: 15, equal_mass: false },
        "ece_15_equal_mass" => Metric::Ece { bins: 15, equal_mass: true },
        "ece_15_top_label" => Metric::EceTopLabel { bins: 15, equal_mass: false },
        "ece_15_top_label_equal_mass" => Metric::EceTopLabel { bins: 15, equal_mass: true },
        "rmse" | "root_mean_squared_error" => Metric::Rmse,
        "mse" | "mean_squared_error" => Metric::Mse,
        "mae" | "mean_absolute_error" => Metric::Mae,
        "mape" | "mean_absolute_percentage_error" => Metric::Mape,
        "median_ae" | "median_absolute_error" => Metric::MedianAbsoluteError,
        "r2" => Metric::R2,
        "max_error" => Metric::MaxError,
        "bias" => Metric::Bias,
        "spearman" | "spearmanr" => Metric::Spearman,
        "top_k_accuracy" => Metric::TopK(2),
        _ => return Ok(parameter(name)),
    }))
}

/// Names with a number in them: `top_3_accuracy`, `pinball_0.9`.
fn parameter(name: &str) -> Option<Metric> {
    if let Some(k) = name.strip_prefix("top_").and_then(|rest| rest.strip_suffix("_accuracy")) {
        return k.parse().ok().filter(|k| *k > 0).map(Metric::TopK);
    }
    let alpha = name.strip_prefix("pinball_").or_else(|| name.strip_prefix("pinball_loss_"))?;
    alpha.parse().ok().filter(|alpha: &f64| *alpha > 0.0 && *alpha < 1.0).map(Metric::Pinball)
}

/// Precision, recall and F-beta with their averages.
fn averaged(name: &str, many: bool) -> Result<Option<Metric>, Ambiguous> {
    let (stem, average) = match name.rsplit_once('_') {
        Some((stem, "macro")) => (stem, Some(Average::Macro)),
        Some((stem, "micro")) => (stem, Some(Average::Micro)),
        Some((stem, "weighted")) => (stem, Some(Average::Weighted)),
        _ => match name.split_once('_') {
            Some(("macro", stem)) => (stem, Some(Average::Macro)),
            Some(("micro", stem)) => (stem, Some(Average::Micro)),
            Some(("weighted", stem)) => (stem, Some(Average::Weighted)),
            _ => (name, None),
        },
    };
    let (build, choices): (fn(Average) -> Metric, &'static [&'static str]) = match stem {
        "precision" => (Metric::Precision, &["precision_macro", "precision_micro", "precision_weighted"]),
        "recall" | "sensitivity" | "tpr" => {
            (Metric::Recall, &["recall_macro", "recall_micro", "recall_weighted"])
        }
        "f1" => (|average| Metric::FBeta(1.0, average), &["f1_macro", "f1_micro", "f1_weighted"]),
        "f2" => (|average| Metric::FBeta(2.0, average), &["f2_macro", "f2_micro", "f2_weighted"]),
        "f0.5" | "f05" => {
            (|average| Metric::FBeta(0.5, average), &["f0.5_macro", "f0.5_micro", "f0.5_weighted"])
        }
        _ => return Ok(None),
    };
    match average {
        Some(average) => Ok(Some(build(average))),
        None if many => Err(Ambiguous { choices }),
        None => Ok(Some(build(Average::Binary))),
    }
}
