//! Metrics of numbers.

use super::Score;
use crate::cases::Sample;

fn error(sample: &Sample, case: usize) -> f64 {
    sample.target[case] - sample.estimate[case]
}

/// (y − ŷ)²
pub(super) fn squared_error(sample: &Sample, case: usize) -> f64 {
    error(sample, case).powi(2)
}

/// |y − ŷ|
pub(super) fn absolute_error(sample: &Sample, case: usize) -> f64 {
    error(sample, case).abs()
}

/// |y − ŷ| / max(|y|, 2⁻⁵²): huge if the true value is 0.
pub(super) fn percentage_error(sample: &Sample, case: usize) -> f64 {
    error(sample, case).abs() / sample.target[case].abs().max(f64::EPSILON)
}

/// The loss that the quantile `alpha` minimises.
pub(super) fn pinball(sample: &Sample, case: usize, alpha: f64) -> f64 {
    let error = error(sample, case);
    if error >= 0.0 { alpha * error } else { (alpha - 1.0) * error }
}

/// ŷ − y
pub(super) fn bias(sample: &Sample, case: usize) -> f64 {
    -error(sample, case)
}

/// The largest |y − ŷ|.
pub(super) fn max_error(sample: &Sample) -> Score {
    Score::defined((0..sample.n).map(|case| absolute_error(sample, case)).fold(f64::NAN, f64::max))
}

/// The median of |y − ŷ|: the mean of the lower and the upper one, by weight.
pub(super) fn median_absolute_error(sample: &Sample) -> Score {
    let mut errors: Vec<(f64, f64)> = (0..sample.n)
        .map(|case| (absolute_error(sample, case), sample.weight(case)))
        .filter(|error| error.1 != 0.0)
        .collect();
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = crate::stats::sum(errors.iter().map(|error| error.1)) / 2.0;
    let (mut weight, mut lower) = (0.0, None);
    for (error, own) in errors {
        weight += own;
        // Weights add up to a half only up to rounding.
        let near = half * 1e-14;
        if lower.is_none() && weight >= half - near {
            lower = Some(error);
        }
        if let (Some(lower), true) = (lower, weight > half + near) {
            return Score::defined(f64::midpoint(lower, error));
        }
    }
    lower.map_or_else(Score::undefined, Score::defined)
}

/// The coefficient of determination. For a constant truth: 1 if all predictions are right, else 0. Undefined
/// for fewer than two cases.
#[expect(clippy::float_cmp, reason = "a constant is the same number each time")]
pub(super) fn r2(sample: &Sample) -> Score {
    if sample.n < 2 {
        return Score::undefined();
    }
    let mean = sample.mean(|case| sample.target[case]);
    let residual = sample.mean(|case| squared_error(sample, case));
    let spread = sample.mean(|case| (sample.target[case] - mean).powi(2));
    // For a constant truth the spread is 0 or rounding error.
    if spread == 0.0 || sample.target.iter().all(|value| *value == sample.target[0]) {
        return Score { value: f64::from(u8::from(residual == 0.0)), warned: true };
    }
    Score::defined(1.0 - residual / spread)
}

/// Pearson's correlation of midranks. Undefined if a side is constant.
pub(super) fn spearman(sample: &Sample) -> Score {
    let (a, b) = (midranks(&sample.target), midranks(&sample.estimate));
    #[expect(clippy::cast_precision_loss, reason = "a number of cases")]
    let mean = f64::midpoint(sample.n as f64, 1.0);
    let product =
        |a: &[f64], b: &[f64]| crate::stats::sum(a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)));
    let (across, first, second) = (product(&a, &b), product(&a, &a), product(&b, &b));
    if first == 0.0 || second == 0.0 {
        Score::undefined()
    } else {
        Score::defined(across / (first * second).sqrt())
    }
}

fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    #[expect(clippy::float_cmp, reason = "ties are equal values")]
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        #[expect(clippy::cast_precision_loss, reason = "a number of cases")]
        let rank = (2 * start + tied.len() + 1) as f64 / 2.0;
        for &case in tied {
            ranks[case] = rank;
        }
        start += tied.len();
    }
    ranks
}
