//! A run as the reader of a tracker understood it, on its way to a [`Run`].
//!
//! A tracker keeps a run in a database, in an answer of a server, or spread over files. A reader brings it into
//! canonical form; that form, as text, is the document in which findings show their place.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::secrets;
use crate::document::{Diagnostic, Document, Format, Map, Node, NotFinite, Path, Span, Value, to_text};
use crate::run::{CaseResult, FieldMap, Origin, Run};
use crate::secret::masked;

/// What a reader made of a tracker's run.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// What a person calls it: the reference, or the path.
    pub label: String,
    /// The canonical record.
    pub record: Map,
    /// The same as compressed text, where many runs are kept at once.
    pub packed: Option<Box<[u8]>>,
    /// Canonical paths that a convention of the tracker filled, with where the value stood, in its own words.
    pub from: Vec<(Path, String)>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Where it was read.
    pub origin: Origin,
    /// The file or the folder that it was read from, relative to the workspace, where that holds all of it and nothing else:
    /// the run is the same as long as that is.
    pub files: Option<String>,
    /// What was measured of each case, where the tracker keeps that.
    pub cases: Vec<CaseResult>,
    /// It is the whole of a group, such as a pipeline of which a stage is run once for each seed, and no member of it.
    pub is_whole: bool,
}

impl Tracked {
    /// Puts a value into the record, at a path of keys; objects on the way are made.
    pub fn put(&mut self, path: &Path, value: Value, from: impl Into<String>) {
        debug_assert!(self.packed.is_none(), "nothing is put into a record that was packed");
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
    pub fn into_run(mut self, fields: &FieldMap) -> Result<Run, Vec<Diagnostic>> {
        let text = match self.packed.take() {
            Some(packed) => unpack(&packed),
            None => self.text_of_record(),
        };
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
        run.notes.extend(self.notes.iter().map(|note| masked(note).into_owned()));
        run.cases = self.cases.into();
        run.set_recorded_at(self.from);
        Ok(run)
    }

    /// The same run in less memory: a tree of a whole experiment's records is some twenty times as large.
    #[must_use]
    pub fn packed(mut self) -> Self {
        let text = self.text_of_record();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Writing into memory does not fail; where it did, the record would stay as it is.
        if encoder.write_all(text.as_bytes()).is_ok()
            && let Ok(bytes) = encoder.finish()
        {
            self.record = Map::default();
            self.packed = Some(bytes.into_boxed_slice());
        }
        self
    }

    /// The record without its secrets.
    fn text_of_record(&mut self) -> String {
        secrets::mask(&mut self.record);
        let tree = Node::made(Value::Map(std::mem::take(&mut self.record)));
        let text = to_text(&tree, NotFinite::Token);
        if let Value::Map(record) = tree.value {
            self.record = record;
        }
        text
    }
}

fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    DeflateDecoder::new(packed).read_to_string(&mut text).expect("it was packed here");
    text
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

/// Keys of a configuration that are fields of the canonical record, where what they hold is of the right sort.
pub(super) fn by_name(key: &str, node: &Node, within: &str, run: &mut Tracked) {
    let path = match (key, &node.value) {
        ("seed", Value::Number(_))
        | ("git_dirty", Value::Bool(_))
        | ("validation", Value::Map(_))
        | ("data_version", Value::String(_) | Value::Number(_)) => Path::of([key]),
        ("validation", Value::String(_)) => Path::of(["validation", "split"]),
        ("lockfile", Value::Map(_) | Value::String(_)) => Path::of(["environment", "lockfile"]),
        _ => return,
    };
    run.put(&path, node.value.clone(), format!("{within}{key}"));
}

/// A node whose places are forgotten: they are those of a text that nobody sees.
pub(super) fn without_places(node: &Node) -> Node {
    node.without_places()
}

/// A value with its step, the best there was, and how many there were, where it is the end of a history; what stands
/// in the history are the step and the value of each.
pub(super) fn with_history(value: Value, points: &[(i64, Node)]) -> Node {
    let Some((step, _)) = points.last().filter(|_| points.len() > 1) else { return Node::made(value) };
    let mut map = Map::default();
    let put = |map: &mut Map, key: &str, value: Value| {
        map.insert(key, Span::default(), Node::made(value));
    };
    put(&mut map, "value", value);
    put(&mut map, "step", Value::Number(step.to_string().into()));
    let mut numbers: Vec<(f64, &str)> = points
        .iter()
        .filter_map(|(_, node)| match &node.value {
            Value::Number(written) => Some((written.parse().ok()?, &**written)),
            _ => None,
        })
        .collect();
    numbers.sort_by(|one, other| one.0.total_cmp(&other.0));
    if let (Some((_, min)), Some((_, max))) = (numbers.first(), numbers.last()) {
        let mut best = Map::default();
        put(&mut best, "min", Value::Number((*min).into()));
        put(&mut best, "max", Value::Number((*max).into()));
        put(&mut map, "best", Value::Map(best));
    }
    put(&mut map, "points", Value::Number(points.len().to_string().into()));
    Node::made(Value::Map(map))
}

/// A metric with whether a higher one is better, where that is known; it is then an object.
pub(super) fn directed(node: Node, higher: Option<bool>) -> Node {
    let Some(higher) = higher else { return node };
    let mut map = match node.value {
        Value::Map(map) => map,
        value => {
            let mut map = Map::default();
            map.insert("value", Span::default(), Node::made(value));
            map
        }
    };
    map.insert("higher_is_better", Span::default(), Node::made(Value::Bool(higher)));
    Node::made(Value::Map(map))
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
