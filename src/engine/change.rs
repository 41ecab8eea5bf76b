//! The change as a whole before the rules that are about it: once, however many candidates it holds, and where it holds
//! none.

use super::judge::{Decision, cannot, empty, fill, level, or_finding};
use crate::document::Diagnostic;
use crate::rule::{ChangeInput, Rule};
use crate::run::Run;
use crate::verdict::{ChangeReport, Level, RuleReport};

/// Judges the change; gives the report, and which waivers were used. `None` where no rule is about the change.
///
/// A rule's `models` and `when` narrow which candidates it judges: a file without a record has no model.
pub fn judge_change(decision: &Decision<'_>, records: &[Run]) -> Option<(ChangeReport, Vec<usize>)> {
    let mut report = ChangeReport::default();
    let mut used = Vec::new();
    let of_change = |rule: &&Rule| {
        let for_stage = rule.stages.is_empty()
            || decision.stage.is_some_and(|stage| rule.stages.iter().any(|pattern| pattern.matches(stage)));
        rule.level != Level::Off && rule.requirement.about_change() && for_stage
    };
    for rule in decision.policy.rules.iter().filter(of_change) {
        match one(decision, rule, records, &mut used) {
            Ok(judged) => report.rules.push(judged),
            Err(why) => cannot(&mut report.troubles, *why, &rule.id),
        }
    }
    (!report.rules.is_empty() || !report.troubles.is_empty()).then_some((report, used))
}

fn one(
    decision: &Decision<'_>,
    rule: &Rule,
    records: &[Run],
    used: &mut Vec<usize>,
) -> Result<RuleReport, Box<Diagnostic>> {
    let (level, note) = level(rule, decision.now);
    let mut report = empty(rule, level, note);
    let case = ChangeInput { records, facts: decision.facts };
    let judgement = or_finding(rule.requirement.judge_change(&case), level)?;
    fill(&mut report, judgement, decision, None, rule, used);
    Ok(report)
}
