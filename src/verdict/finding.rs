//! One thing that a rule found wrong with a run, or with the change.

use serde::{Deserialize, Serialize};

use super::LimitKind;
use crate::code::Code;
use crate::document::{Diagnostic, Path};
use crate::run::Decimal;
use crate::secret::masked;
use crate::stats::Limits;

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, where, and what to do.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// The field of the record that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The comparison that failed, as an index into the rule's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<usize>,
    /// The waiver that covers it, as an index into the report's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<usize>,
    /// What waivers that do not go far enough would allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// The field and its label, until the engine has looked up the location.
    #[serde(skip)]
    pub field: Option<(Path, String)>,
    /// What a waiver's `for` may name: the metric or the path.
    #[serde(skip)]
    pub subject: Option<String>,
    /// The slice that it is about.
    #[serde(skip)]
    pub slice: Option<String>,
    /// The limit that was broken, so that a waiver can put another in its place.
    #[serde(skip)]
    pub breach: Option<Box<Breach>>,
}

/// A limit that was broken, with the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The word.
    pub kind: LimitKind,
    /// The candidate's value.
    pub candidate: Decimal,
    /// The baseline's value, if the word is about it.
    pub baseline: Option<Decimal>,
    /// With evidence, the one-sided limits of the change or, for an absolute word, of the value.
    pub limits: Option<Limits>,
}

impl Finding {
    /// A finding that is not about one field.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Diagnostic::new(code, message).into()
    }

    /// Points at a field of the candidate.
    #[must_use]
    pub fn at(mut self, path: Path, label: impl Into<String>) -> Self {
        self.path = Some(path.to_string());
        self.field = Some((path, masked(&label.into()).into_owned()));
        self
    }

    /// The same finding under another code and message.
    #[must_use]
    pub fn instead(mut self, code: Code, message: impl FnOnce(&str) -> String) -> Self {
        self.diagnostic.message = masked(&message(&self.diagnostic.message)).into_owned();
        self.diagnostic.code = code.into();
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.diagnostic.help = Some(help.into());
        self
    }

    /// Names the metric or path that a waiver may be narrowed to.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Names the slice that it is about.
    #[must_use]
    pub fn on_slice(mut self, slice: Option<&str>) -> Self {
        self.slice = slice.map(str::to_owned);
        self
    }

    /// Says which limit did not hold.
    #[must_use]
    pub fn breach(mut self, kind: LimitKind, candidate: &Decimal, baseline: Option<&Decimal>) -> Self {
        self.breach = Some(Box::new(Breach {
            kind,
            candidate: candidate.clone(),
            baseline: baseline.cloned(),
            limits: None,
        }));
        self
    }

    /// Says what the data show about the broken limit.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        if let Some(breach) = &mut self.breach {
            breach.limits = Some(limits);
        }
        self
    }
}

impl From<Diagnostic> for Finding {
    /// Masks secrets that are quoted from a record: a report goes to places where the record does not.
    fn from(mut diagnostic: Diagnostic) -> Self {
        diagnostic.message = masked(&diagnostic.message).into_owned();
        Self {
            diagnostic,
            path: None,
            comparison: None,
            waiver: None,
            beyond: Vec::new(),
            field: None,
            subject: None,
            slice: None,
            breach: None,
        }
    }
}
