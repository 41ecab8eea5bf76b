//! The tree of a document.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

/// A range of bytes in a document's text. `document` identifies the document if several were read together, such as a
/// policy and its packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// The document in [`crate::document::Documents`]; 0 if there is only one.
    pub document: u16,
}

impl Span {
    /// The bytes from `start` up to `end`. Documents are far smaller than 4 GiB, so offsets always fit.
    pub fn new(document: u16, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end.max(start)), document }
    }
}

/// A value and where it is.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it is.
    pub span: Span,
}

/// The values of a node.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// `null`, or nothing at all in YAML.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number, exactly as written.
    Number(SmolStr),
    /// `NaN`, `Infinity`, `-Infinity`, or YAML's spellings of them, as written.
    NotFinite(SmolStr),
    /// Text.
    String(SmolStr),
    /// A list.
    List(Vec<Node>),
    /// An object.
    Map(Map),
}

impl Value {
    /// The name of this type of value in messages.
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::NotFinite(_) => "a number that is not finite",
            Self::String(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// A value with the position of its key.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where the key is.
    pub key: Span,
    /// The value.
    pub node: Node,
}

/// The entries of an object, in document order.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Vec<(SmolStr, Entry)>,
    /// The index of each key, once there are too many for a linear search.
    #[expect(clippy::box_collection, reason = "hardly any object needs it, and each value has room for it")]
    places: Option<Box<HashMap<SmolStr, usize, RandomState>>>,
}

/// Up to this many entries, a linear search is faster than hashing the key.
const FEW: usize = 24;

impl Map {
    fn place(&self, key: &str) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(key).copied(),
            None => self.entries.iter().position(|(known, _)| known == key),
        }
    }

    /// The value at `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The value at `key`, mutably.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let place = self.place(key)?;
        Some(&mut self.entries[place].1.node)
    }

    /// The value at `key` with the position of the key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.place(key).map(|place| &self.entries[place].1)
    }

    /// The value at `key` with the stored key.
    pub fn key_value(&self, key: &str) -> Option<(&str, &Node)> {
        let (key, entry) = &self.entries[self.place(key)?];
        Some((&**key, &entry.node))
    }

    /// Sets the value at `key`; returns the previous entry.
    pub fn insert(&mut self, key: impl Into<SmolStr>, key_span: Span, node: Node) -> Option<Entry> {
        let (key, entry) = (key.into(), Entry { key: key_span, node });
        if let Some(place) = self.place(&key) {
            return Some(std::mem::replace(&mut self.entries[place].1, entry));
        }
        if let Some(places) = &mut self.places {
            places.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, entry));
        if self.places.is_none() && self.entries.len() > FEW {
            self.index();
        }
        None
    }

    fn index(&mut self) {
        let keys = self.entries.iter().map(|(key, _)| key.clone());
        self.places = Some(Box::new(keys.zip(0..).collect()));
    }

    /// Removes the value at `key`; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let (_, entry) = self.entries.remove(self.place(key)?);
        if self.places.is_some() {
            self.index();
        }
        Some(entry)
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> + ExactSizeIterator {
        self.entries.iter().map(|(key, entry)| (&**key, &entry.node))
    }

    /// Values, in order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.entries.iter_mut().map(|(_, entry)| &mut entry.node)
    }

    /// Keys and values with the positions of the keys, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (&**key, entry))
    }

    /// Keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(key, _)| &**key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl IntoIterator for Map {
    type Item = (SmolStr, Entry);
    type IntoIter = std::vec::IntoIter<(SmolStr, Entry)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Node {
    /// A node that is not from a document.
    pub fn made(value: Value) -> Self {
        Self { value, span: Span::default() }
    }

    /// A text that is not from a document.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::made(Value::String(text.into()))
    }

    /// The object, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a scalar as written: string, number or boolean. YAML reads some names as numbers
    /// (`12e4567` is a commit).
    pub fn as_written(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) | Value::Number(text) | Value::NotFinite(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value at `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// Whether it is null: present, but empty.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// A copy without positions, for use in another document.
    #[must_use]
    pub fn without_places(&self) -> Self {
        Self::made(match &self.value {
            Value::Map(map) => {
                let mut plain = Map::default();
                for (key, node) in map.iter() {
                    plain.insert(key, Span::default(), node.without_places());
                }
                Value::Map(plain)
            }
            Value::List(items) => Value::List(items.iter().map(Self::without_places).collect()),
            other => other.clone(),
        })
    }

    /// As JSON; numbers that are not finite, or don't fit a double, become text as written.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(written) => serde_json::from_str::<serde_json::Number>(written)
                .map_or_else(|_| Json::String(written.to_string()), Json::Number),
            Value::NotFinite(text) | Value::String(text) => Json::String(text.to_string()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(map) => {
                Json::Object(map.iter().map(|(key, node)| (key.to_owned(), node.to_json())).collect())
            }
        }
    }

    /// A scalar as written; for a list or an object, its number of entries.
    pub fn in_full(&self) -> String {
        let counted = |number: usize, noun: &str| {
            if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
        };
        match &self.value {
            Value::Null => "null".into(),
            Value::List(items) => counted(items.len(), "element"),
            Value::Map(map) => match map.get("value").and_then(Self::as_written) {
                Some(value) => value.to_owned(),
                None => counted(map.len(), "key"),
            },
            _ => self.as_written().unwrap_or_default().to_owned(),
        }
    }

    /// Like [`Self::in_full`], but shortened for a message: digests and long texts are cut.
    pub fn brief(&self) -> String {
        let text = self.in_full();
        let is_digest = text.split_once(':').is_some_and(|(algorithm, value)| {
            algorithm.len() <= 8 && value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let most = if is_digest { text.find(':').unwrap_or(0) + 13 } else { LONGEST };
        match text.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

/// Maximum number of characters of a text in a message.
const LONGEST: usize = 60;
