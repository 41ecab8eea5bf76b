//! One comparison, passed or failed: auditors ask why something passed.

use std::borrow::Cow;

use smol_str::SmolStr;

use serde::{Deserialize, Serialize};

use super::{Method, Outcome};
use crate::secret::masked_value;

/// A comparison with everything that went into it. Numbers are text, in the digits that were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was compared: a metric's name, or the path of a field.
    pub subject: SmolStr,
    /// The policy's word that was applied: `max_drop`, `min`, `present`, `same`, …
    pub word: Cow<'static, str>,
    /// The result.
    pub outcome: Outcome,
    /// The slice; absent for the whole validation split.
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
    /// The limit as written, such as `5%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<SmolStr>,
    /// A relative limit as an amount in the metric's own units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_value: Option<SmolStr>,
    /// How far the value is from its limit, in the metric's own units; negative if the limit is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<SmolStr>,
    /// If the comparison fails, the nearest value that would pass. With evidence: the value with the fewest
    /// further right decisions, or, for other metrics, the value that passes if the interval keeps its width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<SmolStr>,
    /// How it was compared.
    pub method: Method,
    /// The lower and upper one-sided limits of the estimate, if the rule asks for evidence. `None` is an open
    /// end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[Option<SmolStr>; 2]>,
    /// The confidence of each of those limits, as it is written, such as `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<SmolStr>,
    /// How many cases, seeds or folds the evidence has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Cases that only the candidate gets right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gained: Option<u64>,
    /// Cases that only the baseline gets right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// How many clusters the cases come from, where they are not independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<u64>,
    /// How many times this validation split has been looked at, including this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<u64>,
    /// A note, such as that the metric is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<SmolStr>,
    /// The waiver that covers it, as an index into the report's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<usize>,
    /// Secret values, each with the text that is shown instead.
    #[serde(skip)]
    hidden: Vec<(SmolStr, SmolStr)>,
}

impl Comparison {
    /// A comparison of exact values: no estimate, no evidence asked for.
    pub fn exact(subject: impl Into<SmolStr>, word: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        Self::by(Method::Exact, subject, word, outcome)
    }

    /// A comparison by the given method.
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

    /// The subject, with the aggregation if the metric has several numbers: `f1 (mean)`.
    pub fn title(&self) -> String {
        match self.method {
            Method::Picked(pick) => format!("{} ({})", self.subject, pick.name()),
            _ => self.subject.to_string(),
        }
    }

    /// Sets the candidate's value.
    #[must_use]
    pub fn candidate(mut self, value: impl Into<SmolStr>) -> Self {
        self.candidate = Some(self.without_secret(value.into()));
        self
    }

    /// Sets the baseline's value.
    #[must_use]
    pub fn baseline(mut self, value: impl Into<SmolStr>) -> Self {
        self.baseline = Some(self.without_secret(value.into()));
        self
    }

    /// Masks a secret value: a report goes to places where the record does not.
    fn without_secret(&mut self, value: SmolStr) -> SmolStr {
        let name = self.subject.rsplit('.').next().unwrap_or(&self.subject);
        let masked: SmolStr = match masked_value(name, &value) {
            Cow::Borrowed(_) => return value,
            Cow::Owned(masked) => masked.into(),
        };
        self.hidden.push((value, masked.clone()));
        masked
    }

    /// Masks the secret values of this comparison in a text.
    pub fn hide(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, (value, masked)| text.replace(&**value, masked))
    }

    /// Sets the limit as written.
    #[must_use]
    pub fn limit(mut self, value: impl Into<SmolStr>) -> Self {
        self.limit = Some(value.into());
        self
    }

    /// Sets the note.
    #[must_use]
    pub fn note(mut self, note: impl Into<SmolStr>) -> Self {
        self.note = Some(note.into());
        self
    }
}
