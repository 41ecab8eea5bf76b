//! The area under the ROC curve and the inputs of its variance, from one sort of each model's scores.

use super::{Compared, Metric, Score, Scores};
use crate::cases::Sample;
use crate::stats::{AucPair, AucSide, placements};

impl Compared<'_> {
    /// The areas of both models, for unweighted and independent cases.
    pub(super) fn auc(&self, metric: &Metric) -> Result<Scores, &'static str> {
        let positive: Vec<bool> =
            self.candidate.truth.iter().map(|class| Some(*class) == self.candidate.positive).collect();
        let side = |sample: &Sample| -> Result<Option<AucSide>, &'static str> {
            metric.check(sample)?;
            Ok(placements(&positive, &sample.scores))
        };
        let (candidate, baseline) =
            rayon::join(|| side(self.candidate), || self.baseline.map(side).transpose());
        let (candidate, baseline) = (candidate?, baseline?);
        let score = |side: &Option<AucSide>| match side {
            Some(side) => Score::defined(side.auc),
            None => Score::undefined(),
        };
        let auc = match (&candidate, &baseline) {
            (Some(candidate), None) => Some(AucPair::of(&positive, None, candidate)),
            (Some(candidate), Some(Some(baseline))) => {
                Some(AucPair::of(&positive, Some(baseline), candidate))
            }
            _ => None,
        };
        Ok(Scores { candidate: score(&candidate), baseline: baseline.as_ref().map(score), auc })
    }
}
