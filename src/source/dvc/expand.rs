//! Expands the stages that use `foreach` or `matrix`.

use super::template::{Context, scalar};
use crate::document::{Map, Node, Span, Value};

/// The item that a stage was expanded for.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    /// The part of the stage's name after the `@`.
    pub(super) name: String,
    /// Its named values: `model` and `seed` of a matrix, or the keys of an object. A plain value has one
    /// unnamed part.
    pub(super) parts: Vec<(String, String)>,
    /// It comes from a matrix, so every combination of the parts exists.
    pub(super) crossed: bool,
}

impl Item {
    /// The value of one part.
    pub(super) fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

/// Maximum number of stages that one `matrix` expands to.
const MOST: usize = 10_000;

/// An item, and the variables for its stage.
type Made = Vec<(Option<Item>, Context)>;

/// Expands a stage. The flag is `false` if its items can't be resolved; they are then taken from the names of
/// stages that ran.
pub(super) fn expand(name: &str, stage: &Map, context: &Context, locked: &[String]) -> (Made, bool) {
    let made = match (stage.get("foreach"), stage.get("matrix")) {
        (Some(items), _) => each(&context.node(items), context),
        (None, Some(matrix)) => combined(&context.node(matrix), context),
        (None, None) => return (vec![(None, context.clone())], true),
    };
    if let Some(made) = made {
        return (made, true);
    }
    let ran = locked.iter().filter_map(|locked| locked.strip_prefix(name)?.strip_prefix('@'));
    let made = ran.map(|item| {
        let parts = vec![(String::new(), item.to_owned())];
        let context = context.with("item", Node::text(item)).with("key", Node::text(item));
        (Some(Item { name: item.to_owned(), parts, crossed: false }), context)
    });
    (made.collect(), false)
}

fn is_composite(node: &Node) -> bool {
    matches!(node.value, Value::Map(_) | Value::List(_))
}

fn each(items: &Node, context: &Context) -> Option<Made> {
    let one = |name: String, value: &Node, key: bool| {
        let parts = match value.as_map() {
            Some(map) => map.iter().filter_map(|(key, node)| Some((key.to_owned(), scalar(node)?))).collect(),
            None => vec![(String::new(), name.clone())],
        };
        let mut context = context.with("item", value.clone());
        if key {
            context = context.with("key", Node::text(name.as_str()));
        }
        (Some(Item { name, parts, crossed: false }), context)
    };
    match &items.value {
        Value::Map(map) => Some(map.iter().map(|(key, value)| one(key.to_owned(), value, true)).collect()),
        Value::List(list) if list.iter().any(is_composite) => {
            Some(list.iter().enumerate().map(|(at, value)| one(at.to_string(), value, false)).collect())
        }
        Value::List(list) => list.iter().map(|value| Some(one(scalar(value)?, value, false))).collect(),
        _ => None,
    }
}

fn combined(matrix: &Node, context: &Context) -> Option<Made> {
    let mut rows: Vec<(Vec<(String, String)>, Map)> = vec![(Vec::new(), Map::default())];
    for (key, values) in matrix.as_map()?.iter() {
        let values = values.as_list()?;
        if rows.len().saturating_mul(values.len()) > MOST {
            return None;
        }
        let mut longer = Vec::new();
        for (parts, item) in &rows {
            for (at, value) in values.iter().enumerate() {
                let text = if is_composite(value) { format!("{key}{at}") } else { scalar(value)? };
                let (mut parts, mut item) = (parts.clone(), item.clone());
                parts.push((key.to_owned(), text));
                item.insert(key, Span::default(), value.clone());
                longer.push((parts, item));
            }
        }
        rows = longer;
    }
    let made = rows.into_iter().map(|(parts, item)| {
        let name = parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("-");
        let context =
            context.with("item", Node::made(Value::Map(item))).with("key", Node::text(name.as_str()));
        (Some(Item { name, parts, crossed: true }), context)
    });
    Some(made.collect())
}
