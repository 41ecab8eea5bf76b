//! The canonical run record.

use std::sync::Arc;

use super::{Digest, FieldMap, FieldPath, Metric, Moment, NOT_AN_OBJECT, SAME_METRIC_TWICE, Step, shape};
use crate::document::{Document, Entry, Map, Node, Path, Problem, Segment, Span, Value};

/// One training run.
///
/// The record is kept as a tree in canonical form: artifacts are objects, nested metrics are joined by dots,
/// everything else is as it was written. Which of it must be there is the policy's business.
#[derive(Debug, Clone)]
pub struct Run {
    /// The text that it was read from.
    pub document: Arc<Document>,
    /// How it was named, and what that name led to.
    pub origin: Origin,
    /// What lies beside the record as its signature, where that was looked for.
    pub signature: Option<Vec<u8>>,
    /// What a reader had to decide, such as taking a time without a zone for UTC.
    pub notes: Vec<String>,
    pub(super) record: Map,
    /// The bytes of the whole record.
    span: Span,
    /// Canonical paths whose values stand elsewhere in the document.
    moved: Vec<(Path, Path)>,
    /// Canonical paths that a tracker's reader filled, with where the values stood in the tracker.
    recorded_at: Vec<(Path, String)>,
}

/// Where a record was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Origin {
    /// The tracker whose format it is in; `plain` for a record of ours, [`LEDGER`] for
    /// what is promoted.
    pub tracker: String,
    /// The reference that led to it, as it was given.
    pub reference: String,
    /// What a moving reference led to at that moment, such as a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
}

/// The tracker of a record that the ledger keeps.
pub const LEDGER: &str = "ledger";

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

/// A file that a run produced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact<'r> {
    /// Where in the canonical record it is named.
    pub at: Path,
    /// Its path, relative to the workspace.
    pub path: Option<&'r str>,
    /// Its address, where it is not a file of the workspace.
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
}

impl Run {
    /// Takes a parsed document as a run record: reads fields of another shape by `fields`, checks what the known
    /// fields hold, and brings the record into canonical form. Everything that is wrong is found at once.
    pub fn new(
        document: &Arc<Document>,
        tree: Node,
        fields: &FieldMap,
        origin: Origin,
    ) -> Result<Self, Vec<Problem>> {
        let span = tree.span;
        let Value::Map(mut record) = tree.value else {
            return Err(vec![
                Problem::new(
                    NOT_AN_OBJECT,
                    format!("a run record is an object, and this is {}", tree.value.sort()),
                )
                .at(document, Span { end: span.end.min(span.start + 1), ..span }, "not an object")
                .help(
                    "one record in a file; several of them one on each line, in a file that ends in .jsonl",
                ),
            ]);
        };
        let mut moved = fields.apply(&mut record, document)?;
        let mut problems: Vec<Problem> = shape::faults(&record)
            .into_iter()
            .map(|(path, problem)| {
                let node = get(&record, path.segments());
                let problem = problem.help("see the fields of a run record in docs/run-record.md");
                node.map_or(problem.clone(), |node| problem.at(document, node.span, "here"))
            })
            .collect();
        shape::names_as_text(&mut record);
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
            notes: Vec::new(),
            record,
            span,
            moved,
            recorded_at: Vec::new(),
        };
        if run.created_at().is_some_and(|moment| moment.zone_assumed) {
            run.notes.push("`created_at` has no zone, and is read as UTC".into());
        }
        Ok(run)
    }

    /// Says the model, where the record does not.
    pub fn set_model(&mut self, model: &str) {
        self.record.insert("model", Span::default(), Node::text(model));
    }

    /// The canonical record.
    pub fn record(&self) -> &Map {
        &self.record
    }

    /// What a person calls this run: where it was read.
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

    /// The line of models that the run belongs to.
    pub fn model(&self) -> Option<&str> {
        self.text("model")
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
                digest: written(node, "digest").map(Digest::parse),
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
                digest: written(node, "digest").map(Digest::parse),
            })
            .collect()
    }

    /// Every value that `path` leads to; never empty. Below `metrics` the longest name that exists counts, since a
    /// metric's name may hold dots.
    pub fn find(&self, path: &FieldPath) -> Vec<Field<'_>> {
        let mut found = Vec::new();
        let root = Place { at: Path::root(), node: None, map: Some(&self.record) };
        descend(&root, path.steps(), &mut found);
        found
    }

    /// Where to point for a canonical path: at the value, or at the key of the nearest object that should hold it.
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

    /// Where the value at a canonical path stood in the document.
    pub fn place(&self, path: &Path) -> Path {
        self.moved
            .iter()
            .filter_map(|(ours, theirs)| Some((ours.segments().len(), theirs, path.below(ours)?)))
            .max_by_key(|(length, _, _)| *length)
            .map_or_else(|| path.clone(), |(_, theirs, rest)| theirs.join(rest))
    }

    /// Says where a tracker kept what its reader put into the record.
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

    /// All that a tracker's reader put into the record, with where it stood.
    pub fn all_recorded_at(&self) -> &[(Path, String)] {
        &self.recorded_at
    }

    /// Canonical paths whose values stood elsewhere, with where.
    pub fn moved(&self) -> &[(Path, Path)] {
        &self.moved
    }
}

