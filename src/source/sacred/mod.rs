//! Sacred: the files of its `FileStorageObserver`, and the exports of its `MongoObserver`.

mod exported;

pub use exported::{is_run as is_exported_run, run as exported_run};

use super::Tracker;
use super::tracked::{Tracked, by_name, with_history, without_places};
use crate::document::{Map, Node, Path, Span, Value};
use crate::run::Origin;

/// The files of one run.
#[derive(Debug, Default)]
pub struct Files {
    /// `run.json`
    pub run: Node,
    /// `config.json`
    pub config: Option<Node>,
    /// `metrics.json`
    pub metrics: Option<Node>,
    /// `info.json`: what the run stored in `_run.info`.
    pub info: Option<Node>,
    /// The path from the workspace to their folder, if it is inside: empty, or ending in `/`.
    pub below: Option<String>,
}

/// The run that some files describe. `id` is the name of their folder.
pub fn tracked(files: &Files, id: &str, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let at = |path: &[&str]| path.iter().try_fold(&files.run, |node, key| node.get(key));
    let text = |path: &[&str]| at(path).and_then(Node::as_written);
    run.text(&Path::of(["run_id"]), Some(id), "the name of the folder");
    run.text(&Path::of(["name"]), text(&["experiment", "name"]), "run.json: experiment.name");
    let status = match text(&["status"]) {
        Some("COMPLETED") => "finished".to_owned(),
        Some("INTERRUPTED") => "killed".to_owned(),
        Some(other) => other.to_lowercase(),
        // A run that was killed has no final status.
        None => "running".to_owned(),
    };
    run.text(&Path::of(["status"]), Some(&status), "run.json: status");
    run.text(&Path::of(["source"]), text(&["experiment", "mainfile"]), "run.json: experiment.mainfile");
    repositories(at(&["experiment", "repositories"]), &mut run);
    let environment = Path::of(["environment"]);
    run.text(&environment.key("python"), text(&["host", "python_version"]), "run.json: host.python_version");
    let os = at(&["host", "os"]).and_then(Node::as_list).and_then(|os| os.last()?.as_written());
    run.text(&environment.key("os"), os, "run.json: host.os");
    packages(at(&["experiment", "dependencies"]), &mut run);
    resources(at(&["resources"]), &mut run);
    artifacts(at(&["artifacts"]), files.below.as_deref(), &mut run);
    let mut params = Map::default();
    for (key, node) in files.config.as_ref().and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        by_name(key, node, "config.json: ", &mut run);
        params.insert(key, Span::default(), without_places(node));
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "config.json");
    }
    metrics(files.metrics.as_ref(), &mut run);
    result(at(&["result"]), &mut run);
    if let Some(info) = files.info.as_ref().filter(|info| info.as_map().is_some_and(|map| !map.is_empty())) {
        run.put(&Path::of(["info"]), info.without_places().value, "info.json");
    }
    for (field, key) in [("created_at", "start_time"), ("ended_at", "stop_time")] {
        run.text(&Path::of([field]), text(&[key]), format!("run.json: {key}"));
    }
    run
}

/// Records the code's repository; if there are several, none is used as the code version. Sacred writes an
/// entry for each source file, so the same repository may occur many times.
fn repositories(node: Option<&Node>, run: &mut Tracked) {
    let entries = node.and_then(Node::as_list).unwrap_or_default();
    let identity = |entry: &Node| ["url", "commit"].map(|key| written(entry, key));
    let mut distinct: Vec<&Node> = Vec::new();
    for entry in entries {
        if !distinct.iter().any(|known| identity(known) == identity(entry)) {
            distinct.push(entry);
        }
    }
    match distinct.as_slice() {
        [] => {}
        [one] => {
            let from = "run.json: experiment.repositories[0]";
            run.text(&Path::of(["git_commit"]), written(one, "commit").as_deref(), from);
            let flags: Vec<bool> = entries
                .iter()
                .filter_map(|entry| match entry.get("dirty").map(|node| &node.value) {
                    Some(Value::Bool(dirty)) => Some(*dirty),
                    _ => None,
                })
                .collect();
            if !flags.is_empty() {
                run.put(&Path::of(["git_dirty"]), Value::Bool(flags.contains(&true)), from);
            }
        }
        several => {
            let all = Value::List(several.iter().map(|entry| without_places(entry)).collect());
            run.put(&Path::of(["repositories"]), all, "run.json: experiment.repositories");
            run.notes.push(format!(
                "the code came from {} repositories, so there is no one commit; where the first is meant: \
                 `fields: {{ git_commit: \"repositories[0].commit\" }}` in the policy",
                several.len()
            ));
        }
    }
}

fn written(entry: &Node, key: &str) -> Option<String> {
    entry.get(key)?.as_written().map(str::to_owned)
}

/// Records the packages that were imported, each listed as `numpy==2.4.6`.
fn packages(node: Option<&Node>, run: &mut Tracked) {
    let mut packages = Map::default();
    for line in node.and_then(Node::as_list).unwrap_or_default() {
        if let Some((name, version)) = line.as_written().and_then(|line| line.split_once("==")) {
            packages.insert(name, Span::default(), Node::text(version));
        }
    }
    if !packages.is_empty() {
        let path = Path::of(["environment", "packages"]);
        run.put(&path, Value::Map(packages), "run.json: experiment.dependencies");
    }
}

