//! Whether a reported value is the one that the cases give.

use super::NOT_RECOMPUTED;
use super::rounding::decimal;
use crate::run::Decimal;
use crate::verdict::Finding;

/// A finding if the reported value is not the recomputed one, to the digits that are reported. `slack` is how
/// far the recomputed one may be off.
pub(in crate::rule) fn mismatch(
    name: &str,
    whose: &str,
    reported: &Decimal,
    (recomputed, slack): (f64, f64),
) -> Option<Finding> {
    let written = reported.written();
    let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let unit = 10f64.powi(exponent - i32::try_from(decimals).unwrap_or(i32::MAX));
    let value: f64 = written.parse().unwrap_or(f64::NAN);
    // The last digits of a double depend on the order of its sum.
    let tolerance = (unit * 0.5).max(value.abs() * 1e-9).max(1e-12) * (1.0 + 1e-6) + slack;
    if (value - recomputed).abs() <= tolerance {
        return None;
    }
    let shown = decimal(recomputed, decimals.clamp(4, 12));
    Some(
        Finding::new(
            NOT_RECOMPUTED,
            format!("`{name}` of {whose} is reported as {reported}, but its predictions give {shown}"),
        )
        .subject(name)
        .help("one of the two is not from this evaluation: record both again; if the name means another metric, say so with `as:`"),
    )
}
