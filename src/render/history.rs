//! A metric over time, for a terminal and for a page of Markdown.

use std::io::{self, Write};

use super::Style;
use super::markdown::{block, code, text};
use super::text::{clean, count, cut, pad, width};
use super::timeline::{day, ends, is_beyond, limit_in_words, number, rows, scale};
use crate::verdict::{History, HistoryPoint};

/// The width of the column for where a run is from.
const SOURCE: usize = 40;
/// The most rows of a chart in Markdown.
const MAX_ROWS: usize = 100;

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
    writeln!(to, "\n{}", block("text", &rows(history, MAX_ROWS)))?;
    let newest = history.points.len().saturating_sub(MAX_ROWS);
    let shown = &history.points[newest..];
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
