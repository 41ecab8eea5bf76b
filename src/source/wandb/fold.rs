//! Folds the records of logs into one state.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::log::{LogError, records};
use crate::document::{Document, Format, Map, Node, Span, Value};
use crate::source::tracked::without_places;
use crate::source::wire::{Message, NotAMessage};

/// The combined state of a run's logs; those of a resumed run are applied one after the other.
#[derive(Debug, Clone, Default)]
pub struct Logged {
    /// 8 characters.
    pub run_id: Option<String>,
    pub(super) entity: Option<String>,
    pub(super) project: Option<String>,
    /// The group that the run belongs to.
    pub group: Option<String>,
    pub(super) job_type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) started: Option<(i64, i64)>,
    pub(super) commit: Option<String>,
    pub(super) config: Map,
    pub(super) summary: Map,
    pub(super) history: IndexMap<String, Vec<(i64, Node)>>,
    /// Metrics whose summary is not their last value; a trailing `*` matches any suffix.
    pub(super) summarised: Vec<String>,
    /// Names that were removed from the summary, so their logged values are not results.
    pub(super) removed: BTreeSet<String>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) exit: Option<i64>,
    /// There is no log, so it is unknown how the run ended.
    pub(super) without_log: bool,
    /// Part of the run has no log.
    pub(super) incomplete: bool,
    /// The log says that it continues an earlier part.
    pub(super) resumes: bool,
    pub(super) environment: Environment,
    pub(super) notes: Vec<String>,
}

impl Logged {
    /// Identifies the run's group: group names are unique only within a project.
    pub fn group_of(&self) -> (Option<String>, Option<String>, Option<String>) {
        (self.entity.clone(), self.project.clone(), self.group.clone())
    }

    /// Whether this log continues an earlier one with the same id. The id alone proves nothing: it may be
    /// reused.
    pub fn goes_on(&self, earlier: &Self) -> bool {
        self.resumes && self.entity == earlier.entity && self.project == earlier.project
    }

    /// Notes that an earlier part of this run may be missing.
    pub fn begins_in_the_middle(&mut self) {
        if self.resumes {
            self.notes.push(
                "this run may have been resumed, but there is no earlier part beside it, so its values are missing".into(),
            );
        }
    }

    /// Notes that the log of a part is missing, so that the run's end and results are unknown.
    pub fn lacks(&mut self, folder: &str) {
        self.incomplete = true;
        self.notes.push(format!("the log of `{folder}`, a part of this run, is missing"));
    }

