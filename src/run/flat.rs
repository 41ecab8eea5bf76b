//! Files that contain nothing but metrics, as most training scripts write: `{"accuracy": 0.91, "f1": 0.88}`.

use super::Moment;
use crate::document::{Map, Node, Path, Span, Value};

/// Fields of a run record that a file of metrics may also have.
const IDENTITY: [&str; 12] = [
    "run_id",
    "name",
    "model",
    "status",
    "seed",
    "git_commit",
    "git_branch",
    "git_dirty",
    "data_version",
    "created_at",
    "ended_at",
    "source",
];
/// Numbers that say where in training something was measured, and not how good it was.
const POSITIONS: [&str; 6] = ["epoch", "step", "global_step", "iteration", "iter", "timestamp"];
/// Keys that may say when it was measured, if there is no `created_at`.
const TIMES: [&str; 4] = ["timestamp", "datetime", "date", "time"];
/// How deep groups can nest: a report of an evaluation in several parts has three levels.
const MAX_DEPTH: usize = 4;
/// Names that a note lists.
const MAX_LISTED: usize = 6;

/// What happened to the numbers in a document that has no `metrics`.
pub(super) enum Flat {
    /// They are metrics now.
    Read,
    /// They stay where they are, for this reason.
    Left(String),
    /// There are no numbers.
    None,
}

/// Copies the numbers at the top of a record, and groups of nothing but numbers, to `metrics`. The originals
/// stay: a schema and `forbid` apply to the record as it was written. `is_known` tells which fields are what
/// their name says; `force` means that the policy declares the whole document to be metrics.
pub(super) fn read(
    record: &mut Map,
    is_known: &dyn Fn(&str) -> bool,
    force: bool,
    moved: &mut Vec<(Path, Path)>,
) -> Flat {
    // Keras and XGBoost return this from training: nothing but lists, with a value for each epoch.
    let is_history = !record.is_empty() && record.iter().all(|(_, node)| is_history(node, 2));
    let measured: Vec<(String, Node)> = record
        .iter()
        .filter(|(key, _)| !is_known(key) && !POSITIONS.contains(key))
        .map(|(key, node)| (key.to_owned(), if is_history { last_of_history(node) } else { node.clone() }))
        .filter(|(_, node)| is_measured(node, MAX_DEPTH))
        .collect();
    if measured.is_empty() {
        return Flat::None;
    }
    let of_a_record = record.keys().find(|key| is_known(key) && !IDENTITY.contains(key));
    if let (Some(key), false) = (of_a_record, force) {
        let names: Vec<&str> = measured.iter().take(MAX_LISTED).map(|(key, _)| &**key).collect();
        return Flat::Left(format!(
            "`{key}` makes this a run record, so the numbers beside it are not read as metrics ({}); write them below \
             `metrics`, or declare it in the policy: `fields: {{ metrics: \"\" }}`",
            names.join(", ")
        ));
    }
    let mut metrics = Map::default();
    for (key, node) in measured {
        let span = record.entry(&key).map_or(node.span, |entry| entry.key);
        metrics.insert(key, span, node);
    }
    moved.push((Path::of(["metrics"]), Path::root()));
    record.insert("metrics", Span::default(), Node::made(Value::Map(metrics)));
    if record.get("created_at").is_none()
        && let Some(key) = TIMES.into_iter().find(|key| is_time(record.get(key)))
        && let Some(node) = record.get(key).cloned()
    {
        record.insert("created_at", node.span, node);
        moved.push((Path::of(["created_at"]), Path::of([key])));
    }
    Flat::Read
}

fn is_time(node: Option<&Node>) -> bool {
    matches!(node.map(|node| &node.value), Some(Value::String(text)) if Moment::parse(text).is_ok())
}

/// Whether it is a list of numbers, or a group of nothing else.
fn is_history(node: &Node, depth: usize) -> bool {
    let is_number = |node: &Node| matches!(node.value, Value::Number(_) | Value::NotFinite(_));
    match &node.value {
        Value::List(items) => !items.is_empty() && items.iter().all(is_number),
        Value::Map(map) if depth > 0 => {
            !map.is_empty() && map.iter().all(|(_, node)| is_history(node, depth - 1))
        }
        _ => false,
    }
}

/// The last value of each list.
fn last_of_history(node: &Node) -> Node {
    let mut node = node.clone();
    match &mut node.value {
        Value::List(items) => items.pop().unwrap_or(node),
        Value::Map(map) => {
            map.values_mut().for_each(|below| *below = last_of_history(below));
            node
        }
        _ => node,
    }
}

/// Whether it is a number, a number with details beside it, or a group of nothing else.
fn is_measured(node: &Node, depth: usize) -> bool {
    match &node.value {
        Value::Number(_) | Value::NotFinite(_) => true,
        Value::Map(map) if depth > 0 => match map.get("value") {
            Some(value) => is_measured(value, 0),
            None => !map.is_empty() && map.iter().all(|(_, node)| is_measured(node, depth - 1)),
        },
        _ => false,
    }
}
