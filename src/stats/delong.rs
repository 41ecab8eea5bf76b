//! The area under the ROC curve of two models on the same cases.

use rayon::prelude::*;

use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::sum::sum;

/// Fewer cases of a class than this make the normal approximation worthless.
const FEWEST: u64 = 10;

/// The area of one model, and how each case ranks among the other class.
#[derive(Debug, Clone, PartialEq)]
pub struct AucSide {
    /// The area under the curve; ties count half.
    pub auc: f64,
    /// For each case, in the order given: the share of negatives below a positive case, or of positives above
    /// a negative case.
    pub shares: Vec<f64>,
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
    let (m, n) = (float(positives), float(negatives));
    let mut shares = vec![0.0_f64; scores.len()];
    let mut seen = [0usize; 2];
    for tied in order.chunk_by(|one, other| one.rank == other.rank) {
        let of_positives = tied.iter().filter(|one| one.positive).count();
        let here = [tied.len() - of_positives, of_positives];
        for one in tied {
            // How many cases of the other class are below it; ties count half.
            let other = usize::from(!one.positive);
            let below = float(seen[other]) + float(here[other]) / 2.0;
            shares[one.case as usize] = if one.positive { below / n } else { 1.0 - below / m };
        }
        seen = [seen[0] + here[0], seen[1] + here[1]];
    }
    let auc = sum(of_class(positive, true, shares.iter().copied())) / m;
    Some(AucSide { auc, shares })
}

/// The values of the cases of one class.
fn of_class(positive: &[bool], class: bool, values: impl Iterator<Item = f64>) -> impl Iterator<Item = f64> {
    positive.iter().zip(values).filter(move |(positive, _)| **positive == class).map(|(_, value)| value)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

/// The numbers needed to compare two areas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucPair {
    /// How many positive cases.
    pub positives: u64,
    /// How many negative cases.
    pub negatives: u64,
    /// The candidate's area minus the baseline's.
    pub difference: f64,
    /// The variance of that difference.
    pub variance: f64,
}

impl AucPair {
    /// Compares the areas of both models on the same cases in the same order. Without a baseline, it compares
    /// the area of one model with 0.
    pub fn of(positive: &[bool], baseline: Option<&AucSide>, candidate: &AucSide) -> Self {
        let positives = positive.iter().filter(|&&positive| positive).count();
        let variance = |class: bool, cases: usize| {
            let differences = || {
                let theirs = baseline.into_iter().flat_map(|side| &side.shares).copied();
                let theirs = theirs.chain(std::iter::repeat(0.0));
                let differences = candidate.shares.iter().zip(theirs).map(|(ours, theirs)| ours - theirs);
                of_class(positive, class, differences)
            };
            let n = float(cases);
            let mean = sum(differences()) / n;
            sum(differences().map(|value| (value - mean).powi(2))) / (n - 1.0) / n
        };
        let (of_positives, of_negatives) =
            rayon::join(|| variance(true, positives), || variance(false, positive.len() - positives));
        Self {
            positives: positives as u64,
            negatives: (positive.len() - positives) as u64,
            difference: candidate.auc - baseline.map_or(0.0, |side| side.auc),
            variance: of_positives + of_negatives,
        }
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
