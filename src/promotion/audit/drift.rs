//! How far a stage has come, by many small allowed drops, from the best that was ever promoted to it.

use crate::document::Node;
use crate::run::{Decimal, Run};
use crate::verdict::Report;

/// A metric that is worse than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) metric: String,
    pub(super) now: String,
    pub(super) best: String,
    /// The promotion that had it.
    pub(super) number: u64,
    pub(super) lost: String,
    /// What the policy lets one promotion lose.
    pub(super) allowed: String,
    /// It lost more than that.
    pub(super) beyond: bool,
}

/// The drift of every metric that the policy bounds a change of, over the promotions that were measured on the same
/// split; where a digest of the split is missing, nothing can be said.
pub(super) fn drift(current: &Run, promoted: &[(u64, &Run)], report: &Report) -> Vec<Drift> {
    let Some(split) = split(current) else { return Vec::new() };
    let same: Vec<&(u64, &Run)> =
        promoted.iter().filter(|(_, run)| self::split(run) == Some(split)).collect();
    let rules = report.candidates.iter().flat_map(|candidate| &candidate.rules);
    let mut found: Vec<Drift> = Vec::new();
    for comparison in rules.flat_map(|rule| &rule.comparisons).filter(|one| one.slice.is_none()) {
        let higher_is_better = match &*comparison.word {
            "max_drop" => true,
            "max_rise" => false,
            _ => continue,
        };
        let limit = comparison.limit_value.as_ref().or(comparison.limit.as_ref());
        let (Some(now), Some(limit)) = (value(current, &comparison.subject), limit) else { continue };
        let Ok(allowed) = Decimal::parse(limit) else { continue };
        let worse = |one: &Decimal, other: &Decimal| if higher_is_better { one < other } else { one > other };
        let mut best: Option<(u64, Decimal)> = None;
        for (number, run) in &same {
            let Some(value) = value(run, &comparison.subject) else { continue };
            if best.as_ref().is_none_or(|(_, best)| worse(best, &value)) {
                best = Some((*number, value));
            }
        }
        let Some((number, best)) = best.filter(|(_, best)| worse(&now, best)) else { continue };
        if found.iter().any(|known| *known.metric == *comparison.subject) {
            continue;
        }
        let lost = best.minus(&now).magnitude();
        found.push(Drift {
            metric: comparison.subject.to_string(),
            now: now.written().to_owned(),
            best: best.written().to_owned(),
            number,
            beyond: lost > allowed,
            lost: lost.written().to_owned(),
            allowed: allowed.written().to_owned(),
        });
    }
    found
}

fn split(run: &Run) -> Option<&str> {
    run.validation()?.get("digest").and_then(Node::as_written)
}

fn value(run: &Run, metric: &str) -> Option<Decimal> {
    run.metric(metric)?.value().ok()
}
