//! The canonical form of what may be written in more than one way: files, and nested metrics.

use std::sync::Arc;

use super::SAME_METRIC_TWICE;
use crate::document::{Diagnostic, Document, Entry, Map, Node, Path, Value};

/// Turns a file that is only a path into an object with `path`.
pub(super) fn canonical_files(record: &mut Map, moved: &mut Vec<(Path, Path)>) {
    // Only what `fields:` moved can match; searching the entries added below would cost a pass per file.
    let by_policy = moved.len();
    let mut one = |node: &mut Node, at: Path| {
        if let Value::String(path) = &node.value {
            let mut file = Map::default();
            file.insert("path", node.span, Node { value: Value::String(path.clone()), span: node.span });
            node.value = Value::Map(file);
            let theirs = moved[..by_policy]
                .iter()
                .rev()
                .find(|(ours, _)| *ours == at)
                .map_or_else(|| at.clone(), |(_, t)| t.clone());
            moved.push((at.key("path"), theirs));
        }
    };
    for field in ["artifact", "predictions"] {
        if let Some(node) = record.get_mut(field) {
            one(node, Path::of([field]));
        }
    }
    if let Some(Value::List(items)) = record.get_mut("artifacts").map(|node| &mut node.value) {
        for (index, item) in items.iter_mut().enumerate() {
            one(item, Path::of(["artifacts"]).index(index));
        }
    }
    if let Some(lockfile) = record.get_mut("environment").and_then(|node| match &mut node.value {
        Value::Map(map) => map.get_mut("lockfile"),
        _ => None,
    }) {
        one(lockfile, Path::of(["environment", "lockfile"]));
    }
}

/// Nested metrics become flat ones: `valid: {f1: 0.8}` is the metric `valid.f1`.
pub(super) fn canonical_metrics(
    record: &mut Map,
    moved: &mut Vec<(Path, Path)>,
    document: &Arc<Document>,
) -> Result<(), Box<Diagnostic>> {
    let Some(Value::Map(metrics)) = record.get_mut("metrics").map(|node| &mut node.value) else {
        return Ok(());
    };
    if !metrics.iter().any(|(_, node)| is_group(node)) {
        return Ok(());
    }
    let root = Path::of(["metrics"]);
    let theirs =
        moved.iter().rev().find(|(ours, _)| *ours == root).map_or_else(|| root.clone(), |(_, t)| t.clone());
    let mut flat = Map::default();
    flatten(std::mem::take(metrics), "", &theirs, &mut flat, moved, document)?;
    *metrics = flat;
    Ok(())
}

/// Whether this is a group of metrics, not one metric with details beside its value.
fn is_group(node: &Node) -> bool {
    node.as_map()
        .is_some_and(|map| !map.is_empty() && map.get("value").is_none() && map.get("values").is_none())
}

fn flatten(
    group: Map,
    prefix: &str,
    theirs: &Path,
    flat: &mut Map,
    moved: &mut Vec<(Path, Path)>,
    document: &Arc<Document>,
) -> Result<(), Box<Diagnostic>> {
    for (key, Entry { key: key_span, node }) in group {
        let name = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
        let from = theirs.key(&key);
        if is_group(&node) {
            if let Value::Map(inner) = node.value {
                flatten(inner, &name, &from, flat, moved, document)?;
            }
            continue;
        }
        if !prefix.is_empty() {
            moved.push((Path::of(["metrics", &name]), from));
        }
        if let Some(first) = flat.insert(name.as_str(), key_span, node) {
            return Err(Diagnostic::new(SAME_METRIC_TWICE, format!("two metrics are named `{name}`"))
                .at(document, key_span, "and again here, once nested names are joined by dots")
                .also(document, first.key, "here first")
                .help("rename one of them")
                .boxed());
        }
    }
    Ok(())
}
