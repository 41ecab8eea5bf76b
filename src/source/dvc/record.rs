//! Builds the canonical record from the files of a project.

use indexmap::IndexMap;

use super::Files;
use super::data::files_of;
use super::metrics::metrics;
use super::pipeline::Pipeline;
use super::project::Project;
use super::stale::differences;
use super::values::object;
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::Origin;
use crate::source::tracked::{Tracked, without_places};

/// What git knows about the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Code {
    /// The commit that they were read at, or that is checked out.
    pub commit: Option<String>,
    /// Whether they differ from it.
    pub dirty: Option<bool>,
    /// When it was committed.
    pub time: Option<String>,
}

/// The names of the models in `artifacts:` of `dvc.yaml`.
pub fn model_names(files: &dyn Files) -> Result<Vec<String>, Box<Diagnostic>> {
    let pipeline = Pipeline::read(files, "dvc.yaml", &[])?.unwrap_or_default();
    Ok(pipeline.models.into_iter().map(|(name, _)| name).collect())
}

/// The run that a folder describes. `prefix` is the path from the workspace to the folder; `model` is the name of the
/// wanted model in `artifacts:`.
pub fn tracked(
    files: &dyn Files,
    prefix: &str,
    code: &Code,
    model: Option<&str>,
    label: String,
    origin: Origin,
) -> Result<Tracked, Box<Diagnostic>> {
    let mut project = Project::read(files)?;
    let mut run = Tracked { label, origin, ..Tracked::default() };
    head(&mut run, code);
    let lock = project.lock.as_deref();
    let stale = differences(files, &project.pipeline, lock, &project.tracked, &mut project.notes)?;
    if !project.pipeline.stages.is_empty() {
        let status = if stale.is_empty() { "finished" } else { "stale" };
        run.text(&Path::of(["status"]), Some(status), "dvc.lock");
    }
    run.notes.extend(
        stale.iter().map(|line| format!("stale: {line}; run `dvc repro`, and commit what it writes")),
    );
    let lock = project.lock.as_deref().unwrap_or_default();
    let commands: Vec<Node> =
        lock.iter().filter_map(|locked| locked.command.as_deref()).map(Node::text).collect();
    if !commands.is_empty() {
        run.put(&Path::of(["command"]), Value::List(commands), "dvc.lock: stages.*.cmd");
    }
    params(files, &project, &mut run)?;
    files_of(files, &project, (prefix, model), &mut run)?;
    let mut notes = std::mem::take(&mut project.notes);
    let names = project.metric_files(files, &mut notes)?;
    let metrics = metrics(files, lock, &names, &mut notes)?;
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), names.join(", "));
    }
    run.notes.append(&mut notes);
    Ok(run)
}

fn head(run: &mut Tracked, code: &Code) {
    run.text(&Path::of(["git_commit"]), code.commit.as_deref(), "git");
    if let Some(dirty) = code.dirty {
        run.put(&Path::of(["git_dirty"]), Value::Bool(dirty), "git");
    }
    run.text(&Path::of(["created_at"]), code.time.as_deref(), "the time of the commit");
}

/// Records the parameters that the stages ran with; without a lockfile, the current ones.
fn params(files: &dyn Files, project: &Project, run: &mut Tracked) -> Result<(), Box<Diagnostic>> {
    let mut params = Map::default();
    let mut from = "dvc.lock: stages.*.params".to_owned();
    let mut of_files: IndexMap<&str, Map> = IndexMap::new();
    for (file, map) in project.lock.iter().flatten().flat_map(|locked| &locked.params) {
        if !merge(of_files.entry(file).or_default(), map) {
            run.notes.push(format!("stages ran with different values of the same parameter in `{file}`"));
        }
    }
    let standard = vec!["params.yaml".to_owned()];
    if project.lock.is_none() {
        let named = Some(&project.pipeline.params).filter(|files| !files.is_empty());
        let named = named.unwrap_or(&standard);
        from = named.join(", ");
        for file in named {
            if let Some(map) = object(files, file)? {
                of_files.insert(file, map);
            }
        }
    }
    // `params.yaml` comes first, whatever the order of the stages, so that its names are kept.
    of_files.sort_by(|one, _, other, _| other.ends_with("params.yaml").cmp(&one.ends_with("params.yaml")));
    for (file, map) in &of_files {
        add_file(&mut params, file, map);
    }
    if !params.is_empty() {
        if let Some(seed) = seed(&params) {
            run.put(&Path::of(["seed"]), seed, "params");
        }
        run.put(&Path::of(["params"]), Value::Map(params), from);
    }
    Ok(())
}

/// The only number with the name of a seed, at the top level or one level below.
fn seed(params: &Map) -> Option<Value> {
    let is_number = |node: &&Node| matches!(node.value, Value::Number(_));
    if let Some(seed) = params.get("seed").filter(is_number) {
        return Some(seed.value.clone());
    }
    let mut below = params.iter().filter_map(|(key, node)| {
        if key.rsplit_once('.').is_some_and(|(_, last)| last == "seed") {
            Some(node)
        } else {
            node.get("seed")
        }
    });
    match (below.next(), below.next()) {
        (Some(one), None) if is_number(&one) => Some(one.value.clone()),
        _ => None,
    }
}

/// Adds the parameters of a file. Names that another file has too are put under the file's name, as in
/// `params."eval.yaml".seed`, so that neither hides the other.
fn add_file(params: &mut Map, file: &str, map: &Map) {
    let mut twice = Map::default();
    add(params, map, &mut twice);
    if !twice.is_empty() {
        params.insert(file, Span::default(), Node::made(Value::Map(twice)));
    }
}

/// Adds the new keys of one object to another, and the rest to `twice`.
fn add(into: &mut Map, other: &Map, twice: &mut Map) {
    for (key, node) in other.iter() {
        match (into.get_mut(key).map(|known| &mut known.value), &node.value) {
            (None, _) => {
                into.insert(key, Span::default(), without_places(node));
            }
            (Some(Value::Map(known)), Value::Map(more)) => {
                let mut below = Map::default();
                add(known, more, &mut below);
                if !below.is_empty() {
                    twice.insert(key, Span::default(), Node::made(Value::Map(below)));
                }
            }
            (Some(_), _) => {
                twice.insert(key, Span::default(), without_places(node));
            }
        }
    }
}

/// Merges one object into another; returns whether they agree on the keys that both have.
fn merge(into: &mut Map, other: &Map) -> bool {
    let mut agree = true;
    for (key, node) in other.iter() {
        match (into.get_mut(key).map(|known| &mut known.value), &node.value) {
            (Some(Value::Map(known)), Value::Map(more)) => agree &= merge(known, more),
            (Some(known), _) => {
                let known = Node::made(known.clone());
                agree &= crate::run::same_value(&Path::of(["params", key]), &known, node)
                    == crate::run::Sameness::Same;
            }
            (None, _) => {
                into.insert(key, Span::default(), without_places(node));
            }
        }
    }
    agree
}
