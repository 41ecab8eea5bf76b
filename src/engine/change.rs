//! The change as a whole before the rules that are about it: once, however many candidates it holds, and where it holds
//! none.

use super::judge::{Decision, Judged};
use super::plan::plan_change;
use super::rule_report::{cannot, empty, fill, or_finding};
use super::waive::WaiverUse;
use crate::rule::ChangeInput;
use crate::run::Run;
use crate::verdict::ChangeReport;

/// Judges the change. `None` where no rule is about it.
pub fn judge_change(decision: &Decision<'_>, records: &[Run]) -> Option<Judged<ChangeReport>> {
    let mut report = ChangeReport::default();
    let mut waivers = WaiverUse::default();
    for planned in plan_change(decision) {
        let input = ChangeInput { records, facts: decision.facts };
        match or_finding(planned.rule.requirement.judge_change(&input), planned.level) {
            Ok(result) => {
                let mut of_rule = empty(&planned);
                fill(&mut of_rule, result, decision, None, planned.rule, &mut waivers.used);
                report.rules.push(of_rule);
            }
            Err(why) => cannot(&mut report.troubles, *why, &planned.rule.id),
        }
    }
    waivers.reach(&decision.policy.waivers, &report.rules, None, decision.stage);
    (!report.rules.is_empty() || !report.troubles.is_empty()).then_some(Judged { report, waivers })
}
