//! Differences between a candidate and its baseline other than metrics: what was done differently, to explain the
//! results.

use std::collections::{BTreeSet, HashMap};

use crate::document::{Map, Node, Path, Segment, Value, to_line};
use crate::run::{Run, Sameness, same_value};
use crate::verdict::Difference;

/// Fields that differ between any two runs, or that the report shows elsewhere.
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

/// The most differences that are listed; nobody reads more.
const MOST: usize = 200;

/// A field that only one of two runs has, or whose values differ.
pub(super) struct Changed<'r> {
    pub(super) path: Path,
    pub(super) ours: Option<&'r Node>,
    pub(super) theirs: Option<&'r Node>,
    /// Why the two can't be compared, such as digests of different algorithms.
    pub(super) not_comparable: Option<String>,
}

/// Every field that only one run has, or whose values differ, in the order of the candidate's record.
pub fn differences(candidate: &Run, baseline: &Run) -> Vec<Difference> {
    let shown = |at: &Path, node: Option<&Node>| node.map(|node| Node::text(in_words(at, node)).brief());
    let mut found: Vec<Difference> = changed_but(&OWN_PLACE, candidate, baseline)
        .into_iter()
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
    changed_but(&[], candidate, baseline)
}

/// Every field that differs, except below some top-level fields.
fn changed_but<'r>(but: &'static [&'static str], candidate: &'r Run, baseline: &'r Run) -> Vec<Changed<'r>> {
    let mut walk = Walk { but, at: Path::root(), found: Vec::new() };
    walk.maps(Some(candidate.record()), Some(baseline.record()));
    // The record of a metrics file has its numbers twice: as metrics and as written.
    walk.found.retain(|one| ![candidate, baseline].iter().any(|run| run.is_also_metrics(first(&one.path))));
    walk.found
}

/// A walk through two records side by side.
struct Walk<'r> {
    /// Top-level fields that are left out.
    but: &'static [&'static str],
    at: Path,
    found: Vec<Changed<'r>>,
}

impl<'r> Walk<'r> {
    fn maps(&mut self, ours: Option<&'r Map>, theirs: Option<&'r Map>) {
        // Records of the same training usually have the same keys in the same order, which avoids a search.
        let mut beside = theirs.into_iter().flat_map(Map::iter);
        let mut in_both = 0;
        for (key, node) in ours.into_iter().flat_map(Map::iter) {
            let other = match beside.next() {
                Some((name, other)) if name == key => Some(other),
                _ => theirs.and_then(|theirs| theirs.get(key)),
            };
            in_both += usize::from(other.is_some());
            self.below(key, Some(node), other);
        }
        if in_both == theirs.map_or(0, Map::len) {
            return;
        }
        for (key, node) in theirs.into_iter().flat_map(Map::iter) {
            if ours.is_none_or(|ours| ours.get(key).is_none()) {
                self.below(key, None, Some(node));
            }
        }
    }

    fn below(&mut self, key: &str, ours: Option<&'r Node>, theirs: Option<&'r Node>) {
        if self.at.segments().is_empty() && self.but.contains(&key) {
            return;
        }
        self.step(Segment::Key(key.into()), ours, theirs);
    }

    fn step(&mut self, segment: Segment, ours: Option<&'r Node>, theirs: Option<&'r Node>) {
        self.at.push(segment);
        self.nodes(ours, theirs);
        self.at.pop();
    }

    fn nodes(&mut self, ours: Option<&'r Node>, theirs: Option<&'r Node>) {
        let there = |node: Option<&'r Node>| node.filter(|node| !node.is_null());
        let (ours, theirs) = (there(ours), there(theirs));
        match (ours.map(|node| &node.value), theirs.map(|node| &node.value)) {
            (Some(Value::Map(ours)), Some(Value::Map(theirs))) => self.maps(Some(ours), Some(theirs)),
            (Some(Value::Map(ours)), None) => self.maps(Some(ours), None),
            (None, Some(Value::Map(theirs))) => self.maps(None, Some(theirs)),
            // A metric with details on one side only.
            (Some(Value::Map(details)), Some(_)) if self.is_metric() => {
                self.below("value", details.get("value"), theirs);
                self.details(details, |node| (Some(node), None));
            }
            (Some(_), Some(Value::Map(details))) if self.is_metric() => {
                self.below("value", ours, details.get("value"));
                self.details(details, |node| (None, Some(node)));
            }
            (Some(Value::List(ours)), Some(Value::List(theirs)))
                if of_objects(ours) && of_objects(theirs) =>
            {
                self.lists(ours, theirs);
            }
            (None, None) => {}
            _ => {
                let sameness = match (ours, theirs) {
                    (Some(ours), Some(theirs)) => same_value(&self.at, ours, theirs),
                    _ => Sameness::Different,
                };
                let not_comparable = match sameness {
                    Sameness::Same => return,
                    Sameness::Different => None,
                    Sameness::NotComparable(why) => Some(why),
                };
                self.found.push(Changed { path: self.at.clone(), ours, theirs, not_comparable });
            }
        }
    }

    fn is_metric(&self) -> bool {
        self.at.segments().len() == 2 && first(&self.at) == "metrics"
    }

    /// The details of a metric that has none in the other run.
    fn details(&mut self, details: &'r Map, sides: fn(&'r Node) -> (Option<&'r Node>, Option<&'r Node>)) {
        for (key, node) in details.iter().filter(|(key, _)| *key != "value") {
            let (ours, theirs) = sides(node);
            self.below(key, ours, theirs);
        }
    }

    /// Pairs entries by name, whatever their order; where names are not unique, by position.
    fn lists(&mut self, ours: &'r [Node], theirs: &'r [Node]) {
        let Some(key) = naming(ours, theirs) else {
            for index in 0..ours.len().max(theirs.len()) {
                self.step(Segment::Index(index), ours.get(index), theirs.get(index));
            }
            return;
        };
        let name = |item: &'r Node| item.get(key).and_then(Node::as_written).unwrap_or_default();
        let by_name = |items: &'r [Node]| -> HashMap<&'r str, &'r Node> {
            items.iter().map(|item| (name(item), item)).collect()
        };
        let (our_names, their_names) = (by_name(ours), by_name(theirs));
        for item in ours {
            self.below(name(item), Some(item), their_names.get(name(item)).copied());
        }
        for item in theirs.iter().filter(|item| !our_names.contains_key(name(item))) {
            self.below(name(item), None, Some(item));
        }
    }
}

fn of_objects(items: &[Node]) -> bool {
    items.iter().all(|item| item.as_map().is_some())
}

/// A key that identifies the entries of both lists: all entries have it, each with another value.
fn naming(ours: &[Node], theirs: &[Node]) -> Option<&'static str> {
    let tells_apart = |items: &[Node], key: &str| {
        let names: BTreeSet<&str> = items.iter().filter_map(|item| item.get(key)?.as_written()).collect();
        names.len() == items.len()
    };
    ["name", "role", "path"].into_iter().find(|key| tells_apart(ours, key) && tells_apart(theirs, key))
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
