//! `dvc.yaml`: the stages, and what each reads and leaves.

use super::Files;
use super::values::{broken, parse};
use crate::document::{Map, Node, Problem, Value};

/// What `dvc.yaml` says.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) stages: Vec<Stage>,
    /// Files of metrics that belong to no stage; DVCLive adds them.
    pub(super) metrics: Vec<String>,
    /// Files of parameters that belong to no stage.
    pub(super) params: Vec<String>,
    /// Paths that `artifacts:` calls models, with their names.
    pub(super) models: Vec<(String, String)>,
}

/// A stage. Paths are relative to the folder of `dvc.yaml`; a `${…}` in one is as it is written.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) command: Option<String>,
    /// One of several that are made from it: by `foreach` or `matrix`.
    pub(super) templated: bool,
    pub(super) folder: String,
    pub(super) metrics: Vec<String>,
    pub(super) plots: Vec<String>,
}

impl Pipeline {
    pub(super) fn read(files: &dyn Files, path: &str) -> Result<Option<Self>, Box<Problem>> {
        let Some(bytes) = files.read(path)? else { return Ok(None) };
        let label = files.label(path);
        let map = parse(&label, path, bytes)?;
        let mut pipeline = Self::default();
        match map.get("stages").map(|node| &node.value) {
            None | Some(Value::Null) => {}
            Some(Value::Map(stages)) => {
                for (name, node) in stages.iter() {
                    pipeline.stages.push(stage(name, node).ok_or_else(|| {
                        broken(&label, &format!("the stage `{name}` is not an object with `cmd`"))
                    })?);
                }
            }
            Some(_) => return Err(broken(&label, "`stages` is not an object")),
        }
        pipeline.metrics = paths(map.get("metrics"), "");
        pipeline.params = paths(map.get("params"), "");
        for (name, node) in map.get("artifacts").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
            let text = |key: &str| node.get(key).and_then(Node::as_written);
            if let (Some(path), Some("model")) = (text("path"), text("type")) {
                pipeline.models.push((name.to_owned(), path.to_owned()));
            }
        }
        Ok(Some(pipeline))
    }
}

fn stage(name: &str, node: &Node) -> Option<Stage> {
    let map = node.as_map()?;
    let body = map.get("do").and_then(Node::as_map).unwrap_or(map);
    let folder = body.get("wdir").and_then(Node::as_written).unwrap_or_default().to_owned();
    let command = body.get("cmd").map(|command| match &command.value {
        Value::List(lines) => lines.iter().filter_map(Node::as_written).collect::<Vec<_>>().join(" && "),
        _ => command.as_written().unwrap_or_default().to_owned(),
    });
    Some(Stage {
        name: name.to_owned(),
        command: Some(command?),
        templated: map.get("foreach").is_some() || map.get("matrix").is_some(),
        metrics: paths(body.get("metrics"), &folder),
        plots: paths(body.get("plots"), &folder),
        folder,
    })
}

/// The paths in a list of paths, each alone or as the one key of an object with settings.
fn paths(node: Option<&Node>, folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for item in node.and_then(Node::as_list).unwrap_or_default() {
        match &item.value {
            Value::Map(map) => paths.extend(map.keys().map(|path| joined(folder, path))),
            _ => paths.extend(item.as_written().map(|path| joined(folder, path))),
        }
    }
    paths
}

/// A path in a folder, without detours; one that leads out keeps its `..`, and is then not there.
pub(super) fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match parts.last() {
            Some(last) if part == ".." && *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A glob for a path in which `${…}` stands for anything but a `/`; `None` where nothing does.
pub(super) fn wildcard(path: &str) -> Option<String> {
    path.contains("${").then(|| {
        let mut glob = String::new();
        let mut rest = path;
        while let Some((before, behind)) = rest.split_once("${") {
            glob.push_str(before);
            glob.push('*');
            rest = behind.split_once('}').map_or("", |(_, rest)| rest);
        }
        glob + rest
    })
}

/// Whether a path is what a wildcard stands for.
pub(super) fn is_like(wildcard: &str, path: &str) -> bool {
    let mut rest = path;
    let mut parts = wildcard.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(behind) = rest.strip_prefix(first) else { return false };
    rest = behind;
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let at = if index + 1 == parts.len() && rest.ends_with(part) {
            Some(rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(at) = at.filter(|at| !rest[..*at].contains('/')) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}
