//! Finds the values of a field path in a record.

use super::field_path::index_of;
use super::record::{Run, written};
use super::{FieldPath, Step};
use crate::document::{Map, Node, Path, Segment, Value};

/// One value that a [`FieldPath`] matches.
#[derive(Debug, Clone)]
pub struct Field<'r> {
    /// Its path in the canonical record; of what is absent, the path where it would be.
    pub path: Path,
    /// The value; `None` when there is none, or when it is null.
    pub node: Option<&'r Node>,
    /// The path asks for elements of a list, and there were none that fit.
    pub none_matched: bool,
}

impl Run {
    /// Every value that `path` matches; never empty. Below `metrics`, the longest existing name is used, since a
    /// metric's name may contain dots. `[]` on a single object means that object, as if it were a list of one.
    pub fn find(&self, path: &FieldPath) -> Vec<Field<'_>> {
        let mut found = Vec::new();
        descend(&Position::root(&self.record), path.steps(), &mut found);
        found
    }

    /// Every value that a reader could take for one at `path`; empty where there is none. Groups of metrics count,
    /// and so do elements and entries on the way: `tags.customer` is there in `[{"customer": …}]` as well.
    pub fn find_anywhere(&self, path: &FieldPath) -> Vec<Field<'_>> {
        let mut found = Vec::new();
        anywhere(&Position::root(&self.record), path.steps(), &mut found);
        found
    }
}

/// Where a search is: at the record itself, or at a node in it.
struct Position<'r> {
    at: Path,
    node: Option<&'r Node>,
    map: Option<&'r Map>,
}

impl<'r> Position<'r> {
    fn root(record: &'r Map) -> Self {
        Self { at: Path::root(), node: None, map: Some(record) }
    }

    fn of(at: Path, node: &'r Node) -> Self {
        Self { at, node: Some(node), map: node.as_map() }
    }

    fn is_metrics(&self) -> bool {
        matches!(self.at.segments(), [Segment::Key(key)] if &**key == "metrics")
    }

    fn items(&self) -> &'r [Node] {
        match self.node {
            Some(Node { value: Value::List(items), .. }) => items,
            // A single object where a list is asked for is a list of one.
            Some(node @ Node { value: Value::Map(_), .. }) => std::slice::from_ref(node),
            _ => &[],
        }
    }

    /// One of [`Self::items`].
    fn item(&self, index: usize, node: &'r Node) -> Self {
        let is_list = matches!(self.node, Some(Node { value: Value::List(_), .. }));
        Self::of(if is_list { self.at.index(index) } else { self.at.clone() }, node)
    }
}

fn fits(step: &Step, item: &Node) -> bool {
    match step {
        Step::Where { key, value } => written(item, key).is_some_and(|text| text == &**value),
        _ => true,
    }
}

fn descend<'r>(position: &Position<'r>, steps: &[Step], found: &mut Vec<Field<'r>>) {
    let Some((step, rest)) = steps.split_first() else {
        let node = position.node.filter(|node| !node.is_null());
        found.push(Field { path: position.at.clone(), node, none_matched: false });
        return;
    };
    let absent = || Field { path: would_be(&position.at, steps), node: None, none_matched: false };
    let element = |index: usize| {
        let node = position.node.and_then(Node::as_list).and_then(|items| items.get(index))?;
        Some(Position::of(position.at.index(index), node))
    };
    match step {
        Step::Key(key) => {
            if let (true, Some(map)) = (position.is_metrics(), position.map)
                && let Some((name, node, used)) = longest_name(map, steps)
            {
                return descend(&Position::of(position.at.key(name), node), &steps[used..], found);
            }
            let below = position.map.and_then(|map| map.get(key));
            let below = below.map(|node| Position::of(position.at.key(key), node));
            match below.or_else(|| element(index_of(key)?)) {
                Some(below) => descend(&below, rest, found),
                None => found.push(absent()),
            }
        }
        Step::Index(index) => match element(*index) {
            Some(below) => descend(&below, rest, found),
            None => found.push(absent()),
        },
        Step::Each | Step::Where { .. } => {
            let mut any = false;
            for (index, item) in position.items().iter().enumerate().filter(|(_, item)| fits(step, item)) {
                any = true;
                descend(&position.item(index, item), rest, found);
            }
            if !any {
                found.push(Field { path: position.at.clone(), node: None, none_matched: true });
            }
        }
    }
}

/// [`descend`] by every reading of the path; what is absent is not found.
fn anywhere<'r>(position: &Position<'r>, steps: &[Step], found: &mut Vec<Field<'r>>) {
    let Some((step, rest)) = steps.split_first() else {
        if let Some(node) = position.node.filter(|node| !node.is_null()) {
            found.push(Field { path: position.at.clone(), node: Some(node), none_matched: false });
        }
        return;
    };
    let list = position.node.and_then(Node::as_list).unwrap_or_default();
    match step {
        Step::Key(key) => {
            if let (true, Some(map)) = (position.is_metrics(), position.map) {
                return metrics(position, map, steps, found);
            }
            if let Some(node) = position.map.and_then(|map| map.get(key)) {
                anywhere(&Position::of(position.at.key(key), node), rest, found);
            }
            for (index, item) in list.iter().enumerate() {
                let below = Position::of(position.at.index(index), item);
                // Tags may be a list of names.
                let is_name = rest.is_empty() && item.as_written() == Some(&**key);
                if is_name || index_of(key) == Some(index) {
                    anywhere(&below, rest, found);
                } else {
                    anywhere(&below, steps, found);
                }
            }
        }
        Step::Index(index) => {
            if let Some(item) = list.get(*index) {
                anywhere(&Position::of(position.at.index(*index), item), rest, found);
            }
        }
        Step::Each | Step::Where { .. } => {
            for (index, item) in position.items().iter().enumerate().filter(|(_, item)| fits(step, item)) {
                anywhere(&position.item(index, item), rest, found);
            }
            for (key, node) in
                position.map.into_iter().flat_map(Map::iter).filter(|(_, node)| fits(step, node))
            {
                anywhere(&Position::of(position.at.key(key), node), rest, found);
            }
        }
    }
}

/// The metrics of a name, and those of the group of that name, whose names begin with it and a dot.
fn metrics<'r>(position: &Position<'r>, map: &'r Map, steps: &[Step], found: &mut Vec<Field<'r>>) {
    if let Some((name, node, used)) = longest_name(map, steps) {
        anywhere(&Position::of(position.at.key(name), node), &steps[used..], found);
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
        found.push(Field { path: position.at.key(name), node: Some(node), none_matched: false });
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
