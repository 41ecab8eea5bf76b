//! How many cases a margin needs, and which margin a number of cases can show.

use super::distribution::normal_quantile;
use super::limits::{Confidence, Verdict};
use super::pairs::{RightWrong, tango_limits};

/// The number of cases that settles the margin with this power if the spread stays the same: n·((z +
/// `z_power)·se/(d` + m))², rounded up. `None` if the difference is the margin, or nothing is known.
pub fn cases_needed(
    n: u64,
    stderr: f64,
    difference: f64,
    margin: f64,
    confidence: Confidence,
    power: f64,
) -> Option<u64> {
    let distance = difference + margin;
    if distance.abs() < 1e-15 || !stderr.is_finite() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    whole((n as f64 * ((confidence.z() + normal_quantile(power)) * stderr / distance).powi(2)).ceil())
}

/// The same for right and wrong pairs: the smallest n at which Tango's limit settles the margin if the shares
/// stay the same. `None` beyond 10⁹.
pub fn cases_needed_for_pairs(pairs: &RightWrong, margin: f64, confidence: Confidence) -> Option<u64> {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    let (n, gained, lost) = (pairs.n() as f64, pairs.gained as f64, pairs.lost as f64);
    if pairs.n() == 0 {
        return None;
    }
    let (gained, lost) = (gained / n, lost / n);
    let settled = |k: u64| {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^31")]
        let k = k as f64;
        tango_limits(gained * k, lost * k, k, confidence).at_least(-margin) != Verdict::Open
    };
    let (mut low, mut high) = (1_u64, 1_u64);
    while !settled(high) {
        low = high;
        high *= 2;
        if high > 1_000_000_000 {
            return None;
        }
    }
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if settled(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The margin that can be shown with this power at a standard error, for a candidate as good as the baseline.
pub fn margin_held(stderr: f64, confidence: Confidence, power: f64) -> f64 {
    (confidence.z() + normal_quantile(power)) * stderr
}

fn whole(value: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit")]
    (value.is_finite() && (0.0..1e18).contains(&value)).then_some(value as u64)
}