fn written<'r>(node: &'r Node, key: &str) -> Option<&'r str> {
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
            _ => return None,
        };
    }
    Some(node)
}

/// A path of text becomes an object with `path`.
fn canonical_files(record: &mut Map, moved: &mut Vec<(Path, Path)>) {
    let mut one = |node: &mut Node, at: Path| {
        if let Value::String(path) = &node.value {
            let mut file = Map::default();
            file.insert("path", node.span, Node { value: Value::String(path.clone()), span: node.span });
            node.value = Value::Map(file);
            let theirs = moved
                .iter()
                .rev()
                .find(|(ours, _)| *ours == at)
                .map_or_else(|| at.clone(), |(_, t)| t.clone());
            moved.push((at.key("path"), theirs));
        }
    };
    for field in ["artifact", "predictions"] {
        if let Some(node) = record.get_mut(field) {
            one(node, Path::of([field]));
        }
    }
    if let Some(Value::List(items)) = record.get_mut("artifacts").map(|node| &mut node.value) {
        for (index, item) in items.iter_mut().enumerate() {
            one(item, Path::of(["artifacts"]).index(index));
        }
    }
    if let Some(lockfile) = record.get_mut("environment").and_then(|node| match &mut node.value {
        Value::Map(map) => map.get_mut("lockfile"),
        _ => None,
    }) {
        one(lockfile, Path::of(["environment", "lockfile"]));
    }
}

/// Nested metrics become flat ones: `valid: {f1: 0.8}` is the metric `valid.f1`.
fn canonical_metrics(
    record: &mut Map,
    moved: &mut Vec<(Path, Path)>,
    document: &Arc<Document>,
) -> Result<(), Box<Problem>> {
    let Some(Value::Map(metrics)) = record.get_mut("metrics").map(|node| &mut node.value) else {
        return Ok(());
    };
    if !metrics.iter().any(|(_, node)| is_group(node)) {
        return Ok(());
    }
    let root = Path::of(["metrics"]);
    let theirs =
        moved.iter().rev().find(|(ours, _)| *ours == root).map_or_else(|| root.clone(), |(_, t)| t.clone());
    let mut flat = Map::default();
    flatten(std::mem::take(metrics), "", &theirs, &mut flat, moved, document)?;
    *metrics = flat;
    Ok(())
}

/// A group of metrics, and not a metric with details beside its value.
fn is_group(node: &Node) -> bool {
    node.as_map()
        .is_some_and(|map| !map.is_empty() && map.get("value").is_none() && map.get("values").is_none())
}

fn flatten(
    group: Map,
    prefix: &str,
    theirs: &Path,
    flat: &mut Map,
    moved: &mut Vec<(Path, Path)>,
    document: &Arc<Document>,
) -> Result<(), Box<Problem>> {
    for (key, Entry { key: key_span, node }) in group {
        let name = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
        let from = theirs.key(&key);
        if is_group(&node) {
            if let Value::Map(inner) = node.value {
                flatten(inner, &name, &from, flat, moved, document)?;
            }
            continue;
        }
        if !prefix.is_empty() {
            moved.push((Path::of(["metrics", &name]), from));
        }
        if let Some(first) = flat.insert(name.as_str(), key_span, node) {
            return Err(Problem::new(SAME_METRIC_TWICE, format!("two metrics are called `{name}`"))
                .at(document, key_span, "and again here, once nested names are joined by dots")
                .also(document, first.key, "here first")
                .help("rename one of them")
                .boxed());
        }
    }
    Ok(())
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
