//! Tables of metrics: a row for each epoch or step, a row for each model, or a name and a value in each row.

mod grid;

use std::sync::Arc;

pub(super) use grid::{Cell, Grid, Row};

use super::BadRecord;
use super::tracked::with_history;
use crate::code::codes;
use crate::document::{Diagnostic, Document, Map, Node, Span, Value};
use crate::run::{FieldMap, Origin, Run};

codes! {
    BROKEN_TABLE = "table/broken": "A table of metrics has no rows, or a row or a column name does not match the header.";
    UNCLEAR_TABLE = "table/unclear": "The header of a table does not show what each row is about.";
}

/// Names of columns that say where in training a row was written.
const POSITIONS: [&str; 7] = ["step", "global_step", "epoch", "iteration", "iter", "round", "trees"];
/// Names of columns that say which model a row belongs to.
const MODELS: [&str; 7] = ["model", "model_name", "name", "algorithm", "classifier", "estimator", "run"];
/// Names of the two columns of a name-value table.
const NAMED: [&str; 4] = ["metric", "name", "key", "measure"];
const VALUES: [&str; 3] = ["value", "score", "result"];

/// The records of a table.
pub(super) fn read(
    label: &str,
    bytes: Vec<u8>,
    fields: &FieldMap,
    origin: &Origin,
) -> Vec<Result<Run, BadRecord>> {
    let bad = |problems: Vec<Diagnostic>| BadRecord { label: label.to_owned(), problems };
    let grid = match Grid::parse(label, bytes) {
        Ok(grid) => grid,
        Err(problem) => return vec![Err(bad(vec![*problem]))],
    };
    if let Some(model) = models(&grid) {
        return grid
            .rows
            .iter()
            .map(|row| of_model(&grid, row, model, fields, origin).map_err(bad))
            .collect();
    }
    let (metrics, notes) = match one_run(&grid) {
        Ok(read) => read,
        Err(problem) => return vec![Err(bad(vec![*problem]))],
    };
    let mut record = Map::default();
    record.insert("metrics", Span::default(), Node::made(Value::Map(metrics)));
    let end = grid.document.text.len();
    let tree = Node { value: Value::Map(record), span: Span::new(0, 0, end) };
    vec![
        Run::new(&grid.document, tree, fields, origin.clone())
            .map(|mut run| {
                run.notes.extend(notes);
                run
            })
            .map_err(bad),
    ]
}

/// The metrics of a table about a single run, with notes for the reader.
fn one_run(grid: &Grid) -> Result<(Map, Vec<String>), Box<Diagnostic>> {
    if grid.rows.is_empty() {
        let message = format!("`{}` has a header, but no row of values", grid.document.name);
        return Err(Diagnostic::new(BROKEN_TABLE, message)
            .help("train first, so that a row is written")
            .boxed());
    }
    if let Some(metrics) = names_and_values(grid) {
        return Ok((metrics, vec!["read as metrics: a name and a value in each row".into()]));
    }
    if let Some(positions) = positions(grid) {
        let mut history = History::of(grid, &positions);
        let notes = std::mem::take(&mut history.notes);
        return Ok((history.metrics(&|name| !is_position(name)), notes));
    }
    if let [row] = grid.rows.as_slice() {
        return Ok((values(grid, row, &|_| true), vec!["read as metrics: one row of values".into()]));
    }
    let message = format!(
        "`{}` has {} rows, and no column says what they are: no epoch or step, and no model",
        grid.document.name,
        grid.rows.len()
    );
    let help = if grid.column(&["y_true", "y_pred", "label", "prediction", "score"]).is_some() {
        "predictions are named in a record: `{\"predictions\": \"predictions.csv\"}`"
    } else {
        "add a column `epoch`, `step` or `model`, or write the metrics as JSON"
    };
    Err(Diagnostic::new(UNCLEAR_TABLE, message).help(help).boxed())
}

