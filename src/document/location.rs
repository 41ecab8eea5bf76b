//! A place in a text. Line and column are looked up only when somebody is shown them.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Document, Span};

/// Bytes of a document with a few words about them, or the excerpt that a saved report kept of them.
#[derive(Debug, Clone)]
pub struct Location(Place);

#[derive(Debug, Clone)]
enum Place {
    In { document: Arc<Document>, span: Span, label: String },
    Shown(Excerpt),
}

/// The line that a location is on, so that a saved report can be shown without the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column of the first character, counted from 1 in characters.
    pub column: usize,
    /// The column behind the last character on this line.
    pub end_column: usize,
    /// The line itself; a very long one is cut around the location.
    pub excerpt: String,
    /// The column at which the excerpt begins: beyond 1 where the line is cut.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub excerpt_column: usize,
    /// A few words about what is underlined.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it by reference")]
fn is_one(column: &usize) -> bool {
    *column == 1
}

/// Characters kept of a line on either side of the location.
const MAX_EXCERPT_SIDE: usize = 160;

impl Location {
    /// Bytes of a document, and what to write beside them; the label may be empty.
    pub fn new(document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        Self(Place::In { document: Arc::clone(document), span, label: label.into() })
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        match &self.0 {
            Place::In { document, .. } => &document.name,
            Place::Shown(excerpt) => &excerpt.file,
        }
    }

    /// Line and column of the first character, counted from 1.
    pub fn line_column(&self) -> (usize, usize) {
        match &self.0 {
            Place::In { document, span, .. } => document.line_column(span.start as usize),
            Place::Shown(excerpt) => (excerpt.line, excerpt.column),
        }
    }

    /// The line to show; `None` where the document has no text, as a server's answer has none.
    pub fn excerpt(&self) -> Option<Excerpt> {
        match &self.0 {
            Place::In { document, .. } if document.text.is_empty() => None,
            Place::In { document, span, label } => Some(Excerpt::of(document, *span, label)),
            Place::Shown(excerpt) => Some(excerpt.clone()),
        }
    }

    fn has_excerpt(&self) -> bool {
        !matches!(&self.0, Place::In { document, .. } if document.text.is_empty())
    }
}

/// Whether there is nothing to write of a location into a report.
pub(super) fn without_excerpt(location: &Option<Location>) -> bool {
    !location.as_ref().is_some_and(Location::has_excerpt)
}

impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.excerpt() == other.excerpt()
    }
}

impl Eq for Location {}

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.excerpt().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Excerpt::deserialize(deserializer).map(|excerpt| Self(Place::Shown(excerpt)))
    }
}

impl Excerpt {
    fn of(document: &Document, span: Span, label: &str) -> Self {
        let (line, column) = document.line_column(span.start as usize);
        let start = (span.start as usize).min(document.text.len());
        let line_start = document.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let whole = first_line(&document.text[line_start..]);
        let marked = first_line(document.slice(span)).chars().count().max(1);
        let (excerpt, excerpt_column) = cut(whole, column, marked);
        Self {
            file: document.name.to_string(),
            line,
            column,
            end_column: column + marked,
            excerpt,
            excerpt_column,
            label: label.into(),
        }
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or(text).trim_end_matches('\r')
}

fn cut(line: &str, column: usize, marked: usize) -> (String, usize) {
    if line.chars().nth(MAX_EXCERPT_SIDE * 2).is_none() {
        return (line.to_owned(), 1);
    }
    let from = column.saturating_sub(1 + MAX_EXCERPT_SIDE);
    let length = MAX_EXCERPT_SIDE * 2 + marked.min(MAX_EXCERPT_SIDE);
    (line.chars().skip(from).take(length).collect(), from + 1)
}
