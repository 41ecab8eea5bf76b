//! Records of another shape: a policy's `fields:` map.

use std::sync::Arc;

use super::{FIELDS_DISAGREE, FieldPath, Step};
use crate::document::{Diagnostic, Document, Map, Node, Path, Segment, Value};

/// Where the canonical fields stand in records of another shape: left is ours, right is theirs, and several on the
/// right are tried in turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldMap {
    /// Each canonical path with the paths at which its value may stand.
    pub fields: Vec<(Path, Vec<FieldPath>)>,
    /// Words that mean, as a `status`, that a run finished, beside those that always do.
    pub finished: Vec<String>,
    /// Where a file holds several records.
    pub each: Option<Each>,
}

/// Where a file holds several records: in a list, or by their names in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Each {
    /// The list or the object.
    pub path: FieldPath,
    /// Where each says its model; in an object without it, its name is the model.
    pub model: Option<FieldPath>,
}

/// What became of the fields of a record.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Canonical paths, and where their values came from.
    pub(super) moved: Vec<(Path, Path)>,
    /// Canonical paths of which none of the other paths leads to anything, with these.
    pub(super) nowhere: Vec<(Path, String)>,
    /// The whole document is metrics.
    pub(super) all_metrics: bool,
}

impl FieldMap {
    /// Fills the canonical fields of `root`; gives back what came from where.
    pub(super) fn apply(&self, root: &mut Map, document: &Arc<Document>) -> Result<Applied, Box<Diagnostic>> {
        let mut applied = Applied::default();
        for (ours, theirs) in &self.fields {
            if theirs.iter().any(FieldPath::is_whole) {
                applied.all_metrics = true;
                continue;
            }
            let mut found: Option<(Path, Node)> = None;
            for path in theirs {
                let Some((path, node)) = follow(root, path) else { continue };
                if node.is_null() {
                    continue;
                }
                match &found {
                    None => found = Some((path, node.clone())),
                    Some((first, value)) if !super::equal::identical(value, node) => {
                        return Err(Diagnostic::new(
                            FIELDS_DISAGREE,
                            format!("`{ours}` is mapped to `{first}` and to `{path}`, and they differ"),
                        )
                        .at(document, node.span, "another value")
                        .also(document, value.span, "one value")
                        .help("name one of them in `fields:`")
                        .boxed());
                    }
                    Some(_) => {}
                }
            }
            match found {
                Some((from, node)) => {
                    put(root, ours.segments(), node);
                    applied.moved.push((ours.clone(), from));
                }
                None => {
                    let written: Vec<String> = theirs.iter().map(|path| format!("`{path}`")).collect();
                    applied.nowhere.push((ours.clone(), written.join(", ")));
                }
            }
        }
        Ok(applied)
    }
}

/// The elements of the list or the object at a path of a document, each with its name in an object.
pub fn elements<'n>(root: &'n Node, path: &FieldPath) -> Option<Vec<(Option<&'n str>, &'n Node)>> {
    let at = match (path.is_whole(), &root.value) {
        (true, _) => root,
        (false, Value::Map(map)) => follow(map, path)?.1,
        (false, _) => return None,
    };
    match &at.value {
        Value::List(items) => Some(items.iter().map(|item| (None, item)).collect()),
        Value::Map(map) => Some(map.iter().map(|(key, node)| (Some(key), node)).collect()),
        _ => None,
    }
}

pub(super) fn follow<'r>(root: &'r Map, path: &FieldPath) -> Option<(Path, &'r Node)> {
    let mut steps = path.steps().iter();
    let Some(Step::Key(first)) = steps.next() else { return None };
    let mut node = root.get(first)?;
    let mut at = Path::of([first]);
    for step in steps {
        (at, node) = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => (at.key(key), map.get(key)?),
            (Step::Index(index), Value::List(items)) => (at.index(*index), items.get(*index)?),
            // A JSON Pointer writes the number of an element like a key.
            (Step::Key(key), Value::List(items)) => {
                let index = pointer_index(key)?;
                (at.index(index), items.get(index)?)
            }
            (Step::Where { key, value }, Value::List(items)) => {
                let index = items.iter().position(|item| {
                    item.get(key).and_then(Node::as_written).is_some_and(|text| text == &**value)
                })?;
                (at.index(index), &items[index])
            }
            _ => return None,
        };
    }
    Some((at, node))
}

/// The number of an element, as a JSON Pointer (RFC 6901, section 4) writes it: digits, without zeros in front.
pub(super) fn pointer_index(key: &str) -> Option<usize> {
    let is_index = key == "0" || !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
    key.parse().ok().filter(|_| is_index)
}

fn put(map: &mut Map, path: &[Segment], node: Node) {
    let Some((Segment::Key(key), rest)) = path.split_first() else { return };
    if rest.is_empty() {
        map.insert(key.clone(), node.span, node);
        return;
    }
    if !map.get(key).is_some_and(|below| matches!(below.value, Value::Map(_))) {
        map.insert(key.clone(), node.span, Node { value: Value::Map(Map::default()), span: node.span });
    }
    if let Some(Value::Map(below)) = map.get_mut(key).map(|below| &mut below.value) {
        put(below, rest, node);
    }
}
