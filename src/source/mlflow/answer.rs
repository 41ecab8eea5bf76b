//! What a tracking server answers. A list that is empty is left out of an answer altogether.

use super::{Dataset, LoggedModel, Point, Reading, Rows, Series, Version};
use crate::document::{Node, Value};

/// What an answer lacks, as a path into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacks(pub String);

/// A run, at `run` of `runs/get` or as an item of `runs/search`.
pub fn run(node: &Node) -> Result<Rows, Lacks> {
    let info = node.get("info").ok_or_else(|| Lacks("run.info".into()))?;
    let data = node.get("data");
    let run_id = text(info, "run_id").or_else(|| text(info, "run_uuid"));
    Ok(Rows {
        run_id: run_id.ok_or_else(|| Lacks("run.info.run_id".into()))?,
        name: text(info, "run_name").unwrap_or_default(),
        status: text(info, "status").ok_or_else(|| Lacks("run.info.status".into()))?,
        lifecycle: text(info, "lifecycle_stage").ok_or_else(|| Lacks("run.info.lifecycle_stage".into()))?,
        started: number(info, "start_time"),
        ended: number(info, "end_time"),
        artifact_uri: text(info, "artifact_uri").unwrap_or_default(),
        experiment: text(info, "experiment_id").unwrap_or_default(),
        params: pairs(data, "params")?,
        tags: pairs(data, "tags")?,
        metrics: metrics(data)?,
        datasets: items(node.get("inputs"), "dataset_inputs").iter().map(dataset).collect(),
        models: items(node.get("outputs"), "model_outputs")
            .iter()
            .filter_map(|output| text(output, "model_id"))
            .collect(),
        model_location: String::new(),
        notes: Vec::new(),
    })
}

/// A version of a registered model.
pub fn version(node: &Node) -> Result<Version, Lacks> {
    let number = text(node, "version").and_then(|number| number.parse().ok());
    Ok(Version {
        name: text(node, "name").ok_or_else(|| Lacks("model_version.name".into()))?,
        number: number.ok_or_else(|| Lacks("model_version.version".into()))?,
        run_id: text(node, "run_id").unwrap_or_default(),
        source: text(node, "source").unwrap_or_default(),
        location: String::new(),
        status: text(node, "status").unwrap_or_else(|| "READY".into()),
        stage: text(node, "current_stage").unwrap_or_default(),
    })
}

/// A logged model, at `model` of an answer.
pub fn logged_model(node: &Node) -> Result<LoggedModel, Lacks> {
    let info = node.get("info").ok_or_else(|| Lacks("model.info".into()))?;
    let data = node.get("data");
    Ok(LoggedModel {
        id: text(info, "model_id").ok_or_else(|| Lacks("model.info.model_id".into()))?,
        run_id: text(info, "source_run_id").unwrap_or_default(),
        ready: text(info, "status").as_deref() == Some("LOGGED_MODEL_READY"),
        created: number(info, "creation_timestamp_ms"),
        artifact_uri: text(info, "artifact_uri").unwrap_or_default(),
        params: pairs(data, "params")?,
        tags: pairs(Some(info), "tags")?,
        metrics: metrics(data)?,
    })
}

/// The values of one metric, in the order of the answer.
pub fn history(node: &Node) -> Result<Vec<Point>, Lacks> {
    items(Some(node), "metrics").iter().map(|metric| point(metric).map(|(_, point)| point)).collect()
}

/// Where the next page begins, if there is one.
pub fn next_page(node: &Node) -> Option<String> {
    text(node, "next_page_token").filter(|token| !token.is_empty())
}

/// The items of a list, which may be left out.
pub fn items<'n>(node: Option<&'n Node>, key: &str) -> &'n [Node] {
    node.and_then(|node| node.get(key)).and_then(Node::as_list).unwrap_or_default()
}

/// Metrics of an answer; a logged model has one value for each dataset, of which the last counts.
fn metrics(data: Option<&Node>) -> Result<Vec<(String, Series)>, Lacks> {
    let mut metrics: Vec<(String, Series)> = Vec::new();
    for metric in items(data, "metrics") {
        let (name, point) = point(metric)?;
        match metrics.iter_mut().find(|(known, _)| *known == name) {
            Some((_, series)) => {
                let later = series.last.as_ref().is_none_or(|last| point.order(last).is_gt());
                if later {
                    series.last = Some(point);
                }
            }
            None => metrics.push((name, Series::ending_with(point))),
        }
    }
    Ok(metrics)
}

fn point(node: &Node) -> Result<(String, Point), Lacks> {
    let name = text(node, "key").ok_or_else(|| Lacks("metrics[].key".into()))?;
    let value = match node.get("value").map(|node| &node.value) {
        Some(Value::Number(written) | Value::NotFinite(written) | Value::String(written)) => {
            Reading::parse(written)
        }
        _ => None,
    };
    let value = value.ok_or_else(|| Lacks(format!("a number as the value of the metric `{name}`")))?;
    let point = Point {
        value,
        step: number(node, "step").unwrap_or_default(),
        time: number(node, "timestamp").unwrap_or_default(),
        dataset: text(node, "dataset_name").filter(|name| !name.is_empty()),
    };
    Ok((name, point))
}

fn dataset(input: &Node) -> Dataset {
    let dataset = input.get("dataset");
    let field = |key: &str| dataset.and_then(|dataset| text(dataset, key)).unwrap_or_default();
    let context = pairs(Some(input), "tags").unwrap_or_default();
    let context = context.into_iter().find(|(key, _)| key == "mlflow.data.context");
    Dataset {
        name: field("name"),
        digest: field("digest"),
        source: field("source"),
        profile: field("profile"),
        context: context.map(|(_, value)| value).unwrap_or_default(),
    }
}

fn pairs(node: Option<&Node>, key: &str) -> Result<Vec<(String, String)>, Lacks> {
    items(node, key)
        .iter()
        .map(|pair| {
            let name = text(pair, "key").ok_or_else(|| Lacks(format!("{key}[].key")))?;
            Ok((name, text(pair, "value").unwrap_or_default()))
        })
        .collect()
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.as_written().map(str::to_owned)
}

fn number(node: &Node, key: &str) -> Option<i64> {
    node.get(key)?.as_written()?.parse().ok()
}
