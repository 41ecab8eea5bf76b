//! Judges the change as a whole by the rules about changes: once, however many candidates it has, even if it has
//! none.

use std::collections::BTreeSet;

use super::decision::Decision;
use super::judge::Judged;
use super::plan::plan_change;
use super::rule_report::{cannot, empty, fill, in_the_policys_words, or_finding};
use super::waive::WaiverUse;
use crate::rule::{ChangeInput, ChangeRecords, NEWEST_RECORD, RuleResult};
use crate::verdict::{ChangeReport, Level, Outcome, RuleKind, RuleReport};

/// Judges the change; `None` if there is nothing to report. `removed` is the result of the check that every
/// change gets: whether it removes the newest records.
pub fn judge_change(
    decision: &Decision<'_>,
    records: &ChangeRecords,
    removed: RuleResult,
) -> Option<Judged<ChangeReport>> {
    let mut report = ChangeReport::default();
    let mut waivers = WaiverUse::default();
    if !removed.findings.is_empty() {
        report.rules.push(newest_record(decision, removed, &mut waivers.used));
    }
    for planned in plan_change(decision) {
        let input = ChangeInput { records, models: &planned.rule.models, facts: decision.facts };
        match or_finding(planned.rule.requirement.judge_change(&input), planned.level) {
            Ok(result) => {
                let mut of_rule = empty(&planned);
                fill(&mut of_rule, result, decision, None, &planned.rule.id, &mut waivers.used);
                in_the_policys_words(&mut of_rule, planned.rule);
                // Omit a rule that compared nothing in the change.
                if of_rule.outcome != Outcome::Skipped {
                    report.rules.push(of_rule);
                }
            }
            Err(why) => cannot(&mut report.troubles, *why, &planned.rule.id),
        }
    }
    waivers.reach(&decision.policy.waivers, &report.rules, None, decision.stage);
    (!report.rules.is_empty() || !report.troubles.is_empty()).then_some(Judged { report, waivers })
}

/// The built-in rule for every change, whatever the policy says. A waiver can name it.
fn newest_record(decision: &Decision<'_>, removed: RuleResult, used: &mut BTreeSet<usize>) -> RuleReport {
    let mut report = RuleReport::new(NEWEST_RECORD, RuleKind::NewestRecord, Level::Error);
    fill(&mut report, removed, decision, None, NEWEST_RECORD, used);
    report
}
