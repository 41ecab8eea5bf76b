//! Doubles as the digits that a person reads.

use crate::run::Decimal;

/// How many decimals of an estimate are worth showing: two digits of its standard error.
pub(super) fn decimals(stderr: f64) -> usize {
    if !(stderr.is_finite() && stderr > 0.0) {
        return 4;
    }
    let magnitude = -stderr.log10().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let decimals = (magnitude + 1.0).clamp(0.0, 12.0) as usize;
    decimals
}

/// Rounded to the nearest, as a decimal.
pub(in crate::rule) fn decimal(value: f64, decimals: usize) -> Decimal {
    let text = format!("{value:.decimals$}");
    let text = if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    };
    Decimal::parse(&text).unwrap_or_else(|_| Decimal::whole(0))
}

/// Rounded down or up, so that what is shown is never tighter than what was found. `None` for an open end.
pub(super) fn outwards(value: f64, decimals: usize, up: bool) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    let nearest = format!("{value:.decimals$}").parse::<f64>().unwrap_or(value);
    let step = 10f64.powi(-i32::try_from(decimals).unwrap_or(12));
    let moved = match up {
        true if nearest < value => nearest + step,
        false if nearest > value => nearest - step,
        _ => nearest,
    };
    Some(decimal(moved, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_outwards() {
        assert_eq!(outwards(-0.009_01, 3, false).expect("a limit").written(), "-0.010");
        assert_eq!(outwards(-0.009_01, 3, true).expect("a limit").written(), "-0.009");
        assert_eq!(outwards(0.25, 2, true).expect("a limit").written(), "0.25");
        assert!(outwards(f64::INFINITY, 3, true).is_none());
    }
}
