//! `dvc.yaml`: the stages, and what each of them reads and writes.

use super::Files;
use super::expand::{Item, expand};
use super::paths::is_address;
use super::paths::joined;
use super::template::Context;
use super::values::{broken, parse};
use crate::document::{Diagnostic, Map, Node, Value};

/// The contents of `dvc.yaml`.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) stages: Vec<Stage>,
    /// Metrics files that belong to no stage; DVCLive adds them.
    pub(super) metrics: Vec<String>,
    /// Parameter files that belong to no stage.
    pub(super) params: Vec<String>,
    /// Paths that `artifacts:` lists as models, with their names.
    pub(super) models: Vec<(String, String)>,
    /// What could not be resolved.
    pub(super) notes: Vec<String>,
}

/// A stage, or one of those it expands to. Paths are relative to the folder of `dvc.yaml`; an unresolvable `${…}` is
/// left as is.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// `train`, or `train@11` for an expanded stage.
    pub(super) name: String,
    /// The item that it was expanded for, if any.
    pub(super) item: Option<Item>,
    pub(super) command: String,
    /// DVC does not check its inputs.
    pub(super) frozen: bool,
    pub(super) folder: String,
    pub(super) deps: Vec<String>,
    /// Keys by file; `None` means all keys of the file.
    pub(super) params: Vec<(String, Option<Vec<String>>)>,
    pub(super) outs: Vec<String>,
    pub(super) metrics: Vec<String>,
    pub(super) plots: Vec<String>,
}

impl Stage {
    /// The name of the stage in `dvc.yaml` that it was expanded from.
    pub(super) fn base(&self) -> &str {
        base(&self.name)
    }

    /// All its outputs.
    pub(super) fn left(&self) -> impl Iterator<Item = &String> {
        self.outs.iter().chain(&self.metrics).chain(&self.plots)
    }
}

