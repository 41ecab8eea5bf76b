//! A run record in canonical form, and where each field came from.

use std::io::{self, Write};

use super::Style;
use super::text::{clean, cut, pad, width};
use crate::document::{Map, Node, Path, Value};
use crate::run::Run;

/// Writes the canonical record as JSON, with where it was read and what came from where.
pub fn show_json(runs: &[Run], to: &mut dyn Write) -> io::Result<()> {
    for run in runs {
        let mut record = Node::made(Value::Map(run.record().clone())).to_json();
        if let serde_json::Value::Object(map) = &mut record {
            map.insert("origin".into(), serde_json::to_value(&run.origin)?);
            let from: serde_json::Map<String, serde_json::Value> = run
                .moved()
                .iter()
                .map(|(ours, theirs)| (ours.to_string(), theirs.to_string().into()))
                .collect();
            if !from.is_empty() {
                map.insert("fields_from".into(), from.into());
            }
        }
        serde_json::to_writer_pretty(&mut *to, &record)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes the canonical record for a person: each field, its value, and where it stood.
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
    fields(run, run.record(), &Path::root(), &mut rows);
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
    Ok(())
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

/// The line of the file, and the path there where it is another.
fn place(run: &Run, node: &Node, path: &Path) -> String {
    let line = run.document.line_column(node.span.start as usize).0;
    let theirs = run.place(path);
    let from = if theirs == *path { String::new() } else { format!(", from {theirs}") };
    if run.document.text.is_empty() {
        clean(from.trim_start_matches(", "))
    } else {
        clean(&format!("line {line}{from}"))
    }
}
