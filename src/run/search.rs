//! Finds the values of a field path in a record.

use super::field_path::index_of;
use super::record::{Run, written};
use super::{FieldPath, Step};
use crate::document::{Map, Node, Path, Segment};

/// One value that a [`FieldPath`] matches.
#[derive(Debug, Clone)]
pub struct Field<'r> {
    /// Its path in the canonical record; for an absent value, where it would be.
    pub path: Path,
    /// The value; `None` if it is absent or null.
    pub node: Option<&'r Node>,
    /// Whether the path asks for elements of a list, and none matched.
    pub none_matched: bool,
}

impl Run {
    /// Every value that `path` matches; never empty. Below `metrics`, the longest existing name is used, since a
    /// metric's name may contain dots. `[]` on a single object means that object, as if it were a list of one.
    pub fn find(&self, path: &FieldPath) -> Vec<Field<'_>> {
        // The common case: a few keys that exist.
        if let Some(plain) = path.as_path().filter(|_| path.first_key() != "metrics")
            && let Some(node) = self.get(plain)
        {
            return vec![Field { path: plain.clone(), node: Some(node), none_matched: false }];
        }
        let mut search = Search::default();
        search.descend(Position::root(&self.record), path.steps());
        search.found
    }

    /// Every value that a reader could take for one at `path`; empty if there is none. Groups of metrics
    /// count, and so do elements and entries on the way: `tags.customer` also matches `[{"customer": …}]`.
    pub fn find_anywhere(&self, path: &FieldPath) -> Vec<Field<'_>> {
        let mut search = Search::default();
        search.anywhere(Position::root(&self.record), path.steps());
        search.found
    }
}

/// A position in the record: the record itself, or a node in it.
#[derive(Clone, Copy)]
struct Position<'r> {
    node: Option<&'r Node>,
    map: Option<&'r Map>,
}

impl<'r> Position<'r> {
    fn root(record: &'r Map) -> Self {
        Self { node: None, map: Some(record) }
    }

    fn of(node: &'r Node) -> Self {
        Self { node: Some(node), map: node.as_map() }
    }

    fn list(self) -> Option<&'r [Node]> {
        self.node.and_then(Node::as_list)
    }

    fn element(self, index: usize) -> Option<(Segment, &'r Node)> {
        Some((Segment::Index(index), self.list()?.get(index)?))
    }

    /// The elements that a step matches, each with the step to it. Where a list is asked for, a single object
    /// counts as a list of one, and takes no step.
    fn items(self, step: &Step) -> impl Iterator<Item = (Option<Segment>, &'r Node)> {
        let single = self.map.and(self.node).filter(|node| fits(step, node));
        let items = self.list().unwrap_or_default().iter().enumerate();
        let items = items.filter(|(_, item)| fits(step, item));
        let items = items.map(|(index, item)| (Some(Segment::Index(index)), item));
        single.map(|node| (None, node)).into_iter().chain(items)
    }
}

fn fits(step: &Step, item: &Node) -> bool {
    match step {
        Step::Where { key, value } => written(item, key).is_some_and(|text| text == &**value),
        _ => true,
    }
}

/// A walk down a record.
#[derive(Default)]
struct Search<'r> {
    at: Path,
    found: Vec<Field<'r>>,
}

