//! The change as a whole before the rules that are about it: once, however many candidates it holds, and where it holds
//! none.

use super::judge::{Decision, cannot, empty, fill, level, or_raised, say};
use crate::rule::{AboutChange, CannotJudge, ChangeInput, ChangeRecords, NEWEST_RECORD, Rule, RuleResult};
use crate::verdict::{ChangeReport, Level, Outcome, RuleReport};

/// Judges the change; gives the report, and which waivers were used. `None` where there is nothing to say of it.
/// `removed` is what the change does to the newest records, to which every change is held.
///
/// A rule's `models` and `when` narrow which candidates it judges: a file without a record has no model.
pub fn judge_change(
    decision: &Decision<'_>,
    records: &ChangeRecords,
    removed: RuleResult,
) -> Option<(ChangeReport, Vec<usize>)> {
    let mut report = ChangeReport::default();
    let mut used = Vec::new();
    if !removed.raised.is_empty() {
        report.rules.push(newest_record(decision, removed, &mut used));
    }
    let of_change = |rule: &&Rule| {
        let for_stage = rule.stages.is_empty()
            || decision.stage.is_some_and(|stage| rule.stages.iter().any(|pattern| pattern.matches(stage)));
        rule.level != Level::Off && rule.requirement.about_change() != AboutChange::Never && for_stage
    };
    for rule in decision.policy.rules.iter().filter(of_change) {
        match one(decision, rule, records, &mut used) {
            // A rule that compared nothing of the change has nothing to say of it.
            Ok(judged) if judged.outcome == Outcome::Skipped => {}
            Ok(judged) => report.rules.push(judged),
            Err(why) => cannot(&mut report.troubles, why, &rule.id),
        }
    }
    (!report.rules.is_empty() || !report.troubles.is_empty()).then_some((report, used))
}

/// The rule that every change is held to, whatever the policy says. A waiver can name it.
fn newest_record(decision: &Decision<'_>, removed: RuleResult, used: &mut Vec<usize>) -> RuleReport {
    let mut report = RuleReport {
        id: NEWEST_RECORD.into(),
        kind: "newest-record".into(),
        level: Level::Error,
        place: String::new(),
        outcome: Outcome::Skipped,
        reason: None,
        comparisons: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
        baseline: None,
        message: None,
        docs: None,
    };
    fill(&mut report, removed, decision, None, NEWEST_RECORD, used);
    report
}

fn one(
    decision: &Decision<'_>,
    rule: &Rule,
    records: &ChangeRecords,
    used: &mut Vec<usize>,
) -> Result<RuleReport, CannotJudge> {
    let (level, note) = level(rule, decision.now);
    let mut report = empty(rule, level, note);
    let case = ChangeInput { records, models: &rule.models, facts: decision.facts };
    let judgement = or_raised(rule.requirement.judge_change(&case), level)?;
    fill(&mut report, judgement, decision, None, &rule.id, used);
    if report.outcome != Outcome::Pass && report.outcome != Outcome::Skipped {
        say(&mut report, rule);
    }
    Ok(report)
}
