//! A table as written: column names, and rows of cells with their positions in the text.

use std::sync::Arc;

use super::BROKEN_TABLE;
use crate::document::{Diagnostic, Document, Format, Node, Span, Value};
use crate::run::Decimal;

/// A table of text.
#[derive(Debug)]
pub(in crate::source) struct Grid {
    pub(in crate::source) document: Arc<Document>,
    pub(in crate::source) names: Vec<String>,
    pub(in crate::source) rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug)]
pub(in crate::source) struct Row {
    /// Its line number, from 1.
    pub(in crate::source) line: usize,
    /// The byte range of the whole row.
    pub(in crate::source) span: Span,
    /// One per column name, without surrounding blanks.
    pub(in crate::source) cells: Vec<Cell>,
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Cell {
    pub(in crate::source) text: String,
    pub(in crate::source) span: Span,
}

/// Spellings of a missing value.
const ABSENT: [&str; 7] = ["", "na", "n/a", "none", "null", "-", "<na>"];

impl Cell {
    /// The value; `None` if it is missing.
    pub(in crate::source) fn node(&self) -> Option<Node> {
        let lower = self.text.to_lowercase();
        if ABSENT.contains(&lower.as_str()) {
            return None;
        }
        let value = match lower.trim_start_matches(['+', '-']) {
            "nan" => Value::NotFinite("NaN".into()),
            "inf" | "infinity" if lower.starts_with('-') => Value::NotFinite("-Infinity".into()),
            "inf" | "infinity" => Value::NotFinite("Infinity".into()),
            _ if Decimal::parse(&self.text).is_ok() => Value::Number(self.text.as_str().into()),
            _ => Value::String(self.text.as_str().into()),
        };
        Some(Node { value, span: self.span })
    }
}

impl Grid {
    /// Reads a table: a header, then rows with as many cells. A second header, from another training, is
    /// refused.
    pub(in crate::source) fn parse(label: &str, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        let document = Arc::new(Document::new(label, bytes, Format::Json)?);
        let wrong = |row: &Row, message: String, help: &str| {
            Diagnostic::new(BROKEN_TABLE, format!("`{label}`, line {}: {message}", row.line))
                .at(&document, row.span, "here")
                .help(help)
                .boxed()
        };
        let first = document.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let count = |c: char| first.matches(c).count();
        // Prefer the comma in a tie: the others are rarer in names.
        let separator = ['\t', ';', ','].into_iter().max_by_key(|c| count(*c)).unwrap_or(',');
        let mut rows = split(&document.text, separator).into_iter();
        let Some(head) = rows.next() else {
            return Err(Diagnostic::new(crate::document::EMPTY, format!("`{label}` is empty"))
                .help("a table of metrics has a header, and rows of numbers")
                .boxed());
        };
        let mut names: Vec<String> = head.cells.iter().map(|cell| cell.text.clone()).collect();
        let mut rows: Vec<Row> = rows.collect();
        // Some writers end each row with a separator.
        let ends_open = names.len() > 1
            && names.last().is_some_and(String::is_empty)
            && rows.iter().all(|row| row.cells.last().is_none_or(|cell| cell.text.is_empty()));
        if ends_open {
            names.pop();
            for row in &mut rows {
                row.cells.pop();
            }
        }
        for (at, name) in names.iter().enumerate() {
            if !name.is_empty() && names[..at].contains(name) {
                let help = "rename one of them";
                return Err(wrong(&head, format!("two columns are named `{name}`"), help));
            }
        }
        for row in &rows {
            if row.cells.iter().map(|cell| &cell.text).eq(&names) {
                let help = "keep each training run in its own file";
                return Err(wrong(
                    row,
                    "the header is repeated here, so another training run was appended".into(),
                    help,
                ));
            }
            if row.cells.len() != names.len() {
                let message =
                    format!("this row has {} values, but there are {} names", row.cells.len(), names.len());
                let help = "another training run with other metrics may have been appended; keep each in its own file";
                return Err(wrong(row, message, help));
            }
        }
        Ok(Self { document, names, rows })
    }

    /// The index of a column, ignoring case.
    pub(in crate::source) fn column(&self, names: &[&str]) -> Option<usize> {
        self.names.iter().position(|name| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
    }
}

/// The rows of a text, without blank ones. A quoted cell may contain separators and newlines (RFC 4180).
fn split(text: &str, separator: char) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut cells: Vec<Cell> = Vec::new();
    let (mut start, mut row_start, mut line, mut row_line) = (0, 0, 1, 1);
    let mut quoted = false;
    let ends = text.char_indices().chain([(text.len(), '\n')]);
    for (at, c) in ends {
        match c {
            '"' => quoted = !quoted,
            '\n' if quoted && at < text.len() => line += 1,
            c if c == separator && !quoted => {
                cells.push(cell(text, start, at));
                start = at + 1;
            }
            '\n' => {
                cells.push(cell(text, start, at));
                let is_blank = cells.iter().all(|cell| cell.text.is_empty()) && cells.len() == 1;
                let cells = std::mem::take(&mut cells);
                if !is_blank {
                    rows.push(Row { line: row_line, span: Span::new(0, row_start, at), cells });
                }
                line += 1;
                (start, row_start, row_line, quoted) = (at + 1, at + 1, line, false);
            }
            _ => {}
        }
    }
    rows
}

fn cell(text: &str, start: usize, end: usize) -> Cell {
    let raw = text.get(start..end).unwrap_or_default();
    let trimmed = raw.trim();
    let start = start + (raw.len() - raw.trim_start().len());
    let span = Span::new(0, start, start + trimmed.len());
    let inner = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let text =
        inner.map_or_else(|| trimmed.to_owned(), |inner| inner.replace("\"\"", "\"").trim().to_owned());
    Cell { text, span }
}
