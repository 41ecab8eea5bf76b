//! The canonical run record.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::canonical::{canonical_files, canonical_metrics};
use super::field_map::Applied;
use super::field_path::index_of;
use super::flat::{self, Flat};
use super::{Digest, FieldMap, Metric, Moment, NOT_AN_OBJECT, shape};
use crate::document::{Diagnostic, Document, Map, Node, Path, Segment, Span, Value};

/// The note on a file of nothing but metrics.
pub const ONLY_METRICS: &str = "read as metrics: the file has no other field of a run record";

/// One training run.
///
/// The record is kept as a tree in canonical form: artifacts are objects, nested metrics are joined by dots,
/// everything else is as it was written. The policy decides which fields must be present.
#[derive(Debug, Clone)]
pub struct Run {
    /// The text that it was read from.
    pub document: Arc<Document>,
    /// The reference that named it, and what that resolved to.
    pub origin: Origin,
    /// The signature beside the record, if it was looked for.
    pub signature: Option<Vec<u8>>,
    /// The records that were combined into it, each with its signature, if there are several.
    pub parts: Vec<(Arc<Document>, Option<Vec<u8>>)>,
    /// The result of each case of an evaluation, if the tracker keeps them.
    pub cases: Arc<[CaseResult]>,
    /// Decisions of the reader, such as reading a time without a zone as UTC.
    pub notes: Vec<String>,
    pub(super) record: Map,
    /// The bytes of the whole record.
    span: Span,
    /// Canonical paths whose values are elsewhere in the document.
    moved: Vec<(Path, Path)>,
    /// Canonical paths that a tracker's reader filled, each with where the tracker kept the value.
    recorded_at: Vec<(Path, String)>,
    /// Fields whose name is used for something else, each with the error message.
    misnamed: Vec<(String, String)>,
    /// Fields that a policy's `fields:` map did not find, each with the paths where it looked.
    nowhere: Vec<(Path, String)>,
    /// Its numbers are metrics because there is nothing else in it.
    is_flat: bool,
    /// The policy's own words for a run that finished.
    finished: Vec<String>,
}

/// What trackers and scripts call a run that finished, in small letters.
const FINISHED: [&str; 8] =
    ["finished", "success", "succeeded", "completed", "complete", "done", "ok", "passed"];

/// The result of one metric on one case of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// Identifies the case, also in other runs: by its content, never by its number.
    pub id: String,
    /// The metric of the run that is computed from these results.
    pub metric: String,
    /// The score as written; `None` if the case was not scored.
    pub score: Option<super::Decimal>,
    /// Whether it passed, if the evaluation decides that.
    pub right: Option<bool>,
    /// Whether it broke before it was scored: no answer, so neither right nor wrong.
    pub error: bool,
    /// Its properties, such as `region`, which are the slices that it may be part of.
    pub fields: Vec<(String, String)>,
}

/// Where a record was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Origin {
    /// The tracker whose format it is in; `plain` for a record of ours, [`LEDGER`] for what is promoted.
    pub tracker: String,
    /// The reference as it was given.
    pub reference: String,
    /// What a moving reference resolved to, such as a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

impl Origin {
    /// The commit that the record was read from, if any.
    pub fn commit(&self) -> Option<&str> {
        self.resolved.as_deref()?.strip_prefix("commit ")?.split(' ').next()
    }
}

/// The tracker name of a record in the ledger.
pub const LEDGER: &str = "ledger";

/// A file that a run produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact<'r> {
    /// Where in the canonical record it is named.
    pub at: Path,
    /// Its path, relative to the workspace.
    pub path: Option<&'r str>,
    /// Its address, if it is not a file in the workspace.
    pub uri: Option<&'r str>,
    /// Its digest when it was recorded.
    pub digest: Option<Digest>,
}

/// A file of data that a run read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile<'r> {
    /// Where in the canonical record it is named.
    pub at: Path,
    /// Its name.
    pub name: Option<&'r str>,
    /// Its path, relative to the workspace.
    pub path: Option<&'r str>,
    /// Its digest when it was recorded.
    pub digest: Option<Digest>,
    /// For a folder, the file that lists its files, relative to the workspace.
    pub files: Option<&'r str>,
}

