//! The run that training logged to MLflow: what the record takes from it, and what is written back to it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::observed::Observer;
use super::place::Place;
use super::{MLFLOW_RUNS, MLFLOW_TAGS};
use crate::document::{Diagnostic, Map, Node, Span, Value, to_line};
use crate::facts::hash_named;
use crate::recording::{LoggedModel, scalar};
use crate::tracker::mlflow::{Logged, MAX_TAG, RUN_ID, Sought};

/// An MLflow run, and the values taken from it.
pub(super) struct Taken {
    logged: Logged,
    pub(super) params: Map,
    pub(super) metrics: Map,
    pub(super) model: Option<LoggedModel>,
}

/// The result of the search.
#[derive(Default)]
pub(super) struct Found {
    pub(super) taken: Option<Taken>,
    /// Why nothing was taken, if something was logged.
    pub(super) problem: Option<Diagnostic>,
}

/// Looks for the run in the stores that the command's Python processes logged to since the command started.
pub(super) fn find(observer: &Observer, place: &Place, started: Timestamp) -> Found {
    match runs(observer, place) {
        Err(problem) => Found { problem: Some(*problem), taken: None },
        Ok(mut runs) => match (runs.pop(), runs.len()) {
            (None, _) => Found::default(),
            (Some(one), 0) if !one.is_written_since(started.as_millisecond()) => {
                let message =
                    format!("the command did not write to the run `{}`, which {RUN_ID} names", one.id());
                let help = "its contents are from another training run: unset the variable";
                Found { problem: Some(Diagnostic::new(MLFLOW_RUNS, message).help(help)), taken: None }
            }
            (Some(one), 0) => match take(one, place) {
                Ok(taken) => Found { taken: Some(taken), problem: None },
                Err(problem) => Found { problem: Some(*problem), taken: None },
            },
            (Some(last), _) => {
                let ids: Vec<&str> = runs.iter().chain([&last]).map(Logged::id).collect();
                let message = format!(
                    "the command logged {} runs to MLflow, and gate does not know which one to record: {}",
                    ids.len(),
                    ids.join(", ")
                );
                let help = "log one run for each `gate record`, or nest the others: \
                            `mlflow.start_run(nested=True)`; lines such as `metrics.f1=0.84` for $GATE_RECORD_FILE say \
                            which values count";
                Found { problem: Some(Diagnostic::new(MLFLOW_RUNS, message).help(help)), taken: None }
            }
        },
    }
}

fn runs(observer: &Observer, place: &Place) -> Result<Vec<Logged>, Box<Diagnostic>> {
    let own = std::env::var(RUN_ID).ok().filter(|id| !id.is_empty());
    let sought = own.as_deref().map_or(Sought::Tagged(observer.word()), Sought::Id);
    let stores = observer.mlflow();
    if stores.is_empty() && own.is_some() {
        return Logged::find(None, &place.folder, &place.root, sought);
    }
    let mut runs = Vec::new();
    for store in stores {
        runs.extend(Logged::find(Some(&store.uri), &store.folder, &place.root, sought)?);
    }
    Ok(runs)
}

fn take(logged: Logged, place: &Place) -> Result<Taken, Box<Diagnostic>> {
    let (run, location) = logged.tracked()?;
    let entries = |key: &str| run.record.get(key).and_then(Node::as_map).cloned().unwrap_or_default();
    let mut params = Map::default();
    for (name, entry) in entries("params") {
        // MLflow stores text, but a number is still a number.
        let node = entry.node.as_written().map_or(entry.node.clone(), scalar);
        params.insert(name, Span::default(), node);
    }
    let mut metrics = Map::default();
    for (name, entry) in entries("metrics") {
        let value = entry.node.get("value").cloned().unwrap_or(entry.node);
        metrics.insert(name, Span::default(), value.without_places());
    }
    let model = run.record.get("artifact").map(|artifact| {
        let text = |key: &str| artifact.get(key).and_then(Node::as_written).map(str::to_owned);
        let here =
            text("path").map(|path| place.root.join(path)).or_else(|| on_this_machine(location.as_deref()?));
        let hashed = here.and_then(|path| hash_named(&path, None).ok());
        LoggedModel {
            path: text("path"),
            uri: text("uri"),
            digest: hashed.as_ref().map(|hashed| format!("sha256:{}", hashed.sha256)),
            bytes: hashed.map(|hashed| hashed.bytes),
        }
    });
    Ok(Taken { logged, params, metrics, model })
}

/// The folder that an address names, if it is on this machine.
fn on_this_machine(location: &str) -> Option<PathBuf> {
    let path = location.strip_prefix("file://").unwrap_or(location);
    Some(Path::new(path).to_owned()).filter(|path| path.is_absolute() && path.exists())
}

/// Record fields that can be stored as tags of the same name, by path.
const TAGS: [&[&str]; 14] = [
    &["data_version"],
    &["git_dirty"],
    &["seed"],
    &["validation", "split"],
    &["validation", "digest"],
    &["validation", "rows"],
    &["artifact", "path"],
    &["artifact", "digest"],
    &["environment", "python"],
    &["environment", "os"],
    &["environment", "container"],
    &["environment", "lockfile", "path"],
    &["environment", "lockfile", "digest"],
    &["git_commit"],
];

impl Taken {
    /// Its reference, for messages.
    pub(super) fn reference(&self) -> String {
        format!("mlflow:runs:/{}", self.logged.id())
    }

    /// The store's name, without secrets.
    pub(super) fn store(&self) -> String {
        self.logged.store()
    }

    /// Writes the fields that MLflow does not record back to the run, as tags.
    pub(super) fn write_back(&self, record: &Node) -> Result<usize, Box<Diagnostic>> {
        let tags = tags_of(record);
        self.logged.set_tags(&tags).map_err(|problem| {
            let message = format!(
                "the record was written, but the tags of the MLflow run were not: {}",
                problem.message
            );
            Diagnostic { code: MLFLOW_TAGS.into(), ..Diagnostic { message, ..*problem } }.boxed()
        })?;
        Ok(tags.len())
    }
}

/// The tags that make a reference to the run as good as the record. Tags too long for MLflow are left out.
fn tags_of(record: &Node) -> Vec<(String, String)> {
    let get = |path: &[&str]| path.iter().try_fold(record, |node, key| node.get(key));
    let mut tags: Vec<(String, String)> = TAGS
        .iter()
        .filter_map(|path| {
            let name = match *path {
                ["git_commit"] => "mlflow.source.git.commit".to_owned(),
                path => path.join("."),
            };
            let value = match &get(path)?.value {
                Value::Bool(value) => value.to_string(),
                _ => get(path)?.as_written()?.to_owned(),
            };
            Some((name, value))
        })
        .collect();
    let words = get(&["command"]).and_then(Node::as_list).unwrap_or_default();
    let command: Vec<&str> = words.iter().filter_map(Node::as_written).collect();
    if !command.is_empty() {
        tags.push(("command".into(), shell_words::join(command)));
    }
    tags.extend(get(&["data"]).map(|data| ("data".to_owned(), to_line(data))));
    tags.retain(|(_, value)| !value.is_empty() && value.len() <= MAX_TAG);
    tags
}

/// Adds the values that no file, option or line gave.
pub(super) fn fill(into: &mut Map, from: &Map) {
    for (name, node) in from.iter() {
        if into.get(name).is_none() {
            into.insert(name, Span::default(), node.clone());
        }
    }
}
