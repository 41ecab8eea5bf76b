//! Constants in a file of Python that holds parameters: `NAME = value` at the top, and in a class.

use crate::document::{Map, Node, Span, Value};

/// The constants whose values are a number, a text, true, false or none. What else there is, is left out.
pub(super) fn constants(text: &str) -> Map {
    let mut found = Map::default();
    // The class that a line stands in, and how far its body is indented.
    let mut class: Option<(String, Option<usize>)> = None;
    let mut in_text: Option<&str> = None;
    for line in text.lines() {
        let quotes = ["\"\"\"", "'''"];
        if let Some(quote) = in_text {
            in_text = (line.matches(quote).count() % 2 == 0).then_some(quote);
            continue;
        }
        in_text = quotes.into_iter().find(|quote| line.matches(quote).count() % 2 == 1);
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent == 0 {
            let name = line.strip_prefix("class ").map(|rest| rest.split(['(', ':']).next().unwrap_or(rest));
            class = name.map(|name| (name.trim().to_owned(), None));
        }
        let Some((name, value)) = assigned(line) else { continue };
        match &mut class {
            None if indent == 0 => put(&mut found, name, value),
            Some((class, body)) if indent > 0 && body.is_none_or(|body| body == indent) => {
                *body = Some(indent);
                if !matches!(found.get(class).map(|node| &node.value), Some(Value::Map(_))) {
                    found.insert(class.as_str(), Span::default(), Node::made(Value::Map(Map::default())));
                }
                if let Some(Value::Map(below)) = found.get_mut(class).map(|node| &mut node.value) {
                    put(below, name, value);
                }
            }
            _ => {}
        }
    }
    found
}

fn put(map: &mut Map, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(name, Span::default(), Node::made(value));
        }
        // What it is now can't be read here, and what it was before is not it.
        None => {
            map.remove(name);
        }
    }
}

/// The name and the value of `name = value`, or of `name: type = value`.
fn assigned(line: &str) -> Option<(&str, Option<Value>)> {
    let (target, value) = line.split_once('=')?;
    let name = target.split(':').next().unwrap_or(target).trim();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
    (is_name && !value.starts_with('=')).then(|| (name, literal(value.trim())))
}

fn literal(text: &str) -> Option<Value> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (inner, behind) = rest.split_once(quote)?;
            let is_plain = !inner.contains('\\')
                && is_comment(behind)
                && !(inner.is_empty() && behind.starts_with(quote));
            return is_plain.then(|| Value::String(inner.into()));
        }
    }
    let (value, _) = text.split_once('#').unwrap_or((text, ""));
    match value.trim() {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::Null),
        number => {
            let plain = number.replace('_', "");
            let is_number = plain.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            let finite = plain.parse::<f64>().ok().filter(|value| value.is_finite() && is_number);
            finite.map(|value| match plain.parse::<i128>() {
                Ok(whole) => Value::Number(whole.to_string().into()),
                Err(_) => Value::Number(format!("{value:?}").into()),
            })
        }
    }
}

fn is_comment(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with('#')
}
