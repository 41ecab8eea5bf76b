//! What differs between a candidate and its baseline beside the metrics: what was done differently, next to what came of
//! it.

use std::collections::BTreeSet;

use crate::document::{Map, Node, Path, Segment, Value};
use crate::run::{Run, Sameness, same_value};
use crate::verdict::Difference;

/// Fields that differ in every two runs, or that have a place of their own in the report.
const OWN_PLACE: [&str; 10] = [
    "run_id",
    "name",
    "metrics",
    "slices",
    "created_at",
    "ended_at",
    "origin",
    "fields_from",
    "predictions",
    "recorder",
];

/// Differences that are listed; beyond, nobody reads them.
const MOST: usize = 200;

/// Every field that only one run has, or whose values differ, in the order of the candidate's record.
pub fn differences(candidate: &Run, baseline: &Run) -> Vec<Difference> {
    let mut found = Vec::new();
    maps(candidate.record(), baseline.record(), &Path::root(), &mut found);
    found.retain(|change: &Difference| {
        let first = change.field.split(['.', '[']).next().unwrap_or_default();
        !OWN_PLACE.contains(&first)
    });
    found.truncate(MOST);
    found
}

fn maps(ours: &Map, theirs: &Map, at: &Path, changes: &mut Vec<Difference>) {
    let keys: Vec<&str> = ours.keys().collect();
    let known: BTreeSet<&str> = keys.iter().copied().collect();
    let gone: Vec<&str> = theirs.keys().filter(|key| !known.contains(key)).collect();
    for key in keys.into_iter().chain(gone) {
        nodes(ours.get(key), theirs.get(key), &at.key(key), changes);
    }
}

fn nodes(ours: Option<&Node>, theirs: Option<&Node>, at: &Path, changes: &mut Vec<Difference>) {
    match (ours.map(|node| &node.value), theirs.map(|node| &node.value)) {
        (Some(Value::Map(ours)), Some(Value::Map(theirs))) => maps(ours, theirs, at, changes),
        (Some(Value::Map(ours)), None) => maps(ours, &Map::default(), at, changes),
        (None, Some(Value::Map(theirs))) => maps(&Map::default(), theirs, at, changes),
        (Some(Value::List(ours)), Some(Value::List(theirs))) if named(ours) && named(theirs) => {
            lists(ours, theirs, at, changes);
        }
        _ => {
            let same = match (ours, theirs) {
                (Some(ours), Some(theirs)) => matches!(same_value(at, ours, theirs), Sameness::Same),
                (None, None) => true,
                _ => false,
            };
            if !same {
                let shown = |node: Option<&Node>| node.filter(|node| !node.is_null()).map(Node::brief);
                changes.push(Difference {
                    field: at.to_string(),
                    baseline: shown(theirs),
                    candidate: shown(ours),
                });
            }
        }
    }
}

/// A list of objects, such as datasets, that have names.
fn named(items: &[Node]) -> bool {
    !items.is_empty() && items.iter().all(|item| name(item).is_some())
}

fn name(item: &Node) -> Option<&str> {
    ["name", "role", "path"].iter().find_map(|key| item.get(key)?.as_written())
}

/// Entries are paired by their names, wherever they stand.
fn lists(ours: &[Node], theirs: &[Node], at: &Path, changes: &mut Vec<Difference>) {
    let of = |items: &'_ [Node], wanted: &str| items.iter().position(|item| name(item) == Some(wanted));
    for item in ours {
        let wanted = name(item).unwrap_or_default();
        let path: Path = at.segments().iter().cloned().chain([Segment::Key(wanted.into())]).collect();
        nodes(Some(item), of(theirs, wanted).map(|index| &theirs[index]), &path, changes);
    }
    for item in theirs.iter().filter(|item| of(ours, name(item).unwrap_or_default()).is_none()) {
        let path = at.key(name(item).unwrap_or_default());
        nodes(None, Some(item), &path, changes);
    }
}
