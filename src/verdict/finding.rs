//! One thing that a rule found wrong with a run, or with the change.

use serde::{Deserialize, Serialize};

use super::LimitKind;
use crate::code::Code;
use crate::document::{Diagnostic, Path};
use crate::run::Decimal;

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, where, and what to do.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// The field of the record that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The comparison that did not hold, by its place in the rule's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<usize>,
    /// The waiver that covers it, by its place in the report's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<usize>,
    /// What the waivers that do not reach so far would allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// The field, and what to write beside it, before the engine has looked up where that is.
    #[serde(skip)]
    pub field: Option<(Path, String)>,
    /// What a waiver's `for` may name: the metric or the path.
    #[serde(skip)]
    pub subject: Option<String>,
    /// The limit that did not hold, so that a waiver can put another in its place.
    #[serde(skip)]
    pub breach: Option<Box<Breach>>,
}

/// A limit that did not hold, and the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The word.
    pub kind: LimitKind,
    /// The candidate's value.
    pub candidate: Decimal,
    /// The baseline's value, where the word is about it.
    pub baseline: Option<Decimal>,
}

impl Finding {
    /// Something wrong that is not about one field.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic::new(code, message).into()
    }

    /// Points at a field of the candidate.
    #[must_use]
    pub fn at(mut self, path: Path, label: impl Into<String>) -> Self {
        self.path = Some(path.to_string());
        self.field = Some((path, label.into()));
        self
    }

    /// The same finding under another code and message.
    #[must_use]
    pub fn instead(mut self, code: Code, message: impl FnOnce(&str) -> String) -> Self {
        self.diagnostic.message = message(&self.diagnostic.message);
        self.diagnostic.code = code.into();
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// Names what a waiver may narrow itself to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Says which limit did not hold.
    #[must_use]
    pub fn breach(mut self, kind: LimitKind, candidate: &Decimal, baseline: Option<&Decimal>) -> Self {
        self.breach =
            Some(Box::new(Breach { kind, candidate: candidate.clone(), baseline: baseline.cloned() }));
        self
    }
}

impl From<Diagnostic> for Finding {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostic,
            path: None,
            comparison: None,
            waiver: None,
            beyond: Vec::new(),
            field: None,
            subject: None,
            breach: None,
        }
    }
}
