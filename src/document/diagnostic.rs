//! What makes a verdict impossible: input that can't be read, a policy that can't be loaded, a name that leads
//! nowhere.

use std::fmt;
use std::sync::Arc;

use super::{Document, Span};
use crate::code::Code;

/// Why there is no verdict: what is wrong, where, and what to do about it.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Its stable name.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where, if it is in a text.
    pub place: Option<Place>,
    /// Another place that belongs to it, such as the first of two equal keys.
    pub also: Option<Place>,
    /// What to do next.
    pub help: Option<String>,
}

/// Bytes of a document, and what to write beside them.
#[derive(Debug, Clone)]
pub struct Place {
    /// The document.
    pub document: Arc<Document>,
    /// The bytes.
    pub span: Span,
    /// A few words about them; may be empty.
    pub label: String,
}

impl Place {
    /// Line and column of the first byte, counted from 1.
    pub fn line_column(&self) -> (usize, usize) {
        self.document.line_column(self.span.start as usize)
    }
}

impl Diagnostic {
    /// A problem without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, also: None, help: None }
    }

    /// Points at bytes of a document.
    #[must_use]
    pub fn at(mut self, document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        self.place = Some(Place { document: Arc::clone(document), span, label: label.into() });
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn also(mut self, document: &Arc<Document>, span: Span, label: impl Into<String>) -> Self {
        self.also = Some(Place { document: Arc::clone(document), span, label: label.into() });
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// On the heap, as results carry it.
    #[must_use]
    pub fn boxed(self) -> Box<Self> {
        Box::new(self)
    }
}

/// A function that finds many problems passes on the one of a function that stops at the first.
impl From<Box<Diagnostic>> for Vec<Diagnostic> {
    fn from(problem: Box<Diagnostic>) -> Self {
        vec![*problem]
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            let (line, column) = place.line_column();
            write!(f, "{}:{line}:{column}: ", place.document.name)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}
