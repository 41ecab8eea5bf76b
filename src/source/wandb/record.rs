//! Builds the canonical record from the logs of a run.

use jiff::Timestamp;

use super::METRIC_TWICE;
use super::fold::Logged;
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::Origin;
use crate::source::tracked::{Tracked, by_name, with_history};

/// The run that logs describe.
pub fn tracked(logged: &Logged, label: String, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, notes: logged.notes.clone(), ..Tracked::default() };
    for (field, value, from) in [
        ("run_id", &logged.run_id, "run.run_id"),
        ("name", &logged.name, "run.display_name"),
        ("entity", &logged.entity, "run.entity"),
        ("project", &logged.project, "run.project"),
        ("group", &logged.group, "run.group"),
        ("job_type", &logged.job_type, "run.job_type"),
        ("git_commit", &logged.commit, "run.git.commit"),
        ("source", &logged.environment.program, "environment.program"),
    ] {
        run.text(&Path::of([field]), value.as_deref(), from);
    }
    status(logged, &mut run);
    let environment = Path::of(["environment"]);
    run.text(&environment.key("python"), logged.environment.python.as_deref(), "environment.python");
    run.text(&environment.key("os"), logged.environment.os.as_deref(), "environment.os");
    artifacts(logged, &mut run);
    config(logged, &mut run);
    metrics(logged, &mut run)?;
    let started = logged
        .started
        .and_then(|(seconds, nanos)| Timestamp::new(seconds, i32::try_from(nanos).unwrap_or_default()).ok());
    run.text(&Path::of(["created_at"]), started.map(|at| at.to_string()).as_deref(), "run.start_time");
    if !logged.tags.is_empty() {
        let tags = logged.tags.iter().map(|tag| Node::text(tag.as_str())).collect();
        run.put(&Path::of(["tags"]), Value::List(tags), "run.tags");
    }
    Ok(run)
}

fn status(logged: &Logged, run: &mut Tracked) {
    let status = match logged.exit {
        _ if logged.incomplete => "running",
        Some(0) => "finished",
        Some(_) => "failed",
        // A run that is not known to have finished must not pass as finished.
        None if logged.without_log => "unknown",
        None => {
            run.notes.push("the log has no exit record: the run crashed, or is still running".into());
            "running"
        }
    };
    run.text(&Path::of(["status"]), Some(status), "exit.code");
}

fn config(logged: &Logged, run: &mut Tracked) {
    let mut params = Map::default();
    for (key, node) in logged.config.iter().filter(|(key, _)| *key != "_wandb") {
        by_name(key, node, "config.", run);
        params.insert(key, Span::default(), node.clone());
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "config");
    }
}

fn artifacts(logged: &Logged, run: &mut Tracked) {
    let described = |artifact: &super::fold::Artifact| {
        let mut map = Map::default();
        map.insert("name", Span::default(), Node::text(artifact.name.as_str()));
        if let Some(digest) = &artifact.digest {
            map.insert("digest", Span::default(), Node::text(format!("wandb:{digest}")));
        }
        map
    };
    let of = |kind: &str| -> Vec<&super::fold::Artifact> {
        logged.artifacts.iter().filter(|artifact| artifact.kind == kind).collect()
    };
    let data: Vec<Node> =
        of("dataset").into_iter().map(|artifact| Node::made(Value::Map(described(artifact)))).collect();
    if !data.is_empty() {
        run.put(&Path::of(["data"]), Value::List(data), "artifacts of type dataset");
    }
    let models = of("model");
    match models.as_slice() {
        [] => {}
        [one] => {
            let mut map = described(one);
            map.insert("uri", Span::default(), Node::text(format!("wandb-artifact:{}", one.name)));
            run.put(&Path::of(["artifact"]), Value::Map(map), "the artifact of type model");
        }
        several => {
            let list = several.iter().map(|artifact| {
                let mut map = described(artifact);
                map.insert("uri", Span::default(), Node::text(format!("wandb-artifact:{}", artifact.name)));
                Node::made(Value::Map(map))
            });
            run.put(&Path::of(["artifacts"]), Value::List(list.collect()), "artifacts of type model");
        }
    }
}

/// The summary is W&B's result; text and lists in it are not metrics, and are kept separately.
fn metrics(logged: &Logged, run: &mut Tracked) -> Result<(), Box<Diagnostic>> {
    let mut metrics = Map::default();
    let mut other = Map::default();
    let mut twice = None;
    sort(&logged.summary, "", logged, &mut metrics, &mut other, &mut twice);
    if let Some(name) = twice {
        let message = format!("`{}` has two metrics called `{name}`, one of them in an object", run.label);
        return Err(Diagnostic::new(METRIC_TWICE, message)
            .help("names are joined by dots: rename one of them")
            .boxed());
    }
    // If the summary was lost or never written, the logged values still count.
    for (name, points) in &logged.history {
        if metrics.get(name).is_none()
            && !logged.is_removed(name)
            && let Some((_, last)) = points.last()
        {
            let node = with_history(last.value.clone(), points);
            metrics.insert(name.as_str(), Span::default(), node);
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "summary");
    }
    if !other.is_empty() {
        run.put(&Path::of(["summary"]), Value::Map(other), "summary");
    }
    Ok(())
}

/// Splits a summary into metrics and the rest; `twice` is a name that two metrics share.
fn sort(
    summary: &Map,
    prefix: &str,
    logged: &Logged,
    metrics: &mut Map,
    other: &mut Map,
    twice: &mut Option<String>,
) {
    for (key, node) in summary.iter().filter(|(key, _)| !key.starts_with('_')) {
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        let value = match &node.value {
            Value::Number(_) | Value::NotFinite(_) => {
                let last = if logged.is_summarised(&name) { last(logged, &name) } else { None };
                Some(last.unwrap_or_else(|| node.clone()))
            }
            // The summary has what `define_metric` asked for; take the last value from the history.
            Value::Map(_) if logged.is_summarised(&name) => last(logged, &name),
            Value::Map(below) if below.get("_type").is_none() => {
                sort(below, &name, logged, metrics, other, twice);
                None
            }
            _ => {
                other.insert(name.as_str(), Span::default(), node.clone());
                None
            }
        };
        if let Some(value) = value {
            let node = with_history(value.value, points(logged, &name));
            if metrics.insert(name.as_str(), Span::default(), node).is_some() {
                *twice = Some(name);
            }
        }
    }
}

fn points<'l>(logged: &'l Logged, name: &str) -> &'l [(i64, Node)] {
    logged.history.get(name).map_or(&[], Vec::as_slice)
}

fn last(logged: &Logged, name: &str) -> Option<Node> {
    points(logged, name).last().map(|(_, node)| node.clone())
}
