//! Parameters of packs: a pack can't know that a team's metric is `f1`.
//!
//! A parameter is always a whole scalar, `$primary`, as a key or as a value, never part of a longer text.

use super::{BAD_PARAMETER, MISSING_PARAMETER, PARAMETER_COLLIDES, UNKNOWN_PARAMETER};
use crate::document::{Map, Node, Span, Value, did_you_mean};
use crate::rule::Loading;
use crate::run::{Decimal, FieldPath, parse_duration};

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Metric,
    Limit,
    Path,
    Text,
    Duration,
    List,
}

pub(super) const TYPES: [(&str, Type); 6] = [
    ("metric", Type::Metric),
    ("limit", Type::Limit),
    ("path", Type::Path),
    ("text", Type::Text),
    ("duration", Type::Duration),
    ("list", Type::List),
];

struct Parameter {
    name: String,
    value: Node,
    used: bool,
    declared: Span,
}

/// Puts the parameters into a tree; returns the value of each.
pub(super) fn fill(
    loading: &mut Loading<'_>,
    file: &str,
    root: &mut Node,
    with: Option<&Node>,
) -> Vec<(String, String)> {
    let mut parameters = declared(loading, file, root, with);
    given(loading, file, &parameters, with);
    if parameters.is_empty() {
        return Vec::new();
    }
    if let Value::Map(map) = &mut root.value {
        let declaration = map.remove("params");
        replace(loading, root, &mut parameters);
        if let (Value::Map(map), Some(entry)) = (&mut root.value, declaration) {
            map.insert("params", entry.key, entry.node);
        }
    }
    for parameter in parameters.iter().filter(|parameter| !parameter.used) {
        let message = format!("`{file}` declares the parameter `{}` but does not use it", parameter.name);
        loading.reader.problem(UNKNOWN_PARAMETER, parameter.declared, message, "not used");
    }
    parameters
        .into_iter()
        .map(|parameter| {
            let value = shown(&parameter.value);
            (parameter.name, value)
        })
        .collect()
}

fn declared(loading: &mut Loading<'_>, file: &str, root: &Node, with: Option<&Node>) -> Vec<Parameter> {
    let Some(node) = root.get("params") else { return Vec::new() };
    let Some(map) = loading.reader.map(node, "`params`") else { return Vec::new() };
    let mut parameters = Vec::new();
    for (name, entry) in map.entries() {
        let what = format!("the parameter `{name}`");
        let Some(body) = loading.reader.map(&entry.node, &what) else { continue };
        loading.reader.only(body, &what, &["type", "default"]);
        let Some(sort) = loading.reader.required(body, "type", &what, entry.key) else { continue };
        let Some(sort) = loading.reader.word(sort, "the type of a parameter", &TYPES) else { continue };
        let given = with.and_then(|with| with.get(name));
        let value = given.or_else(|| body.get("default"));
        if value.is_none() {
            let span = with.map_or(entry.key, |with| with.span);
            let message = format!("`{file}` needs the parameter `{name}`");
            loading.reader.problem(MISSING_PARAMETER, span, message, "not given").help =
                Some(format!("give it: `with: {{ {name}: … }}`"));
        }
        // A parameter that is missing or has the wrong type is reported here, once, not at every use.
        let value = value
            .filter(|value| check(loading, value, name, sort))
            .map_or_else(|| stand_in(sort, entry.key), Node::clone);
        parameters.push(Parameter { name: name.to_owned(), value, used: false, declared: entry.key });
    }
    parameters
}

/// A value that fits, so that a policy with a bad parameter can be read to its end.
fn stand_in(sort: Type, span: Span) -> Node {
    let value = match sort {
        Type::Limit => Value::Number("0".into()),
        Type::Duration => Value::String("1d".into()),
        Type::Metric | Type::Path | Type::Text => Value::String("x".into()),
        Type::List => Value::List(vec![Node { value: Value::String("x".into()), span }]),
    };
    Node { value, span }
}

