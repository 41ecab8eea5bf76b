//! Checks a number against a limit, and words the result for a person.

use super::{Amount, Limit, NoAnswer, RuleResult};
use crate::code::codes;
use crate::document::Path;
use crate::run::Decimal;
use crate::verdict::{Comparison, Finding, LimitKind, Method, Outcome};

codes! {
    TOO_LOW = "limit/too-low": "A value is below its minimum.";
    TOO_HIGH = "limit/too-high": "A value is above its maximum.";
    DROP = "limit/drop": "A value fell against the baseline by more than is allowed.";
    NO_RISE = "limit/no-rise": "A value did not rise against the baseline by as much as required.";
    RISE = "limit/rise": "A value rose against the baseline by more than is allowed.";
    NO_DROP = "limit/no-drop": "A value did not fall against the baseline by as much as required.";
    CHANGE = "limit/change": "A value moved against the baseline by more than is allowed.";
    GAP = "limit/gap": "The gap between the best slice and the worst is larger than is allowed.";
    RATIO = "limit/ratio": "The ratio of the worst slice to the best is lower than required.";
    GAP_RISE = "limit/gap-rise": "The gap between slices rose against the baseline by more than is allowed.";
    RELATIVE_TO_ZERO = "limit/relative-to-zero": "A limit in per cent is compared with a baseline of zero, where it has no meaning.";
}

/// A value of the candidate, by its name and place.
pub(super) struct Subject<'s> {
    /// The metric, or the path.
    pub(super) name: &'s str,
    /// Its name in a message.
    pub(super) said: &'s str,
    /// The path of the value.
    pub(super) path: Path,
    /// The candidate's value.
    pub(super) candidate: &'s Decimal,
    /// The baseline's value.
    pub(super) baseline: Option<&'s Decimal>,
    /// How the values were aggregated, and from how many, if they are not the recorded ones.
    pub(super) of: Option<(Method, Option<u64>)>,
    /// The slice; absent for the whole split.
    pub(super) slice: Option<&'s str>,
}

impl<'s> Subject<'s> {
    /// A value without a baseline.
    pub(super) fn alone(name: &'s str, said: &'s str, path: Path, candidate: &'s Decimal) -> Self {
        Self { name, said, path, candidate, baseline: None, of: None, slice: None }
    }
}

/// Checks a value against one limit, and adds the comparison and any finding to the judgement.
pub(super) fn hold(judgement: &mut RuleResult, subject: &Subject<'_>, limit: &Limit) {
    let Subject { name, said, candidate, baseline, .. } = subject;
    let held = match limit.hold(candidate, *baseline) {
        Ok(held) => held,
        Err(NoAnswer::RelativeToZero) => {
            let comparison = compared(subject, limit, Outcome::Fail);
            let raised = Finding::new(
                RELATIVE_TO_ZERO,
                format!(
                    "{said} is 0 in the baseline, so the relative limit `{}: {}` has no meaning",
                    limit.word.name(),
                    limit.written
                ),
            )
            .at(subject.path.clone(), format!("{candidate}, the baseline has 0"))
            .subject(*name)
            .help(format!("give the limit in the metric's own units, such as `{}: 0.01`", limit.word.name()));
            return judgement.fail(comparison, raised);
        }
        // Callers use words about the baseline only if there is one.
        Err(NoAnswer::NoBaseline) => {
            let comparison = compared(subject, limit, Outcome::Fail);
            let raised = Finding::new(super::baseline::BASELINE_MISSING, format!("{said} has no baseline"));
            return judgement.fail(comparison, raised);
        }
    };
    let outcome = if held.holds { Outcome::Pass } else { Outcome::Fail };
    let mut comparison = compared(subject, limit, outcome);
    comparison.margin = Some(held.margin.written().into());
    comparison.limit_value = held.absolute_limit.as_ref().map(|value| value.written().into());
    if held.holds {
        judgement.compare(comparison);
        return;
    }
    let allowed = held.absolute_limit.as_ref().map_or_else(
        || limit.written.to_string(),
        |value| format!("{} of {} = {value}", limit.written, baseline.map_or("", Decimal::written)),
    );
    let (code, message) = describe(subject, limit.word, &allowed);
    // The margin is negative here: it is how much is missing.
    let rose = baseline.is_some_and(|baseline| *candidate > baseline);
    let needs_more = match limit.word {
        LimitKind::Min | LimitKind::MaxDrop | LimitKind::MinRise | LimitKind::MinRatio => true,
        LimitKind::Max
        | LimitKind::MaxRise
        | LimitKind::MinDrop
        | LimitKind::MaxGap
        | LimitKind::MaxGapRise => false,
        LimitKind::MaxChange => !rose,
    };
    let needed = if needs_more { candidate.minus(&held.margin) } else { candidate.plus(&held.margin) };
    let way = if needs_more { "more" } else { "less" };
    let meant = per_cent_of_share(limit, candidate).unwrap_or_default();
    let help = format!("{needed} or {way} would pass ({} {way}){meant}", held.margin.magnitude());
    comparison.needed = Some(needed.written().into());
    let label = baseline.filter(|_| limit.word.is_relative()).map_or_else(
        || format!("{}: {}", limit.word.name(), limit.written),
        |baseline| format!("the baseline has {baseline}"),
    );
    let raised = Finding::new(code, message)
        .at(subject.path.clone(), label)
        .help(help)
        .subject(*name)
        .on_slice(subject.slice)
        .breach(limit.word, candidate, baseline.filter(|_| limit.word.is_relative()));
    judgement.fail(comparison, raised);
}

