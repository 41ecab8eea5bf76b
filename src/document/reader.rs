//! Reads a tree into typed values, and collects everything that is wrong on the way.
//!
//! A policy often has several mistakes at once, so a reader never stops at the first: it records a [`Diagnostic`] and
//! continues with what it has.

use std::sync::Arc;

use super::hints;
use super::{Document, EMPTY, Entry, Format, Map, Node, Span, Value, nearest, yaml};
use crate::code::{Code, codes};
use crate::document::Diagnostic;

codes! {
    UNKNOWN_KEY = "policy/unknown-key": "A key that the policy language does not have.";
    WRONG_SORT = "policy/wrong-sort": "A value has the wrong type for its key, or is not one of the allowed words.";
    MISSING_KEY = "policy/missing-key": "A required key is missing.";
}

/// The documents that are read together, so that a [`Span`] can be traced to its text.
#[derive(Debug, Clone, Default)]
pub struct Documents(Vec<Arc<Document>>);

impl Documents {
    /// Adds a YAML document and parses it.
    pub fn add(&mut self, document: Document) -> Result<Node, Box<Diagnostic>> {
        debug_assert_eq!(document.format, Format::Yaml);
        let document = Arc::new(document);
        document.check_size()?;
        let index = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        self.0.push(Arc::clone(&document));
        yaml::parse(&document, index).map_err(|mut problem| {
            if index == 0 && problem.code == EMPTY {
                problem.help =
                    Some("remove the file: `gate init` writes a policy that fits this repository".into());
            }
            problem
        })
    }

    /// The document that a span points into.
    pub fn of(&self, span: Span) -> Option<&Arc<Document>> {
        self.0.get(usize::from(span.document))
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.of(span).map_or("", |document| document.slice(span))
    }

    /// `gate.yaml:12`: the position of a span.
    pub fn place(&self, span: Span) -> String {
        self.of(span).map_or_else(String::new, |document| {
            format!("{}:{}", document.name, document.line_column(span.start as usize).0)
        })
    }

    /// All documents, in reading order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.0.iter()
    }
}

/// Reads nodes, and collects what is wrong with them.
#[derive(Debug, Default)]
pub struct Reader {
    /// The documents being read.
    pub documents: Documents,
    problems: Vec<Diagnostic>,
}

impl Reader {
    /// All problems, in the order found.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// All problems, and the documents that they point into.
    pub fn finish(self) -> (Documents, Vec<Diagnostic>) {
        (self.documents, self.problems)
    }

    /// Records a problem at a span; the caller can add help to the returned reference.
    pub fn problem(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: &str,
    ) -> &mut Diagnostic {
        let mut problem = Diagnostic::new(code, message);
        if let Some(document) = self.documents.of(span) {
            problem = problem.at(document, span, label);
        }
        self.problems.push(problem);
        self.problems.last_mut().expect("a problem was just pushed")
    }

    /// The last recorded problem.
    pub fn last(&mut self) -> Option<&mut Diagnostic> {
        self.problems.last_mut()
    }

    /// Records a problem that was found elsewhere.
    pub fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// The object, or a problem that says what was expected.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Map> {
        let map = node.as_map();
        if map.is_none() {
            self.wrong_sort(node, what, "an object with keys");
        }
        map
    }

    /// The list, or a problem.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let list = node.as_list();
        if list.is_none() {
            self.wrong_sort(node, what, "a list");
        }
        list
    }

    /// The text of a scalar as written, whatever its YAML type; a problem if it is not a scalar, or empty.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match node.as_written() {
            Some(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.wrong_sort(node, what, "text");
                None
            }
        }
    }

    /// A scalar, or a list of scalars, as a list with positions.
    pub fn texts<'n>(&mut self, node: &'n Node, what: &str) -> Vec<(&'n str, Span)> {
        match &node.value {
            Value::List(items) => {
                if items.is_empty() {
                    self.wrong_sort(node, what, "at least one entry");
                }
                items.iter().filter_map(|item| Some((self.text(item, what)?, item.span))).collect()
            }
            _ => self.text(node, what).map(|text| (text, node.span)).into_iter().collect(),
        }
    }

    /// `true` or `false`, or a problem.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_sort(node, what, "true or false");
        None
    }

    /// One of several words, or a problem that lists them and suggests the nearest.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = did_you_mean(text, &all, "one of");
        self.problem(WRONG_SORT, node.span, format!("{what} can't be `{text}`"), "not allowed here").help =
            Some(help);
        None
    }

    /// Refuses every key that is not in `known`.
    pub fn only(&mut self, map: &Map, what: &str, known: &[&str]) {
        for (key, entry) in map.entries() {
            if !known.contains(&key) {
                self.unknown_key(key, entry, what, known);
            }
        }
    }

    /// Refuses one key.
    pub fn unknown_key(&mut self, key: &str, entry: &Entry, what: &str, known: &[&str]) {
        let help = match key.split_once(':') {
            Some((name, rest)) if entry.node.is_null() && known.contains(&name) => {
                format!("a space is missing after the colon: `{name}: {rest}`")
            }
            _ => hints::for_key(key, known)
                .map(str::to_owned)
                .or_else(|| hints::for_entry(key, &entry.node, known))
                .unwrap_or_else(|| did_you_mean(key, known, "the keys here are")),
        };
        self.problem(UNKNOWN_KEY, entry.key, format!("unknown key `{key}` in {what}"), "not a key").help =
            Some(help);
    }

    /// The value of a required key, or a problem at `span` if it is missing.
    pub fn required<'n>(&mut self, map: &'n Map, key: &str, what: &str, span: Span) -> Option<&'n Node> {
        let node = map.get(key);
        if node.is_none() {
            self.problem(MISSING_KEY, span, format!("{what} needs `{key}`"), "in here").help =
                Some(hints::for_missing(key));
        }
        node
    }

    /// Records that a value has the wrong type.
    pub fn wrong_sort(&mut self, node: &Node, what: &str, expected: &str) {
        let found = match &node.value {
            Value::Null => "nothing",
            Value::String(text) if text.trim().is_empty() => "empty text",
            value => value.sort(),
        };
        self.problem(WRONG_SORT, node.span, format!("{what} must be {expected}, but is {found}"), found)
            .help = hints::for_shape(what, node);
    }
}

/// "did you mean `x`?", or all choices if none is similar.
pub fn did_you_mean(word: &str, known: &[&str], lead: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{lead} {}", listed(known)),
    }
}

/// A count for messages: `9,300`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`, `b`, `c`.
pub fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!([thousands(12), thousands(1234), thousands(1_234_567)], ["12", "1,234", "1,234,567"]);
    }
}
