//! Metrics files, and the names and values in them.

use super::lock::{Hashed, Locked};
use super::values::{broken, parse_any};
use super::{Files, live};
use crate::document::{Diagnostic, Map, Node, Span, Value};
use crate::source::tracked::{with_history, without_places};

/// The metrics in some files. A metric name that several files share gets its file's name as a prefix.
pub(super) fn metrics(
    files: &dyn Files,
    lock: &[Locked],
    names: &[String],
    notes: &mut Vec<String>,
) -> Result<Map, Box<Diagnostic>> {
    let mut found: Vec<(String, String, Node)> = Vec::new();
    for name in names {
        let Some(map) = metric_file(files, lock, name, notes)? else { continue };
        let mut flat = Vec::new();
        flatten(&map, "", &mut flat);
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        // `step` is DVCLive's own counter.
        let is_live = name.ends_with("metrics.json") && !files.matching(&joined_glob(folder))?.is_empty();
        flat.retain(|(metric, _)| !(is_live && metric == "step"));
        for (metric, node) in flat {
            let points = if is_live { live::history(files, folder, &metric)? } else { Vec::new() };
            found.push((name.clone(), metric, with_history(node.value, &points)));
        }
    }
    let mut metrics = Map::default();
    for (file, metric, node) in &found {
        let twice = found.iter().any(|(other, name, _)| name == metric && other != file);
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let name = if twice { format!("{}.{metric}", stem.replace('/', ".")) } else { metric.clone() };
        if metrics.insert(name.as_str(), Span::default(), node.clone()).is_some() {
            return Err(broken(&files.label(file), &format!("two metrics are named `{name}`")));
        }
    }
    Ok(metrics)
}

fn joined_glob(folder: &str) -> String {
    if folder.is_empty() {
        "plots/metrics/**".into()
    } else {
        format!("{}/plots/metrics/**", globset::escape(folder))
    }
}

/// The metrics of one file, read from the working tree or the cache; adds a note if it is in neither.
fn metric_file(
    files: &dyn Files,
    lock: &[Locked],
    name: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Map>, Box<Diagnostic>> {
    if let Some(bytes) = files.read(name)? {
        return named(files, name, bytes, notes);
    }
    let is_it = |out: &&Hashed| out.path == name || name.starts_with(&format!("{}/", out.path));
    let out = lock.iter().flat_map(|locked| &locked.outs).find(is_it);
    let Some((hash, is_folder, md5)) = out.and_then(Hashed::parts) else {
        notes.push(format!("the metrics file `{name}` is missing, and no stage wrote it"));
        return Ok(None);
    };
    if !is_folder && let Some(bytes) = files.cached(hash, md5)? {
        return named(files, name, bytes, notes);
    }
    let label = files.label(name);
    let path = label.rsplit(':').next().unwrap_or(name);
    notes.push(format!(
        "`{name}` is recorded but not fetched: run `dvc pull {path}`, or write it with `cache: false`"
    ));
    Ok(None)
}

/// The metrics in a file's contents. A single number is named after its file; lists and text are skipped with a note.
fn named(
    files: &dyn Files,
    name: &str,
    bytes: Vec<u8>,
    notes: &mut Vec<String>,
) -> Result<Option<Map>, Box<Diagnostic>> {
    let node = parse_any(&files.label(name), name, bytes)?;
    Ok(match node.value {
        Value::Map(map) => Some(map),
        Value::Null => None,
        Value::Number(_) | Value::NotFinite(_) => {
            let file = name.rsplit('/').next().unwrap_or(name);
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            let mut map = Map::default();
            map.insert(stem, Span::default(), node);
            Some(map)
        }
        other => {
            notes
                .push(format!("`{name}` is {}, and not names with numbers, so it is left out", other.sort()));
            None
        }
    })
}

/// Joins nested names with dots, and leaves out lists and nulls, as DVC does.
fn flatten(map: &Map, prefix: &str, flat: &mut Vec<(String, Node)>) {
    for (key, node) in map.iter() {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match &node.value {
            Value::Map(below) => flatten(below, &name, flat),
            Value::List(_) | Value::Null => {}
            _ => flat.push((name, without_places(node))),
        }
    }
}
