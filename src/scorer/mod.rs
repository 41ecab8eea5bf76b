//! Metrics, recomputed from cases: equal to scikit-learn's to twelve digits, edge cases included.

mod accuracy;
mod aggregate;
mod agreement;
mod auc;
mod confusion;
mod kinds;
mod name;
mod power;
mod precision_recall;
mod probability;
mod ranking;
mod regression;
mod resampled;
mod summary;
mod summary_metrics;

pub use aggregate::{Aggregate, Compared, Scores};
pub use confusion::Confusion;
pub use kinds::{CaseKind, jackknife_of_kinds};
pub use name::{Ambiguous, metric_named};
pub use power::{Power, PowerTable, power_of_count, power_of_runs, power_of_share};
pub use summary::{CasesSummary, MetricSummary, summary, summary_of_tally};

use crate::cases::Sample;
use precision_recall::Which;

#[cfg(test)]
mod oracle_tests;

/// How a metric of classes is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// The metric of the positive class.
    Binary,
    /// The mean over classes.
    Macro,
    /// Over all decisions at once.
    Micro,
    /// The mean over classes, weighted by their number of cases.
    Weighted,
}

/// A metric that can be computed from cases.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are the field's own; `metric_named` lists how they are written")]
pub enum Metric {
    Accuracy,
    ExactMatch,
    BalancedAccuracy,
    Precision(Average),
    Recall(Average),
    FBeta(f64, Average),
    Specificity,
    SpecificityMacro,
    Mcc,
    Kappa { quadratic: bool },
    RocAuc,
    RocAucOneVsRest { weighted: bool },
    RocAucOneVsOne { weighted: bool },
    AveragePrecision,
    AveragePrecisionMacro,
    LogLoss,
    Brier,
    BrierMulticlass,
    Ece { bins: u32, equal_mass: bool },
    EceTopLabel { bins: u32, equal_mass: bool },
    TopK(usize),
    Rmse,
    Mse,
    Mae,
    Mape,
    MedianAbsoluteError,
    R2,
    MaxError,
    Pinball(f64),
    Bias,
    Spearman,
}

/// A value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The value that scikit-learn gives; NaN where it is not defined.
    pub value: f64,
    /// Whether scikit-learn warns that the value is ill-defined, such as a precision of 0 without a positive
    /// prediction.
    pub warned: bool,
}

impl Score {
    /// A well-defined value, or NaN if there is no value.
    pub fn defined(value: f64) -> Self {
        Self { value, warned: value.is_nan() }
    }

    fn undefined() -> Self {
        Self { value: f64::NAN, warned: true }
    }

    /// The value, unless it is ill-defined.
    pub fn sound(self) -> Option<f64> {
        (!self.warned && self.value.is_finite()).then_some(self.value)
    }
}

/// The columns that a metric is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Labels and predictions that are classes.
    Decisions,
    /// Labels, and a score of the positive class.
    Score,
    /// Labels, and a score of each class.
    Probabilities,
    /// Labels, and either a score of the positive class or one of each.
    AnyScore,
    /// Labels and predictions that are numbers.
    Numbers,
}

/// How the uncertainty of a metric is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncertainty {
    /// A share of right decisions, among some of the cases.
    Share,
    /// A function of how often each class was predicted as each class.
    Cells,
    /// The area under the ROC curve.
    Auc,
    /// The mean of a value of each case.
    Mean,
    /// The root of such a mean.
    RootOfMean,
    /// None of these: the cases are resampled.
    Resampled,
}

impl Metric {
    /// The columns that it is computed from.
    pub fn needs(&self) -> Needs {
        match self {
            Self::Accuracy
            | Self::ExactMatch
            | Self::BalancedAccuracy
            | Self::Precision(_)
            | Self::Recall(_)
            | Self::FBeta(..)
            | Self::Specificity
            | Self::SpecificityMacro
            | Self::Mcc
            | Self::Kappa { .. } => Needs::Decisions,
            Self::RocAuc | Self::AveragePrecision | Self::Brier | Self::Ece { .. } => Needs::Score,
            Self::LogLoss => Needs::AnyScore,
            Self::RocAucOneVsRest { .. }
            | Self::RocAucOneVsOne { .. }
            | Self::AveragePrecisionMacro
            | Self::BrierMulticlass
            | Self::EceTopLabel { .. }
            | Self::TopK(_) => Needs::Probabilities,
            Self::Rmse
            | Self::Mse
            | Self::Mae
            | Self::Mape
            | Self::MedianAbsoluteError
            | Self::R2
            | Self::MaxError
            | Self::Pinball(_)
            | Self::Bias
            | Self::Spearman => Needs::Numbers,
        }
    }

    /// Whether it needs to know which class is the positive one.
    pub fn needs_positive(&self) -> bool {
        matches!(
            self,
            Self::Precision(Average::Binary)
                | Self::Recall(Average::Binary)
                | Self::FBeta(_, Average::Binary)
                | Self::Specificity
                | Self::RocAuc
                | Self::AveragePrecision
                | Self::Brier
                | Self::Ece { .. }
        )
    }

