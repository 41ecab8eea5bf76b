//! Means of per-case differences.

use super::distribution::student_quantile;
use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::sum::sum;

/// A spread below this share of the largest value is rounding.
const ROUNDING: f64 = 1e-12;

/// With at least this many values, skewness is estimated well enough to correct for it.
pub(super) const SKEWED_FROM: u64 = 20;

/// Count, mean and central sums of values. A plain data type: it can be counted anywhere, and merged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    /// How many values.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub squares: f64,
    /// Sum of cubed deviations from the mean.
    pub cubes: f64,
    /// The largest magnitude among them.
    pub largest: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

impl Moments {
    /// The moments of `values`, in two passes, so that a large offset costs no digits.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as u64;
        if n == 0 {
            return Self::default();
        }
        let first = sum(values.iter().copied()) / float(n);
        let mean = first + sum(values.iter().map(|value| value - first)) / float(n);
        let squares = sum(values.iter().map(|value| (value - mean).powi(2)));
        let cubes = sum(values.iter().map(|value| (value - mean).powi(3)));
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        Self { n, mean, squares, cubes, largest }
    }

    /// The sample's variance, with n − 1.
    pub fn variance(&self) -> f64 {
        self.squares / (float(self.n) - 1.0)
    }

    /// The standard error of the mean.
    pub fn stderr(&self) -> f64 {
        (self.variance() / float(self.n)).sqrt()
    }

    /// Skewness, biased like scipy's `skew`.
    pub fn skewness(&self) -> f64 {
        let n = float(self.n);
        (self.cubes / n) / (self.squares / n).powf(1.5)
    }

    /// Whether the values differ by more than rounding.
    pub(super) fn has_spread(&self) -> bool {
        self.stderr() > ROUNDING * self.largest
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.n < 2 {
            return Err(Refusal::TooFew { what: "cases", have: self.n, need: 2 });
        }
        if !self.has_spread() {
            return Err(Refusal::NoSpread);
        }
        Ok(())
    }
}

/// Student's limits of a mean.
pub fn student_limits(moments: &Moments, confidence: Confidence) -> Result<Estimate, Refusal> {
    moments.check()?;
    let stderr = moments.stderr();
    let reach = student_quantile(confidence.share(), float(moments.n) - 1.0) * stderr;
    Ok(Estimate { value: moments.mean, stderr, limits: Limits::around(moments.mean, reach) })
}

/// Johnson's limits of a mean: Student's statistic corrected for skewness (Johnson 1978, *JASA* 73, 536–544).
///
/// The corrected statistic of "the mean is θ" is t + g(1 + 2t²)/(6√n) with t = (mean − θ)/se. It is not
/// monotonic in t: if no t on the branch through 0 reaches the quantile, that end is open and never shows
/// anything. Below 20 values, the limits are Student's.
pub fn johnson_limits(moments: &Moments, confidence: Confidence) -> Result<Estimate, Refusal> {
    let student = student_limits(moments, confidence)?;
    if moments.n < SKEWED_FROM {
        return Ok(student);
    }
    let n = float(moments.n);
    let quantile = student_quantile(confidence.share(), n - 1.0);
    let skew = moments.skewness();
    let solve = |target: f64| {
        let (a, c) = (skew / (3.0 * n.sqrt()), skew / (6.0 * n.sqrt()) - target);
        if a.abs() < 1e-300 {
            return Some(target);
        }
        let discriminant = 1.0 - 4.0 * a * c;
        // The root on the branch through 0, in the form without cancellation.
        (discriminant >= 0.0).then(|| -2.0 * c / (1.0 + discriminant.sqrt()))
    };
    let limits = Limits {
        lower: solve(quantile).map_or(f64::NEG_INFINITY, |t| moments.mean - t * student.stderr),
        upper: solve(-quantile).map_or(f64::INFINITY, |t| moments.mean - t * student.stderr),
    };
    Ok(Estimate { limits, ..student })
}
