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
}

impl FieldMap {
    /// Fills the canonical fields of `root`; gives back what came from where.
    pub(super) fn apply(
        &self,
        root: &mut Map,
        document: &Arc<Document>,
    ) -> Result<Vec<(Path, Path)>, Box<Diagnostic>> {
        let mut moved = Vec::new();
        for (ours, theirs) in &self.fields {
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
            if let Some((from, node)) = found {
                put(root, ours.segments(), node);
                moved.push((ours.clone(), from));
            }
        }
        Ok(moved)
    }
}

fn follow<'r>(root: &'r Map, path: &FieldPath) -> Option<(Path, &'r Node)> {
    let mut steps = path.steps().iter();
    let Some(Step::Key(first)) = steps.next() else { return None };
    let mut node = root.get(first)?;
    let mut at = Path::of([first]);
    for step in steps {
        (at, node) = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => (at.key(key), map.get(key)?),
            (Step::Index(index), Value::List(items)) => (at.index(*index), items.get(*index)?),
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
