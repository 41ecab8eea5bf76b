//! Metrics of probabilities.

use crate::cases::Sample;

/// Probabilities are clipped to at least this before taking the logarithm: 2⁻⁵².
const SMALLEST: f64 = f64::EPSILON;

/// The natural logarithm's loss of a case, with the probability clipped to [2⁻⁵², 1 − 2⁻⁵²].
pub(super) fn log_loss(sample: &Sample, case: usize) -> f64 {
    let given = if sample.probabilities.is_empty() {
        let score = sample.scores[case];
        if Some(sample.truth[case]) == sample.positive { score } else { 1.0 - score }
    } else {
        sample.probability(case, sample.truth[case] as usize)
    };
    -given.clamp(SMALLEST, 1.0 - SMALLEST).ln()
}

/// (p − y)² of the positive class.
pub(super) fn brier(sample: &Sample, case: usize) -> f64 {
    let truth = f64::from(u8::from(Some(sample.truth[case]) == sample.positive));
    (sample.scores[case] - truth).powi(2)
}

/// Σ (p − y)² over the classes, not halved.
pub(super) fn brier_multiclass(sample: &Sample, case: usize) -> f64 {
    (0..sample.scored_classes())
        .map(|class| {
            let truth = f64::from(u8::from(class == sample.truth[case] as usize));
            (sample.probability(case, class) - truth).powi(2)
        })
        .sum()
}

/// The expected calibration error: `Σ_b` (`W_b/W)·|mean_b(hit`) − `mean_b(p)`| over `bins` bins (lo, hi], the first with 0.
/// The edges are k/bins, or with `equal_mass` the linear quantiles of p at k/bins.
pub(super) fn ece(sample: &Sample, cases: &[(f64, bool)], bins: u32, equal_mass: bool) -> f64 {
    let edges: Vec<f64> = if equal_mass {
        let mut sorted: Vec<f64> = cases.iter().map(|case| case.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        (1..bins).map(|edge| quantile(&sorted, f64::from(edge) / f64::from(bins))).collect()
    } else {
        (1..bins).map(|edge| f64::from(edge) / f64::from(bins)).collect()
    };
    let mut gaps = vec![0.0; bins as usize];
    for (case, &(p, hit)) in cases.iter().enumerate() {
        let bin = edges.partition_point(|edge| *edge < p);
        gaps[bin] += sample.weight(case) * (f64::from(u8::from(hit)) - p);
    }
    crate::stats::sum(gaps.into_iter().map(f64::abs)) / sample.total_weight()
}

/// For each case, the probability of the positive class, and whether the case has that class.
pub(super) fn calibration(sample: &Sample) -> Vec<(f64, bool)> {
    (0..sample.n).map(|case| (sample.scores[case], Some(sample.truth[case]) == sample.positive)).collect()
}

/// The largest probability of each case, and whether that class is right; among tied classes, the first
/// declared one.
pub(super) fn top_label(sample: &Sample) -> Vec<(f64, bool)> {
    sample
        .probabilities
        .chunks(sample.scored_classes().max(1))
        .zip(&sample.truth)
        .map(|(row, &truth)| {
            let (mut best, mut class) = (f64::NEG_INFINITY, 0);
            for (index, &p) in row.iter().enumerate() {
                if p > best {
                    (best, class) = (p, index);
                }
            }
            (best, class == truth as usize)
        })
        .collect()
}

/// numpy's linear quantile of sorted values.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    #[expect(clippy::cast_precision_loss, reason = "a number of cases")]
    let position = p * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the list")]
    let low = (position.floor() as usize).min(last);
    let high = (low + 1).min(last);
    let (a, b, share) = (sorted[low], sorted[high], position.fract());
    // numpy's lerp, which is exact at both ends.
    if share >= 0.5 { b - (b - a) * (1.0 - share) } else { a + (b - a) * share }
}
