//! A policy's `fields:` map, for records with another layout.

use std::sync::Arc;

use super::field_path::index_of;
use super::{FIELDS_DISAGREE, FieldPath, Step, shape};
use crate::document::{Diagnostic, Document, Map, Node, Path, Segment, Value};

/// Where the canonical fields are in records with another layout: our field is on the left, theirs on the right;
/// several on the right are tried in turn. The order of the fields does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldMap {
    /// Each canonical path with the paths at which its value may be.
    pub fields: Vec<(Path, Vec<FieldPath>)>,
    /// Values of `status` that mean that a run finished, besides the ones that always do.
    pub finished: Vec<String>,
    /// How to find the records in a file with several.
    pub each: Option<Each>,
}

/// How to find the records in a file with several: in a list, or by name in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Each {
    /// The list or the object.
    pub path: FieldPath,
    /// Where each record names its model. Without this, its name in an object is the model.
    pub model: Option<FieldPath>,
    /// Where the document names the model of the only record to read: `best_model`.
    pub only: Option<FieldPath>,
}

/// The changes that a map made to a record.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Each canonical path that was filled, with where its value was.
    pub(super) moved: Vec<(Path, Path)>,
    /// Canonical paths that were not found, each with the paths that were tried.
    pub(super) nowhere: Vec<(Path, String)>,
    /// The whole document is metrics.
    pub(super) all_metrics: bool,
    /// Notes: values of the record that the map replaced.
    pub(super) notes: Vec<String>,
}

/// Whether the map must not replace this field of a record: a run that failed must not become one that
/// finished, and no number may hide another. A policy may replace numbers that a tracker's reader chose.
fn is_never_replaced(ours: &Path, is_plain: bool) -> bool {
    match first_key(ours) {
        Some("status") => true,
        Some("metrics") => is_plain,
        _ => false,
    }
}

impl FieldMap {
    /// Fills the canonical fields of `root`. Every value is read from the record as written: by a person's
    /// script if it `is_plain`, else by a tracker's reader.
    pub(super) fn apply(
        &self,
        root: &mut Map,
        document: &Arc<Document>,
        is_plain: bool,
    ) -> Result<Applied, Box<Diagnostic>> {
        let mut applied = Applied::default();
        let mut found = Vec::new();
        for (ours, theirs) in &self.fields {
            if theirs.iter().any(FieldPath::is_whole) {
                applied.all_metrics = true;
            } else if let Some((from, node)) = value(root, ours, theirs, document)? {
                found.push((ours, from, node));
            } else {
                let written: Vec<String> = theirs.iter().map(|path| format!("`{path}`")).collect();
                applied.nowhere.push((ours.clone(), written.join(", ")));
            }
        }
        // `metrics` comes before `metrics.f1`, whichever the policy writes first.
        found.sort_by(|(one, ..), (other, ..)| {
            (one.segments().len(), *one).cmp(&(other.segments().len(), *other))
        });
        for (ours, from, node) in &found {
            let own = get(root, ours.segments()).filter(|own| !own.is_null());
            if let Some(own) = own
                && !super::equal::identical(own, node)
            {
                // The entry for the field itself takes precedence over one for its parent.
                let around = applied.moved.iter().find_map(|(known, from)| Some((ours.below(known)?, from)));
                if let Some((rest, theirs)) = around {
                    applied.notes.push(format!(
                        "`fields:` reads `{ours}` from `{from}` ({}); `{}` ({}) is ignored",
                        node.brief(),
                        theirs.join(rest),
                        own.brief()
                    ));
                    put(root, ours.segments(), node.clone());
                    applied.moved.push(((*ours).clone(), from.clone()));
                    continue;
                }
                if is_never_replaced(ours, is_plain) {
                    return Err(disagree(ours, ours, own, from, node, document));
                }
                applied.notes.push(format!(
                    "`fields:` reads `{ours}` from `{from}` ({}); the record's own `{ours}` ({}) is ignored",
                    node.brief(),
                    own.brief()
                ));
            }
            put(root, ours.segments(), node.clone());
            applied.moved.push(((*ours).clone(), from.clone()));
        }
        let filled: Vec<&str> = found.iter().filter_map(|(ours, ..)| first_key(ours)).collect();
        for (_, from, _) in &found {
            applied.notes.extend(set_aside(root, from, &filled));
        }
        Ok(applied)
    }
}

/// The record's value for one canonical field, and its path.
fn value(
    root: &Map,
    ours: &Path,
    theirs: &[FieldPath],
    document: &Arc<Document>,
) -> Result<Option<(Path, Node)>, Box<Diagnostic>> {
    let mut found: Option<(Path, Node)> = None;
    for path in theirs {
        let Some((path, node)) = follow(root, path).filter(|(_, node)| !node.is_null()) else { continue };
        match &found {
            None => found = Some((path, node.clone())),
            Some((first, value)) if !super::equal::identical(value, node) => {
                return Err(disagree(ours, first, value, &path, node, document));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

fn disagree(
    ours: &Path,
    first: &Path,
    one: &Node,
    second: &Path,
    other: &Node,
    document: &Arc<Document>,
) -> Box<Diagnostic> {
    let (message, help) = if first == ours {
        (
            format!(
                "`fields:` reads `{ours}` from `{second}`, but the record has a different `{ours}` of its own"
            ),
            format!("make training write the same value to both, or remove `{ours}` from `fields:`"),
        )
    } else {
        (
            format!("`{ours}` is mapped to `{first}` and to `{second}`, and they differ"),
            "name one of them in `fields:`".to_owned(),
        )
    };
    Diagnostic::new(FIELDS_DISAGREE, message)
        .at(document, other.span, "another value")
        .also(document, one.span, "one value")
        .help(help)
        .boxed()
}

/// A field that the policy maps to another one need not be what its name says: `model` may contain the
/// metrics of the model. Such a field is removed, since a run record can't have it.
fn set_aside(root: &mut Map, from: &Path, filled: &[&str]) -> Option<String> {
    let key = first_key(from).filter(|key| !filled.contains(key))?.to_owned();
    let node = root.get(&key)?;
    let mut alone = Map::default();
    alone.insert(key.as_str(), node.span, node.clone());
    if shape::faults(&alone).is_empty() {
        return None;
    }
    root.remove(&key);
    Some(format!("`{key}` is not usable as the {key} of a run record: it is only used if `fields:` reads it"))
}

fn first_key(path: &Path) -> Option<&str> {
    match path.segments().first() {
        Some(Segment::Key(key)) => Some(key),
        _ => None,
    }
}

fn get<'r>(root: &'r Map, path: &[Segment]) -> Option<&'r Node> {
    let (first, rest) = path.split_first()?;
    let Segment::Key(key) = first else { return None };
    let node = root.get(key)?;
    if rest.is_empty() { Some(node) } else { get(node.as_map()?, rest) }
}

/// The elements of the list or object at a path of a document, each with its name if it is in an object.
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

/// The text at a path of a document.
pub fn text_at<'n>(root: &'n Node, path: &FieldPath) -> Option<&'n str> {
    follow(root.as_map()?, path)?.1.as_written()
}

fn follow<'r>(root: &'r Map, path: &FieldPath) -> Option<(Path, &'r Node)> {
    let mut steps = path.steps().iter();
    let Some(Step::Key(first)) = steps.next() else { return None };
    let mut node = root.get(first)?;
    let mut at = Path::of([first]);
    for step in steps {
        (at, node) = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => (at.key(key), map.get(key)?),
            (Step::Key(key), Value::List(items)) => {
                let index = index_of(key)?;
                (at.index(index), items.get(index)?)
            }
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
