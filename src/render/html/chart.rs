//! Draws a comparison on a scale, as SVG. Its table row has the numbers, so a screen reader skips it.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped};

use crate::render::scale::Scale;
use crate::verdict::Outcome;

/// The width of a drawing, in pixels. Heights are in the style sheet, since a page may have many drawings.
const WIDTH: f64 = 220.0;

/// The class that colours an outcome.
pub(super) fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "p",
        Outcome::Fail => "f",
        Outcome::Inconclusive => "q",
        Outcome::Waived => "w",
        Outcome::Skipped => "s",
    }
}

/// Draws a comparison on an axis: forbidden values are shaded, the limit is a line, the interval a bar, the
/// baseline a ring, and the candidate a dot.
pub(super) fn chart(scale: &Scale, outcome: Outcome, (low, high): (f64, f64)) -> Markup {
    let x = |value: f64| place(value, low, high);
    let class = class(outcome);
    let mut svg = String::from("<svg class=\"c\" aria-hidden=\"true\">");
    let mut draw = |shape: std::fmt::Arguments<'_>| {
        // Writing to memory does not fail.
        let _ = svg.write_fmt(shape);
    };
    let forbidden = [scale.lowest.map(|limit| (low, limit)), scale.highest.map(|limit| (limit, high))];
    for (from, to) in forbidden.into_iter().flatten() {
        draw(format_args!("<rect class=\"n\" x=\"{}\" width=\"{}\"/>", x(from), x(to) - x(from)));
    }
    for limit in [scale.lowest, scale.highest].into_iter().flatten() {
        draw(format_args!("<rect class=\"l\" x=\"{}\"/>", x(limit) - 1));
    }
    if let Some((lower, upper)) = scale.interval {
        let (from, to) = (x(lower), x(upper));
        draw(format_args!("<rect class=\"i {class}\" x=\"{from}\" width=\"{}\"/>", to - from));
    }
    if let Some(baseline) = scale.baseline {
        draw(format_args!("<circle class=\"b\" cx=\"{}\"/>", x(baseline)));
    }
    draw(format_args!("<circle class=\"d {class}\" cx=\"{}\"/></svg>", x(scale.value)));
    PreEscaped(svg)
}

/// Draws the cases that only one of two runs gets right, as parts of a bar.
pub(super) fn gained_and_lost(gained: u64, lost: u64) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "for a picture")]
    let share = gained as f64 / (gained + lost).max(1) as f64;
    let middle = place(share, 0.0, 1.0);
    let rest = place(1.0, 0.0, 1.0) - middle;
    PreEscaped(format!(
        "<svg class=\"g\" aria-hidden=\"true\"><rect class=\"p\" width=\"{middle}\"/>\
         <rect class=\"f\" x=\"{middle}\" width=\"{rest}\"/></svg>"
    ))
}

/// A value in units of the drawing; values beyond an end are drawn at the end.
fn place(value: f64, low: f64, high: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the drawing")]
    let place = ((value - low) / (high - low) * WIDTH).round().clamp(0.0, WIDTH) as i32;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_an_end_is_at_the_end() {
        assert_eq!(place(f64::NEG_INFINITY, 0.0, 1.0), 0);
        assert_eq!(place(f64::INFINITY, 0.0, 1.0), 220);
        assert_eq!(place(0.5, 0.0, 1.0), 110);
    }
}
