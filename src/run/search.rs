//! What a field path leads to in a record.

use super::field_map::pointer_index;
use super::record::{Run, written};
use super::{FieldPath, Step};
use crate::document::{Map, Node, Path, Segment};

/// One value that a [`FieldPath`] leads to.
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
    /// Every value that `path` leads to; never empty. Below `metrics` the longest name that exists counts, since a
    /// metric's name may hold dots.
    pub fn find(&self, path: &FieldPath) -> Vec<Field<'_>> {
        let mut found = Vec::new();
        let root = Place { at: Path::root(), node: None, map: Some(&self.record) };
        descend(&root, path.steps(), &mut found);
        found
    }
}

/// Where a search stands: the record itself, or a node in it.
struct Place<'r> {
    at: Path,
    node: Option<&'r Node>,
    map: Option<&'r Map>,
}

impl<'r> Place<'r> {
    fn of(at: Path, node: &'r Node) -> Self {
        Self { at, node: Some(node), map: node.as_map() }
    }
}

fn descend<'r>(place: &Place<'r>, steps: &[Step], found: &mut Vec<Field<'r>>) {
    let Some((step, rest)) = steps.split_first() else {
        let node = place.node.filter(|node| !node.is_null());
        found.push(Field { path: place.at.clone(), node, none_matched: false });
        return;
    };
    let absent = |none_matched: bool| Field { path: would_be(&place.at, steps), node: None, none_matched };
    match step {
        Step::Key(key) => {
            let in_metrics = place.at == Path::of(["metrics"]);
            if let (true, Some(map)) = (in_metrics, place.map)
                && let Some((name, node, used)) = longest_name(map, steps)
            {
                return descend(&Place::of(place.at.key(name), node), &steps[used..], found);
            }
            if let Some(items) = place.node.and_then(Node::as_list)
                && let Some(index) = pointer_index(key)
                && let Some(node) = items.get(index)
            {
                return descend(&Place::of(place.at.index(index), node), rest, found);
            }
            match place.map.and_then(|map| map.get(key)) {
                Some(node) => descend(&Place::of(place.at.key(key), node), rest, found),
                None => found.push(absent(false)),
            }
        }
        Step::Index(index) => match place.node.and_then(Node::as_list).and_then(|items| items.get(*index)) {
            Some(node) => descend(&Place::of(place.at.index(*index), node), rest, found),
            None => found.push(absent(false)),
        },
        Step::Each | Step::Where { .. } => {
            let items = place.node.and_then(Node::as_list).unwrap_or_default();
            let mut any = false;
            for (index, item) in items.iter().enumerate() {
                let fits = match step {
                    Step::Where { key, value } => written(item, key).is_some_and(|text| text == &**value),
                    _ => true,
                };
                if fits {
                    any = true;
                    descend(&Place::of(place.at.index(index), item), rest, found);
                }
            }
            if !any {
                found.push(Field { path: place.at.clone(), node: None, none_matched: true });
            }
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
