//! From the files of a project to the canonical record.

use super::lock::{Hashed, Locked};
use super::pipeline::{Pipeline, is_like, wildcard};
use super::stale::{base, differences};
use super::values::{broken, object, parse};
use super::{Files, NO_PROJECT, live, lock};
use crate::document::{Map, Node, Path, Problem, Span, Value};
use crate::run::Origin;
use crate::source::tracked::{Tracked, with_history, without_places};

/// What git knows of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Code {
    /// The commit that they are at, or that is checked out.
    pub commit: Option<String>,
    /// Whether they differ from it.
    pub dirty: Option<bool>,
    /// When it was committed.
    pub time: Option<String>,
}

/// Endings of files that are code: git has them, so they are no data.
const CODE: [&str; 12] = ["py", "ipynb", "sh", "r", "jl", "rs", "js", "ts", "sql", "scala", "cpp", "md"];
/// Endings of files that hold a trained model.
const MODEL: [&str; 13] = [
    "pkl",
    "pickle",
    "joblib",
    "onnx",
    "pt",
    "pth",
    "h5",
    "keras",
    "safetensors",
    "model",
    "ubj",
    "cbm",
    "tflite",
];
/// Names of files that pin packages.
const LOCKFILES: [&str; 7] =
    ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "conda-lock.yml", "pixi.lock"];
/// Words in the name of a file that metrics are measured on.
const SPLIT: [&str; 8] = ["test", "valid", "validation", "val", "holdout", "eval", "evaluation", "dev"];

/// What a project came to.
struct Project {
    pipeline: Pipeline,
    lock: Option<Vec<Locked>>,
    notes: Vec<String>,
}

/// The run that a folder describes. `prefix` leads to the folder from the workspace: empty, or ending in `/`.
pub fn tracked(
    files: &dyn Files,
    prefix: &str,
    code: &Code,
    label: String,
    origin: Origin,
) -> Result<Tracked, Box<Problem>> {
    let mut project = Project::read(files)?;
    let mut run = Tracked { label, origin, ..Tracked::default() };
    head(&mut run, code);
    let lock = project.lock.as_deref();
    let stale = differences(files, &project.pipeline, lock, &mut project.notes)?;
    if !project.pipeline.stages.is_empty() {
        let status = if stale.is_empty() { "finished" } else { "stale" };
        run.text(&Path::of(["status"]), Some(status), "dvc.lock");
    }
    run.notes.extend(
        stale.iter().map(|line| format!("stale: {line}; run `dvc repro`, and commit what it leaves")),
    );
    let lock = project.lock.as_deref().unwrap_or_default();
    let commands: Vec<Node> =
        lock.iter().filter_map(|locked| locked.command.as_deref()).map(Node::text).collect();
    if !commands.is_empty() {
        run.put(&Path::of(["command"]), Value::List(commands), "dvc.lock: stages.*.cmd");
    }
    params(files, &project, &mut run)?;
    files_of(files, &project, prefix, &mut run)?;
    let names = project.metric_files(files)?;
    let mut notes = std::mem::take(&mut project.notes);
    let metrics = metrics(files, lock, &names, &mut notes)?;
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), names.join(", "));
    }
    run.notes.append(&mut notes);
    Ok(run)
}

