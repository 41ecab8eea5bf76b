//! The report of a check: one type, which every format renders and none adds to.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ClosestMargin, Comparison, Exit, Finding, History, Level, NearLimit, Outcome, RuleKind, Verdict,
    near_limits,
};
use crate::document::Diagnostic;

/// The name and version of the report format.
pub const SCHEMA: &str = "gate-report/v2";

/// Up to this many candidates, each is shown with all its rules; beyond it, one that passed takes one line.
pub const MANY: usize = 10;

/// The name shown in place of a run for something that is about the change as a whole.
pub const THE_CHANGE: &str = "the change";

/// Everything that was decided, and what it was based on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program.
    pub gate: String,
    /// `pass` or `fail`; absent if no verdict could be reached.
    pub verdict: Option<Verdict>,
    /// The program's exit code.
    pub exit_code: Exit,
    /// The decision's clock, RFC 3339.
    pub now: String,
    /// The clock was set with `--now`.
    pub now_given: bool,
    /// The stage that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The policy that was applied; absent where it could not be loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyReport>,
    /// One entry for each candidate. The JSON report writes them one by one, before the rest.
    pub candidates: Vec<CandidateReport>,
    /// What was decided about the change as a whole; absent where no rule is about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeReport>,
    /// The policy's waivers, each with its state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverReport>,
    /// What made a verdict impossible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// Notes for the reader: how the candidates were found, what weakens the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// If the pull request changes the rules that judge it, the result with those changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposed>,
    /// Metrics of the candidates over time, if the output is a page. No decision depends on them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Counts.
    pub summary: Summary,
}

/// What a pull request changes in the rules that judge it, and the verdict with those changes. They take
/// effect only after the merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The files, relative to the root of the repository.
    pub files: Vec<String>,
    /// `pass` or `fail`; absent if there would be no verdict.
    pub verdict: Option<Verdict>,
    /// What would change, or why that is unknown.
    pub differences: Vec<String>,
}

impl Report {
    /// Everything that was judged, as candidates: the change first, if there is something to say about it.
    pub fn shown(&self) -> Vec<Cow<'_, CandidateReport>> {
        let change = self.change.iter().filter(|change| change.speaks()).map(ChangeReport::as_candidate);
        change.map(Cow::Owned).chain(self.candidates.iter().map(Cow::Borrowed)).collect()
    }
}

/// The policy that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyReport {
    /// Where it was read.
    pub path: String,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// The policies and packs that it extends, in the order in which they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<PackUse>,
    /// The other files that it names, such as schemas and keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PackUse>,
}

/// A file that a policy names: a pack, another policy, a schema, a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackUse {
    /// Its name or path.
    pub name: String,
    /// `sha256:` of its bytes.
    pub digest: String,
    /// The values of its parameters, defaults included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<(String, String)>,
}

/// What was decided about one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateReport {
    /// The run.
    pub run: RunSummary,
    /// `pass` or `fail`; absent if it could not be judged.
    pub verdict: Option<Verdict>,
    /// What it was compared with; a rule refers to one by its index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<BaselineReport>,
    /// Each rule's result. Candidates with equal results share them.
    pub rules: Arc<Vec<RuleReport>>,
    /// Why it, or a rule of it, could not be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// Notes about the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The limits that it came closest to, if its comparisons were dropped.
    #[serde(skip)]
    pub near: Vec<NearLimit>,
}

impl CandidateReport {
    /// The limits that it came closest to, the closest first.
    pub fn near_limits(&self) -> Cow<'_, [NearLimit]> {
        if self.near.is_empty() { Cow::Owned(near_limits(&self.rules)) } else { Cow::Borrowed(&self.near) }
    }

    /// Whether it passed, and no rule warns.
    pub fn is_unremarkable(&self) -> bool {
        self.verdict == Some(Verdict::Pass) && !self.rules.iter().any(|rule| rule.outcome.blocks())
    }

    /// If the candidate passed without a warning, keeps only its rules' outcomes and what was waived, and
    /// with `near` the limits that it came closest to. Returns whether it did.
    pub fn shorten(&mut self, near: bool) -> bool {
        if !self.is_unremarkable() {
            return false;
        }
        if near && self.near.is_empty() {
            self.near = near_limits(&self.rules);
        }
        self.baselines = Vec::new();
        for rule in Arc::make_mut(&mut self.rules).iter_mut().filter(|rule| rule.findings.is_empty()) {
            rule.comparisons = Vec::new();
            rule.notes = Vec::new();
            rule.baseline = None;
        }
        true
    }
}

/// What was decided about the change as a whole, whether or not there are candidates in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangeReport {
    /// The results of the rules about the change.
    pub rules: Vec<RuleReport>,
    /// Why it, or a rule of it, could not be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
}

impl ChangeReport {
    /// Whether a rule of level `error` fails.
    pub fn blocks(&self) -> bool {
        self.rules.iter().any(RuleReport::blocks)
    }

    /// Whether there is more to say than that it passed.
    fn speaks(&self) -> bool {
        !self.troubles.is_empty()
            || self.rules.iter().any(|rule| !rule.findings.is_empty() || !rule.notes.is_empty())
    }

