//! The area under the ROC curve of two models on the same cases.

use rayon::prelude::*;

use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::sum::sum;

/// Fewer cases of a class than this make the normal approximation worthless.
const FEWEST: u64 = 10;

/// The area of one model, and where each case stands among the other class.
#[derive(Debug, Clone, PartialEq)]
pub struct AucSide {
    /// The area under the curve; ties count half.
    pub auc: f64,
    /// For each positive case, in the order given: the share of negatives below it.
    pub positives: Vec<f64>,
    /// For each negative case: the share of positives above it.
    pub negatives: Vec<f64>,
}

/// A case by its score.
#[derive(Clone, Copy)]
struct Ranked {
    rank: u64,
    case: u32,
    positive: bool,
}

/// A number that grows with the score, and is the same for both zeros.
fn ascending(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The structural components of `DeLong`'s variance, by midranks in O(n log n) (Sun and Xu 2014, *IEEE Signal
/// Processing Letters* 21, 1389–1393). `None` where a class is empty.
pub fn placements(positive: &[bool], scores: &[f64]) -> Option<AucSide> {
    let positives = positive.iter().filter(|&&positive| positive).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let cases = scores.iter().zip(positive).zip(0..u32::try_from(scores.len()).ok()?);
    let mut order: Vec<Ranked> =
        cases.map(|((score, &positive), case)| Ranked { rank: ascending(*score), case, positive }).collect();
    order.par_sort_unstable_by_key(|one| one.rank);
    // Per case: how many of the other class stand below it, ties counted half.
    let mut below = vec![0.0_f64; scores.len()];
    let mut seen = [0usize; 2];
    for tied in order.chunk_by(|one, other| one.rank == other.rank) {
        let of_positives = tied.iter().filter(|one| one.positive).count();
        let here = [tied.len() - of_positives, of_positives];
        for one in tied {
            let other = usize::from(!one.positive);
            below[one.case as usize] = float(seen[other]) + float(here[other]) / 2.0;
        }
        seen = [seen[0] + here[0], seen[1] + here[1]];
    }
    let (m, n) = (float(positives), float(negatives));
    let mut side = AucSide {
        auc: 0.0,
        positives: Vec::with_capacity(positives),
        negatives: Vec::with_capacity(negatives),
    };
    for (&positive, below) in positive.iter().zip(below) {
        if positive {
            side.positives.push(below / n);
        } else {
            side.negatives.push(1.0 - below / m);
        }
    }
    side.auc = sum(side.positives.iter().copied()) / m;
    Some(side)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

/// What the comparison of two areas needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucPair {
    /// How many positive cases.
    pub positives: u64,
    /// How many negative cases.
    pub negatives: u64,
    /// The candidate's area minus the baseline's.
    pub difference: f64,
    /// The variance of that.
    pub variance: f64,
}

impl AucPair {
    /// From both models' components, whose cases are in the same order.
    pub fn of(baseline: &AucSide, candidate: &AucSide) -> Self {
        Self {
            positives: baseline.positives.len() as u64,
            negatives: baseline.negatives.len() as u64,
            difference: candidate.auc - baseline.auc,
            variance: variance_of_mean(&baseline.positives, &candidate.positives)
                + variance_of_mean(&baseline.negatives, &candidate.negatives),
        }
    }

    /// One model's area alone, as a difference from 0.
    pub fn alone(side: &AucSide) -> Self {
        let zeros = AucSide {
            auc: 0.0,
            positives: vec![0.0; side.positives.len()],
            negatives: vec![0.0; side.negatives.len()],
        };
        Self::of(&zeros, side)
    }

    /// `DeLong`'s normal limits (`DeLong`, `DeLong` and Clarke-Pearson 1988, *Biometrics* 44, 837–845).
    pub fn limits(&self, confidence: Confidence) -> Result<Estimate, Refusal> {
        for (what, have) in [("positive cases", self.positives), ("negative cases", self.negatives)] {
            if have < FEWEST {
                return Err(Refusal::TooFew { what, have, need: FEWEST });
            }
        }
        if self.variance <= 1e-18 {
            return Err(Refusal::NoSpread);
        }
        let stderr = self.variance.sqrt();
        let limits = Limits::around(self.difference, confidence.z() * stderr);
        Ok(Estimate { value: self.difference, stderr, limits })
    }
}

/// The variance of the mean of the differences, with n − 1.
fn variance_of_mean(baseline: &[f64], candidate: &[f64]) -> f64 {
    let n = float(baseline.len());
    let differences = || candidate.iter().zip(baseline).map(|(candidate, baseline)| candidate - baseline);
    let mean = sum(differences()) / n;
    sum(differences().map(|value| (value - mean).powi(2))) / (n - 1.0) / n
}
