//! The files of an `mlruns` folder: `meta.yaml` files, and metric files with a line for each value.

use super::{Dataset, LoggedModel, Point, Reading, Rows, Version, is_lifecycle};
use crate::document::Node;

/// Reads the `meta.yaml` of a run.
pub fn run(meta: &Node) -> Result<Rows, String> {
    let status = match text(meta, "status").as_str() {
        "1" => "RUNNING",
        "2" => "SCHEDULED",
        "3" => "FINISHED",
        "4" => "FAILED",
        "5" => "KILLED",
        other => other,
    }
    .to_owned();
    let run_id = [text(meta, "run_id"), text(meta, "run_uuid")].into_iter().find(|id| !id.is_empty());
    let run_id = run_id.ok_or("has no run_id")?;
    let lifecycle = text(meta, "lifecycle_stage");
    if !is_lifecycle(&lifecycle) {
        return Err(format!("has the lifecycle_stage `{lifecycle}`, and not active or deleted"));
    }
    Ok(Rows {
        run_id,
        name: text(meta, "run_name"),
        status,
        lifecycle,
        started: number(meta, "start_time"),
        ended: number(meta, "end_time"),
        artifact_uri: text(meta, "artifact_uri"),
        experiment: text(meta, "experiment_id"),
        ..Rows::default()
    })
}

/// Reads the `meta.yaml` of a dataset; `context` is what it was used for.
pub fn dataset(meta: &Node, context: &str) -> Dataset {
    Dataset {
        name: text(meta, "name"),
        digest: text(meta, "digest"),
        source: text(meta, "source"),
        profile: text(meta, "profile"),
        context: context.to_owned(),
    }
}

/// The id of a dataset that a run used, and what the run used it for. The field `destination_id` of these
/// files can't be trusted.
pub fn input(meta: &Node) -> Option<(String, String)> {
    if text(meta, "source_type") != "DATASET" {
        return None;
    }
    let context = meta.get("tags").map(|tags| text(tags, "mlflow.data.context")).unwrap_or_default();
    Some((text(meta, "source_id"), context))
}

/// Reads the `meta.yaml` of a model version.
pub fn version(meta: &Node) -> Result<Version, String> {
    Ok(Version {
        name: text(meta, "name"),
        number: text(meta, "version").parse().map_err(|_| "has no number as its version")?,
        run_id: text(meta, "run_id"),
        source: text(meta, "source"),
        location: text(meta, "storage_location"),
        status: text(meta, "status"),
        stage: text(meta, "current_stage"),
    })
}

/// Reads the `meta.yaml` of a logged model.
pub fn logged_model(meta: &Node) -> Option<LoggedModel> {
    let id = text(meta, "model_id");
    (!id.is_empty()).then(|| LoggedModel {
        id,
        run_id: text(meta, "source_run_id"),
        ready: text(meta, "status") == "2",
        created: number(meta, "creation_timestamp"),
        artifact_uri: text(meta, "artifact_location"),
        ..LoggedModel::default()
    })
}

/// The values in a metric file: `TIME VALUE [STEP [… DIGEST]]`, one per line. The dataset's name is between
/// the step and the digest, and may contain spaces. With `of_model`, a run id comes before the name.
pub fn points(lines: &str, of_model: bool) -> Result<Vec<Point>, String> {
    lines.lines().filter(|line| !line.trim().is_empty()).map(|line| point(line, of_model)).collect()
}

fn point(line: &str, of_model: bool) -> Result<Point, String> {
    let wrong = || format!("`{line}` is not the time, the value and the step of a metric");
    let mut fields = line.split(' ');
    let time = fields.next().and_then(|time| time.parse().ok()).ok_or_else(wrong)?;
    let value = fields.next().and_then(Reading::parse).ok_or_else(wrong)?;
    let step = match fields.next() {
        None => 0,
        Some(step) => step.parse().map_err(|_| wrong())?,
    };
    let run = if of_model { fields.next().map(str::to_owned) } else { None };
    let rest: Vec<&str> = fields.collect();
    let dataset = rest.split_last().map(|(_, name)| name.join(" ")).filter(|name| !name.is_empty());
    Ok(Point { value, step, time, dataset, run })
}

/// Whether MLflow's own client reports a different last value: it takes the newest one, whatever its step.
pub fn reads_differently(lines: &str, points: &[Point]) -> bool {
    let fields = lines.lines().map(|line| line.split(' ').count()).max().unwrap_or_default();
    let newest = points.iter().max_by_key(|point| point.time);
    let last = points.iter().max_by(|one, other| one.order(other));
    fields >= 5 && newest.map(|point| &point.value) != last.map(|point| &point.value)
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_written).unwrap_or_default().to_owned()
}

fn number(node: &Node, key: &str) -> Option<i64> {
    node.get(key)?.as_written()?.parse().ok()
}