impl Run {
    /// Makes a run record from a parsed document: maps its fields by `fields`, checks the known ones, and
    /// brings the record into canonical form. Everything that is wrong is found at once.
    pub fn new(
        document: &Arc<Document>,
        tree: Node,
        fields: &FieldMap,
        origin: Origin,
    ) -> Result<Self, Vec<Diagnostic>> {
        let span = tree.span;
        let Value::Map(mut record) = tree.value else {
            return Err(vec![
                Diagnostic::new(
                    NOT_AN_OBJECT,
                    format!("a run record must be an object, but this is {}", tree.value.sort()),
                )
                .at(document, Span { end: span.end.min(span.start + 1), ..span }, "not an object")
                .help(
                    "write one record per file, or one per line in a file that ends in .jsonl; for a list, \
                     add this to the policy: `runs: { path: …, each: \"[]\", model: name }`",
                ),
            ]);
        };
        let is_plain = matches!(&*origin.tracker, "" | "plain" | LEDGER);
        let Applied { mut moved, notes, nowhere, all_metrics } =
            fields.apply(&mut record, document, is_plain)?;
        let (misnamed, faults): (Vec<_>, Vec<_>) =
            shape::faults(&record).into_iter().partition(|(path, _)| is_only_a_name(&record, path));
        let misnamed: Vec<(String, String)> =
            misnamed.into_iter().map(|(path, problem)| (path.to_string(), problem.message)).collect();
        let mut problems: Vec<Diagnostic> = faults
            .into_iter()
            .map(|(path, problem)| {
                let node = get(&record, path.segments());
                let problem = problem.help("docs/run-record.md describes the fields of a run record");
                node.map_or(problem.clone(), |node| problem.at(document, node.span, "here"))
            })
            .collect();
        shape::names_as_text(&mut record);
        // A tracker's reader has already decided what is a metric.
        let flat = if is_plain && record.get("metrics").is_none() {
            let is_known = |key: &str| {
                shape::known_fields().any(|known| known == key)
                    && misnamed.iter().all(|(name, _)| name != key)
            };
            flat::read(&mut record, &is_known, all_metrics, &mut moved)
        } else {
            Flat::None
        };
        canonical_files(&mut record, &mut moved);
        if let Err(problem) = canonical_metrics(&mut record, &mut moved, document) {
            problems.push(*problem);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut run = Self {
            document: Arc::clone(document),
            origin,
            signature: None,
            parts: Vec::new(),
            cases: Arc::from([]),
            notes,
            record,
            span,
            moved,
            recorded_at: Vec::new(),
            misnamed,
            nowhere,
            is_flat: matches!(flat, Flat::Read),
            finished: fields.finished.clone(),
        };
        match flat {
            Flat::Read if all_metrics => {}
            Flat::Read => {
                run.notes.push(ONLY_METRICS.into());
            }
            Flat::Left(note) => run.notes.push(note),
            Flat::None => {}
        }
        for (name, message) in &run.misnamed {
            // The policy's map uses this field.
            if run.moved.iter().any(|(_, theirs)| theirs.below(&Path::of([name])).is_some()) {
                continue;
            }
            run.notes.push(format!(
                "{message}; it is kept, but not used as the run's `{name}`. The policy's `fields:` can map it"
            ));
        }
        if run.created_at().is_some_and(|moment| moment.zone_assumed) {
            run.notes.push("`created_at` has no zone, and was read as UTC".into());
        }
        Ok(run)
    }

    /// The status of a run that did not finish, or whose files have changed since it ran.
    pub fn unfinished(&self) -> Option<&str> {
        let status = self.text("status")?;
        let word = status.trim().to_lowercase();
        let finished = FINISHED.contains(&word.as_str())
            || self.finished.iter().any(|known| known.to_lowercase() == word);
        (!finished).then_some(status)
    }

    /// Whether its numbers were taken for metrics because the record says nothing else.
    pub fn is_flat(&self) -> bool {
        self.is_flat
    }

    /// Whether the numbers at a key of the record were also taken as metrics, so that they are in it twice.
    pub fn is_also_metrics(&self, key: &str) -> bool {
        let is_of_key = |metric: &str| {
            metric.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.is_flat && self.metrics().any(|metric| is_of_key(metric.name))
    }

    /// The problem with the first field of a path, if its name is used for something else.
    pub fn misnamed(&self, path: &Path) -> Option<&str> {
        let Some(Segment::Key(first)) = path.segments().first() else { return None };
        self.misnamed.iter().find(|(name, _)| **name == **first).map(|(_, message)| message.as_str())
    }

    /// Where a policy's `fields:` map looked for a field or one of its parents, and found nothing.
    pub fn mapped_to_nothing(&self, path: &Path) -> Option<(&Path, &str)> {
        let found = self.nowhere.iter().find(|(ours, _)| path.below(ours).is_some());
        found.map(|(ours, theirs)| (ours, theirs.as_str()))
    }

    /// Sets the model, for a record that does not name one.
    pub fn set_model(&mut self, model: &str) {
        self.record.insert("model", Span::default(), Node::text(model));
    }

    /// The canonical record.
    pub fn record(&self) -> &Map {
        &self.record
    }

    /// The name of this run in messages: where it was read.
    pub fn label(&self) -> &str {
        &self.document.name
    }

    /// The value at a path of the canonical record; null counts as absent.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        get(&self.record, path.segments()).filter(|node| !node.is_null())
    }

    /// The text at a top-level field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.record.get(field)?.as_written()
    }