    /// The change in the form of a candidate, for showing it.
    pub fn as_candidate(&self) -> CandidateReport {
        let verdict = if self.blocks() { Verdict::Fail } else { Verdict::Pass };
        CandidateReport {
            run: RunSummary { source: THE_CHANGE.into(), ..RunSummary::default() },
            verdict: self.troubles.is_empty().then_some(verdict),
            baselines: Vec::new(),
            rules: Arc::new(self.rules.clone()),
            troubles: self.troubles.clone(),
            notes: Vec::new(),
            near: Vec::new(),
        }
    }
}

/// What identifies a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunSummary {
    /// Where it was read.
    pub source: String,
    /// `sha256:` of the record's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The tracker's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The line of models that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The code version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// The dataset version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// When it was started, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// A run that a candidate was compared with, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// The reference as it was given.
    pub reference: String,
    /// What a moving reference resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// The run; absent where none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunSummary>,
    /// Who made it: the author of the commit that last changed its file, or the user that the tracker's run names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// How old it is at the decision's clock, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<String>,
    /// A hint that it is old, and how to get a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// Why no run was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// There is no baseline, and that was accepted: this is the first model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Whether the two were measured on the same validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparability: Option<Comparability>,
    /// Differences other than the metrics: parameters, data, code, environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

impl BaselineReport {
    /// The report of a reference about which nothing more is known yet.
    pub fn named(reference: &str, resolved: Option<String>) -> Self {
        Self {
            reference: reference.to_owned(),
            resolved,
            run: None,
            author: None,
            age: None,
            refresh: None,
            missing: None,
            first: false,
            comparability: None,
            differences: Vec::new(),
        }
    }

    /// Where it came from: what it resolved to, who made it, and how old it is.
    pub fn origin(&self) -> impl Iterator<Item = String> {
        let author = self.author.as_ref().map(|author| format!("by {author}"));
        [self.resolved.clone(), author, self.age.clone()].into_iter().flatten()
    }

    /// The baseline's model, if it is not the candidate's: a named run may be of any model.
    pub fn other_model(&self, candidate: Option<&str>) -> Option<&str> {
        let model = self.run.as_ref()?.model.as_deref()?;
        candidate.filter(|candidate| *candidate != model).map(|_| model)
    }
}

/// A field that only one of two runs has, or whose values differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its path; the entries of a list of datasets are identified by their names.
    pub field: String,
    /// The baseline's value; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// The candidate's value; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
}

/// Whether two runs were measured on the same validation split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "split", rename_all = "lowercase")]
pub enum Comparability {
    /// Both record the same split.
    Same {
        /// The fields that both have, and that are equal.
        by: Vec<String>,
        /// A caveat about that evidence, such as a weak digest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Both record a split, and the splits differ.
    Different {
        /// The fields that differ, with the candidate's value and the baseline's.
        fields: Vec<(String, String, String)>,
    },
    /// The records do not show it.
    Unshown {
        /// Which run does not record it, in words.
        why: String,
    },
}

/// One rule's result for one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReport {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: RuleKind,
    /// What its failure means, at the decision's clock.
    pub level: Level,
    /// Where it is written, as `file:line`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// The result.
    pub outcome: Outcome,
    /// Why it was skipped, or why its level is not the one in the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every comparison that was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// Everything that is wrong, including what is waived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The run it compared with, as an index into the candidate's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<usize>,
    /// The policy's message, shown with a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The policy's link, shown with a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

impl RuleReport {
    /// A rule that has not judged yet.
    pub fn new(id: impl Into<String>, kind: RuleKind, level: Level) -> Self {
        Self {
            id: id.into(),
            kind,
            level,
            place: String::new(),
            outcome: Outcome::Skipped,
            reason: None,
            comparisons: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            baseline: None,
            message: None,
            docs: None,
        }
    }

    /// Whether it blocks the promotion of what it judged.
    pub fn blocks(&self) -> bool {
        self.level == Level::Error && self.outcome.blocks()
    }
}

/// The state of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaiverState {
    /// It covered something.
    Used,
    /// Its rule, model and stage were judged, and nothing needed it.
    Unused,
    /// It is for a rule, a model or a stage that this check did not judge.
    Elsewhere,
    /// It ended before the decision's clock, and was not applied.
    Expired,
    /// `--no-waivers` was given.
    Ignored,
}

/// An agreed exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverReport {
    /// The rule.
    pub rule: String,
    /// The model, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it is narrowed to, such as `metric f1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed_to: Vec<String>,
    /// The limit that replaces the waived one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down_to: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who approved it: a claim, not evidence.
    pub approved_by: String,
    /// The last day on which it applies.
    pub expires: String,
    /// Where it is written, as `file:line`.
    pub place: String,
    /// Its state.
    pub state: WaiverState,
}

/// Counts over all candidates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Candidates.
    pub candidates: usize,
    /// Candidates that passed.
    pub passed: usize,
    /// Candidates that failed.
    pub failed: usize,
    /// Candidates without a verdict, and records that could not be read.
    pub no_verdict: usize,
    /// Unchanged records that the policy matches.
    pub unchanged: usize,
    /// Comparisons that were made.
    pub comparisons: usize,
    /// The passing comparison that is nearest to its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closest: Option<ClosestMargin>,
}
