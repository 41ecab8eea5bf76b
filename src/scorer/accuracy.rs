//! The share of right decisions.

use super::{Confusion, Score};

/// The share of right decisions. For texts this is called exact match: nothing is trimmed, and case matters.
pub(super) fn accuracy(confusion: &Confusion) -> Score {
    Score::defined(confusion.hits() / confusion.total())
}

/// The mean recall of all classes that have a case.
pub(super) fn balanced_accuracy(confusion: &Confusion) -> Score {
    let classes = confusion.classes();
    let recalls: Vec<f64> =
        classes.iter().filter(|class| class.truth > 0.0).map(|class| class.hits / class.truth).collect();
    #[expect(clippy::cast_precision_loss, reason = "a number of classes")]
    Score::defined(crate::stats::sum(recalls.iter().copied()) / recalls.len() as f64)
}
