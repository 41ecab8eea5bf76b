//! Whether a recorded value is in the range of its reruns. A value far above them was cherry-picked.

use super::Spread;
use crate::run::Decimal;

/// The probability that one more value is outside of some interval if nothing is wrong.
const OUTSIDE: f64 = 0.05;

/// The prediction interval for one more value, given at least two: mean ± t·s·√(1 + 1/k). With `several` metrics each
/// interval is wider, so that all together cover as often as a single one would (Bonferroni).
pub(super) fn spread(recorded: &Decimal, values: &[Decimal], several: usize) -> Option<Spread> {
    let k = values.len();
    if k < 2 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of metrics")]
    let t = student(k - 1, OUTSIDE / several.max(1) as f64);
    // Rounded as in printed tables, so that the last bit of a logarithm has no influence.
    let t = Decimal::parse(&format!("{t:.3}")).ok()?;
    let whole = |number: usize| Decimal::parse(&number.to_string()).ok();
    let zero = whole(0)?;
    let sum = values.iter().fold(zero.clone(), |sum, value| sum.plus(value));
    let squares = values.iter().fold(zero, |sum, value| sum.plus(&value.times(value)));
    // (k−1)(k·x − Σ)² ≤ t²(k+1)(k·Σ² − (Σ)²) is the interval without roots and divisions.
    let scatter = whole(k)?.times(&squares).minus(&sum.times(&sum));
    let distance = whole(k)?.times(recorded).minus(&sum);
    let left = whole(k - 1)?.times(&distance.times(&distance));
    let right = t.times(&t).times(&whole(k + 1)?).times(&scatter);
    let inside = left <= right;
    // For display only.
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

/// The value that Student's t exceeds in magnitude with probability `outside`.
fn student(freedom: usize, outside: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while within(high, freedom) < 1.0 - outside && high < 1e12 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 1.0 - outside { low = middle } else { high = middle }
    }
    high
}

/// The probability that t lies between −`t` and `t`: Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn within(t: f64, freedom: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of reruns")]
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cos } else { 1.0 };
    let mut sum = if odd && freedom == 1 { 0.0 } else { term };
    let mut at = if odd { 3 } else { 2 };
    while at < freedom {
        #[expect(clippy::cast_precision_loss, reason = "a number of reruns")]
        let (above, below) = ((at - 1) as f64, at as f64);
        term *= cos * cos * above / below;
        sum += term;
        at += 2;
    }
    if odd { 2.0 / std::f64::consts::PI * (angle + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::student;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, outside, t) in [
            (1, 0.05, "12.706"),
            (2, 0.05, "4.303"),
            (3, 0.05, "3.182"),
            (4, 0.05, "2.776"),
            (30, 0.05, "2.042"),
            (31, 0.05, "2.040"),
            (60, 0.05, "2.000"),
            (999, 0.05, "1.962"),
            (4, 0.01, "4.604"),
            (3, 0.001, "12.924"),
        ] {
            assert_eq!(format!("{:.3}", student(freedom, outside)), t, "{freedom} {outside}");
        }
    }
}