/// Suggests what `min: 80` probably meant for a value between 0 and 1.
fn per_cent_of_share(limit: &Limit, candidate: &Decimal) -> Option<String> {
    let Amount::Absolute(amount) = &limit.amount else { return None };
    let is_per_cent = *amount >= Decimal::whole(10) && *amount <= Decimal::whole(100);
    (limit.word == LimitKind::Min && is_per_cent && is_share(candidate)).then(|| {
        let share = amount.percent_of(&Decimal::whole(1));
        format!("; did you mean `min: {share}`? the value is between 0 and 1")
    })
}

/// Whether a value can be a share: it is between 0 and 1.
pub(super) fn is_share(value: &Decimal) -> bool {
    !value.is_negative() && *value <= Decimal::whole(1)
}

fn compared(subject: &Subject<'_>, limit: &Limit, outcome: Outcome) -> Comparison {
    let plain = if limit.word.is_relative() { Method::PointEstimate } else { Method::Exact };
    let (method, n) = subject.of.clone().unwrap_or((plain, None));
    let mut comparison = Comparison::by(method, subject.name, limit.word.name(), outcome)
        .candidate(subject.candidate.written())
        .limit(&*limit.written);
    comparison.n = n;
    comparison.slice = subject.slice.map(Into::into);
    if let (true, Some(baseline)) = (limit.word.is_relative(), subject.baseline) {
        comparison.baseline = Some(baseline.written().into());
        comparison.change = Some(subject.candidate.minus(baseline).signed().into());
    }
    comparison
}

/// The code and message for a value that breaks a limit; `allowed` is the limit as it is shown.
pub(super) fn describe_change(
    said: &str,
    limit: &Limit,
    candidate: &Decimal,
    baseline: Option<&Decimal>,
    allowed: &str,
) -> (crate::code::Code, String) {
    let subject =
        Subject { name: said, said, path: Path::default(), candidate, baseline, of: None, slice: None };
    describe(&subject, limit.word, allowed)
}

fn describe(subject: &Subject<'_>, word: LimitKind, allowed: &str) -> (crate::code::Code, String) {
    let Subject { said, candidate, baseline, .. } = subject;
    let moved = |baseline: &Decimal| {
        let change = candidate.minus(baseline);
        let how = if change.is_negative() {
            format!("fell by {}", change.magnitude())
        } else if change.is_zero() {
            "did not move".to_owned()
        } else {
            format!("rose by {change}")
        };
        format!("{said} {how}, from {baseline} to {candidate}")
    };
    let moved = baseline.map(moved).unwrap_or_default();
    match word {
        LimitKind::Min => (TOO_LOW, format!("{said} is {candidate}; at least {allowed} is required")),
        LimitKind::Max => (TOO_HIGH, format!("{said} is {candidate}; at most {allowed} is allowed")),
        LimitKind::MaxGap => (GAP, format!("{said} is {candidate}; at most {allowed} is allowed")),
        LimitKind::MinRatio => (RATIO, format!("{said} is {candidate}; at least {allowed} is required")),
        LimitKind::MaxGapRise => (GAP_RISE, format!("{moved}; a rise of at most {allowed} is allowed")),
        LimitKind::MaxDrop => (DROP, format!("{moved}; a drop of at most {allowed} is allowed")),
        LimitKind::MinRise => (NO_RISE, format!("{moved}; a rise of at least {allowed} is required")),
        LimitKind::MaxRise => (RISE, format!("{moved}; a rise of at most {allowed} is allowed")),
        LimitKind::MinDrop => (NO_DROP, format!("{moved}; a drop of at least {allowed} is required")),
        LimitKind::MaxChange => (CHANGE, format!("{moved}; a change of at most {allowed} is allowed")),
    }
}
