//! Turns the result of a rule into its part of the report: levels, waivers, locations.

use std::collections::BTreeSet;

use super::decision::Decision;
use super::locate::located;
use super::plan::PlannedRule;
use super::waive::{Cover, cover};
use crate::document::Diagnostic;
use crate::rule::{Rule, RuleResult};
use crate::run::Run;
use crate::verdict::{Finding, Level, Outcome, RuleReport};

/// The report of a rule before it has judged.
pub(super) fn empty(planned: &PlannedRule<'_>) -> RuleReport {
    RuleReport {
        place: planned.rule.place.clone(),
        reason: planned.note.clone(),
        ..RuleReport::new(&planned.rule.id, planned.rule.kind.clone(), planned.level)
    }
}

/// A rule that only warns must not prevent a verdict, so its error becomes a finding.
pub(super) fn or_finding(
    judged: Result<RuleResult, Box<Diagnostic>>,
    level: Level,
) -> Result<RuleResult, Box<Diagnostic>> {
    judged.or_else(|why| {
        if level == Level::Error {
            return Err(why);
        }
        let mut result = RuleResult::default();
        result.raise(Finding::from(*why));
        Ok(result)
    })
}

/// Records why a rule could not be judged; rules with the same reason share one diagnostic.
pub(super) fn cannot(troubles: &mut Vec<Diagnostic>, why: Diagnostic, rule: &str) {
    let same = |known: &&mut Diagnostic| known.code == why.code && known.message == why.message;
    match troubles.iter_mut().find(same) {
        Some(known) => known.rules.push(rule.to_owned()),
        None => troubles.push(Diagnostic { rules: vec![rule.to_owned()], ..why }),
    }
}

/// Adds the result of a rule to its report; findings that a waiver covers do not block.
pub(super) fn fill(
    report: &mut RuleReport,
    result: RuleResult,
    decision: &Decision<'_>,
    candidate: Option<&Run>,
    rule: &str,
    used: &mut BTreeSet<usize>,
) {
    let mut outcome = result.outcome();
    if outcome == Outcome::Inconclusive && result.inconclusive_warns() && report.level == Level::Error {
        report.level = Level::Warning;
    }
    let mut comparisons = result.comparisons;
    let mut blocked = false;
    for mut found in result.findings {
        let covered = if decision.no_waivers {
            Cover::Not(Vec::new())
        } else {
            cover(&decision.policy.waivers, rule, candidate, decision.stage, &found)
        };
        match covered {
            Cover::By(index) => {
                found.waiver = Some(index);
                used.insert(index);
                if let Some(comparison) = found.comparison.and_then(|at| comparisons.get_mut(at)) {
                    comparison.outcome = Outcome::Waived;
                    comparison.waiver = Some(index);
                }
            }
            Cover::Not(beyond) => {
                found.beyond = beyond;
                blocked = true;
            }
        }
        report.findings.push(located(candidate, found));
    }
    if matches!(outcome, Outcome::Fail | Outcome::Inconclusive) && !blocked && !report.findings.is_empty() {
        outcome = Outcome::Waived;
    }
    if result.first {
        report.notes.push("the first model: a missing baseline was accepted".into());
        if outcome == Outcome::Skipped {
            report.reason = Some("the first model, without a baseline".into());
        }
    }
    debug_assert!(
        outcome != Outcome::Pass || comparisons.iter().any(|comparison| comparison.outcome == Outcome::Pass),
        "a pass without a comparison"
    );
    report.outcome = outcome;
    report.comparisons = comparisons;
    report.notes.extend(result.notes);
}

/// Adds the policy's own words to a rule that does not pass.
pub(super) fn in_the_policys_words(report: &mut RuleReport, rule: &Rule) {
    if report.outcome != Outcome::Pass && report.outcome != Outcome::Skipped {
        report.message.clone_from(&rule.message);
        report.docs.clone_from(&rule.docs);
    }
}