    /// Whether its scores must be probabilities.
    pub fn needs_probabilities(&self) -> bool {
        matches!(
            self,
            Self::LogLoss | Self::Brier | Self::BrierMulticlass | Self::Ece { .. } | Self::EceTopLabel { .. }
        )
    }

    /// Whether a lower value is better.
    pub fn lower_is_better(&self) -> bool {
        matches!(
            self,
            Self::LogLoss
                | Self::Brier
                | Self::BrierMulticlass
                | Self::Ece { .. }
                | Self::EceTopLabel { .. }
                | Self::Rmse
                | Self::Mse
                | Self::Mae
                | Self::Mape
                | Self::MedianAbsoluteError
                | Self::MaxError
                | Self::Pinball(_)
        )
    }

    /// How its uncertainty is estimated.
    pub fn uncertainty(&self) -> Uncertainty {
        match self {
            Self::Accuracy
            | Self::ExactMatch
            | Self::Recall(Average::Binary)
            | Self::Specificity
            | Self::TopK(_) => Uncertainty::Share,
            Self::BalancedAccuracy
            | Self::Precision(_)
            | Self::Recall(_)
            | Self::FBeta(..)
            | Self::SpecificityMacro
            | Self::Mcc
            | Self::Kappa { .. } => Uncertainty::Cells,
            Self::RocAuc => Uncertainty::Auc,
            Self::LogLoss
            | Self::Brier
            | Self::BrierMulticlass
            | Self::Mse
            | Self::Mae
            | Self::Mape
            | Self::Pinball(_)
            | Self::Bias => Uncertainty::Mean,
            Self::Rmse => Uncertainty::RootOfMean,
            Self::RocAucOneVsRest { .. }
            | Self::RocAucOneVsOne { .. }
            | Self::AveragePrecision
            | Self::AveragePrecisionMacro
            | Self::Ece { .. }
            | Self::EceTopLabel { .. }
            | Self::MedianAbsoluteError
            | Self::R2
            | Self::MaxError
            | Self::Spearman => Uncertainty::Resampled,
        }
    }

