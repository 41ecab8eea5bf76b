//! `${…}` in `dvc.yaml`, resolved from `params.yaml`, `vars:`, and the item of a stage.

use super::Files;
use super::paths::joined;
use super::values::object;
use crate::document::{Diagnostic, Map, Node, Span, Value};

/// The variables and their values.
#[derive(Debug, Clone, Default)]
pub(super) struct Context(Map);

impl Context {
    /// The variables in `params.yaml`.
    pub(super) fn read(files: &dyn Files) -> Result<Self, Box<Diagnostic>> {
        Ok(Self(object(files, "params.yaml")?.unwrap_or_default()))
    }

    /// Adds the values of a `vars:` list of objects and files. A `:` after a file may name the keys to take
    /// from it.
    pub(super) fn vars(
        &self,
        files: &dyn Files,
        folder: &str,
        vars: Option<&Node>,
    ) -> Result<Self, Box<Diagnostic>> {
        let mut context = self.clone();
        for item in vars.and_then(Node::as_list).unwrap_or_default() {
            if let Some(map) = item.as_map() {
                merge(&mut context.0, map);
            } else if let Some(written) = item.as_written() {
                let (file, keys) =
                    written.split_once(':').map_or((written, None), |(file, keys)| (file, Some(keys)));
                let map = object(files, &joined(folder, file))?.unwrap_or_default();
                for (key, node) in map.iter() {
                    if keys.is_none_or(|keys| keys.split(',').any(|named| named.trim() == key)) {
                        let mut one = Map::default();
                        one.insert(key, Span::default(), node.clone());
                        merge(&mut context.0, &one);
                    }
                }
            }
        }
        Ok(context)
    }

    /// Adds one variable.
    pub(super) fn with(&self, name: &str, value: Node) -> Self {
        let mut context = self.clone();
        context.0.insert(name, Span::default(), value);
        context
    }

    /// Substitutes the variables in a text. Unknown ones are left as written.
    pub(super) fn text(&self, text: &str) -> String {
        let mut made = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            made.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                made.push_str("${");
                rest = behind;
                continue;
            };
            // A `\` before it escapes it.
            let value = if before.ends_with('\\') { None } else { self.get(name).and_then(scalar) };
            made.push_str(&value.unwrap_or_else(|| format!("${{{name}}}")));
            rest = after;
        }
        made + rest
    }

    /// Substitutes the variables in a value and everything below it.
    pub(super) fn node(&self, node: &Node) -> Node {
        match &node.value {
            Value::String(text) => {
                let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                match whole.filter(|name| !name.contains('}')).and_then(|name| self.get(name)) {
                    Some(found) => found.clone(),
                    None => Node::text(self.text(text)),
                }
            }
            Value::List(items) => Node::made(Value::List(items.iter().map(|item| self.node(item)).collect())),
            Value::Map(map) => {
                let mut made = Map::default();
                for (key, node) in map.iter() {
                    made.insert(self.text(key), Span::default(), self.node(node));
                }
                Node::made(Value::Map(made))
            }
            _ => node.clone(),
        }
    }

    /// The value at a path such as `train.layers[0]`.
    fn get(&self, name: &str) -> Option<&Node> {
        let name = name.trim().replace('[', ".").replace(']', "");
        let mut keys = name.split('.');
        let mut node = self.0.get(keys.next()?)?;
        for key in keys {
            node = match &node.value {
                Value::Map(map) => map.get(key)?,
                Value::List(items) => items.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(node)
    }
}

fn merge(into: &mut Map, other: &Map) {
    for (key, node) in other.iter() {
        match (into.get_mut(key).map(|known| &mut known.value), &node.value) {
            (Some(Value::Map(known)), Value::Map(more)) => merge(known, more),
            _ => {
                into.insert(key, Span::default(), node.clone());
            }
        }
    }
}

/// A value as DVC writes it into a text; `None` for objects and lists.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(written) => Some(number(written)),
        _ => None,
    }
}

/// A number as Python writes it: `1e-3` is `0.001`, and `0.00001` is `1e-05`.
fn number(written: &str) -> String {
    if let Ok(whole) = written.parse::<i128>() {
        return whole.to_string();
    }
    let Ok(value) = written.parse::<f64>() else { return written.to_owned() };
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}