/// The runs of a stage that was made for each of several items, one for each.
///
/// What is known of the `whole` holds for each of them, but for its metrics.
pub fn items(files: &dyn Files, whole: &Tracked) -> Result<Vec<Tracked>, Box<Problem>> {
    let project = Project::read(files)?;
    let lock = project.lock.as_deref().unwrap_or_default();
    let mut runs = Vec::new();
    for stage in project.pipeline.stages.iter().filter(|stage| stage.templated && !stage.metrics.is_empty()) {
        for locked in
            lock.iter().filter(|locked| base(&locked.name) == stage.name && locked.name.contains('@'))
        {
            let label = format!("{}:{}", whole.label, locked.name);
            let mut run = Tracked { label, notes: Vec::new(), ..whole.clone() };
            run.record.remove("metrics");
            let item = locked.name.split_once('@').map_or("", |(_, item)| item);
            run.text(&Path::of(["run_id"]), Some(&locked.name), "dvc.lock");
            run.text(&Path::of(["stage"]), Some(&stage.name), "dvc.yaml");
            run.text(&Path::of(["seed"]), Some(item), "the item of the stage");
            let is_metric = |path: &str| {
                stage.metrics.iter().any(|metric| wildcard(metric).is_some_and(|glob| is_like(&glob, path)))
            };
            let names: Vec<String> =
                locked.outs.iter().map(|out| out.path.clone()).filter(|path| is_metric(path)).collect();
            let metrics = metrics(files, lock, &names, &mut run.notes)?;
            if !metrics.is_empty() {
                run.put(&Path::of(["metrics"]), Value::Map(metrics), names.join(", "));
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

fn head(run: &mut Tracked, code: &Code) {
    run.text(&Path::of(["git_commit"]), code.commit.as_deref(), "git");
    if let Some(dirty) = code.dirty {
        run.put(&Path::of(["git_dirty"]), Value::Bool(dirty), "git");
    }
    run.text(&Path::of(["created_at"]), code.time.as_deref(), "the time of the commit");
}

impl Project {
    fn read(files: &dyn Files) -> Result<Self, Box<Problem>> {
        let pipeline = Pipeline::read(files, "dvc.yaml")?;
        let is_live = pipeline.is_none() && files.read("metrics.json")?.is_some();
        let pipeline = match pipeline {
            Some(pipeline) => pipeline,
            // DVCLive without a pipeline leaves these two.
            None if is_live => Pipeline {
                metrics: vec!["metrics.json".into()],
                params: vec!["params.yaml".into()],
                ..Pipeline::default()
            },
            None => {
                let message =
                    format!("`{}` is not there, nor are the files of DVCLive", files.label("dvc.yaml"));
                return Err(Problem::new(NO_PROJECT, message)
                    .help("name the folder that holds `dvc.yaml`, or DVCLive's folder: `dvc:DIR`")
                    .boxed());
            }
        };
        let folder_of = |stage: &str| {
            let found = pipeline.stages.iter().find(|known| known.name == stage);
            found.map(|stage| stage.folder.clone()).unwrap_or_default()
        };
        let lock = lock::read(files, "dvc.lock", folder_of)?;
        Ok(Self { pipeline, lock, notes: Vec::new() })
    }

    /// The files of metrics, templates resolved to what the lock says was left.
    fn metric_files(&self, files: &dyn Files) -> Result<Vec<String>, Box<Problem>> {
        let mut names: Vec<String> = Vec::new();
        let outs = || self.lock.iter().flatten().flat_map(|locked| &locked.outs);
        let all = self.pipeline.stages.iter().flat_map(|stage| &stage.metrics).chain(&self.pipeline.metrics);
        for path in all {
            match wildcard(path) {
                Some(glob) => {
                    names.extend(outs().map(|out| out.path.clone()).filter(|path| is_like(&glob, path)));
                }
                None if path.contains('*') => names.extend(files.matching(path)?),
                None => names.push(path.clone()),
            }
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }
}

/// What the stages ran with; where there is no lock, what the files say now.
fn params(files: &dyn Files, project: &Project, run: &mut Tracked) -> Result<(), Box<Problem>> {
    let mut params = Map::default();
    let mut from = "dvc.lock: stages.*.params".to_owned();
    for (file, map) in project.lock.iter().flatten().flat_map(|locked| &locked.params) {
        if !merge(&mut params, map) {
            run.notes.push(format!("stages ran with different values of the same parameter in `{file}`"));
        }
    }
    if project.lock.is_none() {
        let named = Some(&project.pipeline.params).filter(|files| !files.is_empty());
        let standard = vec!["params.yaml".to_owned()];
        let named = named.unwrap_or(&standard);
        from = named.join(", ");
        for file in named {
            if let Some(map) = object(files, file)? {
                merge(&mut params, &map);
            }
        }
    }
    if !params.is_empty() {
        if let Some(seed) = seed(&params) {
            run.put(&Path::of(["seed"]), seed, "params");
        }
        run.put(&Path::of(["params"]), Value::Map(params), from);
    }
    Ok(())
}

/// The one number that is called a seed, at the top or one level below.
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

/// Puts one object into another; whether they agree where both have a value.
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

/// Data, artifacts and the lockfile of packages, from what stages read and left.
fn files_of(
    files: &dyn Files,
    project: &Project,
    prefix: &str,
    run: &mut Tracked,
) -> Result<(), Box<Problem>> {
    let lock = project.lock.as_deref().unwrap_or_default();
    let unique = |all: Vec<&Hashed>| {
        let mut found: Vec<Hashed> = Vec::new();
        for one in all {
            if !found.iter().any(|known| known.path == one.path) {
                found.push(one.clone());
            }
        }
        found
    };
    let tracked = lock::tracked_files(files)?;
    let deps = unique(lock.iter().flat_map(|locked| &locked.deps).chain(&tracked).collect());
    let outs = unique(lock.iter().flat_map(|locked| &locked.outs).collect());
    let models = &project.pipeline.models;
    let is_model = |path: &str| {
        if models.is_empty() {
            MODEL.contains(&ending(path))
        } else {
            models.iter().any(|(_, model)| model == path)
        }
    };
    let is_lockfile = |path: &str| LOCKFILES.contains(&path.rsplit('/').next().unwrap_or(path));
    let data: Vec<&Hashed> = deps
        .iter()
        .filter(|dep| !CODE.contains(&ending(&dep.path)) && !is_model(&dep.path) && !is_lockfile(&dep.path))
        .collect();
    if !data.is_empty() {
        let list = data.iter().map(|file| Node::made(Value::Map(described(file, prefix)))).collect();
        run.put(&Path::of(["data"]), Value::List(list), "dvc.lock: stages.*.deps, *.dvc");
    }
    if let Some(file) = deps.iter().find(|dep| is_lockfile(&dep.path)) {
        let path = Path::of(["environment", "lockfile"]);
        run.put(&path, Value::Map(described(file, prefix)), "dvc.lock: stages.*.deps");
    }
    validation(&data, run);
    let left_out = project.left_out();
    let produced: Vec<&Hashed> = outs
        .iter()
        .filter(|out| !left_out(&out.path) && !data.iter().any(|file| file.path == out.path))
        .chain(tracked.iter().filter(|file| is_model(&file.path)))
        .collect();
    let (model, other): (Vec<&Hashed>, Vec<&Hashed>) =
        produced.into_iter().partition(|out| is_model(&out.path));
    match model.as_slice() {
        [one] => {
            run.put(&Path::of(["artifact"]), Value::Map(described(one, prefix)), "dvc.lock: stages.*.outs");
            if let Some((name, _)) = models.iter().find(|(_, path)| *path == one.path) {
                run.text(&Path::of(["model"]), Some(name), "dvc.yaml: artifacts");
            }
        }
        [] => {}
        several => run.notes.push(format!(
            "{} outputs are models, so none of them is *the* artifact: name it under `artifacts:` in dvc.yaml",
            several.len()
        )),
    }
    let rest: Vec<&Hashed> = if model.len() == 1 { other } else { model.into_iter().chain(other).collect() };
    if !rest.is_empty() {
        let list = rest.iter().map(|file| Node::made(Value::Map(described(file, prefix)))).collect();
        run.put(&Path::of(["artifacts"]), Value::List(list), "dvc.lock: stages.*.outs");
    }
    Ok(())
}

impl Project {
    /// Whether an output is one of metrics or plots, which the lock does not say.
    fn left_out(&self) -> impl Fn(&str) -> bool + '_ {
        |path| {
            let named =
                self.pipeline.stages.iter().flat_map(|stage| stage.metrics.iter().chain(&stage.plots));
            named.chain(&self.pipeline.metrics).any(|name| match wildcard(name) {
                Some(glob) => is_like(&glob, path),
                None => {
                    name == path || path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'))
                }
            })
        }
    }
}

fn ending(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending)
}

fn described(file: &Hashed, prefix: &str) -> Map {
    let mut map = Map::default();
    map.insert("path", Span::default(), Node::text(format!("{prefix}{}", file.path)));
    if let Some(digest) = &file.digest {
        map.insert("digest", Span::default(), Node::text(digest.as_str()));
    }
    if let Some(bytes) = file.bytes.as_deref().filter(|bytes| bytes.parse::<u64>().is_ok()) {
        map.insert("bytes", Span::default(), Node::made(Value::Number(bytes.into())));
    }
    map
}

/// The one file of data whose name says that metrics are measured on it.
fn validation(data: &[&Hashed], run: &mut Tracked) {
    let says_so = |file: &&&Hashed| {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        name.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| SPLIT.contains(&word))
    };
    let found: Vec<&&Hashed> = data.iter().filter(says_so).collect();
    match found.as_slice() {
        [] => {}
        [one] => {
            let at = Path::of(["validation"]);
            let from = "the only data whose name says so";
            run.text(&at.key("split"), Some(&one.path), from);
            run.text(&at.key("digest"), one.digest.as_deref(), from);
        }
        several => {
            let names: Vec<&str> = several.iter().map(|file| file.path.as_str()).collect();
            run.notes.push(format!(
                "which of these the metrics were measured on is not recorded, so there is no `validation`: {}",
                names.join(", ")
            ));
        }
    }
}

/// The metrics in some files. A name that two files have is put behind the name of its file.
fn metrics(
    files: &dyn Files,
    lock: &[Locked],
    names: &[String],
    notes: &mut Vec<String>,
) -> Result<Map, Box<Problem>> {
    let mut found: Vec<(String, String, Node)> = Vec::new();
    for name in names {
        let Some(map) = metric_file(files, lock, name, notes)? else { continue };
        let mut flat = Vec::new();
        flatten(&map, "", &mut flat);
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        // DVCLive's own counter.
        let is_live = name.ends_with("metrics.json") && !files.matching(&joined_glob(folder))?.is_empty();
        flat.retain(|(metric, _)| !(is_live && metric == "step"));
        for (metric, node) in flat {
            let points = if is_live { live::history(files, folder, &metric)? } else { Vec::new() };
            found.push((name.clone(), metric, with_history(node.value, &points)));
        }
    }
    let mut metrics = Map::default();
    for (file, metric, node) in &found {
        let twice = found.iter().any(|(other, name, _)| name == metric && other != file);
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        let name = if twice { format!("{}.{metric}", stem.replace('/', ".")) } else { metric.clone() };
        if metrics.insert(name.as_str(), Span::default(), node.clone()).is_some() {
            return Err(broken(&files.label(file), &format!("two metrics are called `{name}`")));
        }
    }
    Ok(metrics)
}

fn joined_glob(folder: &str) -> String {
    if folder.is_empty() { "plots/metrics/**".into() } else { format!("{folder}/plots/metrics/**") }
}

/// The metrics of one file: there, or in the cache, or recorded and not fetched.
fn metric_file(
    files: &dyn Files,
    lock: &[Locked],
    name: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Map>, Box<Problem>> {
    if let Some(map) = object(files, name)? {
        return Ok(Some(map));
    }
    let out = lock.iter().flat_map(|locked| &locked.outs).find(|out| out.path == name);
    let Some(md5) = out.and_then(Hashed::md5) else {
        notes.push(format!("the metrics file `{name}` is not there, and no stage left it"));
        return Ok(None);
    };
    if let Some(bytes) = files.cached(md5)? {
        return parse(&files.label(name), name, bytes).map(Some);
    }
    notes.push(format!(
        "`{name}` is recorded but not fetched: run `dvc pull {name}`, or write it with `cache: false`"
    ));
    Ok(None)
}

/// Names joined by dots, as DVC shows them; lists and nulls are left out, as it does.
fn flatten(map: &Map, prefix: &str, flat: &mut Vec<(String, Node)>) {
    for (key, node) in map.iter() {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match &node.value {
            Value::Map(below) => flatten(below, &name, flat),
            Value::List(_) | Value::Null => {}
            _ => flat.push((name, without_places(node))),
        }
    }
}
