//! From the records of logs to what they come to.

use std::sync::Arc;

use indexmap::IndexMap;

use super::log::{LogError, records};
use super::wire::{Message, NotAMessage};
use crate::document::{Document, Format, Map, Node, Span, Value};
use crate::source::tracked::without_places;

/// What the logs of a run come to, those of a resumed run one after the other.
#[derive(Debug, Clone, Default)]
pub struct Logged {
    /// 8 characters.
    pub run_id: Option<String>,
    pub(super) entity: Option<String>,
    pub(super) project: Option<String>,
    /// The group of runs that it belongs to.
    pub group: Option<String>,
    pub(super) job_type: Option<String>,
    pub(super) name: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) started: Option<(i64, i64)>,
    pub(super) commit: Option<String>,
    pub(super) config: Map,
    pub(super) summary: Map,
    pub(super) history: IndexMap<String, Vec<(i64, Node)>>,
    /// Metrics whose summary is not their last value.
    pub(super) summarised: Vec<String>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) exit: Option<i64>,
    /// There is no log, so how the run ended is not known.
    pub(super) without_log: bool,
    pub(super) environment: Environment,
    pub(super) notes: Vec<String>,
}

impl Logged {
    /// What runs of one group share: names of groups are those of a project.
    pub fn group_of(&self) -> (Option<String>, Option<String>, Option<String>) {
        (self.entity.clone(), self.project.clone(), self.group.clone())
    }
}

/// A version of an artifact that the run used or made.
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

/// What a record can be, of what is read here: a history row, a summary, a configuration, an artifact, a definition, a
/// run, an exit, an environment.
const KINDS: [u64; 8] = [2, 3, 5, 8, 12, 17, 18, 26];

/// Reads one more log of the same run.
pub fn fold(into: &mut Logged, bytes: &[u8]) -> Result<(), LogError> {
    let log = records(bytes)?;
    // How an earlier part ended says nothing of this one.
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
        3 => update(&mut into.summary, body),
        5 => update(&mut into.config, body),
        8 => artifact(into, body),
        12 => defined(into, body),
        17 => run(into, body),
        18 => {
            into.exit = Some(body.number(1)?);
            Ok(())
        }
        26 => environment(into, body),
        _ => Ok(()),
    }
}

fn run(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let keep = |slot: &mut Option<String>, found: Option<String>| {
        if found.is_some() {
            *slot = found;
        }
    };
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
        update(&mut into.config, config)?;
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
    into.environment.os = body.text(1)?;
    into.environment.python = body.text(2)?;
    into.environment.program = body.text(6)?;
    if let Some(commit) = body.message(9)?.map(|git| git.text(2)).transpose()?.flatten() {
        into.commit = Some(commit);
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

fn defined(into: &mut Logged, body: Message<'_>) -> Result<(), NotAMessage> {
    let (name, summary) = (body.text(1)?, body.message(7)?);
    if let (Some(name), Some(summary)) = (name, summary) {
        let other =
            [1, 2, 3, 4, 6].into_iter().map(|way| summary.number(way)).collect::<Result<Vec<_>, _>>()?;
        if other.iter().any(|way| *way != 0) {
            into.summarised.push(name);
        }
    }
    Ok(())
}

/// Applies an update of the configuration or of the summary.
fn update(map: &mut Map, body: Message<'_>) -> Result<(), NotAMessage> {
    for item in body.messages(1)? {
        let (keys, value) = item_of(item)?;
        if let (Some(value), false) = (value, keys.is_empty()) {
            put(map, &keys, value);
        }
    }
    for item in body.messages(2)? {
        let (keys, _) = item_of(item)?;
        if let [key] = keys.as_slice() {
            map.remove(key);
        }
    }
    Ok(())
}

/// The keys that lead to an item, and its value.
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

/// A row of the history: a value for each of some names.
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
