//! Precision, recall, specificity and F-beta, of one class or averaged.

use super::confusion::ClassSums;
use super::{Average, Confusion, Score};

/// Which metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Which {
    Precision,
    Recall,
    FBeta(f64),
}

/// A quotient that is 0 if its denominator is 0; scikit-learn returns 0 with a warning.
#[derive(Clone, Copy)]
struct Quotient {
    value: f64,
    undefined: bool,
}

impl Which {
    fn of(self, class: &ClassSums) -> Quotient {
        let (above, below) = match self {
            Self::Precision => (class.hits, class.predicted),
            Self::Recall => (class.hits, class.truth),
            Self::FBeta(beta) => {
                let squared = beta * beta;
                ((1.0 + squared) * class.hits, squared * class.truth + class.predicted)
            }
        };
        let undefined = below == 0.0;
        Quotient { value: if undefined { 0.0 } else { above / below }, undefined }
    }
}

/// Averages over the classes that appear, as scikit-learn does by default; `declared` adds those that don't.
pub(super) fn score(
    which: Which,
    average: Average,
    confusion: &Confusion,
    positive: Option<u32>,
    declared: Option<usize>,
) -> Score {
    let mut classes = confusion.classes();
    let absent = |class| ClassSums { class, hits: 0.0, predicted: 0.0, truth: 0.0, is_true: false };
    if let Some(declared) = declared {
        for class in 0..u32::try_from(declared).unwrap_or(u32::MAX) {
            if !classes.iter().any(|known| known.class == class) {
                classes.push(absent(class));
            }
        }
    }
    match average {
        Average::Binary => {
            let Some(positive) = positive else { return Score::undefined() };
            let class = classes.iter().find(|class| class.class == positive).copied();
            let quotient = which.of(&class.unwrap_or_else(|| absent(positive)));
            Score { value: quotient.value, warned: quotient.undefined }
        }
        Average::Micro => {
            let total = |of: fn(&ClassSums) -> f64| crate::stats::sum(classes.iter().map(of));
            let all = ClassSums {
                class: 0,
                hits: total(|class| class.hits),
                predicted: total(|class| class.predicted),
                truth: total(|class| class.truth),
                is_true: true,
            };
            let quotient = which.of(&all);
            Score { value: quotient.value, warned: quotient.undefined }
        }
        Average::Macro | Average::Weighted => {
            let weight = |class: &ClassSums| if average == Average::Macro { 1.0 } else { class.truth };
            let above = crate::stats::sum(classes.iter().map(|class| weight(class) * which.of(class).value));
            let below = crate::stats::sum(classes.iter().map(weight));
            let undefined = classes.iter().any(|class| which.of(class).undefined);
            Score { value: above / below, warned: undefined }
        }
    }
}

/// Recall of the other class, if there are two.
pub(super) fn specificity(confusion: &Confusion, positive: Option<u32>) -> Score {
    let Some(positive) = positive else { return Score::undefined() };
    let of = |wanted: &dyn Fn(u32, u32) -> bool| {
        crate::stats::sum(confusion.cells().filter(|cell| wanted(cell.0, cell.1)).map(|cell| cell.2))
    };
    let negatives = of(&|truth, _| truth != positive);
    let rejected = of(&|truth, predicted| truth != positive && predicted != positive);
    let undefined = negatives == 0.0;
    Score { value: if undefined { 0.0 } else { rejected / negatives }, warned: undefined }
}

/// The mean over the classes that appear, each against the rest; undefined if a class has no rest.
pub(super) fn specificity_macro(confusion: &Confusion) -> Score {
    let classes = confusion.classes();
    let each: Vec<f64> = classes
        .iter()
        .map(|class| {
            let score = specificity(confusion, Some(class.class));
            if score.warned { f64::NAN } else { score.value }
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    Score::defined(each.iter().sum::<f64>() / each.len() as f64)
}
