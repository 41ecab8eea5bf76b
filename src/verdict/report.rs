//! The report of a check: one type, which every format renders and none adds to.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ClosestMargin, Comparison, Exit, Finding, History, Level, NearLimit, Outcome, RuleKind, Verdict,
    near_limits,
};
use crate::document::Diagnostic;

/// The format of the report, by which a reader knows what it holds.
pub const SCHEMA: &str = "gate-report/v2";

/// Candidates up to which each is shown with all its rules; beyond, one that passed takes one line.
pub const MANY: usize = 10;

/// What stands for a run where something is about the change as a whole.
pub const THE_CHANGE: &str = "the change";

/// Everything that was decided, and what it was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the program.
    pub gate: String,
    /// `pass`, `fail`, or nothing where no verdict could be reached.
    pub verdict: Option<Verdict>,
    /// What the program leaves with.
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
    /// The waivers of the policy, and what became of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverReport>,
    /// What made a verdict impossible.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// What a person should know: how the candidates were found, what weakens the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The pull request changes what decides about it: what would hold once it is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposed>,
    /// Metrics of the candidates over time, where a page was asked for. Nothing is decided by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Counts.
    pub summary: Summary,
}

/// What a pull request changes of that which decides, and what the verdict would be with it. It does not count until
/// it is merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The files, from the top of the repository.
    pub files: Vec<String>,
    /// `pass`, `fail`, or nothing where there would be none.
    pub verdict: Option<Verdict>,
    /// What would be different, or why that was not found out.
    pub differences: Vec<String>,
}

impl Report {
    /// Everything that was judged, as candidates are shown: the change first, where something is to be said of it.
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
    /// What it extends, in the order in which it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<PackUse>,
    /// What else it names, such as schemas and keys.
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
    /// What its parameters were set to, defaults included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<(String, String)>,
}

/// What was decided about one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateReport {
    /// The run.
    pub run: RunSummary,
    /// `pass`, `fail`, or nothing where it could not be judged.
    pub verdict: Option<Verdict>,
    /// What it was compared with; a rule names one by its place in this list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<BaselineReport>,
    /// What each rule said. Candidates of which the same is kept share it.
    pub rules: Arc<Vec<RuleReport>>,
    /// Why it, or a rule of it, could not be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// What a person should know about the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The limits that it came closest to, where its comparisons are not kept.
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

    /// Of a candidate that passed without a warning, leaves only that it did, by which rules, and what was waived, and
    /// if `near` is set the limits that it came closest to. Says whether it is one.
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
    /// What each rule that is about the change said of it.
    pub rules: Vec<RuleReport>,
    /// Why it, or a rule of it, could not be judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
}

impl ChangeReport {
    /// Whether a rule of level `error` does not hold.
    pub fn blocks(&self) -> bool {
        self.rules.iter().any(RuleReport::blocks)
    }

    /// Whether there is more to say than that it holds.
    fn speaks(&self) -> bool {
        !self.troubles.is_empty()
            || self.rules.iter().any(|rule| !rule.findings.is_empty() || !rule.notes.is_empty())
    }

    /// The same in the form in which candidates are shown.
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
    /// What a moving name led to.
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
    /// That it is old, and how to get a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// There is none, and that was accepted: this is the first model.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Whether the two were measured on the same validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparability: Option<Comparability>,
    /// What is different beside the metrics: parameters, data, code, environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

impl BaselineReport {
    /// The report of a reference of which nothing more is known yet.
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

    /// What else is known of it: what it resolved to, who made it, and how old it is.
    pub fn origin(&self) -> impl Iterator<Item = String> {
        let author = self.author.as_ref().map(|author| format!("by {author}"));
        [self.resolved.clone(), author, self.age.clone()].into_iter().flatten()
    }

    /// The model of the baseline, where that is not the candidate's, as where one run was named whatever its model.
    pub fn other_model(&self, candidate: Option<&str>) -> Option<&str> {
        let model = self.run.as_ref()?.model.as_deref()?;
        candidate.filter(|candidate| *candidate != model).map(|_| model)
    }
}

/// A field that only one of two runs has, or whose values differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its path; entries of a list of datasets stand under their names.
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
    /// Both say so.
    Same {
        /// The fields that both have, and that are equal.
        by: Vec<String>,
        /// What to know about that evidence, such as that a digest is weak.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Both say what they were measured on, and it differs.
    Different {
        /// The fields that differ, with the candidate's value and the baseline's.
        fields: Vec<(String, String, String)>,
    },
    /// Nothing shows it.
    Unshown {
        /// Which side is silent, in words.
        why: String,
    },
}

/// What one rule said of one candidate.
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
    /// What it said.
    pub outcome: Outcome,
    /// Why it was skipped, or why its level is not the one that is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every comparison that was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// Everything that is wrong, what is waived included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The run it compared with, by its place in the candidate's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<usize>,
    /// The policy's words, shown with a failure.
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

    /// Whether it keeps what it judged from being promoted.
    pub fn blocks(&self) -> bool {
        self.level == Level::Error && self.outcome.blocks()
    }
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaiverState {
    /// It covered something.
    Used,
    /// What it is for was judged, and nothing needed it.
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
    /// The limit that it puts in place of the waived one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down_to: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who is said to have agreed: a claim, not evidence.
    pub approved_by: String,
    /// The last day on which it counts.
    pub expires: String,
    /// Where it is written, as `file:line`.
    pub place: String,
    /// What became of it.
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
    /// Candidates, and records that could not be read, without a verdict.
    pub no_verdict: usize,
    /// Records that the policy matches and that did not change.
    pub unchanged: usize,
    /// Comparisons that were made.
    pub comparisons: usize,
    /// The passing comparison that is nearest to its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closest: Option<ClosestMargin>,
}
