//! Whether a recorded value lies where reruns lie. A value far above its own reruns was picked from many.

use super::Spread;
use crate::run::Decimal;

/// Student's t for 95 % on both sides, by degrees of freedom; beyond the table the normal distribution's.
const T: [&str; 30] = [
    "12.706", "4.303", "3.182", "2.776", "2.571", "2.447", "2.365", "2.306", "2.262", "2.228", "2.201",
    "2.179", "2.160", "2.145", "2.131", "2.120", "2.110", "2.101", "2.093", "2.086", "2.080", "2.074",
    "2.069", "2.064", "2.060", "2.056", "2.052", "2.048", "2.045", "2.042",
];
const T_BEYOND: &str = "1.960";

/// Where at least two values lie: the interval for one more of them, mean ± t·s·√(1 + 1/k).
pub(super) fn spread(recorded: &Decimal, values: &[Decimal]) -> Option<Spread> {
    let k = values.len();
    if k < 2 {
        return None;
    }
    let t = Decimal::parse(T.get(k - 2).copied().unwrap_or(T_BEYOND)).ok()?;
    let whole = |number: usize| Decimal::parse(&number.to_string()).ok();
    let zero = whole(0)?;
    let sum = values.iter().fold(zero.clone(), |sum, value| sum.plus(value));
    let squares = values.iter().fold(zero, |sum, value| sum.plus(&value.times(value)));
    // (k−1)(k·x − Σ)² ≤ t²(k+1)(k·Σ² − (Σ)²) is the interval without a root and without a division.
    let scatter = whole(k)?.times(&squares).minus(&sum.times(&sum));
    let distance = whole(k)?.times(recorded).minus(&sum);
    let left = whole(k - 1)?.times(&distance.times(&distance));
    let right = t.times(&t).times(&whole(k + 1)?).times(&scatter);
    let inside = left <= right;
    // For showing only.
    let mean = sum.divided_by(&whole(k)?)?;
    let float = |decimal: &Decimal| decimal.written().parse::<f64>().unwrap_or(f64::NAN);
    #[expect(clippy::cast_precision_loss, reason = "a number of reruns")]
    let n = k as f64;
    let deviation = (float(&scatter).max(0.0) / (n * (n - 1.0))).sqrt();
    let reach = float(&t) * deviation * (1.0 + 1.0 / n).sqrt();
    let shown = |value: f64| format!("{value:.6}");
    Some(Spread {
        mean: shown(float(&mean)),
        deviation: shown(deviation),
        interval: [shown(float(&mean) - reach), shown(float(&mean) + reach)],
        inside,
    })
}
