//! One thing that was compared, whether it held or not: auditors ask why something passed.

use std::borrow::Cow;

use smol_str::SmolStr;

use serde::{Deserialize, Serialize};

use super::{Method, Outcome};
use crate::secret::masked_value;

/// A comparison with everything that went into it. Numbers are text, in the digits that were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was looked at: a metric's name, or the path of a field.
    pub subject: SmolStr,
    /// The word of the policy that was held against it: `max_drop`, `min`, `present`, `same`, …
    pub word: Cow<'static, str>,
    /// What it said.
    pub outcome: Outcome,
    /// The part of the validation split, where it is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SmolStr>,
    /// The candidate's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<SmolStr>,
    /// The baseline's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<SmolStr>,
    /// Candidate minus baseline, signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<SmolStr>,
    /// The limit as it is written, such as `5%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<SmolStr>,
    /// What a relative limit came to, in the metric's own units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_value: Option<SmolStr>,
    /// How far the value is from its limit, in the metric's own units; below zero when it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<SmolStr>,
    /// The value nearest to the candidate's that would pass, where it does not. With evidence, that of the fewest further
    /// right decisions; of other metrics, the value that would pass if its interval stayed as wide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<SmolStr>,
    /// How it was compared.
    pub method: Method,
    /// The one-sided limits of what was estimated, lower and upper, where evidence was asked for. `None` is an open
    /// end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[Option<SmolStr>; 2]>,
    /// The confidence of each of those limits, as it is written, such as `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<SmolStr>,
    /// How many cases, seeds or folds the evidence has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Cases that only the candidate has right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gained: Option<u64>,
    /// Cases that only the baseline has right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// How many clusters the cases come from, where they are not independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<u64>,
    /// How often this validation split was looked at, this time included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<u64>,
    /// Something to know about it, such as that a metric is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<SmolStr>,
    /// The waiver that covers it, by its place in the report's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<usize>,
    /// Values that are secrets, each with what is shown in its place.
    #[serde(skip)]
    hidden: Vec<(SmolStr, SmolStr)>,
}

impl Comparison {
    /// A comparison of exact values: no estimate, no evidence asked for.
    pub fn exact(subject: impl Into<SmolStr>, word: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        Self::by(Method::Exact, subject, word, outcome)
    }

    /// A comparison by some method.
    pub fn by(
        method: Method,
        subject: impl Into<SmolStr>,
        word: impl Into<Cow<'static, str>>,
        outcome: Outcome,
    ) -> Self {
        Self {
            subject: subject.into(),
            word: word.into(),
            outcome,
            slice: None,
            candidate: None,
            baseline: None,
            change: None,
            limit: None,
            limit_value: None,
            margin: None,
            needed: None,
            method,
            interval: None,
            confidence: None,
            n: None,
            gained: None,
            lost: None,
            clusters: None,
            looks: None,
            note: None,
            waiver: None,
            hidden: Vec::new(),
        }
    }

    /// What was looked at, and which of its numbers, where it has several: `f1 (mean)`.
    pub fn title(&self) -> String {
        match self.method {
            Method::Picked(pick) => format!("{} ({})", self.subject, pick.name()),
            _ => self.subject.to_string(),
        }
    }

    /// With the candidate's value.
    #[must_use]
    pub fn candidate(mut self, value: impl Into<SmolStr>) -> Self {
        self.candidate = Some(self.without_secret(value.into()));
        self
    }

    /// With the baseline's value.
    #[must_use]
    pub fn baseline(mut self, value: impl Into<SmolStr>) -> Self {
        self.baseline = Some(self.without_secret(value.into()));
        self
    }

    /// A value of a record as it may be shown: a report goes where the record does not.
    fn without_secret(&mut self, value: SmolStr) -> SmolStr {
        let name = self.subject.rsplit('.').next().unwrap_or(&self.subject);
        let masked: SmolStr = match masked_value(name, &value) {
            Cow::Borrowed(_) => return value,
            Cow::Owned(masked) => masked.into(),
        };
        self.hidden.push((value, masked.clone()));
        masked
    }

    /// A text about these values, without the ones that are not shown.
    pub fn hide(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, (value, masked)| text.replace(&**value, masked))
    }

    /// With the limit as it is written.
    #[must_use]
    pub fn limit(mut self, value: impl Into<SmolStr>) -> Self {
        self.limit = Some(value.into());
        self
    }

    /// With something to know about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<SmolStr>) -> Self {
        self.note = Some(note.into());
        self
    }
}
