//! What differs between a candidate and its baseline beside the metrics: what was done differently, next to what came of
//! it.

use std::collections::BTreeSet;

use crate::document::{Map, Node, Path, Segment, Value};
use crate::run::{Run, Sameness, same_value};
use crate::verdict::Difference;

/// Fields that differ in every two runs, or that have a place of their own in the report.
const OWN_PLACE: [&str; 11] = [
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
];

/// Differences that are listed; beyond, nobody reads them.
const MOST: usize = 200;

/// A field that only one of two runs has, or whose values differ.
pub(super) struct Changed<'r> {
    pub(super) path: Path,
    pub(super) ours: Option<&'r Node>,
    pub(super) theirs: Option<&'r Node>,
}

/// Every field that only one run has, or whose values differ, in the order of the candidate's record.
pub fn differences(candidate: &Run, baseline: &Run) -> Vec<Difference> {
    let shown = |node: Option<&Node>| node.map(Node::brief);
    let mut found: Vec<Difference> = changed(candidate, baseline)
        .into_iter()
        .filter(|change| !OWN_PLACE.contains(&first(&change.path)))
        .map(|change| Difference {
            field: change.path.to_string(),
            baseline: shown(change.theirs),
            candidate: shown(change.ours),
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

/// Every field that differs, wherever it stands.
pub(super) fn changed<'r>(candidate: &'r Run, baseline: &'r Run) -> Vec<Changed<'r>> {
    let mut found = Vec::new();
    maps(Some(candidate.record()), Some(baseline.record()), &Path::root(), &mut found);
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
    match (ours.map(|node| &node.value), theirs.map(|node| &node.value)) {
        (Some(Value::Map(ours)), Some(Value::Map(theirs))) => maps(Some(ours), Some(theirs), at, changes),
        (Some(Value::Map(ours)), None) => maps(Some(ours), None, at, changes),
        (None, Some(Value::Map(theirs))) => maps(None, Some(theirs), at, changes),
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
                let there = |node: Option<&'r Node>| node.filter(|node| !node.is_null());
                changes.push(Changed { path: at.clone(), ours: there(ours), theirs: there(theirs) });
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
fn lists<'r>(ours: &'r [Node], theirs: &'r [Node], at: &Path, changes: &mut Vec<Changed<'r>>) {
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
