//! The known fields of a run record, and the type of each.
//!
//! The policy decides which fields are required; this only defines the type of each field. Other fields in a record
//! are kept, and can be used by their path.

use super::{Moment, WRONG_SHAPE};
use crate::document::{Diagnostic, Map, Node, Path, Value};

/// The type of a field.
enum Shape {
    /// A name, opaque, as written.
    Text,
    /// Text, or a list of it.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number that counts something.
    Count,
    /// RFC 3339.
    Time,
    /// An object with names of its own.
    Open,
    /// Names with values, or a list of names.
    Tags,
    /// An object with these fields.
    Object(&'static [(&'static str, Shape)]),
    /// A path, or an object with the fields of a file.
    File,
    /// A list of files.
    Files,
    /// A list of objects with these fields.
    List(&'static [(&'static str, Shape)]),
    /// Any value.
    Any,
}

const FILE: &[(&str, Shape)] = &[
    ("path", Shape::Text),
    ("uri", Shape::Text),
    ("digest", Shape::Text),
    ("bytes", Shape::Count),
    ("kind", Shape::Text),
    ("aggregates", Shape::Text),
    ("engine", Shape::Text),
    ("statements", Shape::Text),
];

const RECORD: &[(&str, Shape)] = &[
    ("run_id", Shape::Text),
    ("name", Shape::Text),
    ("model", Shape::Text),
    ("tags", Shape::Tags),
    ("status", Shape::Text),
    ("origin", Shape::Open),
    ("git_commit", Shape::Text),
    ("git_dirty", Shape::Flag),
    ("git_branch", Shape::Text),
    ("command", Shape::Texts),
    ("folder", Shape::Text),
    ("source", Shape::Text),
    ("data_version", Shape::Text),
    (
        "data",
        Shape::List(&[
            ("name", Shape::Text),
            ("role", Shape::Text),
            ("uri", Shape::Text),
            ("path", Shape::Text),
            ("digest", Shape::Text),
            ("rows", Shape::Count),
        ]),
    ),
    (
        "validation",
        Shape::Object(&[
            ("split", Shape::Text),
            ("digest", Shape::Text),
            ("rows", Shape::Count),
            ("strategy", Shape::Text),
            ("folds", Shape::Any),
            ("seed", Shape::Any),
        ]),
    ),
    ("params", Shape::Open),
    ("seed", Shape::Any),
    ("metrics", Shape::Open),
    ("slices", Shape::Open),
    ("predictions", Shape::File),
    ("artifact", Shape::File),
    ("artifacts", Shape::Files),
    (
        "environment",
        Shape::Object(&[
            ("python", Shape::Text),
            ("os", Shape::Text),
            ("hardware", Shape::Any),
            ("container", Shape::Text),
            ("lockfile", Shape::File),
            ("packages", Shape::Any),
            ("variables", Shape::Open),
        ]),
    ),
    ("created_at", Shape::Time),
    ("ended_at", Shape::Time),
    ("reproduced", Shape::Any),
    (
        "recorder",
        Shape::Object(&[("name", Shape::Text), ("version", Shape::Text), ("metrics", Shape::Texts)]),
    ),
    ("fields_from", Shape::Open),
    ("not_recorded", Shape::Open),
];

/// The names of a record's fields, in the order in which they are shown.
pub fn known_fields() -> impl Iterator<Item = &'static str> {
    RECORD.iter().map(|(name, _)| *name)
}

/// The names that can be below a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// Just these.
    These(Vec<&'static str>),
    /// Whatever the run wrote: a parameter, a metric, a tag.
    Any,
    /// No names: it is a single value.
    None,
    /// There is no such field.
    Unknown,
}

/// What can be below a path of keys in the canonical record; an element of a list is written as `[]`.
pub fn fields_below(keys: &[&str]) -> Names {
    let names = |fields: &'static [(&'static str, Shape)]| fields.iter().map(|(name, _)| *name).collect();
    let Some((first, rest)) = keys.split_first() else { return Names::These(names(RECORD)) };
    let Some((_, shape)) = RECORD.iter().find(|(name, _)| name == first) else { return Names::Unknown };
    let mut current = shape;
    let mut rest = rest.iter().peekable();
    loop {
        let in_list = matches!(current, Shape::List(_) | Shape::Files | Shape::Texts | Shape::Tags);
        if in_list {
            match rest.peek() {
                None => return Names::Any,
                Some(&&"[]") => {
                    rest.next();
                }
                Some(_) if matches!(current, Shape::Tags) => return Names::Any,
                Some(_) => return Names::Unknown,
            }
        }
        let fields: &'static [(&'static str, Shape)] = match current {
            Shape::Object(inner) | Shape::List(inner) => inner,
            Shape::File | Shape::Files => FILE,
            Shape::Open | Shape::Any | Shape::Tags => return Names::Any,
            Shape::Text | Shape::Texts | Shape::Flag | Shape::Count | Shape::Time => {
                return if rest.peek().is_none() { Names::None } else { Names::Unknown };
            }
        };
        let Some(next) = rest.next() else { return Names::These(names(fields)) };
        match fields.iter().find(|(name, _)| name == next) {
            Some((_, shape)) => current = shape,
            None => return Names::Unknown,
        }
    }
}

