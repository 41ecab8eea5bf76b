//! A metric over time, for a terminal and for a page of Markdown.

use std::io::{self, Write};

use super::Style;
use super::markdown::{block, code, text};
use super::text::{clean, count, cut, pad, width};
use crate::verdict::{History, HistoryLimit, HistoryPoint};

/// Columns between the ends of the scale.
const COLUMNS: usize = 40;
/// Columns of where a run is from.
const SOURCE: usize = 40;
/// Rows that a chart in Markdown has.
const MAX_ROWS: usize = 100;

/// The ends of an axis that shows every value and limit. For pictures only.
pub(super) fn ends(history: &History) -> (f64, f64) {
    let values = history.points.iter().map(|point| &point.value);
    let limits = history.limits.iter().map(|limit| &limit.value);
    let numbers = values.chain(limits).filter_map(|text| number(text));
    let (low, high) =
        numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
    let room = if high > low { (high - low) * 0.08 } else { high.abs().max(1.0) * 0.05 };
    if low > high { (0.0, 1.0) } else { (low - room, high + room) }
}

/// A number as a place in a picture.
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
fn scale(point: &HistoryPoint, history: &History, (low, high): (f64, f64)) -> String {
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

/// Writes a history for a person: a row for each run, the oldest first.
pub fn history_human(history: &History, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if history.points.is_empty() {
        return Ok(());
    }
    let title = format!("{} of {}", clean(&history.metric), clean(&history.model));
    writeln!(to, "{}{}{}", style.bold(&title), style.separator(), count(history.points.len(), "run"))?;
    for limit in &history.limits {
        writeln!(to, "{}", style.dim(&format!("limit {}", limit_in_words(limit))))?;
    }
    for note in &history.notes {
        writeln!(to, "{}", style.dim(&clean(note)))?;
    }
    writeln!(to)?;
    let ends = ends(history);
    let values: Vec<String> = history.points.iter().map(|point| clean(&point.value)).collect();
    let widest = values.iter().map(|value| width(value)).max().unwrap_or(0);
    for (point, value) in history.points.iter().zip(&values) {
        let beyond = number(&point.value).is_some_and(|value| is_beyond(value, &history.limits));
        let value = pad(value, widest);
        let value = if beyond { style.red(&value) } else { value };
        let source = cut(&clean(&whence(point)), SOURCE, style.dots());
        writeln!(to, "  {}  {value}  {}  {source}", pad(day(point), 10), scale(point, history, ends))?;
    }
    if history.limits.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{}", style.dim("| a limit today, o within it, x beyond it"))
}

/// What a run was promoted to, else where it is.
fn whence(point: &HistoryPoint) -> String {
    if point.promoted.is_empty() { point.source.clone() } else { point.promoted.join(", ") }
}

/// Writes a history as Markdown: the chart, then the table.
pub fn history_markdown(history: &History, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "### {} of {}\n", code(&history.metric), code(&history.model))?;
    for limit in &history.limits {
        writeln!(to, "- limit {}", text(&limit_in_words(limit)))?;
    }
    for note in &history.notes {
        writeln!(to, "- {}", text(note))?;
    }
    let ends = ends(history);
    let newest = history.points.len().saturating_sub(MAX_ROWS);
    let shown = &history.points[newest..];
    let values = shown.iter().map(|point| width(&point.value)).max().unwrap_or(0);
    let row = |point: &HistoryPoint| {
        format!(
            "{}  {}  {}\n",
            pad(day(point), 10),
            pad(&clean(&point.value), values),
            scale(point, history, ends)
        )
    };
    let chart: String = shown.iter().map(row).collect();
    writeln!(to, "\n{}", block("text", chart.trim_end()))?;
    writeln!(to, "| day | {} | run | promoted | read at |\n|---|---|---|---|---|", text(&history.metric))?;
    for point in shown {
        let id = point.run_id.as_deref().map(code).unwrap_or_default();
        writeln!(
            to,
            "| {} | {} | {id} | {} | {} |",
            day(point),
            text(&point.value),
            text(&point.promoted.join(", ")),
            code(&point.source)
        )?;
    }
    if newest > 0 {
        writeln!(to, "\nand {newest} older")?;
    }
    Ok(())
}
