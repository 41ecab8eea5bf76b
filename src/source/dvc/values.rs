//! Parameter and metrics files: JSON, YAML, TOML, and Python constants.

use std::sync::Arc;

use super::{BROKEN, Files, python};
use crate::document::{Diagnostic, Document, Format, Map, Node, Span, Value};

/// The object in a file, if the file exists. Duplicate keys are refused, although DVC takes the last.
pub(super) fn object(files: &dyn Files, path: &str) -> Result<Option<Map>, Box<Diagnostic>> {
    files.read(path)?.map(|bytes| parse(&files.label(path), path, bytes)).transpose()
}

/// The object in a file's contents; the file extension gives the format.
pub(super) fn parse(label: &str, path: &str, bytes: Vec<u8>) -> Result<Map, Box<Diagnostic>> {
    match parse_any(label, path, bytes)?.value {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(Map::default()),
        other => Err(broken(label, &format!("this is {}, and not names with values", other.sort()))),
    }
}

/// The value in a file's contents, of any type.
pub(super) fn parse_any(label: &str, path: &str, bytes: Vec<u8>) -> Result<Node, Box<Diagnostic>> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let mut node = match ending.as_str() {
        "toml" => toml(label, &bytes)?,
        "py" => Node::made(Value::Map(python::constants(&String::from_utf8_lossy(&bytes)))),
        "json" => Arc::new(Document::new(label, bytes, Format::Json)?).parse()?,
        _ => Arc::new(Document::new(label, bytes, Format::YamlWithMergeKeys)?).parse()?,
    };
    plainly(&mut node);
    Ok(node)
}

/// Gives NaN and the infinities the same spelling in all formats.
fn plainly(node: &mut Node) {
    match &mut node.value {
        Value::NotFinite(written) => {
            let name = written.to_ascii_lowercase();
            let plain = match name.as_str() {
                _ if name.contains("nan") => "NaN",
                _ if name.starts_with('-') => "-Infinity",
                _ => "Infinity",
            };
            *written = plain.into();
        }
        Value::List(items) => items.iter_mut().for_each(plainly),
        Value::Map(map) => map.values_mut().for_each(plainly),
        _ => {}
    }
}

/// A value with its numbers as DVC writes them into a lockfile: `0o14` as 12, `1_000` as 1000, and numbers
/// with more digits than a double can hold rounded to a double.
pub(super) fn decimal(node: &Node) -> Node {
    let mut node = node.clone();
    match &mut node.value {
        Value::String(text) => {
            if let Some(number) = number(text) {
                node.value = Value::Number(number.into());
            }
        }
        Value::Number(written) => {
            if let Some(number) = number(written) {
                *written = number.into();
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| *item = decimal(item)),
        Value::Map(map) => map.values_mut().for_each(|item| *item = decimal(item)),
        _ => {}
    }
    node
}

/// The number that ruamel, DVC's YAML parser, reads in a plain scalar.
fn number(written: &str) -> Option<String> {
    let (sign, digits) = match written.strip_prefix(['-', '+']) {
        Some(digits) => (if written.starts_with('-') { "-" } else { "" }, digits),
        None => ("", written),
    };
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let is_spaced = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    if !starts || is_spaced {
        return None;
    }
    let plain = digits.replace('_', "");
    let in_base = |(prefix, base)| u128::from_str_radix(plain.strip_prefix(prefix)?, base).ok();
    if let Some(value) = [("0o", 8), ("0x", 16), ("0b", 2)].into_iter().find_map(in_base) {
        return Some(format!("{sign}{value}"));
    }
    if plain.bytes().all(|byte| byte.is_ascii_digit()) {
        let whole = plain.trim_start_matches('0');
        return Some(format!("{sign}{}", if whole.is_empty() { "0" } else { whole }));
    }
    let value: f64 = format!("{sign}{plain}").parse().ok()?;
    value.is_finite().then(|| format!("{value:?}"))
}

pub(super) fn broken(label: &str, what: &str) -> Box<Diagnostic> {
    Diagnostic::new(BROKEN, format!("`{label}`: {what}"))
        .help("look whether `dvc status` and `dvc metrics show` read it")
        .boxed()
}

fn toml(label: &str, bytes: &[u8]) -> Result<Node, Box<Diagnostic>> {
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
