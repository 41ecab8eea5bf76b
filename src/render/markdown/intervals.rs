//! The interval of each change, as a chart of letters: it needs no script, and metrics in different units
//! share it, since each is drawn in shares of its allowed change.

use super::super::text::{clean, cut, pad, width};
use crate::verdict::{CandidateReport, Comparison, Outcome};
use smol_str::SmolStr;

/// The most rows; the table has the rest.
const MOST: usize = 20;
/// Columns between the ends of the scale.
const COLUMNS: usize = 48;
/// The width of the names, in columns.
const NAMES: usize = 32;

/// A change with its limits, in shares of the allowed change; left is worse.
struct Bar {
    name: String,
    lower: f64,
    value: f64,
    upper: f64,
    outcome: Outcome,
}

/// The chart; `None` if no rule asked for an interval.
pub(super) fn intervals(candidate: &CandidateReport) -> Option<String> {
    let comparisons = candidate.rules.iter().flat_map(|rule| &rule.comparisons);
    let bars: Vec<Bar> = comparisons.filter_map(bar).take(MOST).collect();
    let ends = |pick: fn(&Bar) -> f64| bars.iter().map(pick).filter(|end| end.is_finite());
    let left = ends(|bar| bar.lower).fold(-1.0, f64::min).max(-4.0) - 0.1;
    let right = ends(|bar| bar.upper).fold(0.0, f64::max).min(2.0) + 0.1;
    let first = bars.first()?;
    let confidence = candidate
        .rules
        .iter()
        .flat_map(|rule| &rule.comparisons)
        .find_map(|one| one.confidence.as_deref())
        .unwrap_or_default();
    let place = |at: f64| column(at, left, right);
    let widest = bars.iter().map(|bar| width(&bar.name)).max().unwrap_or_else(|| width(&first.name));
    let mut head: Vec<char> = vec![' '; COLUMNS + 12];
    for (at, word) in [(-1.0, "limit"), (0.0, "no change")] {
        for (offset, letter) in word.chars().enumerate() {
            if let Some(cell) = head.get_mut(place(at) + offset) {
                *cell = letter;
            }
        }
    }
    let head: String = head.into_iter().collect();
    let mut text = format!("    {}{}\n", " ".repeat(widest + 2), head.trim_end());
    for bar in &bars {
        let mut cells = vec![' '; COLUMNS];
        cells[place(-1.0)] = '|';
        cells[place(0.0)] = '|';
        let (from, to) = (place(bar.lower), place(bar.upper));
        cells[from..=to].fill('-');
        cells[from] = if bar.lower < left { '<' } else { '[' };
        cells[to] = if bar.upper > right { '>' } else { ']' };
        cells[place(bar.value)] = 'o';
        let line: String = cells.into_iter().collect();
        let mark = match bar.outcome {
            Outcome::Pass => "✓",
            Outcome::Inconclusive => "?",
            Outcome::Waived => "~",
            _ => "✗",
        };
        text.push_str(&format!("  {mark} {}{}\n", pad(&bar.name, widest + 2), line.trim_end()));
    }
    let title = format!(
        "Change with its one-sided limits at {confidence} confidence, in shares of what is allowed; left is worse"
    );
    Some(format!("{title}\n{}", super::block("text", text.trim_end_matches('\n'))))
}

fn bar(one: &Comparison) -> Option<Bar> {
    let number = |text: &str| text.parse::<f64>().ok();
    let worse_is_less = match &*one.word {
        "max_drop" => true,
        "max_rise" => false,
        _ => return None,
    };
    let allowed =
        number(one.limit_value.as_deref().or(one.limit.as_deref())?).filter(|limit| *limit > 0.0)?;
    let change = number(one.change.as_deref()?)?;
    let [lower, upper] = one.interval.as_ref()?;
    let end = |end: &Option<SmolStr>, open: f64| end.as_deref().map_or(Some(open), number);
    let (lower, upper) = (end(lower, f64::NEG_INFINITY)?, end(upper, f64::INFINITY)?);
    let share = |value: f64| value / allowed;
    let (lower, value, upper) = if worse_is_less {
        (share(lower), share(change), share(upper))
    } else {
        (share(-upper), share(-change), share(-lower))
    };
    let slice = one.slice.as_ref().map(|slice| format!(" [{slice}]")).unwrap_or_default();
    // A backtick would end the block, and a line break the row.
    let name = clean(&format!("{}{slice}", one.title())).replace(['`', '\n'], " ");
    Some(Bar { name: cut(&name, NAMES, "…"), lower, value, upper, outcome: one.outcome })
}

/// The column of a share; a share beyond an end is at the end.
fn column(at: f64, left: f64, right: f64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a few columns")]
    let last = (COLUMNS - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the columns")]
    let column = ((at - left) / (right - left) * last).round().clamp(0.0, last) as usize;
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_left_of_no_change() {
        assert_eq!((column(-1.0, -1.1, 0.1), column(0.0, -1.1, 0.1)), (4, 43));
        assert_eq!((column(f64::NEG_INFINITY, -1.1, 0.1), column(f64::INFINITY, -1.1, 0.1)), (0, 47));
    }

    #[test]
    fn a_rise_that_is_worse_is_drawn_to_the_left() {
        let mut one = Comparison::by(
            crate::verdict::Method::Interval(crate::stats::Method::JohnsonT),
            "rmse",
            "max_rise",
            Outcome::Pass,
        )
        .limit("0.2");
        (one.change, one.interval) = (Some("+0.1".into()), Some([Some("0.05".into()), Some("0.15".into())]));
        let bar = bar(&one).expect("a bar");
        assert!(
            (bar.lower + 0.75).abs() < 1e-9
                && (bar.value + 0.5).abs() < 1e-9
                && (bar.upper + 0.25).abs() < 1e-9
        );
    }
}