/// Rejects parameters that were given but are not declared.
fn given(loading: &mut Loading<'_>, file: &str, parameters: &[Parameter], with: Option<&Node>) {
    let Some(with) = with else { return };
    let Some(map) = loading.reader.map(with, "`with`") else { return };
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for (name, entry) in map.entries() {
        if !names.contains(&name) {
            let help = if names.is_empty() {
                "it has no parameters".to_owned()
            } else {
                did_you_mean(name, &names, "its parameters are")
            };
            let message = format!("`{file}` has no parameter `{name}`");
            loading.reader.problem(UNKNOWN_PARAMETER, entry.key, message, "unknown parameter").help =
                Some(help);
        }
    }
}

fn check(loading: &mut Loading<'_>, value: &Node, name: &str, sort: Type) -> bool {
    let written = value.as_written();
    let fits = match sort {
        Type::List => value.as_list().is_some_and(|items| !items.is_empty()),
        Type::Limit => {
            matches!(&value.value, Value::Number(text) | Value::String(text)
                if Decimal::parse(text.strip_suffix('%').unwrap_or(text)).is_ok())
        }
        Type::Duration => written.is_some_and(|text| parse_duration(text).is_ok()),
        Type::Path => written.is_some_and(|text| FieldPath::parse(text).is_ok()),
        Type::Metric | Type::Text => written.is_some_and(|text| !text.trim().is_empty()),
    };
    if !fits {
        let expected = TYPES.iter().find(|(_, known)| *known == sort).map_or("", |(word, _)| word);
        let message = match value.as_list() {
            Some([]) if sort == Type::List => format!("the list of the parameter `{name}` is empty"),
            _ => format!("the parameter `{name}` must be a {expected}, but is {}", value.value.sort()),
        };
        loading.reader.problem(BAD_PARAMETER, value.span, message, "another type");
    }
    fits
}

/// The name of the parameter that a scalar refers to.
fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.then_some(name)
}

fn replace(loading: &mut Loading<'_>, node: &mut Node, parameters: &mut [Parameter]) {
    match &mut node.value {
        Value::String(text) => {
            let Some(name) = name_of(text).map(str::to_owned) else { return };
            if let Some(value) = look_up(loading, &name, node.span, parameters) {
                *node = value;
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| replace(loading, item, parameters)),
        Value::Map(map) => {
            let mut filled = Map::default();
            for (key, mut entry) in std::mem::take(map) {
                replace(loading, &mut entry.node, parameters);
                let filled_in = match name_of(&key) {
                    None => key.clone(),
                    Some(name) => look_up(loading, name, entry.key, parameters)
                        .and_then(|value| value.as_written().map(Into::into))
                        .unwrap_or_else(|| key.clone()),
                };
                if let Some(first) = filled.entry(&filled_in) {
                    collides(loading, &key, &filled_in, entry.key, first.key);
                    continue;
                }
                filled.insert(filled_in, entry.key, entry.node);
            }
            *map = filled;
        }
        _ => {}
    }
}

/// Reports two keys that parameters made equal: keeping either one would lose the limits of the other.
fn collides(loading: &mut Loading<'_>, written: &str, key: &str, span: Span, first: Span) {
    let message = format!("`{written}` becomes `{key}`, which this object already has");
    let document = loading.reader.documents.of(first).cloned();
    let problem = loading.reader.problem(PARAMETER_COLLIDES, span, message, "the same key again");
    problem.help = Some(format!(
        "give the parameter another value, or write the limits on `{key}` in a rule of its own"
    ));
    if let Some(document) = document {
        *problem = problem.clone().also(&document, first, "here first");
    }
}

fn look_up(loading: &mut Loading<'_>, name: &str, span: Span, parameters: &mut [Parameter]) -> Option<Node> {
    if let Some(parameter) = parameters.iter_mut().find(|parameter| parameter.name == name) {
        parameter.used = true;
        return Some(parameter.value.clone());
    }
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let help = did_you_mean(name, &names, "the parameters are");
    loading
        .reader
        .problem(UNKNOWN_PARAMETER, span, format!("there is no parameter `${name}`"), "unknown parameter")
        .help = Some(help);
    None
}

fn shown(node: &Node) -> String {
    match &node.value {
        Value::List(items) => items.iter().filter_map(Node::as_written).collect::<Vec<_>>().join(", "),
        _ => node.as_written().unwrap_or_default().to_owned(),
    }
}