/// Turns names that look like numbers back into text: 1.10 is not 1.1, and `12e4567` is a commit.
pub(super) fn names_as_text(record: &mut Map) {
    text_in(record, RECORD);
}

fn text_in(map: &mut Map, fields: &[(&str, Shape)]) {
    for (name, shape) in fields {
        let Some(node) = map.get_mut(name) else { continue };
        match (shape, &mut node.value) {
            (Shape::Text, value @ (Value::Number(_) | Value::NotFinite(_))) => {
                if let Value::Number(written) | Value::NotFinite(written) = std::mem::take(value) {
                    *value = Value::String(written);
                }
            }
            (Shape::Object(fields), Value::Map(map)) => text_in(map, fields),
            (Shape::File, Value::Map(map)) => text_in(map, FILE),
            (Shape::List(fields), Value::List(items)) => {
                for item in items {
                    if let Value::Map(map) = &mut item.value {
                        text_in(map, fields);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Every field in `record` that does not have its type, with its path.
pub(super) fn faults(record: &Map) -> Vec<(Path, Diagnostic)> {
    let mut faults = Vec::new();
    object(record, RECORD, &Path::root(), &mut faults);
    faults
}

fn object(map: &Map, fields: &[(&str, Shape)], at: &Path, faults: &mut Vec<(Path, Diagnostic)>) {
    for (name, shape) in fields {
        if let Some(node) = map.get(name).filter(|node| !node.is_null()) {
            field(node, shape, &at.key(name), faults);
        }
    }
}

fn field(node: &Node, shape: &Shape, at: &Path, faults: &mut Vec<(Path, Diagnostic)>) {
    let expected = match (shape, &node.value) {
        (Shape::Any, _)
        | (Shape::Open, Value::Map(_))
        | (Shape::Flag, Value::Bool(_))
        | (Shape::Text | Shape::Texts | Shape::File, Value::String(_))
        // Versions and commits that YAML, or a careless writer, turned into numbers.
        | (Shape::Text, Value::Number(_) | Value::NotFinite(_))
        | (Shape::Tags, Value::Map(_)) => return,
        (Shape::Count, Value::Number(written)) if super::Decimal::parse(written).is_ok_and(|n| n.is_whole() && !n.is_negative()) => return,
        (Shape::Texts | Shape::Tags, Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                field(item, &Shape::Text, &at.index(index), faults);
            }
            return;
        }
        (Shape::Object(fields), Value::Map(map)) => return object(map, fields, at, faults),
        (Shape::File, Value::Map(map)) => return object(map, FILE, at, faults),
        (Shape::Files, Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                field(item, &Shape::File, &at.index(index), faults);
            }
            return;
        }
        (Shape::List(fields), Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                match &item.value {
                    Value::Map(map) => object(map, fields, &at.index(index), faults),
                    other => faults.push((at.index(index), wrong(&at.index(index), "an object", other.sort()))),
                }
            }
            return;
        }
        (Shape::Time, Value::String(text)) => match Moment::parse(text) {
            Ok(_) => return,
            Err(error) => {
                faults.push((at.clone(), Diagnostic::new(WRONG_SHAPE, format!("`{at}` is \"{text}\", {error}"))));
                return;
            }
        },
        (Shape::Text, _) => "text",
        (Shape::Texts, _) => "text or a list of texts",
        (Shape::Flag, _) => "true or false",
        (Shape::Count, _) => "a whole number",
        (Shape::Time, _) => "a time in RFC 3339, such as \"2026-05-30T12:00:00Z\"",
        (Shape::Open | Shape::Object(_), _) => "an object with keys",
        (Shape::Tags, _) => "an object or a list of texts",
        (Shape::File, _) => "a path, or an object with `path`, `digest` and `bytes`",
        (Shape::Files, _) => "a list of files",
        (Shape::List(_), _) => "a list of objects",
    };
    faults.push((at.clone(), wrong(at, expected, node.value.sort())));
}

fn wrong(at: &Path, expected: &str, found: &str) -> Diagnostic {
    Diagnostic::new(WRONG_SHAPE, format!("`{at}` must be {expected}, but is {found}"))
}