    /// Whether `define_metric` puts something other than a metric's last value into the summary.
    pub(super) fn is_summarised(&self, name: &str) -> bool {
        self.summarised.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => known == name,
        })
    }

    /// Whether a metric was removed from the summary.
    pub(super) fn is_removed(&self, name: &str) -> bool {
        self.removed.iter().any(|gone| {
            name.strip_prefix(gone.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// An artifact version that the run used or produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Artifact {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) digest: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    pub(super) os: Option<String>,
    pub(super) python: Option<String>,
    pub(super) program: Option<String>,
}

/// The record types that are read: history row, summary, configuration, artifact, metric definition, run, exit, used
/// artifact, environment.
const KINDS: [u64; 9] = [2, 3, 5, 8, 12, 17, 18, 25, 26];

/// Reads one more log of the same run.
pub fn fold(into: &mut Logged, bytes: &[u8]) -> Result<(), LogError> {
    let log = records(bytes)?;
    // How an earlier part ended says nothing about this one.
    into.exit = None;
    for record in &log.records {
        let read = Message(record)
            .one_of(&KINDS)
            .and_then(|found| found.map_or(Ok(()), |(kind, body)| one(into, kind, body)));
        read.map_err(|_| LogError::Damaged(0))?;
    }
    if log.cut {
        into.notes.push("the log ends in the middle of a record; what comes before it is read".into());
        into.exit = None;
    }
    Ok(())
}

fn one(into: &mut Logged, kind: u64, body: Message<'_>) -> Result<(), NotAMessage> {
    match kind {
        2 => history(into, body),
        3 => update(&mut into.summary, &mut into.removed, body),
        5 => update(&mut into.config, &mut BTreeSet::new(), body),
        8 => artifact(into, body),
        12 => defined(into, body),
        17 => run(into, body),
        18 => {
            into.exit = Some(body.number(1)?);
            Ok(())
        }
        25 => used(into, body),
        26 => environment(into, body),
        _ => Ok(()),
    }
}

/// Takes a later record's value, or keeps the old one if the record has none.
fn keep(slot: &mut Option<String>, found: Option<String>) {
    if found.is_some() {
        *slot = found;
    }
}

fn run(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    into.resumes |= body.number(18)? != 0 || body.number(24)? != 0;
    keep(&mut into.run_id, body.text(1)?);
    keep(&mut into.entity, body.text(2)?);
    keep(&mut into.project, body.text(3)?);
    keep(&mut into.group, body.text(6)?);
    keep(&mut into.job_type, body.text(7)?);
    keep(&mut into.name, body.text(8)?);
    let tags = body.texts(10)?;
    if !tags.is_empty() {
        into.tags = tags;
    }
    if let Some(config) = body.message(4)? {
        update(&mut into.config, &mut BTreeSet::new(), config)?;
    }
    if let Some(start) = body.message(17)?
        && into.started.is_none()
    {
        into.started = Some((start.number(1)?, start.number(2)?));
    }
    if let Some(git) = body.message(21)? {
        keep(&mut into.commit, git.text(2)?);
    }
    Ok(())
}

fn environment(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    // The client writes a second record, with only what it found out later.
    keep(&mut into.environment.os, body.text(1)?);
    keep(&mut into.environment.python, body.text(2)?);
    keep(&mut into.environment.program, body.text(6)?);
    if let Some(git) = body.message(9)? {
        keep(&mut into.commit, git.text(2)?);
    }
    Ok(())
}

fn artifact(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let artifact = Artifact {
        kind: body.text(4)?.unwrap_or_default(),
        name: body.text(5)?.unwrap_or_default(),
        digest: body.text(6)?,
    };
    if !into.artifacts.contains(&artifact) {
        into.artifacts.push(artifact);
    }
    Ok(())
}

/// The log names a used artifact without its digest.
fn used(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let (kind, name) = (body.text(2)?.unwrap_or_default(), body.text(3)?.unwrap_or_default());
    if !into.artifacts.iter().any(|known| known.kind == kind && known.name == name) {
        into.artifacts.push(Artifact { kind, name, digest: None });
    }
    Ok(())
}

fn defined(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let name = match body.text(1)? {
        None => body.text(2)?.map(|glob| if glob.ends_with('*') { glob } else { glob + "*" }),
        name => name,
    };
    let summary = body.message(7)?;
    if let (Some(name), Some(summary)) = (name, summary) {
        let other =
            [1, 2, 3, 4, 6].into_iter().map(|way| summary.number(way)).collect::<Result<Vec<_>, _>>()?;
        if other.iter().any(|way| *way != 0) {
            into.summarised.push(name);
        }
    }
    Ok(())
}

/// Applies an update of the configuration or the summary; `removed` are the names that were removed since they were
/// last set.
fn update(map: &mut Map, removed: &mut BTreeSet<String>, body: Message<'_>) -> Result<(), NotAMessage> {
    for item in body.messages(1)? {
        let (keys, value) = item_of(item)?;
        if let (Some(value), false) = (value, keys.is_empty()) {
            removed.remove(&keys.join("."));
            put(map, &keys, value);
        }
    }
    for item in body.messages(2)? {
        let (keys, _) = item_of(item)?;
        remove(map, &keys);
        removed.insert(keys.join("."));
    }
    Ok(())
}

fn remove(map: &mut Map, keys: &[String]) {
    match keys {
        [] => {}
        [key] => {
            map.remove(key);
        }
        [first, rest @ ..] => {
            if let Some(Value::Map(below)) = map.get_mut(first).map(|node| &mut node.value) {
                remove(below, rest);
            }
        }
    }
}

/// The key path of an item, and its value.
fn item_of(item: Message<'_>) -> Result<(Vec<String>, Option<Node>), NotAMessage> {
    let mut keys = item.texts(2)?;
    if keys.is_empty() {
        keys.extend(item.text(1)?);
    }
    Ok((keys, item.text(16)?.and_then(|json| json_value(&json))))
}

fn json_value(json: &str) -> Option<Node> {
    let document = Document::new("value", json.as_bytes().to_vec(), Format::Json).ok()?;
    Some(without_places(&Arc::new(document).parse().ok()?))
}

fn put(map: &mut Map, keys: &[String], value: Node) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        map.insert(first.as_str(), Span::default(), value);
        return;
    }
    if !matches!(map.get(first).map(|node| &node.value), Some(Value::Map(_))) {
        map.insert(first.as_str(), Span::default(), Node::made(Value::Map(Map::default())));
    }
    if let Some(Value::Map(below)) = map.get_mut(first).map(|node| &mut node.value) {
        put(below, rest, value);
    }
}

/// A history row: values for some of the metrics.
fn history(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let mut row = Map::default();
    for item in body.messages(1)? {
        let (keys, value) = item_of(item)?;
        if let (Some(value), false) = (value, keys.is_empty()) {
            put(&mut row, &keys, value);
        }
    }
    let step = match body.message(2)? {
        Some(step) => step.number(1)?,
        None => {
            row.get("_step").and_then(Node::as_written).and_then(|step| step.parse().ok()).unwrap_or_default()
        }
    };
    let mut flat = Vec::new();
    flatten(&row, "", &mut flat);
    for (name, value) in flat {
        into.history.entry(name).or_default().push((step, value));
    }
    Ok(())
}

fn flatten(map: &Map, prefix: &str, flat: &mut Vec<(String, Node)>) {
    for (key, node) in map.iter().filter(|(key, _)| !key.starts_with('_')) {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match &node.value {
            Value::Map(below) => flatten(below, &name, flat),
            Value::Number(_) | Value::NotFinite(_) => flat.push((name, node.clone())),
            _ => {}
        }
    }
}
