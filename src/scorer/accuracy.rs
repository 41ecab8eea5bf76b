//! Shares of right decisions.

use super::{Confusion, Score};

/// The share of right decisions. As text it is called exact match: text as it is, no trimming and no case.
pub(super) fn accuracy(confusion: &Confusion) -> Score {
    Score::defined(confusion.hits() / confusion.total())
}

/// The mean of the recalls of all classes that have a case.
pub(super) fn balanced_accuracy(confusion: &Confusion) -> Score {
    let classes = confusion.classes();
    let recalls: Vec<f64> =
        classes.iter().filter(|class| class.truth > 0.0).map(|class| class.hits / class.truth).collect();
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    Score::defined(crate::stats::sum(recalls.iter().copied()) / recalls.len() as f64)
}
