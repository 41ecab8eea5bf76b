//! Which rules judge a candidate, at which level, and what each compares it with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::WHEN_FAILED;
use super::decision::Decision;
use super::references::{References, is_for_stage};
use crate::expression::Bindings;
use crate::rule::{AboutChange, Pattern, Rule};
use crate::run::Run;
use crate::verdict::{Finding, Level};

/// What one rule does with one candidate.
#[derive(Debug)]
pub struct PlannedRule<'p> {
    /// The rule.
    pub rule: &'p Rule,
    /// What its failure means at the decision's clock.
    pub level: Level,
    /// Why the level differs from the policy's.
    pub note: Option<String>,
    /// What to do.
    pub task: Task,
}

/// What to do with a rule.
#[derive(Debug)]
pub enum Task {
    /// It judges the candidate against the baseline at this index of the references.
    Judge {
        /// Absent where the rule compares with nothing, or where no baseline is named.
        baseline: Option<usize>,
    },
    /// It does not apply to this candidate.
    Skip {
        /// Why.
        reason: String,
    },
    /// It can't be determined whether the rule applies to this candidate, so it fails.
    Fail(Box<Finding>),
}

/// Plans every rule that is not off, in the order of the policy.
pub fn plan<'p>(decision: &Decision<'p>, references: &References, candidate: &Run) -> Vec<PlannedRule<'p>> {
    let rules = decision.policy.rules.iter().enumerate();
    rules
        .filter(|(_, rule)| rule.level != Level::Off)
        .map(|(index, rule)| {
            let (level, note) = level(rule, decision.now);
            let task = task(decision, rule, candidate, references.of_rule(index));
            PlannedRule { rule, level, note, task }
        })
        .collect()
}

/// The rules about the change as a whole. `models` and `when` do not filter them: they select candidates, and
/// a file without a record has no model.
pub(super) fn plan_change<'p>(decision: &Decision<'p>) -> Vec<PlannedRule<'p>> {
    let rules = decision.policy.rules.iter();
    rules
        .filter(|rule| {
            rule.level != Level::Off
                && rule.requirement.about_change() != AboutChange::Never
                && is_for_stage(rule, decision.stage)
        })
        .map(|rule| {
            let (level, note) = level(rule, decision.now);
            PlannedRule { rule, level, note, task: Task::Judge { baseline: None } }
        })
        .collect()
}

fn task(decision: &Decision<'_>, rule: &Rule, candidate: &Run, baseline: Option<usize>) -> Task {
    let skip = |reason: String| Task::Skip { reason };
    if !is_for_stage(rule, decision.stage) {
        return skip(format!("for stage {}", written(&rule.stages)));
    }
    let is_for = |model: &str| rule.models.iter().any(|pattern| pattern.matches(model));
    if !rule.models.is_empty() && !candidate.model().is_some_and(is_for) {
        return skip(format!("for model {}", written(&rule.models)));
    }
    let Some(when) = &rule.when else { return Task::Judge { baseline } };
    let bindings = Bindings { candidate, baseline: None, stage: decision.stage, now: decision.now };
    match when.holds(&bindings) {
        Ok(true) => Task::Judge { baseline },
        Ok(false) => skip(format!("when {}", when.source())),
        Err(error) => {
            let message = format!(
                "`when: {}` can't be evaluated at `{}`: {}",
                when.source(),
                error.part,
                error.message
            );
            let finding =
                Finding::new(WHEN_FAILED, message).help("use `has(…)` to test whether a field is present");
            Task::Fail(Box::new(finding))
        }
    }
}

fn written(patterns: &[Pattern]) -> String {
    patterns.iter().map(Pattern::written).collect::<Vec<_>>().join(", ")
}

/// The level at the decision's clock, and why it differs from the policy's.
fn level(rule: &Rule, now: Timestamp) -> (Level, Option<String>) {
    let today = TimeZone::UTC.to_datetime(now).date();
    match rule.from {
        Some(from) if rule.level == Level::Error && today < from => {
            (Level::Warning, Some(format!("warns until {from}, blocks from then on")))
        }
        _ => (rule.level, None),
    }
}
