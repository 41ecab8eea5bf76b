//! The metrics of a candidate over time: a row with a sparkline for each, and a text chart for those that
//! fail.

use super::budget::Section;
use super::escape::{block, code, text};
use crate::render::timeline::{day, rows, sparkline};
use crate::verdict::{CandidateReport, History, HistoryPoint, Report};

/// Runs of one metric that are drawn.
const ROWS: usize = 20;
/// With fewer runs than this, the table of rules shows them all: the baseline and this one.
const FEWEST: usize = 3;

/// The metrics over time, if the report has them.
pub(super) fn over_time(report: &Report, candidate: &CandidateReport) -> Option<Section> {
    let is_of = |one: &&History| candidate.run.model.as_ref() == Some(&one.model);
    let all: Vec<&History> =
        report.history.iter().filter(is_of).filter(|one| one.points.len() >= FEWEST).collect();
    let first = all.first()?;
    let lines: String = all.iter().map(|one| line(one)).collect();
    let fails = |metric: &str| {
        let mut comparisons = candidate.rules.iter().flat_map(|rule| &rule.comparisons);
        comparisons.any(|one| *one.subject == *metric && one.outcome.blocks())
    };
    let charts: Vec<String> = all
        .iter()
        .filter(|one| fails(&one.metric))
        .map(|one| format!("\n{} over time\n\n{}", code(&one.metric), block("text", &rows(one, ROWS))))
        .collect();
    let key = if charts.is_empty() { "" } else { "\n`|` a limit today, `o` within it, `x` beyond it\n" };
    let notes: Vec<String> = first.notes.iter().map(|note| text(note)).collect();
    let notes = if notes.is_empty() { String::new() } else { format!("\n*{}*\n", notes.join("; ")) };
    let table = format!(
        "| metric | over time | first | last |\n|---|---|---|---|\n{lines}{}{key}{notes}",
        charts.concat()
    );
    Some(Section::expendable(6, "the metrics over time", table))
}

/// A metric in one row of a table.
fn line(history: &History) -> String {
    let shown = &history.points[history.points.len().saturating_sub(ROWS)..];
    let at = |point: Option<&HistoryPoint>| {
        point.map(|point| format!("{} on {}", text(&point.value), text(day(point)))).unwrap_or_default()
    };
    let (first, last) = (at(shown.first()), at(shown.last()));
    format!("| {} | {} {} runs | {first} | {last} |\n", code(&history.metric), sparkline(shown), shown.len())
}
