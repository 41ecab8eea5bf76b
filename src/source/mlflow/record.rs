//! Builds the canonical record from the rows of a run.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Dataset, Rows};
use crate::document::{Document, Format, Map, Node, Path, Segment, Span, Value};
use crate::run::Origin;
use crate::source::Tracked;

/// Large tags that MLflow writes for its own use.
const LEFT_OUT: [&str; 2] = ["mlflow.log-model.history", "mlflow.note.content"];
/// Contexts of datasets that metrics are measured on.
const MEASURED_ON: [&str; 8] =
    ["validation", "valid", "val", "testing", "test", "eval", "evaluation", "holdout"];
/// Tags whose names are fields of the canonical record.
const BY_NAME: [&str; 15] = [
    "data",
    "data_version",
    "seed",
    "git_dirty",
    "command",
    "validation.split",
    "validation.digest",
    "validation.rows",
    "artifact.path",
    "artifact.digest",
    "environment.python",
    "environment.os",
    "environment.container",
    "environment.lockfile.path",
    "environment.lockfile.digest",
];

/// The run that rows describe. `inside` is the workspace folder as a path on this machine, to locate artifacts inside
/// it.
pub fn tracked(rows: &Rows, label: String, origin: Origin, inside: Option<&str>) -> Tracked {
    let mut run = Tracked { label, origin, notes: rows.notes.clone(), ..Tracked::default() };
    run.text(&Path::of(["run_id"]), Some(&rows.run_id), "run_id");
    run.text(&Path::of(["name"]), Some(&rows.name), "run_name");
    run.text(&Path::of(["status"]), Some(&status(rows)), "status");
    code(rows, &mut run);
    data(rows, &mut run);
    params(rows, &mut run);
    metrics(rows, &mut run);
    artifact(rows, &mut run, inside);
    for (field, ms, from) in
        [("created_at", rows.started, "start_time"), ("ended_at", rows.ended, "end_time")]
    {
        let at = ms.filter(|ms| *ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok());
        run.text(&Path::of([field]), at.map(|at| at.to_string()).as_deref(), from);
    }
    named_tags(rows, &mut run);
    let mut tags = Map::default();
    for (key, value) in rows.tags.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
        tags.insert(key.as_str(), Span::default(), Node::text(value.as_str()));
    }
    if !tags.is_empty() {
        run.put(&Path::of(["tags"]), Value::Map(tags), "tags");
    }
    run
}

fn status(rows: &Rows) -> String {
    if rows.lifecycle == "deleted" {
        return "deleted".into();
    }
    match rows.status.as_str() {
        "SCHEDULED" => "queued".into(),
        other => other.to_lowercase(),
    }
}

fn tag<'r>(rows: &'r Rows, name: &str) -> Option<&'r str> {
    rows.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn code(rows: &Rows, run: &mut Tracked) {
    for (field, name) in [
        ("git_commit", "mlflow.source.git.commit"),
        ("git_branch", "mlflow.source.git.branch"),
        ("source", "mlflow.source.name"),
    ] {
        run.text(&Path::of([field]), tag(rows, name), format!("tags.{name}"));
    }
}

fn data(rows: &Rows, run: &mut Tracked) {
    if rows.datasets.is_empty() {
        return;
    }
    let described = |dataset: &Dataset| {
        let mut map = Map::default();
        let mut text = |key: &str, text: &str| {
            if !text.is_empty() {
                map.insert(key, Span::default(), Node::text(text));
            }
        };
        text("name", &dataset.name);
        text("role", &dataset.context);
        text("uri", &uri(dataset).unwrap_or_default());
        if !dataset.digest.is_empty() {
            text("digest", &format!("mlflow:{}", dataset.digest));
        }
        if let Some(rows) = row_count(dataset) {
            map.insert("rows", Span::default(), Node::made(Value::Number(rows.to_string().into())));
        }
        map
    };
    let list = rows.datasets.iter().map(|dataset| Node::made(Value::Map(described(dataset)))).collect();
    run.put(&Path::of(["data"]), Value::List(list), "inputs");
    let measured: Vec<(usize, &Dataset)> = rows
        .datasets
        .iter()
        .enumerate()
        .filter(|(_, dataset)| MEASURED_ON.contains(&dataset.context.to_lowercase().as_str()))
        .collect();
    match measured.as_slice() {
        [] => {}
        [(index, dataset)] => {
            let at = Path::of(["validation"]);
            let from = format!("inputs[{index}], context {}", dataset.context);
            run.text(&at.key("split"), Some(&dataset.name), from.as_str());
            if !dataset.digest.is_empty() {
                run.put(
                    &at.key("digest"),
                    Value::String(format!("mlflow:{}", dataset.digest).into()),
                    from.as_str(),
                );
            }
            if let Some(rows) = row_count(dataset) {
                run.put(&at.key("rows"), Value::Number(rows.to_string().into()), from);
            }
        }
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|(_, dataset)| format!("{} ({})", dataset.name, dataset.context))
                .collect();
            run.notes.push(format!(
                "which of these the metrics were measured on is not recorded, so there is no `validation`: {}. The tag \
                 `validation.split` says it",
                names.join(", ")
            ));
        }
    }
}

