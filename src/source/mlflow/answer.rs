//! Responses of a tracking server. MLflow omits empty lists; a field of an unexpected type is an error, never treated
//! as missing.

use super::{Dataset, LoggedModel, Point, Reading, Rows, Version, is_lifecycle, last_of_each};
use crate::document::{Node, Value};

/// What a response lacks, as a path into it, or in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacks(pub String);

/// A run, from `run` of `runs/get` or an item of `runs/search`.
pub fn run(node: &Node) -> Result<Rows, Lacks> {
    let info = object(node, "info")?.ok_or_else(|| Lacks("run.info".into()))?;
    let data = object(node, "data")?;
    let inputs = items(object(node, "inputs")?, "dataset_inputs")?;
    let outputs = items(object(node, "outputs")?, "model_outputs")?;
    let run_id = match text(info, "run_id")? {
        Some(id) => Some(id),
        None => text(info, "run_uuid")?,
    };
    let lifecycle = required(info, "lifecycle_stage", "run.info")?;
    if !is_lifecycle(&lifecycle) {
        return Err(Lacks("`active` or `deleted` as run.info.lifecycle_stage".into()));
    }
    Ok(Rows {
        run_id: run_id.ok_or_else(|| Lacks("run.info.run_id".into()))?,
        name: text(info, "run_name")?.unwrap_or_default(),
        status: required(info, "status", "run.info")?,
        lifecycle,
        started: number(info, "start_time")?,
        ended: number(info, "end_time")?,
        artifact_uri: text(info, "artifact_uri")?.unwrap_or_default(),
        experiment: text(info, "experiment_id")?.unwrap_or_default(),
        params: pairs(data, "params")?,
        tags: pairs(data, "tags")?,
        metrics: last_of_each(points(data)?),
        datasets: inputs.iter().map(dataset).collect::<Result<_, _>>()?,
        models: outputs
            .iter()
            .map(|output| required(output, "model_id", "run.outputs.model_outputs[]"))
            .collect::<Result<_, _>>()?,
        model_location: String::new(),
        notes: Vec::new(),
    })
}

/// A version of a registered model.
pub fn version(node: &Node) -> Result<Version, Lacks> {
    let number = text(node, "version")?.and_then(|number| number.parse().ok());
    Ok(Version {
        name: required(node, "name", "model_version")?,
        number: number.ok_or_else(|| Lacks("model_version.version".into()))?,
        run_id: text(node, "run_id")?.unwrap_or_default(),
        source: text(node, "source")?.unwrap_or_default(),
        location: String::new(),
        status: text(node, "status")?.unwrap_or_else(|| "READY".into()),
        stage: text(node, "current_stage")?.unwrap_or_default(),
    })
}

/// A logged model, from `model` of a response.
pub fn logged_model(node: &Node) -> Result<LoggedModel, Lacks> {
    let info = object(node, "info")?.ok_or_else(|| Lacks("model.info".into()))?;
    let data = object(node, "data")?;
    Ok(LoggedModel {
        id: required(info, "model_id", "model.info")?,
        run_id: text(info, "source_run_id")?.unwrap_or_default(),
        ready: text(info, "status")?.as_deref() == Some("LOGGED_MODEL_READY"),
        created: number(info, "creation_timestamp_ms")?,
        artifact_uri: text(info, "artifact_uri")?.unwrap_or_default(),
        params: pairs(data, "params")?,
        tags: pairs(Some(info), "tags")?,
        metrics: points(data)?,
    })
}

/// One value of a metric's history.
pub fn value(node: &Node, metric: &str) -> Result<Point, Lacks> {
    match point(node)? {
        (name, point) if name == metric => Ok(point),
        (name, _) => Err(Lacks(format!("a value of `{metric}`, and has one of `{name}`"))),
    }
}

/// The token of the next page, if there is one.
pub fn next_page(node: &Node) -> Result<Option<String>, Lacks> {
    Ok(text(node, "next_page_token")?.filter(|token| !token.is_empty()))
}

/// An optional object.
pub fn object<'n>(node: &'n Node, key: &str) -> Result<Option<&'n Node>, Lacks> {
    match node.get(key).filter(|node| !node.is_null()) {
        Some(found) if found.as_map().is_none() => Err(Lacks(format!("an object as `{key}`"))),
        found => Ok(found),
    }
}

/// The items of an optional list.
pub fn items<'n>(node: Option<&'n Node>, key: &str) -> Result<&'n [Node], Lacks> {
    match node.and_then(|node| node.get(key)).filter(|node| !node.is_null()) {
        None => Ok(&[]),
        Some(found) => found.as_list().ok_or_else(|| Lacks(format!("a list as `{key}`"))),
    }
}

/// Optional text.
pub fn text(node: &Node, key: &str) -> Result<Option<String>, Lacks> {
    match node.get(key).filter(|node| !node.is_null()) {
        None => Ok(None),
        Some(found) => {
            let written = found.as_written().ok_or_else(|| Lacks(format!("text as `{key}`")))?;
            Ok(Some(written.to_owned()))
        }
    }
}

/// Required text.
pub fn required(node: &Node, key: &str, within: &str) -> Result<String, Lacks> {
    text(node, key)?.ok_or_else(|| Lacks(format!("{within}.{key}")))
}

fn number(node: &Node, key: &str) -> Result<Option<i64>, Lacks> {
    let written = text(node, key)?;
    written.map(|text| text.parse().map_err(|_| Lacks(format!("a whole number as `{key}`")))).transpose()
}

fn points(node: Option<&Node>) -> Result<Vec<(String, Point)>, Lacks> {
    items(node, "metrics")?.iter().map(point).collect()
}

fn point(node: &Node) -> Result<(String, Point), Lacks> {
    let name = required(node, "key", "metrics[]")?;
    let value = match node.get("value").map(|node| &node.value) {
        Some(Value::Number(written) | Value::NotFinite(written)) => Reading::parse(written),
        // A server writes only non-finite numbers as text.
        Some(Value::String(written)) => Reading::parse(written).filter(|value| !value.is_finite()),
        _ => None,
    };
    let value = value.ok_or_else(|| Lacks(format!("a number as the value of the metric `{name}`")))?;
    let point = Point {
        value,
        step: number(node, "step")?.unwrap_or_default(),
        time: number(node, "timestamp")?.unwrap_or_default(),
        dataset: text(node, "dataset_name")?.filter(|name| !name.is_empty()),
        run: text(node, "run_id")?.filter(|id| !id.is_empty()),
    };
    Ok((name, point))
}

fn dataset(input: &Node) -> Result<Dataset, Lacks> {
    let dataset = object(input, "dataset")?.ok_or_else(|| Lacks("dataset_inputs[].dataset".into()))?;
    let field = |key: &str| text(dataset, key).map(Option::unwrap_or_default);
    let context = pairs(Some(input), "tags")?.into_iter().find(|(key, _)| key == "mlflow.data.context");
    Ok(Dataset {
        name: field("name")?,
        digest: field("digest")?,
        source: field("source")?,
        profile: field("profile")?,
        context: context.map(|(_, value)| value).unwrap_or_default(),
    })
}

fn pairs(node: Option<&Node>, key: &str) -> Result<Vec<(String, String)>, Lacks> {
    items(node, key)?
        .iter()
        .map(|pair| {
            Ok((required(pair, "key", &format!("{key}[]"))?, text(pair, "value")?.unwrap_or_default()))
        })
        .collect()
}