impl<'r> Search<'r> {
    /// Goes one step down while `look` runs.
    fn below(&mut self, step: Option<Segment>, node: &'r Node, look: impl FnOnce(&mut Self, Position<'r>)) {
        let took_step = step.is_some();
        if let Some(step) = step {
            self.at.push(step);
        }
        look(self, Position::of(node));
        if took_step {
            self.at.pop();
        }
    }

    fn found(&mut self, node: Option<&'r Node>) {
        self.found.push(Field { path: self.at.clone(), node, none_matched: false });
    }

    fn is_in_metrics(&self) -> bool {
        matches!(self.at.segments(), [Segment::Key(key)] if key == "metrics")
    }

    fn descend(&mut self, position: Position<'r>, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else {
            return self.found(position.node.filter(|node| !node.is_null()));
        };
        let below = match step {
            Step::Key(key) => {
                if let (true, Some(map)) = (self.is_in_metrics(), position.map)
                    && let Some((name, node, used)) = longest_name(map, steps)
                {
                    let name = Some(Segment::Key(name.into()));
                    return self.below(name, node, |search, at| search.descend(at, &steps[used..]));
                }
                let of_key = position.map.and_then(|map| map.get(key));
                let of_key = of_key.map(|node| (Segment::Key(key.clone()), node));
                of_key.or_else(|| position.element(index_of(key)?))
            }
            Step::Index(index) => position.element(*index),
            Step::Each | Step::Where { .. } => {
                let mut any = false;
                for (at, item) in position.items(step) {
                    any = true;
                    self.below(at, item, |search, at| search.descend(at, rest));
                }
                if !any {
                    self.found.push(Field { path: self.at.clone(), node: None, none_matched: true });
                }
                return;
            }
        };
        match below {
            Some((at, node)) => self.below(Some(at), node, |search, at| search.descend(at, rest)),
            None => {
                let path = would_be(&self.at, steps);
                self.found.push(Field { path, node: None, none_matched: false });
            }
        }
    }

    /// Like [`Self::descend`], but tries every reading of the path, and skips what is absent.
    fn anywhere(&mut self, position: Position<'r>, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else {
            if let Some(node) = position.node.filter(|node| !node.is_null()) {
                self.found(Some(node));
            }
            return;
        };
        match step {
            Step::Key(key) => {
                if let (true, Some(map)) = (self.is_in_metrics(), position.map) {
                    return self.metrics(map, steps);
                }
                if let Some(node) = position.map.and_then(|map| map.get(key)) {
                    let key = Some(Segment::Key(key.clone()));
                    self.below(key, node, |search, at| search.anywhere(at, rest));
                }
                for (index, item) in position.list().unwrap_or_default().iter().enumerate() {
                    // Tags may be a list of names.
                    let is_name = rest.is_empty() && item.as_written() == Some(&**key);
                    let steps = if is_name || index_of(key) == Some(index) { rest } else { steps };
                    let index = Some(Segment::Index(index));
                    self.below(index, item, |search, at| search.anywhere(at, steps));
                }
            }
            Step::Index(index) => {
                if let Some((at, item)) = position.element(*index) {
                    self.below(Some(at), item, |search, at| search.anywhere(at, rest));
                }
            }
            Step::Each | Step::Where { .. } => {
                for (at, item) in position.items(step) {
                    self.below(at, item, |search, at| search.anywhere(at, rest));
                }
                let entries = position.map.into_iter().flat_map(Map::iter);
                for (key, node) in entries.filter(|(_, node)| fits(step, node)) {
                    let key = Some(Segment::Key(key.into()));
                    self.below(key, node, |search, at| search.anywhere(at, rest));
                }
            }
        }
    }

    /// The metric of a name, and the metrics whose names begin with that name and a dot.
    fn metrics(&mut self, map: &'r Map, steps: &[Step]) {
        if let Some((name, node, used)) = longest_name(map, steps) {
            let name = Some(Segment::Key(name.into()));
            self.below(name, node, |search, at| search.anywhere(at, &steps[used..]));
        }
        let keys: Option<Vec<&str>> = steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(&**key),
                _ => None,
            })
            .collect();
        let Some(group) = keys.map(|keys| format!("{}.", keys.join("."))) else { return };
        for (name, node) in map.iter().filter(|(name, node)| name.starts_with(&group) && !node.is_null()) {
            let name = Some(Segment::Key(name.into()));
            self.below(name, node, |search, _| search.found(Some(node)));
        }
    }
}

/// The longest run of steps that, joined by dots, is the name of a metric.
fn longest_name<'r>(metrics: &'r Map, steps: &[Step]) -> Option<(&'r str, &'r Node, usize)> {
    let mut name = String::new();
    let mut longest = None;
    for (index, step) in steps.iter().enumerate() {
        let Step::Key(key) = step else { break };
        if index > 0 {
            name.push('.');
        }
        name.push_str(key);
        if let Some((key, node)) = metrics.key_value(&name) {
            longest = Some((key, node, index + 1));
        }
    }
    longest
}

fn would_be(at: &Path, steps: &[Step]) -> Path {
    let rest: Vec<Segment> = steps
        .iter()
        .map_while(|step| match step {
            Step::Key(key) => Some(Segment::Key(key.clone())),
            Step::Index(index) => Some(Segment::Index(*index)),
            Step::Each | Step::Where { .. } => None,
        })
        .collect();
    at.join(&rest)
}