/// The name of the stage in `dvc.yaml` that `train@11` was expanded from.
pub(super) fn base(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

impl Pipeline {
    /// The pipeline in a folder. `locked` are the names of the stages that ran, used for items that can't be resolved
    /// otherwise.
    pub(super) fn read(
        files: &dyn Files,
        path: &str,
        locked: &[String],
    ) -> Result<Option<Self>, Box<Diagnostic>> {
        let Some(bytes) = files.read(path)? else { return Ok(None) };
        let label = files.label(path);
        // Without a template, variables are not needed, so other files are not read.
        let has_templates = bytes.windows(2).any(|two| two == b"${");
        let map = parse(&label, path, bytes)?;
        let context = if has_templates {
            Context::read(files)?.vars(files, "", map.get("vars"))?
        } else {
            Context::default()
        };
        let mut pipeline = Self::default();
        match map.get("stages").map(|node| &node.value) {
            None | Some(Value::Null) => {}
            Some(Value::Map(stages)) => {
                for (name, node) in stages.iter() {
                    pipeline.add(files, name, node, &context, locked)?.ok_or_else(|| {
                        broken(&label, &format!("the stage `{name}` is not an object with `cmd`"))
                    })?;
                }
            }
            Some(_) => return Err(broken(&label, "`stages` is not an object")),
        }
        let resolved = |key: &str| map.get(key).map(|node| context.node(node));
        pipeline.metrics = paths(resolved("metrics").as_ref(), "");
        pipeline.params = paths(resolved("params").as_ref(), "");
        if let Some(artifacts) = resolved("artifacts") {
            for (name, node) in artifacts.as_map().into_iter().flat_map(Map::iter) {
                let text = |key: &str| node.get(key).and_then(Node::as_written);
                if let (Some(path), Some("model")) = (text("path"), text("type")) {
                    pipeline.models.push((name.to_owned(), joined("", path)));
                }
            }
        }
        Ok(Some(pipeline))
    }

    /// Adds a stage, or those it expands to; `None` if it is not a valid stage.
    fn add(
        &mut self,
        files: &dyn Files,
        name: &str,
        node: &Node,
        context: &Context,
        locked: &[String],
    ) -> Result<Option<()>, Box<Diagnostic>> {
        let Some(map) = node.as_map() else { return Ok(None) };
        let (mut items, is_whole) = expand(name, map, context, locked);
        if !is_whole {
            // None of them ran, but the stage must still be reported.
            if items.is_empty() {
                items.push((None, context.clone()));
            }
            self.notes.push(format!(
                "the items of the stage `{name}` can't be resolved, so only those that ran are checked; `dvc status` checks all"
            ));
        }
        let body = map.get("do").and_then(Node::as_map).unwrap_or(map);
        if body.get("cmd").is_none() {
            return Ok(None);
        }
        for (item, context) in items {
            let name = item.as_ref().map_or_else(|| name.to_owned(), |item| format!("{name}@{}", item.name));
            let stage = stage(files, name, item, body, &context)?;
            let open = stage.deps.iter().chain(stage.left()).chain([&stage.command, &stage.folder]);
            if let Some(text) = open.into_iter().find(|text| text.contains("${")) {
                self.notes.push(format!(
                    "`{text}` in the stage `{}` can't be resolved, so the lock's value is used; `dvc status` checks it",
                    stage.name
                ));
            }
            self.stages.push(stage);
        }
        Ok(Some(()))
    }
}

fn stage(
    files: &dyn Files,
    name: String,
    item: Option<Item>,
    body: &Map,
    context: &Context,
) -> Result<Stage, Box<Diagnostic>> {
    let folder = body.get("wdir").map(|node| context.node(node));
    let folder = joined("", folder.as_ref().and_then(Node::as_written).unwrap_or_default());
    let context = context.vars(files, &folder, body.get("vars"))?;
    let resolved = |key: &str| body.get(key).map(|node| context.node(node));
    let of = |key: &str| paths(resolved(key).as_ref(), &folder);
    let frozen = body.get("frozen").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    Ok(Stage {
        name,
        item,
        command: body
            .get("cmd")
            .and_then(|command| self::command(command, |text| context.text(text)))
            .unwrap_or_default(),
        frozen,
        deps: of("deps"),
        params: params(resolved("params").as_ref(), &folder),
        outs: of("outs"),
        metrics: of("metrics"),
        plots: of("plots"),
        folder,
    })
}

/// A command, or a list of them joined into lines.
pub(super) fn command(node: &Node, resolve: impl Fn(&str) -> String) -> Option<String> {
    match node.as_list() {
        Some(lines) => {
            Some(lines.iter().filter_map(Node::as_written).map(resolve).collect::<Vec<_>>().join(" && "))
        }
        None => node.as_written().map(resolve),
    }
}

/// The keys of `params.yaml`, or of the files that are named.
fn params(node: Option<&Node>, folder: &str) -> Vec<(String, Option<Vec<String>>)> {
    let mut found: Vec<(String, Option<Vec<String>>)> = Vec::new();
    let mut standard = Vec::new();
    for item in node.and_then(Node::as_list).unwrap_or_default() {
        if let Some(map) = item.as_map() {
            for (file, keys) in map.iter() {
                let named = keys.as_list().unwrap_or_default().iter().filter_map(Node::as_written);
                let named: Vec<String> = named.map(str::to_owned).collect();
                found.push((joined(folder, file), Some(named).filter(|named| !named.is_empty())));
            }
        } else {
            standard.extend(item.as_written().map(str::to_owned));
        }
    }
    if !standard.is_empty() {
        found.push((joined(folder, "params.yaml"), Some(standard)));
    }
    found
}

/// The paths in a list, whose entries are plain paths or objects with the path as their only key.
fn paths(node: Option<&Node>, folder: &str) -> Vec<String> {
    let within = |path: &str| if is_address(path) { path.to_owned() } else { joined(folder, path) };
    let mut paths = Vec::new();
    for item in node.and_then(Node::as_list).unwrap_or_default() {
        match &item.value {
            Value::Map(map) => paths.extend(map.keys().map(within)),
            _ => paths.extend(item.as_written().map(within)),
        }
    }
    paths
}