    /// Its value on these cases, or why it has no value.
    pub fn score(&self, sample: &Sample) -> Result<Score, &'static str> {
        self.check(sample)?;
        match self.needs() {
            Needs::Decisions => Ok(self.of_confusion(&Confusion::of(sample), sample)),
            _ => self.of_values(sample),
        }
    }

    /// Why it has no value on these cases.
    fn check(&self, sample: &Sample) -> Result<(), &'static str> {
        self.refuse(sample)?;
        // Ranks are defined for infinite numbers too.
        let fits = |value: &f64| value.is_finite() || *self == Self::Spearman && !value.is_nan();
        let numbers = match self.needs() {
            Needs::Decisions if sample.truth.is_empty() || sample.predicted.is_empty() => {
                return Err("there are no labels with predictions");
            }
            Needs::Decisions => return Ok(()),
            Needs::Score | Needs::Probabilities | Needs::AnyScore if sample.truth.is_empty() => {
                return Err("there are no labels");
            }
            Needs::Numbers if sample.target.is_empty() => return Err("there are no labels that are numbers"),
            Needs::Score => &sample.scores,
            Needs::Probabilities => &sample.probabilities,
            Needs::AnyScore if sample.probabilities.is_empty() => &sample.scores,
            Needs::AnyScore => &sample.probabilities,
            Needs::Numbers if sample.target.iter().any(|value| !fits(value)) => {
                return Err("a label is missing or not finite");
            }
            Needs::Numbers => &sample.estimate,
        };
        if numbers.is_empty() {
            return Err(match self.needs() {
                Needs::Numbers => "labels and predictions are not numbers",
                _ => "there are no scores",
            });
        }
        if numbers.iter().any(|value| !fits(value)) {
            return Err("a value is missing or not finite");
        }
        if self.needs_probabilities() && numbers.iter().any(|value| !(0.0..=1.0).contains(value)) {
            return Err("the scores are not probabilities");
        }
        Ok(())
    }

    /// Why no metric has a value on these cases, or why this one does not.
    fn refuse(&self, sample: &Sample) -> Result<(), &'static str> {
        if sample.n == 0 {
            return Err("there are no cases");
        }
        if !sample.weights.is_empty() && sample.weights.iter().all(|weight| *weight == 0.0) {
            return Err("all weights are 0");
        }
        if self.needs_positive() && sample.positive.is_none() {
            return Err("the positive label is unknown");
        }
        Ok(())
    }

    /// [`Self::score`] from a confusion, which all metrics of decisions share. The decisions in `sample` are
    /// not used.
    pub fn score_of_confusion(&self, confusion: &Confusion, sample: &Sample) -> Result<Score, &'static str> {
        self.refuse(sample)?;
        Ok(self.of_confusion(confusion, sample))
    }

    /// Its value from a confusion, for metrics that need nothing else. `sample` provides the labels and the
    /// positive one.
    pub fn of_confusion(&self, confusion: &Confusion, sample: &Sample) -> Score {
        let positive = sample.positive;
        let averaged = |which, average| precision_recall::score(which, average, confusion, positive, None);
        match self {
            Self::Accuracy | Self::ExactMatch => accuracy::accuracy(confusion),
            Self::BalancedAccuracy => accuracy::balanced_accuracy(confusion),
            Self::Precision(average) => averaged(Which::Precision, *average),
            Self::Recall(average) => averaged(Which::Recall, *average),
            Self::FBeta(beta, average) => averaged(Which::FBeta(*beta), *average),
            Self::Specificity => precision_recall::specificity(confusion, positive),
            Self::SpecificityMacro => precision_recall::specificity_macro(confusion),
            Self::Mcc => agreement::mcc(confusion),
            Self::Kappa { quadratic } => agreement::kappa(confusion, *quadratic),
            _ => Score::undefined(),
        }
    }

    fn of_values(&self, sample: &Sample) -> Result<Score, &'static str> {
        if let Some(values) = self.per_case(sample) {
            let mean = sample.mean(|case| values[case]);
            return Ok(Score::defined(if *self == Self::Rmse { mean.sqrt() } else { mean }));
        }
        Ok(match self {
            Self::RocAuc => ranking::roc_auc(sample),
            Self::RocAucOneVsRest { weighted } => ranking::roc_auc_ovr(sample, *weighted)?,
            Self::RocAucOneVsOne { weighted } => ranking::roc_auc_ovo(sample, *weighted)?,
            Self::AveragePrecision => ranking::average_precision(sample),
            Self::AveragePrecisionMacro => ranking::average_precision_macro(sample),
            Self::Ece { bins, equal_mass } => Score::defined(probability::ece(
                sample,
                &probability::calibration(sample),
                *bins,
                *equal_mass,
            )),
            Self::EceTopLabel { bins, equal_mass } => {
                Score::defined(probability::ece(sample, &probability::top_label(sample), *bins, *equal_mass))
            }
            Self::MedianAbsoluteError => regression::median_absolute_error(sample),
            Self::R2 => regression::r2(sample),
            Self::MaxError | Self::Spearman if !sample.weights.is_empty() => {
                return Err("it takes no weights");
            }
            Self::MaxError => regression::max_error(sample),
            Self::Spearman => regression::spearman(sample),
            _ => Score::undefined(),
        })
    }

    /// The value of each case, for metrics that are the mean of such values, and for RMSE, which is its root.
    pub fn per_case(&self, sample: &Sample) -> Option<Vec<f64>> {
        let each = |value: &dyn Fn(usize) -> f64| Some((0..sample.n).map(value).collect());
        match self {
            Self::LogLoss => each(&|case| probability::log_loss(sample, case)),
            Self::Brier => each(&|case| probability::brier(sample, case)),
            Self::BrierMulticlass => each(&|case| probability::brier_multiclass(sample, case)),
            Self::TopK(k) => each(&|case| f64::from(u8::from(ranking::top_k_hit(sample, case, *k)))),
            Self::Rmse | Self::Mse => each(&|case| regression::squared_error(sample, case)),
            Self::Mae => each(&|case| regression::absolute_error(sample, case)),
            Self::Mape => each(&|case| regression::percentage_error(sample, case)),
            Self::Pinball(alpha) => each(&|case| regression::pinball(sample, case, *alpha)),
            Self::Bias => each(&|case| regression::bias(sample, case)),
            _ => None,
        }
    }

    /// For a share: whether a case belongs to it, and whether it is right.
    pub fn right(&self, sample: &Sample, case: usize) -> Option<bool> {
        let hit = || sample.truth[case] == sample.predicted[case];
        match self {
            Self::Accuracy | Self::ExactMatch => Some(hit()),
            Self::Recall(_) => (Some(sample.truth[case]) == sample.positive).then(hit),
            Self::Specificity => (Some(sample.truth[case]) != sample.positive)
                .then(|| Some(sample.predicted[case]) != sample.positive),
            Self::TopK(k) => Some(ranking::top_k_hit(sample, case, *k)),
            _ => None,
        }
    }

    /// Averages over the declared labels; scikit-learn's default averages over those that appear.
    pub fn over_all_labels(&self, confusion: &Confusion, sample: &Sample) -> Option<Score> {
        let (which, average) = match self {
            Self::Precision(average) => (Which::Precision, *average),
            Self::Recall(average) => (Which::Recall, *average),
            Self::FBeta(beta, average) => (Which::FBeta(*beta), *average),
            _ => return None,
        };
        let declared = Some(sample.labels.len());
        Some(precision_recall::score(which, average, confusion, sample.positive, declared))
    }
}
