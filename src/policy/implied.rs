//! Limits that can never fail alone, because another rule of the policy asks for more of the same number.

use super::Policy;
use crate::rule::{Pattern, Rule, StatedLimit};
use crate::verdict::Level;

/// A limit, and the stricter limit that implies it.
#[derive(Debug)]
pub struct ImpliedLimit<'p> {
    /// The rule of the weaker limit.
    pub rule: &'p Rule,
    /// The weaker limit.
    pub limit: StatedLimit<'p>,
    /// The rule of the stricter one.
    pub by_rule: &'p Rule,
    /// The stricter limit, as it is written.
    pub by_limit: String,
}

impl Policy {
    /// The limits that another limit implies, in written order. Of two equal limits, the later one is
    /// implied. Waivers are ignored.
    pub fn implied_limits(&self) -> Vec<ImpliedLimit<'_>> {
        let stated: Vec<(&Rule, StatedLimit<'_>)> = self
            .rules
            .iter()
            .filter(|rule| rule.level != Level::Off)
            .flat_map(|rule| rule.requirement.stated_limits().into_iter().map(move |limit| (rule, limit)))
            .collect();
        let follows = |one: usize, other: usize| {
            let ((rule, limit), (by_rule, by)) = (&stated[one], &stated[other]);
            limit.follows_from(by) && applies_wherever(by_rule, rule)
        };
        let by = |one: usize| {
            (0..stated.len())
                .find(|&other| other != one && follows(one, other) && !(one < other && follows(other, one)))
        };
        let found: Vec<Option<usize>> = (0..stated.len()).map(by).collect();
        let strict: Vec<Option<(&Rule, String)>> =
            found.iter().map(|by| by.map(|by| (stated[by].0, stated[by].1.in_words()))).collect();
        stated
            .into_iter()
            .zip(strict)
            .filter_map(|((rule, limit), by)| {
                let (by_rule, by_limit) = by?;
                Some(ImpliedLimit { rule, limit, by_rule, by_limit })
            })
            .collect()
    }
}

/// Whether `wide` judges all that `narrow` judges, at least as strictly and with the same baseline.
fn applies_wherever(wide: &Rule, narrow: &Rule) -> bool {
    let all_of = |wide: &[Pattern], narrow: &[Pattern]| wide.is_empty() || wide == narrow;
    let when = |rule: &Rule| rule.when.as_ref().map(|when| when.source().to_owned());
    all_of(&wide.stages, &narrow.stages)
        && all_of(&wide.models, &narrow.models)
        && (wide.when.is_none() || when(wide) == when(narrow))
        && wide.level <= narrow.level
        && wide.from.is_none_or(|from| narrow.from.is_some_and(|other| from <= other))
        && wide.baseline == narrow.baseline
}