    /// The line of models that the run belongs to; empty text counts as absent.
    pub fn model(&self) -> Option<&str> {
        self.text("model").filter(|model| !model.trim().is_empty())
    }

    /// When the run was started.
    pub fn created_at(&self) -> Option<Moment> {
        Moment::parse(self.text("created_at")?).ok()
    }

    /// What the metrics were measured on.
    pub fn validation(&self) -> Option<&Map> {
        self.record.get("validation")?.as_map()
    }

    /// All metrics, in the order in which they were written.
    pub fn metrics(&self) -> impl Iterator<Item = Metric<'_>> {
        self.record
            .get("metrics")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(Map::iter)
            .map(|(name, node)| Metric { name, node })
    }

    /// One metric by its name.
    pub fn metric(&self, name: &str) -> Option<Metric<'_>> {
        let (name, node) = self.record.get("metrics")?.as_map()?.key_value(name)?;
        Some(Metric { name, node })
    }

    /// Every artifact, from `artifact` and `artifacts`.
    pub fn artifacts(&self) -> Vec<Artifact<'_>> {
        let one = self.record.get("artifact").map(|node| (Path::of(["artifact"]), node));
        let many = self.record.get("artifacts").and_then(Node::as_list).unwrap_or_default();
        let many = many.iter().enumerate().map(|(index, node)| (Path::of(["artifacts"]).index(index), node));
        one.into_iter()
            .chain(many)
            .filter(|(_, node)| !node.is_null())
            .map(|(at, node)| Artifact {
                at,
                path: written(node, "path"),
                uri: written(node, "uri"),
                digest: digest(node),
            })
            .collect()
    }

    /// Every file of data.
    pub fn data(&self) -> Vec<DataFile<'_>> {
        let items = self.record.get("data").and_then(Node::as_list).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(index, node)| DataFile {
                at: Path::of(["data"]).index(index),
                name: written(node, "name"),
                path: written(node, "path"),
                digest: digest(node),
                files: written(node, "files"),
            })
            .collect()
    }

    /// Where to point for a canonical path: at the value, or at the key of the nearest object around it.
    pub fn span(&self, path: &Path) -> Span {
        let mut span = Span { end: self.span.end.min(self.span.start + 1), ..self.span };
        let mut map = Some(&self.record);
        let mut items: Option<&[Node]> = None;
        let last = path.segments().len().saturating_sub(1);
        for (step, segment) in path.segments().iter().enumerate() {
            let (key, node) = match (segment, map, items) {
                (Segment::Key(key), Some(map), _) => match map.entry(key) {
                    Some(entry) => (Some(entry.key), &entry.node),
                    None => return span,
                },
                (Segment::Index(index), _, Some(items)) => match items.get(*index) {
                    Some(item) => (None, item),
                    None => return span,
                },
                _ => return span,
            };
            let opening = Span { end: node.span.end.min(node.span.start + 1), ..node.span };
            span = if step == last && !matches!(node.value, Value::Map(_) | Value::List(_)) {
                node.span
            } else {
                key.unwrap_or(opening)
            };
            (map, items) = (node.as_map(), node.as_list());
        }
        span
    }

    /// Where the value at a canonical path is in the document.
    pub fn place(&self, path: &Path) -> Path {
        place_in(&self.moved_by_path(), path)
    }

    fn moved_by_path(&self) -> HashMap<&Path, &Path> {
        self.moved.iter().map(|(ours, theirs)| (ours, theirs)).collect()
    }

    /// Sets where the tracker kept the values that its reader put into the record.
    pub fn set_recorded_at(&mut self, recorded_at: Vec<(Path, String)>) {
        self.recorded_at = recorded_at;
    }

    /// Where a tracker kept the value at a canonical path, in the tracker's own words.
    pub fn recorded_at(&self, path: &Path) -> Option<&str> {
        let (_, from) = self
            .recorded_at
            .iter()
            .filter(|(ours, _)| path.below(ours).is_some())
            .max_by_key(|(ours, _)| ours.segments().len())?;
        Some(from)
    }

    /// Every canonical path that was filled from elsewhere, with where its value came from. If a policy's
    /// `fields:` map moved what a tracker's reader had filled, the policy's path comes first.
    pub fn fields_from(&self) -> Vec<(&Path, String)> {
        let recorded = self.recorded_at.iter().map(|(ours, _)| ours);
        let moved = self.moved_by_path();
        let mut from: Vec<(&Path, String)> = Vec::new();
        let mut known = HashSet::new();
        for ours in recorded.chain(self.moved.iter().map(|(ours, _)| ours)) {
            if known.insert(ours)
                && let Some(place) = self.came_from_in(&moved, ours)
            {
                from.push((ours, place));
            }
        }
        from
    }

    /// Where the value at a canonical path came from, if not from that path itself.
    pub fn came_from(&self, path: &Path) -> Option<String> {
        self.came_from_in(&self.moved_by_path(), path)
    }

    fn came_from_in(&self, moved: &HashMap<&Path, &Path>, path: &Path) -> Option<String> {
        let theirs = place_in(moved, path);
        // Joined metric names and file objects come from the canonical form, not from the policy.
        let by_policy = joined(&theirs) != joined(path) && path.below(&theirs).is_none();
        let recorded = self.recorded_at(if by_policy { &theirs } else { path });
        match (recorded, by_policy) {
            (Some(recorded), true) => Some(format!("{theirs} ({recorded})")),
            (Some(recorded), false) => Some(recorded.to_owned()),
            (None, _) if theirs == Path::root() => Some("the whole document".into()),
            (None, _) => (theirs != *path).then(|| theirs.to_string()),
        }
    }
}

