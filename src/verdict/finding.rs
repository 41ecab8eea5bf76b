//! One thing that is wrong, with its place.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::document::{self, Document, Span};
use crate::secret::masked;

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable name, such as `metrics/drop`.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// The field of the record that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where, if it can be pointed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The comparison that did not hold, by its place in the rule's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<usize>,
    /// The waiver that covers it, by its place in the report's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<usize>,
    /// What the waivers that do not reach so far would allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
}

/// Why there is no verdict on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Its stable name, such as `document/syntax`.
    pub code: Cow<'static, str>,
    /// What is wrong.
    pub message: String,
    /// The rule that could not be judged, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// A second place that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Place>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&document::Diagnostic> for Trouble {
    fn from(problem: &document::Diagnostic) -> Self {
        let place = |place: &document::Place| Place::new(&place.document, place.span, place.label.clone());
        Self {
            code: problem.code.name.into(),
            message: problem.message.clone(),
            rule: None,
            place: problem.place.as_ref().and_then(place),
            also: problem.also.as_ref().and_then(place),
            help: problem.help.clone(),
        }
    }
}

/// A place in a text, with the line that it is on, so that a saved report can still show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column of the first character, counted from 1 in characters.
    pub column: usize,
    /// The column behind the last character on this line.
    pub end_column: usize,
    /// The line itself; a very long one is cut around the place.
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

/// Characters kept of a line on either side of the place.
const EXCERPT: usize = 160;

impl Place {
    /// The place of a span; `None` where the document has no text, as what a server answered has none.
    pub fn new(document: &Document, span: Span, label: impl Into<String>) -> Option<Self> {
        if document.text.is_empty() {
            return None;
        }
        let (line, column) = document.line_column(span.start as usize);
        let marked = document.slice(span);
        let start = (span.start as usize).min(document.text.len());
        let line_start = document.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = &document.text[line_start..];
        let whole = rest.split('\n').next().unwrap_or(rest).trim_end_matches('\r');
        let marked = marked.split('\n').next().unwrap_or("").trim_end_matches('\r').chars().count().max(1);
        let (excerpt, excerpt_column) = cut(&without_secrets(whole), column, marked);
        Some(Self {
            file: document.name.to_string(),
            line,
            column,
            end_column: column + marked,
            excerpt,
            excerpt_column,
            label: label.into(),
        })
    }
}

/// A line without its secrets, and as long as it was, so that every column stays where it is.
fn without_secrets(line: &str) -> Cow<'_, str> {
    let Cow::Owned(masked) = masked(line) else { return line.into() };
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other).take_while(|(a, b)| a == b).count()
    };
    let length = line.chars().count();
    let before = same(&mut line.chars(), &mut masked.chars());
    let behind = same(&mut line.chars().rev(), &mut masked.chars().rev()).min(length - before);
    let hidden = |(at, c)| if at >= before && at < length - behind { '*' } else { c };
    line.chars().enumerate().map(hidden).collect::<String>().into()
}

fn cut(line: &str, column: usize, marked: usize) -> (String, usize) {
    if line.chars().nth(EXCERPT * 2).is_none() {
        return (line.to_owned(), 1);
    }
    let from = column.saturating_sub(1 + EXCERPT);
    let length = EXCERPT * 2 + marked.min(EXCERPT);
    (line.chars().skip(from).take(length).collect(), from + 1)
}