/// The URI in a dataset's source, which is JSON of many shapes.
fn uri(dataset: &Dataset) -> Option<String> {
    let source: serde_json::Value = serde_json::from_str(&dataset.source).ok()?;
    ["uri", "url", "path"].iter().find_map(|key| source.get(key)?.as_str()).map(str::to_owned)
}

fn row_count(dataset: &Dataset) -> Option<u64> {
    let profile: serde_json::Value = serde_json::from_str(&dataset.profile).ok()?;
    profile.get("num_rows")?.as_u64()
}

fn params(rows: &Rows, run: &mut Tracked) {
    let mut params = Map::default();
    for (key, value) in &rows.params {
        params.insert(key.as_str(), Span::default(), Node::text(value.as_str()));
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "params");
    }
    let seed = rows.params.iter().find(|(key, _)| key == "seed");
    // Parameters are text, but a whole number is accepted as the seed.
    if let Some((_, seed)) =
        seed.filter(|(_, seed)| seed.parse::<i64>().is_ok_and(|n| n.to_string() == *seed))
    {
        run.put(&Path::of(["seed"]), Value::Number(seed.as_str().into()), "params.seed");
    }
}

fn metrics(rows: &Rows, run: &mut Tracked) {
    let mut metrics = Map::default();
    for (name, series) in &rows.metrics {
        if let Some(node) = series.node() {
            metrics.insert(name.as_str(), Span::default(), node);
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "metrics");
    }
}

fn artifact(rows: &Rows, run: &mut Tracked, inside: Option<&str>) {
    let at = Path::of(["artifact"]);
    // MLflow 3 stores models separately from runs; MLflow 2 stores them as artifacts of the run, listed in a tag.
    let logged = match rows.models.as_slice() {
        [] => history(rows),
        [one] => Some((format!("models:/{one}"), "outputs")),
        several => {
            run.notes.push(format!(
                "the run produced {} models, so which one is meant is not known; name it as `mlflow:models:/{}`",
                several.len(),
                several.first().map_or("", String::as_str)
            ));
            None
        }
    };
    let Some((uri, from)) = logged else { return };
    let location = Some(&rows.model_location).filter(|location| !location.is_empty()).unwrap_or(&uri);
    if let Some(path) = inside.and_then(|inside| below(location, inside)) {
        run.put(&at.key("path"), Value::String(path.into()), from);
    } else {
        run.put(&at.key("uri"), Value::String(uri.into()), from);
    }
}

/// The one model that a run of MLflow 2 logged.
fn history(rows: &Rows) -> Option<(String, &'static str)> {
    let logged: serde_json::Value = serde_json::from_str(tag(rows, "mlflow.log-model.history")?).ok()?;
    let [one] = logged.as_array()?.as_slice() else { return None };
    let path = one.get("artifact_path")?.as_str()?;
    Some((format!("{}/{path}", rows.artifact_uri.trim_end_matches('/')), "tags.mlflow.log-model.history"))
}

/// The path of a URI relative to a folder above it.
pub(super) fn below(uri: &str, folder: &str) -> Option<String> {
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')?;
    let climbs = rest.split('/').any(|part| part == "..");
    (!rest.is_empty() && !climbs).then(|| rest.to_owned())
}

/// Tags named like fields set those fields; the user wrote them, so they come last and win.
fn named_tags(rows: &Rows, run: &mut Tracked) {
    for name in BY_NAME {
        let Some(value) = tag(rows, name).filter(|value| !value.is_empty()) else { continue };
        let path: Path = name.split('.').map(|key| Segment::Key(key.into())).collect();
        let value = match (name, value.to_lowercase().as_str()) {
            ("git_dirty", "true") => Value::Bool(true),
            ("git_dirty", "false") => Value::Bool(false),
            // The JSON list that `gate record` writes; anything else is an ordinary tag.
            ("data", _) => match list_of_data(value) {
                Some(data) => data,
                None => continue,
            },
            ("seed", seed) if seed.parse::<i64>().is_ok() => Value::Number(seed.into()),
            ("seed", _) => continue,
            ("validation.rows", rows) if rows.parse::<u64>().is_ok() => Value::Number(rows.into()),
            _ => Value::String(value.into()),
        };
        run.put(&path, value, format!("tags.{name}"));
    }
}

/// A list of objects with digests, such as the data files of a record.
fn list_of_data(text: &str) -> Option<Value> {
    let document = Document::new("the tag `data`", text.as_bytes().to_vec(), Format::Json).ok()?;
    let node = Arc::new(document).parse().ok()?.without_places();
    let is_file = |node: &Node| node.get("digest").and_then(Node::as_written).is_some();
    node.as_list().is_some_and(|items| !items.is_empty() && items.iter().all(is_file)).then_some(node.value)
}
