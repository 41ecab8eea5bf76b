//! How far a stage has drifted, in many small allowed steps, from the best that was ever promoted to it.

use crate::document::Node;
use crate::run::{Aggregation, Decimal, Run};
use crate::verdict::{Comparison, Method, Report};

/// A metric that is not at its best value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) metric: String,
    pub(super) now: String,
    pub(super) best: String,
    /// The promotion that had the best value.
    pub(super) number: u64,
    pub(super) lost: String,
    /// The verb for what a single promotion may do: `lose` or `change`.
    pub(super) word: &'static str,
    /// The limit for a single promotion.
    pub(super) allowed: String,
    /// It lost more than the limit.
    pub(super) beyond: bool,
}

/// Which value is best, according to a limit on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Best {
    Highest,
    Lowest,
    /// Neither: any movement is away from an earlier value.
    Either,
}

fn best_by(word: &str) -> Option<Best> {
    match word {
        "max_drop" => Some(Best::Highest),
        "max_rise" => Some(Best::Lowest),
        "max_change" => Some(Best::Either),
        _ => None,
    }
}

/// The drift of every metric whose change the policy limits, over the promotions that were measured on the same split;
/// or why it can't be computed.
pub(super) fn drift(
    current: &Run,
    promoted: &[(u64, &Run)],
    report: &Report,
) -> Result<Vec<Drift>, &'static str> {
    let split = split(current).ok_or("the record has no digest of the validation split")?;
    let same: Vec<(u64, &Run)> =
        promoted.iter().filter(|(_, run)| self::split(run) == Some(split)).copied().collect();
    let mut found: Vec<(Decimal, Drift)> = Vec::new();
    let mut bounded = false;
    let rules = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
    for comparison in rules.flat_map(|rule| &rule.comparisons).filter(|one| one.slice.is_none()) {
        let Some(best) = best_by(&comparison.word) else { continue };
        bounded = true;
        let Some((allowed, drift)) = of(comparison, best, current, &same) else { continue };
        // The strictest of several limits counts.
        match found.iter_mut().find(|(_, known)| known.metric == drift.metric) {
            Some(known) if allowed < known.0 => *known = (allowed, drift),
            Some(_) => {}
            None => found.push((allowed, drift)),
        }
    }
    let first =
        report.candidates.iter().flat_map(|candidate| &candidate.baselines).any(|baseline| baseline.first);
    if !bounded && first && same.len() > 1 {
        return Err("the current promotion is the first, so there is nothing to compare it with");
    }
    // A first model had no baseline, so it has not drifted.
    if !bounded && same.len() > 1 {
        return Err("no rule of today's policy limits how far a metric may fall");
    }
    Ok(found.into_iter().map(|(_, drift)| drift).collect())
}

fn of(comparison: &Comparison, best: Best, current: &Run, same: &[(u64, &Run)]) -> Option<(Decimal, Drift)> {
    // Take the same value of each run: the last one, or the aggregate that the rule uses.
    let pick = match comparison.method {
        Method::Picked(pick) => pick,
        _ => Aggregation::default(),
    };
    let value = |run: &Run, metric: &str| run.metric(metric)?.pick(pick, best != Best::Lowest).ok();
    let now = value(current, &comparison.subject)?;
    let allowed = Decimal::parse(comparison.limit_value.as_ref().or(comparison.limit.as_ref())?).ok()?;
    let values: Vec<(u64, Decimal)> =
        same.iter().filter_map(|(number, run)| Some((*number, value(run, &comparison.subject)?))).collect();
    let (number, best_value) = match best {
        Best::Highest => values.iter().rev().max_by(|(_, one), (_, other)| one.cmp(other)),
        Best::Lowest => values.iter().rev().min_by(|(_, one), (_, other)| one.cmp(other)),
        Best::Either => values
            .iter()
            .rev()
            .max_by(|(_, one), (_, other)| now.minus(one).magnitude().cmp(&now.minus(other).magnitude())),
    }?;
    let lost = best_value.minus(&now).magnitude();
    if lost.is_zero() {
        return None;
    }
    let drift = Drift {
        metric: comparison.subject.to_string(),
        now: now.written().to_owned(),
        best: best_value.written().to_owned(),
        number: *number,
        beyond: lost > allowed,
        lost: lost.written().to_owned(),
        word: if best == Best::Either { "change" } else { "lose" },
        allowed: allowed.written().to_owned(),
    };
    Some((allowed, drift))
}

fn split(run: &Run) -> Option<&str> {
    run.validation()?.get("digest").and_then(Node::as_written)
}
