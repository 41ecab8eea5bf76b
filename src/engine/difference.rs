//! Differences between a candidate and its baseline other than metrics: what was done differently, to explain the
//! results.

use std::collections::BTreeSet;

use crate::document::{Map, Node, Path, Segment, Value, to_line};
use crate::run::{Run, Sameness, same_value};
use crate::verdict::Difference;

/// Fields that differ in every two runs, or that have a place of their own in the report.
const OWN_PLACE: [&str; 12] = [
    "run_id",
    "name",
    "metrics",
    "slices",
    "created_at",
    "ended_at",
    "origin",
    "fields_from",
    "not_recorded",
    "predictions",
    "recorder",
    "reproduced",
];

/// How many differences are listed; nobody reads more.
const MOST: usize = 200;

/// A field that only one of two runs has, or whose values differ.
pub(super) struct Changed<'r> {
    pub(super) path: Path,
    pub(super) ours: Option<&'r Node>,
    pub(super) theirs: Option<&'r Node>,
    /// Whether the two are the same can't be told, and why: digests of different algorithms.
    pub(super) not_comparable: Option<String>,
}

/// Every field that only one run has, or whose values differ, in the order of the candidate's record.
pub fn differences(candidate: &Run, baseline: &Run) -> Vec<Difference> {
    let shown = |at: &Path, node: Option<&Node>| node.map(|node| Node::text(in_words(at, node)).brief());
    let mut found: Vec<Difference> = changed(candidate, baseline)
        .into_iter()
        .filter(|change| !OWN_PLACE.contains(&first(&change.path)))
        .map(|change| Difference {
            field: change.path.to_string(),
            baseline: shown(&change.path, change.theirs),
            candidate: shown(&change.path, change.ours),
        })
        .collect();
    found.truncate(MOST);
    found
}

/// The top-level field of a path.
pub(super) fn first(path: &Path) -> &str {
    match path.segments().first() {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}

/// Every field that differs, at any depth.
pub(super) fn changed<'r>(candidate: &'r Run, baseline: &'r Run) -> Vec<Changed<'r>> {
    let mut found = Vec::new();
    maps(Some(candidate.record()), Some(baseline.record()), &Path::root(), &mut found);
    // Numbers of a file of metrics are in its record as they are written, too.
    found.retain(|one| ![candidate, baseline].iter().any(|run| run.is_also_metrics(first(&one.path))));
    found
}

fn maps<'r>(ours: Option<&'r Map>, theirs: Option<&'r Map>, at: &Path, changes: &mut Vec<Changed<'r>>) {
    let keys: Vec<&str> = ours.into_iter().flat_map(Map::keys).collect();
    let known: BTreeSet<&str> = keys.iter().copied().collect();
    let gone: Vec<&str> = theirs.into_iter().flat_map(Map::keys).filter(|key| !known.contains(key)).collect();
    for key in keys.into_iter().chain(gone) {
        let of = |map: Option<&'r Map>| map.and_then(|map| map.get(key));
        nodes(of(ours), of(theirs), &at.key(key), changes);
    }
}

fn nodes<'r>(ours: Option<&'r Node>, theirs: Option<&'r Node>, at: &Path, changes: &mut Vec<Changed<'r>>) {
    let there = |node: Option<&'r Node>| node.filter(|node| !node.is_null());
    let (ours, theirs) = (there(ours), there(theirs));
    match (ours.map(|node| &node.value), theirs.map(|node| &node.value)) {
        (Some(Value::Map(ours)), Some(Value::Map(theirs))) => maps(Some(ours), Some(theirs), at, changes),
        (Some(Value::Map(ours)), None) => maps(Some(ours), None, at, changes),
        (None, Some(Value::Map(theirs))) => maps(None, Some(theirs), at, changes),
        // A metric with details, and the same without.
        (Some(Value::Map(details)), Some(_)) if is_metric(at) => {
            nodes(details.get("value"), theirs, &at.key("value"), changes);
            details_of(details, at, |node| (Some(node), None), changes);
        }
        (Some(_), Some(Value::Map(details))) if is_metric(at) => {
            nodes(ours, details.get("value"), &at.key("value"), changes);
            details_of(details, at, |node| (None, Some(node)), changes);
        }
        (Some(Value::List(ours)), Some(Value::List(theirs))) if of_objects(ours) && of_objects(theirs) => {
            lists(ours, theirs, at, changes);
        }
        (None, None) => {}
        _ => {
            let sameness = match (ours, theirs) {
                (Some(ours), Some(theirs)) => same_value(at, ours, theirs),
                _ => Sameness::Different,
            };
            let not_comparable = match sameness {
                Sameness::Same => return,
                Sameness::Different => None,
                Sameness::NotComparable(why) => Some(why),
            };
            changes.push(Changed { path: at.clone(), ours, theirs, not_comparable });
        }
    }
}

fn is_metric(at: &Path) -> bool {
    at.segments().len() == 2 && first(at) == "metrics"
}

/// The details of a metric that has only a value in the other run.
fn details_of<'r>(
    details: &'r Map,
    at: &Path,
    sides: fn(&'r Node) -> (Option<&'r Node>, Option<&'r Node>),
    changes: &mut Vec<Changed<'r>>,
) {
    for (key, node) in details.iter().filter(|(key, _)| *key != "value") {
        let (ours, theirs) = sides(node);
        nodes(ours, theirs, &at.key(key), changes);
    }
}

fn of_objects(items: &[Node]) -> bool {
    items.iter().all(|item| item.as_map().is_some())
}

/// What tells the entries of two lists apart: a key that every one has, each with another value.
fn naming(ours: &[Node], theirs: &[Node]) -> Option<&'static str> {
    let tells_apart = |items: &[Node], key: &str| {
        let names: BTreeSet<&str> = items.iter().filter_map(|item| item.get(key)?.as_written()).collect();
        names.len() == items.len()
    };
    ["name", "role", "path"].into_iter().find(|key| tells_apart(ours, key) && tells_apart(theirs, key))
}

/// Entries are paired by name, in any order; if the names are not unique, by position.
fn lists<'r>(ours: &'r [Node], theirs: &'r [Node], at: &Path, changes: &mut Vec<Changed<'r>>) {
    let Some(key) = naming(ours, theirs) else {
        for index in 0..ours.len().max(theirs.len()) {
            nodes(ours.get(index), theirs.get(index), &at.index(index), changes);
        }
        return;
    };
    let name = |item: &'r Node| item.get(key).and_then(Node::as_written).unwrap_or_default();
    for item in ours {
        let other = theirs.iter().find(|other| name(other) == name(item));
        nodes(Some(item), other, &at.key(name(item)), changes);
    }
    for item in theirs.iter().filter(|item| ours.iter().all(|other| name(other) != name(item))) {
        nodes(None, Some(item), &at.key(name(item)), changes);
    }
}

/// A value in full: a scalar as it is written, a command as a shell would take it, anything else as JSON on one line.
pub(super) fn in_words(at: &Path, node: &Node) -> String {
    if let Some(text) = node.as_written() {
        return text.to_owned();
    }
    let words = node.as_list().filter(|_| first(at) == "command");
    match words.and_then(|words| words.iter().map(Node::as_written).collect::<Option<Vec<_>>>()) {
        Some(words) => shell_words::join(words),
        None => to_line(node),
    }
}
