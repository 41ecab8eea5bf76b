//! How near a passing comparison is to its limit, on one scale for metrics in different units.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Comparison, Level, Outcome, RuleReport};

/// The passing comparison that is nearest to its limit. Numbers are text, in the digits that were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosestMargin {
    /// Where the run was read.
    pub run: String,
    /// The rule.
    pub rule: String,
    /// The metric, with the aggregation if it has several numbers.
    pub subject: SmolStr,
    /// The policy's word, such as `max_drop`.
    pub word: SmolStr,
    /// The slice; absent for the whole validation split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SmolStr>,
    /// The limit as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<SmolStr>,
    /// How much is left before the limit breaks, in the metric's own units.
    pub margin: SmolStr,
    /// The margin in percent of the candidate's value, rounded to two significant digits.
    pub percent: String,
}

impl ClosestMargin {
    /// Describes a rule's comparison, without the percentage: that is set once all candidates are counted.
    pub fn of(run: &str, rule: &RuleReport, one: &Comparison) -> Self {
        Self {
            run: run.to_owned(),
            rule: rule.id.clone(),
            subject: one.title().into(),
            word: one.word.as_ref().into(),
            slice: one.slice.as_deref().map(Into::into),
            limit: one.limit.as_deref().map(Into::into),
            margin: one.margin.as_deref().unwrap_or_default().into(),
            percent: String::new(),
        }
    }

    /// `f1 max_drop 0.005: 0.001 left (0.12% of its value)`.
    pub fn in_words(&self) -> String {
        format!("{}: {} left ({} of its value)", self.limit_in_words(), self.margin, self.percent)
    }

    /// `f1 max_drop 0.005`, with the slice where it is about one.
    pub fn limit_in_words(&self) -> String {
        let slice = self.slice.as_ref().map(|slice| format!(" [{slice}]")).unwrap_or_default();
        let limit = self.limit.as_ref().map(|limit| format!(" {limit}")).unwrap_or_default();
        format!("{}{slice} {}{limit}", self.subject, self.word)
    }
}

/// A limit that a run came close to, without its comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearLimit {
    /// The rule.
    pub rule: SmolStr,
    /// The metric, with the aggregation if it has several numbers.
    pub subject: SmolStr,
    /// The limit in words: `f1 max_drop 0.005`.
    pub limit: String,
    /// How much is left, in the metric's own units.
    pub margin: SmolStr,
    /// The margin as a share of the candidate's value, in digits.
    pub share: SmolStr,
}

impl NearLimit {
    fn of(rule: &RuleReport, one: &Comparison, share: f64) -> Self {
        let closest = ClosestMargin::of("", rule, one);
        Self {
            rule: closest.rule.as_str().into(),
            limit: closest.limit_in_words(),
            subject: closest.subject,
            margin: closest.margin,
            share: format!("{share:e}").into(),
        }
    }

    /// The margin in percent of the candidate's value, to two significant digits.
    pub fn percent(&self) -> String {
        self.share.parse().map(percent).unwrap_or_default()
    }
}

/// The limits that a run came closest to, the closest first.
pub fn near_limits(rules: &[RuleReport]) -> Vec<NearLimit> {
    /// A page of many runs has no room for more per run.
    const MAX_NEAR: usize = 3;
    let mut nearest: Vec<(&RuleReport, &Comparison, f64)> = margins(rules).collect();
    nearest.sort_by(|one, other| one.2.total_cmp(&other.2));
    nearest.into_iter().take(MAX_NEAR).map(|(rule, one, share)| NearLimit::of(rule, one, share)).collect()
}

/// The margin as a share of the candidate's value. For ordering and charts only: no decision depends on it.
pub fn share_left(one: &Comparison) -> Option<f64> {
    let number = |text: Option<&str>| text?.parse::<f64>().ok().filter(|number| number.is_finite());
    let margin = number(one.margin.as_deref())?;
    let value = number(one.candidate.as_deref())?.abs();
    match (one.outcome, value > 0.0) {
        (Outcome::Pass, true) => Some(margin.max(0.0) / value),
        // A value of zero at its limit can't move either.
        (Outcome::Pass, false) if margin <= 0.0 => Some(0.0),
        _ => None,
    }
}

/// The passing comparisons of rules that block or warn, each with its rule and the share that is left.
pub fn margins(rules: &[RuleReport]) -> impl Iterator<Item = (&RuleReport, &Comparison, f64)> {
    rules
        .iter()
        .filter(|rule| matches!(rule.level, Level::Error | Level::Warning))
        .flat_map(|rule| rule.comparisons.iter().map(move |one| (rule, one)))
        .filter_map(|(rule, one)| Some((rule, one, share_left(one)?)))
}

/// The comparison nearest to its limit; the first one on a tie.
pub fn closest<'r>(rules: &'r [RuleReport]) -> Option<(&'r RuleReport, &'r Comparison, f64)> {
    let nearer = |best: (&'r RuleReport, &'r Comparison, f64),
                  next: (&'r RuleReport, &'r Comparison, f64)| {
        if next.2 < best.2 { next } else { best }
    };
    margins(rules).reduce(nearer)
}

/// A share in percent, to two significant digits: `0.12%`, `4.9%`, `38%`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent >= 9.95 => format!("{percent:.0}%"),
        _ if percent >= 0.995 => format!("{percent:.1}%"),
        _ if percent >= 0.0995 => format!("{percent:.2}%"),
        _ if percent >= 0.001 => format!("{percent:.3}%"),
        _ if percent > 0.0 => "less than 0.001%".into(),
        _ => "0%".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::RuleKind;

    fn one(subject: &str, value: &str, margin: &str, outcome: Outcome) -> Comparison {
        let mut one = Comparison::exact(subject, "min", outcome).candidate(value);
        one.margin = Some(margin.into());
        one
    }

    fn rule(level: Level, comparisons: Vec<Comparison>) -> RuleReport {
        RuleReport { comparisons, ..RuleReport::new("r", RuleKind::Metrics, level) }
    }

    #[test]
    fn metrics_in_other_units_are_compared_by_their_share() {
        let rules = [rule(
            Level::Error,
            vec![one("latency", "100", "4", Outcome::Pass), one("f1", "0.8", "0.04", Outcome::Pass)],
        )];
        assert_eq!(closest(&rules).map(|(_, one, _)| &*one.subject), Some("latency"));
    }

    #[test]
    fn what_fails_or_only_shadows_is_no_margin() {
        let failing = rule(Level::Error, vec![one("f1", "0.8", "-0.04", Outcome::Fail)]);
        let shadow = rule(Level::Shadow, vec![one("f1", "0.8", "0.04", Outcome::Pass)]);
        assert!(closest(&[failing, shadow]).is_none());
    }

    #[test]
    fn percents_have_two_digits() {
        let shown = [0.0, 0.000_001, 0.001_19, 0.049, 0.384, 0.0994].map(percent);
        assert_eq!(shown, ["0%", "less than 0.001%", "0.12%", "4.9%", "38%", "9.9%"]);
    }
}
