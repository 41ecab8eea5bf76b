//! The one type for problems: a code, what is wrong, where, and what to do about it.
//!
//! On its own it prevents a verdict: input that can't be read, a policy that can't be loaded, a name that can't be
//! found. What a rule found wrong with a run is a `Finding`, which contains one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::location::without_excerpt;
use super::{Document, Location, Span};
use crate::code::{Code, CodeName};

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Its stable name, such as `document/syntax`.
    pub code: CodeName,
    /// What is wrong.
    pub message: String,
    /// The rules that could not be judged because of it, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Where it is, if it is in a text.
    #[serde(default, skip_serializing_if = "without_excerpt")]
    pub location: Option<Location>,
    /// Another relevant location, such as the first of two duplicate keys.
    #[serde(default, skip_serializing_if = "without_excerpt")]
    pub related: Option<Location>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without a location.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            rules: Vec::new(),
            location: None,
            related: None,
            help: None,
        }
    }

    /// Points to a span of a document.
    #[must_use]
    pub fn at(mut self, document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        self.location = Some(Location::new(document, span, label));
        self
    }

    /// Points to a second location.
    #[must_use]
    pub fn also(mut self, document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        self.related = Some(Location::new(document, span, label));
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Boxes it for a `Result`.
    #[must_use]
    pub fn boxed(self) -> Box<Self> {
        Box::new(self)
    }
}

/// Lets a function that collects many problems pass on one from a function that stops at the first.
impl From<Box<Diagnostic>> for Vec<Diagnostic> {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        vec![*diagnostic]
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            let (line, column) = location.line_column();
            write!(f, "{}:{line}:{column}: ", location.file())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}
