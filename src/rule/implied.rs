//! Limits that another limit makes needless: whatever breaks `max_drop: 0.05` also breaks `max_drop: 0.02`.

use std::cmp::Ordering;

use super::aggregation::DirectedAggregation;
use super::evidence::Settings;
use super::slices::Slices;
use super::{Amount, Limit, Pattern};
use crate::verdict::LimitKind;

/// A limit of a rule, with everything that says which number it is asked of.
#[derive(Debug)]
pub struct StatedLimit<'r> {
    pub(super) metric: &'r Pattern,
    pub(super) limit: &'r Limit,
    pub(super) except: &'r [Pattern],
    pub(super) of: DirectedAggregation,
    pub(super) as_name: Option<&'r str>,
    pub(super) evidence: &'r Settings,
    pub(super) slices: Option<&'r Slices>,
}

impl<'r> StatedLimit<'r> {
    /// The metric, or the pattern of names.
    pub fn metric(&self) -> &'r str {
        self.metric.written()
    }

    /// The limit as the policy writes it: `max_drop 0.02`.
    pub fn in_words(&self) -> String {
        format!("{} {}", self.limit.word.name(), self.limit.written)
    }

    /// Whether this one holds whenever the other does, as long as both rules apply and compare with one baseline.
    pub fn follows_from(&self, other: &Self) -> bool {
        self.metric == other.metric
            && self.except == other.except
            && self.of == other.of
            && self.as_name == other.as_name
            && self.evidence == other.evidence
            // A rule with slices also judges the whole.
            && (self.slices.is_none() || self.slices == other.slices)
            && is_weaker(self.limit, other.limit)
    }
}

/// Whether every number that keeps to `strong` keeps to `weak`. A share and an amount can't be compared: which of them
/// is wider depends on the baseline.
fn is_weaker(weak: &Limit, strong: &Limit) -> bool {
    let ordering = match (&weak.amount, &strong.amount) {
        (Amount::Absolute(weak), Amount::Absolute(strong))
        | (Amount::Percent(weak), Amount::Percent(strong)) => Some(weak.cmp(strong)),
        _ => None,
    };
    let at_most = ordering.is_some_and(Ordering::is_ge);
    let at_least = ordering.is_some_and(Ordering::is_le);
    match (weak.word, strong.word) {
        (one, other) if one == other => match one {
            LimitKind::Min | LimitKind::MinRise | LimitKind::MinDrop | LimitKind::MinRatio => at_least,
            LimitKind::Max
            | LimitKind::MaxDrop
            | LimitKind::MaxRise
            | LimitKind::MaxChange
            | LimitKind::MaxGap
            | LimitKind::MaxGapRise => at_most,
        },
        (LimitKind::MaxDrop | LimitKind::MaxRise, LimitKind::MaxChange) => at_most,
        // What must rise can't fall.
        (LimitKind::MaxDrop, LimitKind::MinRise) | (LimitKind::MaxRise, LimitKind::MinDrop) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Span;
    use crate::run::Decimal;

    fn limit(word: LimitKind, written: &str) -> Limit {
        let number = Decimal::parse(written.trim_end_matches('%')).expect("a number");
        let amount = if written.ends_with('%') { Amount::Percent(number) } else { Amount::Absolute(number) };
        Limit { word, amount, written: written.into(), span: Span::default() }
    }

    #[test]
    fn the_wider_limit_of_one_word_is_weaker() {
        for (word, weak, strong) in [
            (LimitKind::Min, "0.7", "0.8"),
            (LimitKind::Max, "0.8", "0.7"),
            (LimitKind::MaxDrop, "5%", "2%"),
            (LimitKind::MinRise, "0.01", "0.02"),
        ] {
            assert!(is_weaker(&limit(word, weak), &limit(word, strong)), "{word:?}");
            assert!(!is_weaker(&limit(word, strong), &limit(word, weak)), "{word:?}");
        }
        assert!(!is_weaker(&limit(LimitKind::MaxDrop, "50%"), &limit(LimitKind::MaxDrop, "0.001")));
    }

    #[test]
    fn a_limit_on_any_change_is_one_on_each_side() {
        let change = limit(LimitKind::MaxChange, "0.01");
        assert!(is_weaker(&limit(LimitKind::MaxDrop, "0.02"), &change));
        assert!(!is_weaker(&limit(LimitKind::MaxDrop, "0.005"), &change));
        assert!(is_weaker(&limit(LimitKind::MaxDrop, "5%"), &limit(LimitKind::MinRise, "0.01")));
        assert!(!is_weaker(&limit(LimitKind::Min, "0.1"), &limit(LimitKind::MaxDrop, "0.01")));
    }
}
