//! A run record in canonical form, and where each field came from.

use std::io::{self, Write};

use super::Style;
use super::text::{clean, cut, pad, width};
use crate::document::{Map, Node, NotFinite, Path, Span, Value, to_text};
use crate::run::{FieldPath, Run};
use crate::source;

/// Writes the canonical record as JSON, with where it was read, where each field came from, and how to add
/// what its tracker did not record. Numbers keep all the digits that the record has.
pub fn show_json(runs: &[Run], to: &mut dyn Write) -> io::Result<()> {
    for run in runs {
        let mut record = run.record().clone();
        let put = |map: &mut Map, key: &str, value: Value| {
            map.insert(key, Span::default(), Node::made(value));
        };
        let mut origin = Map::default();
        let parts = [
            ("tracker", Some(run.origin.tracker.as_str())),
            ("reference", Some(run.origin.reference.as_str())),
            ("resolved", run.origin.resolved.as_deref()),
        ];
        for (key, value) in parts {
            if let Some(value) = value {
                put(&mut origin, key, Value::String(value.into()));
            }
        }
        if !run.notes.is_empty() {
            let notes = run.notes.iter().map(|note| Node::text(note.as_str())).collect();
            put(&mut origin, "notes", Value::List(notes));
        }
        put(&mut record, "origin", Value::Map(origin));
        let mut from = Map::default();
        for (ours, theirs) in run.fields_from() {
            put(&mut from, &ours.to_string(), Value::String(theirs.into()));
        }
        if !from.is_empty() {
            put(&mut record, "fields_from", Value::Map(from));
        }
        let mut absent = Vec::new();
        for (field, line) in not_recorded(run).map_or_else(Vec::new, |(_, missing)| missing) {
            let mut one = Map::default();
            put(&mut one, "field", Value::String((*field).into()));
            put(&mut one, "add", Value::String((*line).into()));
            absent.push(Node::made(Value::Map(one)));
        }
        if !absent.is_empty() {
            put(&mut record, "not_recorded", Value::List(absent));
        }
        writeln!(to, "{}", to_text(&Node::made(Value::Map(record)), NotFinite::Text))?;
    }
    Ok(())
}

/// Writes the canonical record for a person: each field, its value, and where it came from.
pub fn show_human(runs: &[Run], style: Style, to: &mut dyn Write) -> io::Result<()> {
    for (number, run) in runs.iter().enumerate() {
        if number > 0 {
            writeln!(to)?;
        }
        one(run, style, to)?;
    }
    Ok(())
}

fn one(run: &Run, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let resolved = run.origin.resolved.as_ref().map(|resolved| format!(", {resolved}")).unwrap_or_default();
    writeln!(
        to,
        "{}  {}",
        style.bold(&clean(run.label())),
        style.dim(&clean(&format!("{} record{resolved}", run.origin.tracker)))
    )?;
    let mut rows = Vec::new();
    for (key, node) in run.record().iter().filter(|(key, _)| !run.is_also_metrics(key)) {
        value(run, node, &Path::of([key]), &mut rows);
    }
    let names = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0).min(40);
    let values = rows.iter().map(|(_, value, _)| width(value)).max().unwrap_or(0).min(46);
    for (name, value, from) in rows {
        let value = cut(&value, style.width.saturating_sub(names + 6).max(20), style.dots());
        let line = format!("  {}  {}", pad(&name, names), pad(&value, values));
        writeln!(to, "{}", format!("{line}  {}", style.dim(&from)).trim_end())?;
    }
    for note in &run.notes {
        writeln!(to, "  {}", style.dim(&clean(note)))?;
    }
    let Some((title, missing)) = not_recorded(run) else { return Ok(()) };
    writeln!(to, "\n  {}", style.dim(&format!("not recorded by {title}; to add it in training:")))?;
    let names = missing.iter().map(|(field, _)| width(field)).max().unwrap_or(0);
    for (field, line) in missing {
        writeln!(to, "  {}  {line}", pad(field, names))?;
    }
    Ok(())
}

/// The tracker's name, and each field that it did not record, with the line that would add it.
fn not_recorded(run: &Run) -> Option<(&'static str, Vec<&'static (&'static str, &'static str)>)> {
    let tracker = source::tracker(&run.origin.tracker)?;
    let absent = |field: &str| {
        FieldPath::parse(field).is_ok_and(|path| run.find(&path).iter().all(|field| field.node.is_none()))
    };
    let missing: Vec<_> = tracker.advice.iter().filter(|(field, _)| absent(field)).collect();
    (!missing.is_empty()).then_some((tracker.title, missing))
}

fn fields(run: &Run, map: &Map, at: &Path, rows: &mut Vec<(String, String, String)>) {
    for (key, node) in map.iter() {
        value(run, node, &at.key(key), rows);
    }
}

fn value(run: &Run, node: &Node, path: &Path, rows: &mut Vec<(String, String, String)>) {
    match &node.value {
        Value::Map(map) if !map.is_empty() => fields(run, map, path, rows),
        Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Map(_))) => {
            for (index, item) in items.iter().enumerate() {
                value(run, item, &path.index(index), rows);
            }
        }
        Value::List(items) => {
            let items: Vec<&str> = items.iter().map(|item| item.as_written().unwrap_or("…")).collect();
            rows.push((clean(&path.to_string()), clean(&items.join(", ")), place(run, node, path)));
        }
        _ => {
            let written = node.as_written().unwrap_or(if node.is_null() { "null" } else { "{}" });
            rows.push((clean(&path.to_string()), clean(written), place(run, node, path)));
        }
    }
}

/// The line in the file, with the path there if it differs.
fn place(run: &Run, node: &Node, path: &Path) -> String {
    if run.recorded_at(path).is_some() || run.document.text.is_empty() {
        return clean(&run.came_from(path).unwrap_or_default());
    }
    let line = run.document.line_column(node.span.start as usize).0;
    let theirs = run.place(path);
    let from = if theirs == *path { String::new() } else { format!(", from {theirs}") };
    clean(&format!("line {line}{from}"))
}
