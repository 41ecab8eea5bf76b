//! A run as read from a tracker, before it becomes a [`Run`].
//!
//! Trackers keep runs in databases, server responses, or several files. A reader converts them into canonical form; the
//! text of that form is the document that findings point into.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::secrets;
use crate::document::{Diagnostic, Document, Format, Map, Node, NotFinite, Path, Span, Value, to_text};
use crate::run::{CaseResult, FieldMap, Origin, Run};
use crate::secret::masked;

/// A tracker's run, as a reader understood it.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// Its name in messages: the reference, or the path.
    pub label: String,
    /// The canonical record.
    pub record: Map,
    /// The record as compressed text, used when many runs are kept in memory.
    pub packed: Option<Box<[u8]>>,
    /// Canonical paths that a tracker convention filled, with the source of the value in the tracker's own terms.
    pub from: Vec<(Path, String)>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// Where it was read.
    pub origin: Origin,
    /// The file or folder it was read from, relative to the workspace, if that contains the whole run and
    /// nothing else: while it is unchanged, so is the run.
    pub files: Option<String>,
    /// Per-case results, if the tracker keeps them.
    pub cases: Vec<CaseResult>,
    /// Whether this is a whole group, such as a pipeline that runs a stage per seed, rather than a member.
    pub is_whole: bool,
}

impl Tracked {
    /// Puts a value into the record at a path of keys; missing objects are created.
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

    /// The run. A policy's `fields:` map is applied to the canonical record, so that it can use a tracker's tags
    /// (`data_version: tags.dataset`).
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

    /// Compresses the record to save memory: kept as trees, an experiment's records are about twenty times as
    /// large.
    #[must_use]
    pub fn packed(mut self) -> Self {
        let text = self.text_of_record();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory can't fail; if it did, the record would stay uncompressed.
        if encoder.write_all(text.as_bytes()).is_ok()
            && let Ok(bytes) = encoder.finish()
        {
            self.record = Map::default();
            self.packed = Some(bytes.into_boxed_slice());
        }
        self
    }

    /// The record as text, without its secrets.
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

/// Uses a configuration key that is a field of the canonical record, if its value has the right type.
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

/// Removes source positions: they refer to a text that the user never sees.
pub(super) fn without_places(node: &Node) -> Node {
    node.without_places()
}

/// Adds to a value its last step, its smallest and largest value, and the length of its history, if it has
/// one. `points` are the steps and values of that history.
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

/// A metric with its direction, if known; it then becomes an object.
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

/// The name of a tracker, and how to add what it does not record by itself.
#[derive(Debug)]
pub struct Tracker {
    /// The prefix of its references, and the `origin.tracker` of its runs.
    pub name: &'static str,
    /// Its name in messages.
    pub title: &'static str,
    /// Fields that it does not record by itself, each with the line to add to a training script.
    pub advice: &'static [(&'static str, &'static str)],
}