/// Records the files that the run opened. Sacred pairs each with its copy, whose name ends in the MD5 of the
/// contents, or with itself if it was not copied.
fn resources(node: Option<&Node>, run: &mut Tracked) {
    let mut data = Vec::new();
    for resource in node.and_then(Node::as_list).unwrap_or_default() {
        let [path, copy] = resource.as_list().unwrap_or_default() else { continue };
        let Some(path) = path.as_written() else { continue };
        let mut file = Map::default();
        file.insert("uri", Span::default(), Node::text(path));
        if let Some(md5) = copy.as_written().and_then(md5) {
            file.insert("digest", Span::default(), Node::text(format!("md5:{md5}")));
        }
        data.push(Node::made(Value::Map(file)));
    }
    if !data.is_empty() {
        run.put(&Path::of(["data"]), Value::List(data), "run.json: resources");
    }
}

/// The digest in `runs/_resources/train_9e107d9d372bb6826bd81d3542a419d6.csv`; `MongoObserver` writes only
/// the digest.
fn md5(copy: &str) -> Option<&str> {
    let name = copy.rsplit(['/', '\\']).next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let digits = stem.rsplit_once('_').map_or(stem, |(_, digits)| digits);
    let is_md5 = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_md5 && (stem != digits || copy == digits)).then_some(digits)
}

/// Records the files that the run added, which are in its folder.
fn artifacts(node: Option<&Node>, below: Option<&str>, run: &mut Tracked) {
    let Some(below) = below else { return };
    let names = node.and_then(Node::as_list).unwrap_or_default().iter().filter_map(Node::as_written);
    let files: Vec<Node> = names
        .map(|name| {
            let mut file = Map::default();
            file.insert("path", Span::default(), Node::text(format!("{below}{name}")));
            Node::made(Value::Map(file))
        })
        .collect();
    if !files.is_empty() {
        run.put(&Path::of(["artifacts"]), Value::List(files), "run.json: artifacts");
    }
}

/// Records the last value of each metric, in logging order.
fn metrics(node: Option<&Node>, run: &mut Tracked) {
    let mut metrics = Map::default();
    for (name, series) in node.and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        let list = |key: &str| series.get(key).and_then(Node::as_list).unwrap_or_default();
        let steps = list("steps").iter().map(|step| step.as_written().and_then(|step| step.parse().ok()));
        let points: Vec<(i64, Node)> = list("values")
            .iter()
            .zip(steps.chain(std::iter::repeat(None)))
            .map(|(value, step)| (step.unwrap_or_default(), without_pickles(value)))
            .collect();
        if let Some((_, last)) = points.last() {
            metrics.insert(name, Span::default(), with_history(last.value.clone(), &points));
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "metrics.json");
    }
}

/// Records the return value of `main`. If it maps names to numbers and no metrics were logged, it becomes the
/// metrics.
fn result(result: Option<&Node>, run: &mut Tracked) {
    let Some(result) = result.filter(|result| !result.is_null()).map(without_pickles) else { return };
    let is_number = |node: &Node| matches!(node.value, Value::Number(_) | Value::NotFinite(_));
    let named = result.as_map().filter(|map| !map.is_empty() && map.iter().all(|(_, node)| is_number(node)));
    if named.is_some() && run.record.get("metrics").is_none() {
        run.put(&Path::of(["metrics"]), result.value.clone(), "run.json: result");
        run.notes.push("no metric was logged, so the numbers that `main` returned are the metrics".into());
    }
    run.put(&Path::of(["result"]), result.value, "run.json: result");
}

/// Replaces NumPy numbers, which are objects with `py/object`, by plain numbers.
fn without_pickles(node: &Node) -> Node {
    match &node.value {
        Value::Map(map) => match (map.get("py/object"), map.get("value")) {
            (Some(_), Some(value)) => value.without_places(),
            _ => {
                let mut made = Map::default();
                for (key, node) in map.iter() {
                    made.insert(key, Span::default(), without_pickles(node));
                }
                Node::made(Value::Map(made))
            }
        },
        Value::List(items) => Node::made(Value::List(items.iter().map(without_pickles).collect())),
        _ => node.without_places(),
    }
}

/// How to record what Sacred leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "sacred",
    title: "Sacred",
    advice: &[
        ("model", "`fields: { model: name }` in the policy, where the experiment is named after the model"),
        (
            "metrics",
            "_run.log_scalar(\"f1\", f1), or `return {\"f1\": f1}` from `main`; a number alone has no name",
        ),
        ("git_commit", "Experiment(name, save_git_info=True), which is the default, inside the repository"),
        ("data_version", "@ex.config: data_version = \"2026-05-30\""),
        ("data", "ex.open_resource(\"data/train.csv\")"),
        ("validation", "@ex.config: validation = {\"split\": \"test\", \"digest\": d, \"rows\": n}"),
        (
            "artifact",
            "ex.add_artifact(\"model.pkl\"), and `fields: { artifact: \"artifacts[0]\" }` in the policy; Sacred keeps no digest of it",
        ),
        ("environment.lockfile", "@ex.config: lockfile = {\"path\": \"uv.lock\", \"digest\": d}"),
    ],
};
