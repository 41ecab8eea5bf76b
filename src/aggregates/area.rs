//! The area under the ROC curve, from scores in bins.

use std::collections::BTreeMap;

use super::checked::ScoreCell;
use super::totals::float;
use crate::stats::{AucPair, Refusal};

/// One model's area.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Area {
    /// Scores in one bin are ties, and ties count half.
    pub(super) value: f64,
    /// How far the exact area may be from `value`: by half of the tied pairs.
    pub(super) ties: f64,
    /// For each bin, the share of negatives below a positive case there, and of positives above a negative case.
    placements: BTreeMap<u16, (f64, f64)>,
}

impl Area {
    /// `None` where a class is empty.
    pub(super) fn of(cells: &[ScoreCell], bin: impl Fn(&ScoreCell) -> u16) -> Option<Self> {
        let mut counts: BTreeMap<u16, [u64; 2]> = BTreeMap::new();
        for cell in cells {
            counts.entry(bin(cell)).or_default()[usize::from(cell.positive)] += cell.n;
        }
        let all = |side: usize| float(counts.values().map(|counts| counts[side]).sum());
        let (negatives, positives) = (all(0), all(1));
        if negatives == 0.0 || positives == 0.0 {
            return None;
        }
        let (mut below, mut area, mut ties) = ([0_u64; 2], 0.0, 0.0);
        let mut placements = BTreeMap::new();
        for (bin, [negative, positive]) in counts {
            let rank = |seen: u64, here: u64| float(seen) + float(here) / 2.0;
            let of_positive = rank(below[0], negative) / negatives;
            let of_negative = 1.0 - rank(below[1], positive) / positives;
            area += float(positive) * of_positive / positives;
            ties += float(positive) * float(negative) / positives / negatives / 2.0;
            placements.insert(bin, (of_positive, of_negative));
            below = [below[0] + negative, below[1] + positive];
        }
        Some(Self { value: area, ties, placements })
    }
}

/// `DeLong`'s variance of the difference of two areas of the same cases; without a baseline, of one area.
pub(super) fn compare(
    cells: &[ScoreCell],
    baseline: Option<&Area>,
    candidate: &Area,
) -> Result<AucPair, Refusal> {
    let placed = |area: &Area, bin: u16, positive: bool| {
        let (of_positive, of_negative) = area.placements.get(&bin).copied().unwrap_or_default();
        if positive { of_positive } else { of_negative }
    };
    let side = |positive: bool| {
        let differences: Vec<(f64, f64)> = cells
            .iter()
            .filter(|cell| cell.positive == positive)
            .map(|cell| {
                let theirs = baseline.map_or(0.0, |area| placed(area, cell.baseline, positive));
                (float(cell.n), placed(candidate, cell.candidate, positive) - theirs)
            })
            .collect();
        let n = crate::stats::sum(differences.iter().map(|(n, _)| *n));
        let mean = crate::stats::sum(differences.iter().map(|(n, value)| n * value)) / n;
        let squares = crate::stats::sum(differences.iter().map(|(n, value)| n * (value - mean).powi(2)));
        squares / (n - 1.0) / n
    };
    let count = |positive: bool| -> u64 {
        cells.iter().filter(|cell| cell.positive == positive).map(|cell| cell.n).sum()
    };
    let (positives, negatives) = (count(true), count(false));
    if positives < 2 || negatives < 2 {
        return Err(Refusal::TooFew { what: "cases of each class", have: positives.min(negatives), need: 2 });
    }
    Ok(AucPair {
        positives,
        negatives,
        difference: candidate.value - baseline.map_or(0.0, |area| area.value),
        variance: side(true) + side(false),
    })
}
