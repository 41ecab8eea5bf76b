//! The report of a check: built once, from what the steps before it found.

use jiff::Timestamp;

use crate::document::Diagnostic;
use crate::verdict::{
    CandidateReport, ChangeReport, ClosestMargin, Exit, PolicyReport, Proposed, Report, RuleReport, SCHEMA,
    Summary, Verdict, WaiverReport, closest, percent,
};

/// What a check found.
#[derive(Debug, Default)]
pub struct Parts {
    /// The decision's clock.
    pub now: Timestamp,
    /// The clock was set by hand.
    pub now_given: bool,
    /// The stage that was asked for.
    pub stage: Option<String>,
    /// The policy; absent where it could not be loaded.
    pub policy: Option<PolicyReport>,
    /// The candidates that were kept for the report, in their order.
    pub candidates: Vec<CandidateReport>,
    /// Counts over all candidates, including those that were not kept.
    pub tally: Tally,
    /// What was decided about the change as a whole.
    pub change: Option<ChangeReport>,
    /// The waivers, and what became of each.
    pub waivers: Vec<WaiverReport>,
    /// What made a verdict impossible.
    pub troubles: Vec<Diagnostic>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// The policy that the change proposes.
    pub proposed: Option<Proposed>,
    /// No record that the policy matches has changed, and that is a pass.
    pub only_unchanged: bool,
}

/// Counts over candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Candidates that passed.
    pub passed: usize,
    /// Candidates that failed.
    pub failed: usize,
    /// Candidates without a verdict.
    pub undecided: usize,
    /// Records that could not be read, and so are not candidates.
    pub unreadable: usize,
    /// Records that the policy matches and that did not change.
    pub unchanged: usize,
    /// Comparisons that were made.
    pub comparisons: usize,
    /// The passing comparison that is nearest to its limit, and the share that is left.
    pub closest: Option<(f64, ClosestMargin)>,
}

impl Tally {
    /// Candidates that were counted.
    pub fn judged(&self) -> usize {
        self.passed + self.failed + self.undecided
    }

    /// Counts one candidate.
    pub fn count(&mut self, candidate: &CandidateReport) {
        match candidate.verdict {
            Some(Verdict::Pass) => self.passed += 1,
            Some(Verdict::Fail) => self.failed += 1,
            None => self.undecided += 1,
        }
        self.comparisons += comparisons(&candidate.rules);
        if let Some((rule, one, share)) = closest(&candidate.rules)
            && self.closest.as_ref().is_none_or(|(best, _)| share < *best)
        {
            self.closest = Some((share, ClosestMargin::of(&candidate.run.source, rule, one)));
        }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.undecided += other.undecided;
        self.unreadable += other.unreadable;
        self.unchanged += other.unchanged;
        self.comparisons += other.comparisons;
        if let Some((share, closest)) = other.closest
            && self.closest.as_ref().is_none_or(|(best, _)| share < *best)
        {
            self.closest = Some((share, closest));
        }
    }
}

fn comparisons(rules: &[RuleReport]) -> usize {
    rules.iter().map(|rule| rule.comparisons.len()).sum()
}

/// Makes the report. The worst candidate decides: no verdict, then fail, then pass. If nothing was judged,
/// the check passes only if nothing changed.
pub fn conclude(parts: Parts) -> Report {
    let tally = &parts.tally;
    let summary = Summary {
        candidates: tally.judged(),
        passed: tally.passed,
        failed: tally.failed,
        no_verdict: tally.undecided + tally.unreadable,
        unchanged: tally.unchanged,
        comparisons: tally.comparisons + parts.change.as_ref().map_or(0, |change| comparisons(&change.rules)),
        closest: tally
            .closest
            .as_ref()
            .map(|(share, closest)| ClosestMargin { percent: percent(*share), ..closest.clone() }),
    };
    let verdict = verdict(&parts, &summary);
    Report {
        schema: SCHEMA.into(),
        gate: env!("CARGO_PKG_VERSION").into(),
        verdict,
        exit_code: Exit::of(verdict),
        now: parts.now.to_string(),
        now_given: parts.now_given,
        stage: parts.stage,
        policy: parts.policy,
        candidates: parts.candidates,
        change: parts.change,
        waivers: parts.waivers,
        troubles: parts.troubles,
        notes: parts.notes,
        proposed: parts.proposed,
        history: Vec::new(),
        summary,
    }
}

fn verdict(parts: &Parts, summary: &Summary) -> Option<Verdict> {
    let change_is_unclear = parts.change.as_ref().is_some_and(|change| !change.troubles.is_empty());
    if !parts.troubles.is_empty() || summary.no_verdict > 0 || change_is_unclear {
        return None;
    }
    let change_blocks = parts.change.as_ref().is_some_and(ChangeReport::blocks);
    if summary.failed > 0 || change_blocks {
        return Some(Verdict::Fail);
    }
    (summary.passed > 0 || parts.only_unchanged).then_some(Verdict::Pass)
}
