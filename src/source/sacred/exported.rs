//! Runs of Sacred's `MongoObserver`, exported by `mongoexport`: the collection `runs`, and next to it `metrics`.

use super::Files;
use crate::document::{Map, Node, Span, Value};

/// Whether a document is a run of the collection `runs`.
pub fn is_run(document: &Node) -> bool {
    ["_id", "experiment", "host"].iter().all(|key| document.get(key).is_some())
}

/// The run in a document, with its series from the collection `metrics`, and the run's name.
pub fn run(document: &Node, series: &[Node]) -> (String, Files) {
    let run = plain(document);
    let id = run.get("_id").map(|id| id.as_written().map_or_else(|| id.brief(), str::to_owned));
    let id = id.unwrap_or_default();
    let mut metrics = Map::default();
    for document in series {
        let document = plain(document);
        let text = |key: &str| document.get(key).and_then(Node::as_written);
        if let (Some(name), true) = (text("name"), text("run_id") == Some(&id)) {
            metrics.insert(name, Span::default(), document.clone());
        }
    }
    let metrics = (!metrics.is_empty()).then(|| Node::made(Value::Map(metrics)));
    let part = |key: &str| run.get(key).cloned();
    let (config, info) = (part("config"), part("info"));
    (id, Files { config, info, metrics, below: None, run })
}

/// A document without the type wrappers of MongoDB's JSON: `{"$numberDouble": "0.84"}` becomes 0.84.
fn plain(node: &Node) -> Node {
    match &node.value {
        Value::Map(map) => match wrapped(map) {
            Some(value) => Node::made(value),
            None => {
                let mut made = Map::default();
                for (key, node) in map.iter() {
                    made.insert(key, Span::default(), plain(node));
                }
                Node::made(Value::Map(made))
            }
        },
        Value::List(items) => Node::made(Value::List(items.iter().map(plain).collect())),
        other => Node::made(other.clone()),
    }
}

/// The value in an object whose only key begins with `$`.
fn wrapped(map: &Map) -> Option<Value> {
    let mut entries = map.iter();
    let ((key, node), None) = (entries.next()?, entries.next()) else { return None };
    let text = node.as_written();
    match key {
        "$numberInt" | "$numberLong" | "$numberDouble" | "$numberDecimal" => {
            let text = text?;
            let is_finite = text.parse::<f64>().is_ok_and(f64::is_finite);
            Some(if is_finite { Value::Number(text.into()) } else { Value::NotFinite(text.into()) })
        }
        "$date" => Some(match text {
            // The ISO form, or milliseconds in the canonical form.
            Some(text) => Value::String(text.into()),
            None => {
                let milliseconds = plain(node).as_written()?.parse::<i64>().ok()?;
                Value::String(jiff::Timestamp::from_millisecond(milliseconds).ok()?.to_string().into())
            }
        }),
        "$oid" => Some(Value::String(text?.into())),
        _ => None,
    }
}
