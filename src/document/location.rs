//! A place in a text. Line and column are computed only when they are shown.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Document, Span};
use crate::secret::{DIGITS, MASKED, masked};

/// A span of a document with a short label, or the excerpt of it that a saved report has.
#[derive(Debug, Clone)]
pub struct Location(Place);

#[derive(Debug, Clone)]
enum Place {
    In { document: Arc<Document>, span: Span, label: String },
    Shown(Excerpt),
}

/// The line of a location, so that a saved report can be shown without the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The file, as named by the user.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column of the first character, from 1, in characters.
    pub column: usize,
    /// The column after the last character on this line.
    pub end_column: usize,
    /// The line itself; a very long one is cut around the location.
    pub excerpt: String,
    /// The column where the excerpt starts: more than 1 if the line was cut.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub excerpt_column: usize,
    /// A short label for what is underlined.
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

/// Characters kept on either side of the location.
const MAX_EXCERPT_SIDE: usize = 160;

impl Location {
    /// A span of a document, and the label to show with it, which may be empty.
    pub fn new(document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        Self(Place::In { document: Arc::clone(document), span, label: label.into() })
    }

    /// The file, as named by the user.
    pub fn file(&self) -> &str {
        match &self.0 {
            Place::In { document, .. } => &document.name,
            Place::Shown(excerpt) => &excerpt.file,
        }
    }

    /// The same place, with another name for the file.
    #[must_use]
    pub fn called(self, file: &str) -> Self {
        Self(match self.0 {
            Place::In { document, span, label } => {
                let document = Document { name: file.into(), ..(*document).clone() };
                Place::In { document: Arc::new(document), span, label }
            }
            Place::Shown(excerpt) => Place::Shown(Excerpt { file: file.to_owned(), ..excerpt }),
        })
    }

    /// Line and column of the first character, from 1.
    pub fn line_column(&self) -> (usize, usize) {
        match &self.0 {
            Place::In { document, span, .. } => document.line_column(span.start as usize),
            Place::Shown(excerpt) => (excerpt.line, excerpt.column),
        }
    }

    /// The line to show; `None` if the document has no text, as with a server's response.
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

/// Whether a report has nothing to say about the location.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
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
        let marked = first_line(document.slice(span)).chars().count().max(1);
        let (mut excerpt, excerpt_column) = cut(document, span.start as usize, column, marked);
        // For a missing key, show only the start of the object: its other contents could mislead.
        if matches!(document.slice(span), "{" | "[") {
            let end =
                excerpt.char_indices().nth(column - excerpt_column + 1).map_or(excerpt.len(), |(at, _)| at);
            if !excerpt[end..].trim().is_empty() {
                excerpt.replace_range(end.., " …");
            }
        }
        Self {
            file: document.name.to_string(),
            line,
            column,
            end_column: column + marked,
            excerpt: without_secrets(&excerpt).into_owned(),
            excerpt_column,
            label: label.into(),
        }
    }
}

/// A line with its secrets masked, at the same length, so that columns stay the same.
fn without_secrets(line: &str) -> Cow<'_, str> {
    let Cow::Owned(masked) = masked(line) else { return line.into() };
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other).take_while(|(a, b)| a == b).count()
    };
    // A mask may begin or end like the secret, and is not part of the line.
    let (head, rest) = masked.split_once(MASKED).unwrap_or((masked.as_str(), masked.as_str()));
    let tail = rest.rsplit_once(MASKED).map_or(rest, |(_, tail)| tail);
    let tail = if masked.contains(MASKED) { tail.get(DIGITS..).unwrap_or_default() } else { tail };
    let length = line.chars().count();
    let before = same(&mut line.chars(), &mut head.chars());
    let behind = same(&mut line.chars().rev(), &mut tail.chars().rev()).min(length - before);
    let hidden = |(at, c)| if at >= before && at < length - behind { '*' } else { c };
    line.chars().enumerate().map(hidden).collect::<String>().into()
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or(text).trim_end_matches('\r')
}

/// The line of a byte, or the part around it if the line is very long, with the column where it starts. Only
/// that part is read, because a line may have megabytes and many findings.
fn cut(document: &Document, offset: usize, column: usize, marked: usize) -> (String, usize) {
    let text = &*document.text;
    let line = document.line_start(offset);
    let in_line = |c: &char| *c != '\n';
    if text[line..].chars().take_while(in_line).nth(MAX_EXCERPT_SIDE * 2).is_none() {
        return (first_line(&text[line..]).to_owned(), 1);
    }
    let start = super::floor_char(text, offset);
    let before: Vec<char> = text[line..start].chars().rev().take(MAX_EXCERPT_SIDE).collect();
    let from = column - before.len();
    let length = MAX_EXCERPT_SIDE * 2 + marked.min(MAX_EXCERPT_SIDE);
    let after = text[start..].chars().take_while(in_line);
    let cut: String = before.into_iter().rev().chain(after).take(length).collect();
    (cut.trim_end_matches('\r').to_owned(), from)
}
