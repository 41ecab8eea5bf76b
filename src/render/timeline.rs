//! Values of a metric over time on one axis, with today's limits. For charts only: no decision depends on it.

use super::text::{clean, pad, width};
use crate::verdict::{History, HistoryLimit, HistoryPoint};

/// Columns between the ends of the scale.
const COLUMNS: usize = 40;

/// The ends of an axis that shows every value and limit.
pub(super) fn ends(history: &History) -> (f64, f64) {
    let values = history.points.iter().map(|point| &point.value);
    let limits = history.limits.iter().map(|limit| &limit.value);
    let numbers = values.chain(limits).filter_map(|text| number(text));
    let (low, high) =
        numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
    let room = if high > low { (high - low) * 0.08 } else { high.abs().max(1.0) * 0.05 };
    if low > high { (0.0, 1.0) } else { (low - room, high + room) }
}

/// Parses a number, for its position in a chart.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether a value is on the wrong side of a limit.
pub(super) fn is_beyond(value: f64, limits: &[HistoryLimit]) -> bool {
    limits.iter().any(|limit| {
        number(&limit.value).is_some_and(|at| if limit.is_lowest { value < at } else { value > at })
    })
}

/// A limit in words: `max_drop 0.005 = 0.842 (holds-up)`.
pub(super) fn limit_in_words(limit: &HistoryLimit) -> String {
    let value = if limit.value == limit.limit { String::new() } else { format!(" = {}", limit.value) };
    clean(&format!("{} {}{value} ({})", limit.word, limit.limit, limit.rule))
}

/// The day of a point, or a dash.
pub(super) fn day(point: &HistoryPoint) -> &str {
    point.at.as_deref().map_or("–", |at| at.get(..10).unwrap_or(at))
}

/// The row of a value on the scale, with the limits as bars.
pub(super) fn scale(point: &HistoryPoint, history: &History, (low, high): (f64, f64)) -> String {
    let place = |at: f64| {
        #[expect(clippy::cast_precision_loss, reason = "a few columns")]
        let last = (COLUMNS - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the columns")]
        let column = ((at - low) / (high - low) * last).round().clamp(0.0, last) as usize;
        column
    };
    let mut cells = vec!['.'; COLUMNS];
    for limit in history.limits.iter().filter_map(|limit| number(&limit.value)) {
        cells[place(limit)] = '|';
    }
    if let Some(value) = number(&point.value) {
        cells[place(value)] = if is_beyond(value, &history.limits) { 'x' } else { 'o' };
    }
    cells.into_iter().collect()
}

/// Draws values as a line of blocks, between the lowest and the highest of them.
pub(super) fn sparkline(points: &[HistoryPoint]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<f64> = points.iter().filter_map(|point| number(&point.value)).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of seven")]
        let level = (share * 7.0).round().clamp(0.0, 7.0) as usize;
        LEVELS[level]
    };
    values.into_iter().map(level).collect()
}

/// The newest runs in text, a row for each.
pub(super) fn rows(history: &History, most: usize) -> String {
    let ends = ends(history);
    let shown = &history.points[history.points.len().saturating_sub(most)..];
    let values = shown.iter().map(|point| width(&point.value)).max().unwrap_or(0);
    let row = |point: &HistoryPoint| {
        format!(
            "{}  {}  {}\n",
            pad(day(point), 10),
            pad(&clean(&point.value), values),
            scale(point, history, ends)
        )
    };
    let rows: String = shown.iter().map(row).collect();
    rows.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[&str]) -> String {
        let point = |value: &&str| HistoryPoint {
            at: None,
            value: (*value).to_owned(),
            run_id: None,
            git_commit: None,
            source: String::new(),
            promoted: Vec::new(),
        };
        sparkline(&values.iter().map(point).collect::<Vec<_>>())
    }

    #[test]
    fn the_lowest_block_is_the_lowest_value() {
        assert_eq!(line(&["0.80", "0.87", "0.83", "0.82"]), "▁█▄▃");
        assert_eq!(line(&["1", "1", "1"]), "▅▅▅", "nothing moves");
        assert_eq!(line(&["1", "NaN", "2"]), "▁█");
        assert_eq!(line(&[]), "");
    }
}
