//! What training reports while it runs: a line for each value, such as `metrics.f1=0.84`.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{BAD_LINE, SAID_TWICE};
use crate::document::{Diagnostic, Document, Format, Map, Node, Segment, Span, Value, did_you_mean, nearest};
use crate::run::{Decimal, FieldPath};

/// The contents of all lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// The last value of each metric.
    pub metrics: Map,
    /// Parameters; dots in names create nested objects.
    pub params: Map,
    /// Tags.
    pub tags: Map,
    /// `model`, `run_id`, `name`, `data_version`, `seed`, `slices`, and the fields of `validation` and `aggregates`.
    pub fields: Vec<(String, Node)>,
    /// Files that training saved.
    pub artifacts: Vec<String>,
    /// Predictions on the validation split.
    pub predictions: Option<String>,
    /// Aggregates in place of predictions.
    pub aggregates: Option<String>,
    /// Data files by role.
    pub data: Vec<(String, String)>,
}

/// Keys that are followed by a name of the user's choice.
const GROUPS: [&str; 4] = ["metrics", "params", "tags", "data"];
/// Keys without such a name.
const SINGLE: [&str; 14] = [
    "artifact",
    "predictions",
    "aggregates",
    "aggregates.engine",
    "aggregates.statements",
    "seed",
    "model",
    "run_id",
    "name",
    "data_version",
    "slices",
    "validation.split",
    "validation.strategy",
    "validation.seed",
];

/// Spellings of non-finite numbers that programs print.
pub(super) const NOT_FINITE: [&str; 7] = ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"];

impl Lines {
    /// Parses the lines. Later values of a metric replace earlier ones; anything else may be given only once.
    pub fn parse(document: &Arc<Document>) -> Result<Self, Vec<Diagnostic>> {
        let mut lines = Self::default();
        let mut problems = Vec::new();
        let mut start = 0;
        for line in document.text.split('\n') {
            let span = Span::new(0, start, start + line.trim_end().len());
            start += line.len() + 1;
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if let Err((code, message, help)) = lines.take(line) {
                problems.push(Diagnostic::new(code, message).at(document, span, "this line").help(help));
            }
        }
        if problems.is_empty() { Ok(lines) } else { Err(problems) }
    }

    fn take(&mut self, line: &str) -> Result<(), (crate::code::Code, String, String)> {
        let wrong = |message: String, help: &str| Err((BAD_LINE, message, help.to_owned()));
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            return wrong(format!("`{line}` has no `=`"), "a line is KEY=VALUE, such as metrics.f1=0.84");
        };
        if value.is_empty() {
            return wrong(format!("`{key}` has no value"), "remove the line, or give it a value");
        }
        let twice = || (SAID_TWICE, format!("`{key}` has two values"), "say it once".to_owned());
        match key.split_once('.') {
            Some(("metrics", name)) if !name.is_empty() => {
                let Some(number) = metric(value) else {
                    return wrong(
                        format!("the metric `{name}` is `{value}`, which is not a number"),
                        "write only the number, without a unit",
                    );
                };
                self.metrics.insert(name, Span::default(), number);
            }
            Some(("params", name)) if !name.is_empty() => {
                if !put(&mut self.params, &segments(name), scalar(value)) {
                    return Err(twice());
                }
            }
            Some(("tags", name)) if !name.is_empty() => {
                self.tags.insert(name, Span::default(), Node::text(value));
            }
            Some(("data", role)) if !role.is_empty() => self.data.push((role.to_owned(), value.to_owned())),
            _ if key == "artifact" => self.artifacts.push(value.to_owned()),
            _ if key == "predictions" || key == "aggregates" => {
                let file = if key == "predictions" { &mut self.predictions } else { &mut self.aggregates };
                if file.replace(value.to_owned()).is_some_and(|known| known != value) {
                    return Err(twice());
                }
            }
            _ if SINGLE.contains(&key) => {
                let node = match key {
                    "seed" | "validation.seed" => scalar(value),
                    "slices" => match json(value).filter(|node| node.as_map().is_some()) {
                        Some(node) => node,
                        None => {
                            return wrong(
                                "`slices` is not a JSON object".into(),
                                "slices={\"region=EU\": {\"rows\": 500, \"metrics\": {\"f1\": 0.8}}}",
                            );
                        }
                    },
                    _ => Node::text(value),
                };
                match self.fields.iter().find(|(name, _)| name == key) {
                    Some((_, known)) if known.as_written() != node.as_written() => return Err(twice()),
                    Some(_) => {}
                    None => self.fields.push((key.to_owned(), node)),
                }
            }
            _ => {
                let groups = GROUPS.map(|group| format!("{group}.NAME"));
                let known: Vec<&str> = SINGLE.into_iter().chain(groups.iter().map(String::as_str)).collect();
                let group = key.split_once('.').and_then(|(group, _)| nearest(group, GROUPS));
                let help = match group {
                    Some(group) => format!("did you mean `{group}.NAME`?"),
                    None => did_you_mean(key, &known, "the keys are"),
                };
                return Err((BAD_LINE, format!("`{key}` is not a field that a line can set"), help));
            }
        }
        Ok(())
    }

    /// One of the fields without a group.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }
}

/// Interprets a parameter: a number as written, true or false, a JSON list or object, else text.
pub fn scalar(text: &str) -> Node {
    if text.starts_with(['[', '{', '"'])
        && let Some(node) = json(text)
    {
        return node;
    }
    match text {
        "true" | "True" => Node::made(Value::Bool(true)),
        "false" | "False" => Node::made(Value::Bool(false)),
        _ if Decimal::parse(text).is_ok() => Node::made(Value::Number(text.into())),
        _ => Node::text(text),
    }
}

fn metric(text: &str) -> Option<Node> {
    if NOT_FINITE.contains(&text.to_ascii_lowercase().as_str()) {
        return Some(Node::made(Value::NotFinite(text.into())));
    }
    Decimal::parse(text).ok().map(|_| Node::made(Value::Number(text.into())))
}

fn json(text: &str) -> Option<Node> {
    let document = Document::new("a line", text.into(), Format::Json).ok()?;
    Arc::new(document).parse().ok()
}

/// `optimizer.lr` is `lr` inside `optimizer`; the quoted `"lr.decay"` is one name.
fn segments(name: &str) -> Vec<SmolStr> {
    let path = FieldPath::parse(name).ok().and_then(|path| path.to_path());
    let keys = path.and_then(|path| {
        path.segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => Some(key.clone()),
                Segment::Index(_) => None,
            })
            .collect::<Option<Vec<_>>>()
    });
    keys.unwrap_or_else(|| vec![name.into()])
}

/// Puts a value at a path of keys; returns whether the path was free.
fn put(map: &mut Map, keys: &[SmolStr], node: Node) -> bool {
    let Some((first, rest)) = keys.split_first() else { return false };
    if rest.is_empty() {
        return match map.get(first) {
            Some(known) => known.as_written().is_some() && known.as_written() == node.as_written(),
            None => {
                map.insert(first.clone(), Span::default(), node);
                true
            }
        };
    }
    if map.get(first).is_none() {
        map.insert(first.clone(), Span::default(), Node::made(Value::Map(Map::default())));
    }
    match map.get_mut(first).map(|node| &mut node.value) {
        Some(Value::Map(inner)) => put(inner, rest, node),
        _ => false,
    }
}
