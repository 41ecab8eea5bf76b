//! A run as the reader of a tracker understood it, on its way to a [`Run`].
//!
//! A tracker keeps a run in a database, in an answer of a server, or spread over files. A reader brings it into
//! canonical form; that form, as text, is the document in which findings show their place.

use std::sync::Arc;

use super::mlflow;
use crate::document::{Document, Format, Map, Node, NotFinite, Path, Problem, Span, Value, to_text};
use crate::run::{FieldMap, Origin, Run};

/// What a reader made of a tracker's run.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// What a person calls it: the reference, or the path.
    pub label: String,
    /// The canonical record.
    pub record: Map,
    /// Canonical paths that a convention of the tracker filled, with where the value stood, in its own words.
    pub from: Vec<(Path, String)>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Where it was read.
    pub origin: Origin,
}

impl Tracked {
    /// Puts a value into the record, at a path of keys; objects on the way are made.
    pub fn put(&mut self, path: &Path, value: Value, from: impl Into<String>) {
        put(&mut self.record, path, Node::made(value));
        let from = from.into();
        if !from.is_empty() {
            self.from.push((path.clone(), from));
        }
    }

    /// Puts text, if there is any.
    pub fn text(&mut self, path: &Path, text: Option<&str>, from: impl Into<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.put(path, Value::String(text.into()), from);
        }
    }

    /// The run. A policy's `fields:` map is applied to the canonical record, so that it can say which tag of a
    /// tracker holds what (`data_version: tags.dataset`).
    pub fn into_run(self, fields: &FieldMap) -> Result<Run, Vec<Problem>> {
        let text = to_text(&Node::made(Value::Map(self.record)), NotFinite::Token);
        let document = Document {
            name: self.label.as_str().into(),
            text: text.into(),
            format: Format::Json,
            line: None,
        };
        let document = Arc::new(document);
        document.check_size()?;
        let tree = document.parse()?;
        let mut run = Run::new(&document, tree, fields, self.origin)?;
        run.notes.extend(self.notes);
        run.set_recorded_at(self.from);
        Ok(run)
    }
}

fn put(map: &mut Map, path: &Path, node: Node) {
    let mut keys: Vec<&str> = Vec::new();
    for segment in path.segments() {
        if let crate::document::Segment::Key(key) = segment {
            keys.push(key);
        }
    }
    let Some((last, above)) = keys.split_last() else { return };
    let mut map = map;
    for key in above {
        if !matches!(map.get(key).map(|node| &node.value), Some(Value::Map(_))) {
            map.insert(*key, Span::default(), Node::made(Value::Map(Map::default())));
        }
        match map.get_mut(key).map(|node| &mut node.value) {
            Some(Value::Map(below)) => map = below,
            _ => return,
        }
    }
    map.insert(*last, Span::default(), node);
}

/// What a tracker is called, and how to add what it does not record by itself.
#[derive(Debug)]
pub struct Tracker {
    /// The prefix of its references, and the `origin.tracker` of its runs.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// Fields that it leaves out unless the user adds them, each with the line of a training script that does.
    pub advice: &'static [(&'static str, &'static str)],
}

/// The trackers that are read, each described in the file of its reader.
pub const TRACKERS: &[&Tracker] = &[&mlflow::TRACKER];

/// The tracker of that name.
pub fn tracker(name: &str) -> Option<&'static Tracker> {
    TRACKERS.iter().find(|tracker| tracker.name == name).copied()
}

/// How to add a field with that tracker; the longest known path that it lies at or below decides.
pub fn advice(tracker_name: &str, path: &str) -> Option<&'static str> {
    let below = |field: &str| {
        path == field
            || path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
    };
    tracker(tracker_name)?
        .advice
        .iter()
        .filter(|(field, _)| below(field))
        .max_by_key(|(field, _)| field.len())
        .map(|(_, line)| *line)
}
