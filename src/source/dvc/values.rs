//! Files of parameters and metrics: JSON, YAML, TOML.

use std::sync::Arc;

use super::{BROKEN, Files};
use crate::document::{Document, Format, Map, Node, Problem, Span, Value};

/// The object in a file, if the file is there. Duplicate keys are refused, where DVC takes the last.
pub(super) fn object(files: &dyn Files, path: &str) -> Result<Option<Map>, Box<Problem>> {
    files.read(path)?.map(|bytes| parse(&files.label(path), path, bytes)).transpose()
}

/// The object in some bytes, by the ending of the file's name.
pub(super) fn parse(label: &str, path: &str, bytes: Vec<u8>) -> Result<Map, Box<Problem>> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let node = match ending.as_str() {
        "toml" => toml(label, &bytes)?,
        "json" => Arc::new(Document::new(label, bytes, Format::Json)?).parse()?,
        _ => Arc::new(Document::new(label, bytes, Format::Yaml)?).parse()?,
    };
    match node.value {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(Map::default()),
        other => Err(broken(label, &format!("this is {}, and not names with values", other.sort()))),
    }
}

pub(super) fn broken(label: &str, what: &str) -> Box<Problem> {
    Problem::new(BROKEN, format!("`{label}`: {what}"))
        .help("look whether `dvc status` and `dvc metrics show` read it")
        .boxed()
}

fn toml(label: &str, bytes: &[u8]) -> Result<Node, Box<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|_| broken(label, "this is not UTF-8"))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| broken(label, &format!("this is not TOML: {}", error.message())))?;
    Ok(of_toml(toml::Value::Table(table)))
}

fn of_toml(value: toml::Value) -> Node {
    Node::made(match value {
        toml::Value::String(text) => Value::String(text.into()),
        toml::Value::Integer(number) => Value::Number(number.to_string().into()),
        toml::Value::Float(number) if number.is_finite() => Value::Number(format!("{number:?}").into()),
        toml::Value::Float(number) => Value::NotFinite(number.to_string().into()),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string().into()),
        toml::Value::Array(items) => Value::List(items.into_iter().map(of_toml).collect()),
        toml::Value::Table(table) => {
            let mut map = Map::default();
            for (key, value) in table {
                map.insert(key, Span::default(), of_toml(value));
            }
            Value::Map(map)
        }
    })
}
