//! The recorded facts about a model, in the Markdown that its documents share.

use std::io::{self, Write};

use super::markdown;
use crate::secret::masked;
use crate::verdict::{FileFact, LimitFact, MetricFact};

/// Shown for a fact that nobody recorded.
pub(super) const NOT_RECORDED: &str = "not recorded";

/// Text in a paragraph or a cell, without secrets: a document may be published more widely than the record.
pub(super) fn text(text: &str) -> String {
    markdown::text(&masked(text))
}

/// Text in a code span, without secrets.
pub(super) fn code(text: &str) -> String {
    markdown::code(&masked(text))
}

/// A file with its size and its digest.
pub(super) fn file(file: &FileFact) -> String {
    let rows = file.rows.as_ref().map(|rows| format!(", {} rows", text(rows))).unwrap_or_default();
    let digest = match &file.digest {
        Some((algorithm, value)) => code(&format!("{algorithm}:{value}")),
        None => "no digest recorded".into(),
    };
    format!("{}{rows}, {digest}", code(&file.name))
}

/// A table: its columns, then its rows, whose cells are Markdown already.
pub(super) fn table(
    columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    to: &mut dyn Write,
) -> io::Result<()> {
    writeln!(to, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
    for row in rows {
        writeln!(to, "| {} |", row.join(" | "))?;
    }
    Ok(())
}

/// Values of metrics, on all of the split and on its slices.
pub(super) fn metrics<'f>(
    metrics: impl Iterator<Item = &'f MetricFact>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let cell = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    let row = |metric: &MetricFact| {
        let on = metric.slice.as_deref().map_or_else(|| "all".into(), text);
        vec![text(&metric.name), on, text(&metric.value), cell(&metric.stderr), cell(&metric.n)]
    };
    table(&["metric", "on", "value", "standard error", "examples"], metrics.map(row), to)
}

/// Limits, and how each was kept.
pub(super) fn limits<'f>(limits: impl Iterator<Item = &'f LimitFact>, to: &mut dyn Write) -> io::Result<()> {
    let row = |limit: &LimitFact| {
        let slice = limit.slice.as_ref().map(|slice| format!(" [{slice}]")).unwrap_or_default();
        vec![
            text(&limit.rule),
            text(&format!("{}{slice}", limit.subject)),
            text(&limit.limit),
            text(limit.baseline.as_deref().unwrap_or_default()),
            text(&limit.candidate),
            text(limit.evidence.as_deref().unwrap_or_default()),
            text(&limit.outcome),
        ]
    };
    let columns = ["rule", "metric", "limit", "baseline", "value", "interval and method", "outcome"];
    table(&columns, limits.map(row), to)
}