/// Where the value at a path came from, by the longest part of the path that was moved.
fn place_in(moved: &HashMap<&Path, &Path>, path: &Path) -> Path {
    let mut ours = path.clone();
    loop {
        if let Some(theirs) = moved.get(&ours) {
            return theirs.join(path.below(&ours).unwrap_or_default());
        }
        match ours.parent() {
            Some(parent) => ours = parent,
            None => return path.clone(),
        }
    }
}

/// Whether the fault is only that a field's name is used for something else. An unreadable status must not
/// count as no status, and bad metrics or a misspelt time are real faults.
fn is_only_a_name(record: &Map, path: &Path) -> bool {
    let [Segment::Key(name)] = path.segments() else { return false };
    let is_text = matches!(record.get(name).map(|node| &node.value), Some(Value::String(_)));
    match &**name {
        "status" | "metrics" => false,
        "created_at" | "ended_at" => !is_text,
        _ => true,
    }
}

/// A path joined by dots, like the names of nested metrics.
fn joined(path: &Path) -> String {
    let keys: Vec<String> = path
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::Key(key) => key.to_string(),
            Segment::Index(index) => index.to_string(),
        })
        .collect();
    keys.join(".")
}

fn digest(node: &Node) -> Option<Digest> {
    written(node, "digest").map(Digest::parse).filter(|digest| !digest.is_empty())
}

pub(super) fn written<'r>(node: &'r Node, key: &str) -> Option<&'r str> {
    node.get(key)?.as_written()
}

fn get<'r>(map: &'r Map, path: &[Segment]) -> Option<&'r Node> {
    let (first, rest) = path.split_first()?;
    let Segment::Key(key) = first else { return None };
    let mut node = map.get(key)?;
    for segment in rest {
        node = match (segment, &node.value) {
            (Segment::Key(key), Value::Map(map)) => map.get(key)?,
            (Segment::Index(index), Value::List(items)) => items.get(*index)?,
            (Segment::Key(key), Value::List(items)) => items.get(index_of(key)?)?,
            _ => return None,
        };
    }
    Some(node)
}