fn is_position(name: &str) -> bool {
    name.is_empty()
        || name.starts_with("Unnamed:")
        || POSITIONS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The column of model names, if each row is a different model.
fn models(grid: &Grid) -> Option<usize> {
    let column = grid.column(&MODELS).filter(|_| grid.names.len() > 1)?;
    let texts: Vec<&str> = grid.rows.iter().map(|row| row.cells[column].text.as_str()).collect();
    let distinct: std::collections::HashSet<&&str> = texts.iter().collect();
    let is_text = texts.iter().all(|text| !text.is_empty() && text.parse::<f64>().is_err());
    let is_pair =
        grid.names.len() == 2 && grid.column(&VALUES).is_some() && grid.column(&NAMED) == Some(column);
    (is_text && !is_pair && distinct.len() == texts.len() && positions(grid).is_none()).then_some(column)
}

/// One row as the record of a model.
fn of_model(
    grid: &Grid,
    row: &Row,
    model: usize,
    fields: &FieldMap,
    origin: &Origin,
) -> Result<Run, Vec<Diagnostic>> {
    // The document is only the row, but keeps the file's line numbers.
    let text = grid.document.slice(row.span);
    let document = Arc::new(Document {
        name: grid.document.name.clone(),
        text: text.into(),
        format: grid.document.format,
        line: Some(row.line),
    });
    let mut metrics = values(grid, row, &|at| at != model);
    for node in metrics.values_mut() {
        node.span = Span::new(
            0,
            (node.span.start - row.span.start) as usize,
            (node.span.end - row.span.start) as usize,
        );
    }
    let mut record = Map::default();
    record.insert("model", Span::default(), Node::text(row.cells[model].text.as_str()));
    record.insert("metrics", Span::default(), Node::made(Value::Map(metrics)));
    let tree = Node { value: Value::Map(record), span: Span::new(0, 0, text.len()) };
    Run::new(&document, tree, fields, origin.clone())
}

fn values(grid: &Grid, row: &Row, is_metric: &dyn Fn(usize) -> bool) -> Map {
    let mut metrics = Map::default();
    for (at, (name, cell)) in grid.names.iter().zip(&row.cells).enumerate() {
        if let Some(node) = cell.node().filter(|_| is_metric(at) && !is_position(name)) {
            metrics.insert(name.as_str(), node.span, node);
        }
    }
    metrics
}

/// Reads a table with a name and a number in each row.
fn names_and_values(grid: &Grid) -> Option<Map> {
    if grid.names.len() != 2 {
        return None;
    }
    let is_number = |cell: &Cell| {
        matches!(cell.node().map(|node| node.value), Some(Value::Number(_) | Value::NotFinite(_)))
    };
    let named = grid.column(&VALUES).is_some() && grid.column(&NAMED).is_some();
    let (name, value) = if named { (grid.column(&NAMED)?, grid.column(&VALUES)?) } else { (0, 1) };
    let fits = grid.rows.iter().all(|row| {
        row.cells[name].text.parse::<f64>().is_err()
            && !row.cells[name].text.is_empty()
            && (is_number(&row.cells[value]) || named)
    });
    if !fits {
        return None;
    }
    let mut metrics = Map::default();
    for row in &grid.rows {
        let Some(node) = row.cells[value].node() else { continue };
        // It is unknown which of two values counts.
        if metrics.insert(row.cells[name].text.as_str(), row.cells[name].span, node).is_some() {
            return None;
        }
    }
    Some(metrics)
}

/// The position of each row, if a column gives it.
fn positions(grid: &Grid) -> Option<Vec<Option<i64>>> {
    let column = grid.column(&POSITIONS)?;
    // Some loggers write a step per epoch, and the epoch too; the first column with values is used.
    let position = |row: &Row| whole(&row.cells[column].text);
    let found: Vec<Option<i64>> = grid.rows.iter().map(position).collect();
    found.iter().any(Option::is_some).then_some(found)
}

/// A whole number, even if written as `3.0`.
pub(super) fn whole(text: &str) -> Option<i64> {
    let plain = text.strip_suffix(".0").unwrap_or(text);
    plain.parse().ok()
}

/// The values of each column over a training.
pub(super) struct History<'g> {
    grid: &'g Grid,
    /// The rows that count, each with its position.
    rows: Vec<(i64, &'g Row)>,
    pub(super) notes: Vec<String>,
}

impl<'g> History<'g> {
    /// Takes the rows that count, each with its position.
    pub(super) fn new(grid: &'g Grid, rows: Vec<(i64, &'g Row)>) -> Self {
        Self { grid, rows, notes: Vec::new() }
    }

    /// Takes the rows that count: the last row of a repeated position, as after resuming, and only the last
    /// training if several were appended.
    pub(super) fn of(grid: &'g Grid, positions: &[Option<i64>]) -> Self {
        let mut rows: Vec<(i64, &Row)> = Vec::new();
        let mut notes = Vec::new();
        let mut last = None;
        let first = positions.iter().flatten().next().copied();
        for (row, position) in grid.rows.iter().zip(positions) {
            let at = position.or(last).unwrap_or_default();
            if last.is_some_and(|last| at < last) {
                if Some(at) == first {
                    notes.push(format!(
                        "the steps start again in line {}: the file has several training runs, and the last one counts",
                        row.line
                    ));
                    rows.clear();
                } else {
                    notes.push(format!(
                        "in line {} the training was resumed; for repeated steps, the later row counts",
                        row.line
                    ));
                    rows.retain(|(known, _)| *known < at);
                }
            }
            last = Some(at);
            rows.push((at, row));
        }
        Self { grid, rows, notes }
    }

    /// The rows that count, each with its position.
    pub(super) fn rows(&self) -> &[(i64, &'g Row)] {
        &self.rows
    }

    /// The last value of each metric column with its step, and the best value so far.
    pub(super) fn metrics(&self, is_metric: &dyn Fn(&str) -> bool) -> Map {
        let mut metrics = Map::default();
        for (column, name) in self.grid.names.iter().enumerate() {
            if !is_metric(name) {
                continue;
            }
            let points: Vec<(i64, Node)> =
                self.rows.iter().filter_map(|(at, row)| Some((*at, row.cells[column].node()?))).collect();
            let Some((_, last)) = points.last() else { continue };
            let mut node = with_history(last.value.clone(), &points);
            node.span = last.span;
            if let Value::Map(map) = &mut node.value
                && let Some(value) = map.get_mut("value")
            {
                value.span = last.span;
            }
            metrics.insert(name.as_str(), last.span, node);
        }
        metrics
    }
}

#[cfg(test)]
mod tests;
