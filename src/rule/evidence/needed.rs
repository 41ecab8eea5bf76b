//! The smallest change of a candidate that would meet a limit by its interval.

use super::basis::Basis;
use super::rounding::{decimals, outwards};
use crate::rule::limit::shown;
use crate::run::Decimal;
use crate::scorer::Aggregate;
use crate::stats::{Confidence, Estimate, Limits, Verdict, smallest, wilson};
use crate::verdict::LimitKind;

/// The value that would pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Needed {
    /// The candidate's value.
    pub(super) value: Decimal,
    /// The value in words.
    pub(super) words: String,
}

/// The smallest change with which the limits of an estimate would show that `word: amount` holds. They are wider by
/// `reach` on each side than the decisions alone give. `None` if no value in the metric's range would do.
pub(super) fn needed(
    basis: &Basis,
    word: LimitKind,
    amount: f64,
    (estimate, reach): (&Estimate, f64),
    confidence: Confidence,
) -> Option<Needed> {
    let is_met = |Limits { lower, upper }: Limits| {
        shown(word, amount, Limits { lower: lower - reach, upper: upper + reach }) == Verdict::Shown
    };
    let digits = decimals(estimate.stderr);
    let wants_more = matches!(word, LimitKind::Min | LimitKind::MinRise | LimitKind::MaxDrop);
    match basis.aggregate.as_ref().ok()? {
        Aggregate::Pairs(pairs) if wants_more => {
            let more = pairs.more_right(|pairs| is_met(pairs.limits(confidence)))?;
            right_decisions(pairs.both_right + pairs.gained, more, pairs.n(), digits)
        }
        Aggregate::Share { hits, n } if wants_more => {
            let more =
                smallest(1, n - hits, |more| is_met(wilson(float(hits + more), float(*n), confidence)))?;
            right_decisions(*hits, more, *n, digits)
        }
        _ => at_this_width(basis, word, amount, estimate, digits),
    }
}

fn right_decisions(right: u64, more: u64, n: u64, digits: usize) -> Option<Needed> {
    let value = outwards(float(right + more) / float(n), digits.max(4), true)?;
    let words = format!("{value} or more would pass: at least {more} more of these {n} cases right");
    Some(Needed { value, words })
}

/// The value that would pass if the interval moved along with it.
fn at_this_width(
    basis: &Basis,
    word: LimitKind,
    amount: f64,
    estimate: &Estimate,
    digits: usize,
) -> Option<Needed> {
    let Limits { lower, upper } = estimate.limits;
    let by = match word {
        LimitKind::Min | LimitKind::MinRise | LimitKind::MinRatio => amount - lower,
        LimitKind::MaxDrop => -amount - lower,
        LimitKind::Max | LimitKind::MaxRise | LimitKind::MaxGap | LimitKind::MaxGapRise => amount - upper,
        LimitKind::MinDrop => -amount - upper,
        // An interval that is wider than what is allowed never fits.
        LimitKind::MaxChange if upper - lower > 2.0 * amount => return None,
        LimitKind::MaxChange if lower < -amount => -amount - lower,
        LimitKind::MaxChange => amount - upper,
    };
    let value = outwards(basis.values[0] + by, digits, by > 0.0)?;
    if !is_in_range(value.written().parse().ok()?, basis.values) {
        return None;
    }
    // A value that moves too far the other way would not pass either.
    let way = match word {
        LimitKind::MaxChange => "",
        _ if by > 0.0 => " or more",
        _ => " or less",
    };
    let words = format!("about {value}{way} would pass, with an interval as wide as this");
    Some(Needed { value, words })
}

/// Whether a metric can have this value, given its known values. Most metrics are shares, correlations or
/// percentages, and promising a value beyond their range would be wrong.
fn is_in_range(value: f64, known: [f64; 2]) -> bool {
    let known = || known.into_iter().filter(|value| value.is_finite());
    let highest = [1.0, 100.0].into_iter().find(|most| known().all(|value| value <= *most));
    let lowest = [0.0, -1.0].into_iter().find(|least| known().all(|value| value >= *least));
    highest.is_none_or(|most| value <= most) && lowest.is_none_or(|least| value >= least)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::RightWrong;

    fn basis(aggregate: Aggregate, values: [f64; 2]) -> Basis {
        Basis {
            n: aggregate.n(),
            aggregate: Ok(aggregate),
            values,
            pairs: None,
            clusters: None,
            recomputed: true,
            resolution: [0.0; 2],
            coarse: None,
            why_not_better: None,
        }
    }

    fn confidence() -> Confidence {
        Confidence::new(0.95).expect("a confidence")
    }

    fn of(aggregate: Aggregate, values: [f64; 2], word: LimitKind, amount: f64) -> Option<(String, String)> {
        let estimate = aggregate.estimate(confidence()).expect("an estimate");
        let needed = needed(&basis(aggregate, values), word, amount, (&estimate, 0.0), confidence())?;
        Some((needed.value.to_string(), needed.words))
    }

    #[test]
    fn decisions_are_counted_and_one_fewer_would_not_pass() {
        let pairs = RightWrong { both_right: 440, gained: 5, lost: 20, both_wrong: 35 };
        let (value, words) =
            of(Aggregate::Pairs(pairs), [0.89, 0.92], LimitKind::MaxDrop, 0.02).expect("a change");
        let more: u64 = words
            .split("at least ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .expect("a number")
            .parse()
            .expect("a number");
        let after = |more| RightWrong { both_right: 440 + more, lost: 20 - more, ..pairs };
        assert_eq!(after(more).limits(confidence()).at_least(-0.02), Verdict::Shown, "{words}");
        assert_ne!(after(more - 1).limits(confidence()).at_least(-0.02), Verdict::Shown, "{words}");
        assert_eq!(value, format!("{:.4}", float(445 + more) / 500.0));
    }

    #[test]
    fn a_share_of_one_model_is_counted_too() {
        let share = Aggregate::Share { hits: 90, n: 100 };
        let (value, words) = of(share.clone(), [0.9, f64::NAN], LimitKind::Min, 0.88).expect("a change");
        assert_eq!(
            (value.as_str(), words.as_str()),
            ("0.9400", "0.9400 or more would pass: at least 4 more of these 100 cases right")
        );
        assert_eq!(of(share, [0.9, f64::NAN], LimitKind::Min, 0.99), None, "100 of 100 are not enough");
    }

    #[test]
    fn other_metrics_keep_the_width_of_their_interval() {
        let errors = |ours: f64, theirs: f64| Aggregate::Stderr((theirs, 0.005), (ours, 0.005));
        let value = |ours: f64, theirs: f64, word, amount| {
            of(errors(ours, theirs), [ours, theirs], word, amount).map(|it| it.0)
        };
        // Each limit is 1.645·0.00707 = 0.0116 away.
        assert_eq!(value(0.80, 0.84, LimitKind::MaxDrop, 0.02).as_deref(), Some("0.8317"));
        assert_eq!(value(0.80, 0.84, LimitKind::MinRise, 0.01).as_deref(), Some("0.8617"));
        assert_eq!(value(0.30, 0.25, LimitKind::MaxRise, 0.02).as_deref(), Some("0.2583"));
        assert_eq!(value(0.30, 0.25, LimitKind::MinDrop, 0.02).as_deref(), Some("0.2183"));
        assert_eq!(value(0.30, 0.25, LimitKind::MaxChange, 0.02).as_deref(), Some("0.2583"));
        assert_eq!(value(0.20, 0.25, LimitKind::MaxChange, 0.02).as_deref(), Some("0.2417"));
        assert_eq!(value(0.25, 0.25, LimitKind::MaxChange, 0.01), None, "wider than what is allowed");
        let words = of(errors(0.30, 0.25), [0.30, 0.25], LimitKind::MaxRise, 0.02).expect("a change").1;
        assert_eq!(words, "about 0.2583 or less would pass, with an interval as wide as this");
    }

    #[test]
    fn what_the_metric_can_not_reach_is_not_shown() {
        for (value, known, is_in) in [
            (1.01, [0.98, 0.97], false),
            (1.0, [0.98, 0.97], true),
            (1.01, [-0.2, 0.1], false),
            (-0.01, [0.2, 0.1], false),
            (-0.3, [-0.2, 0.1], true),
            (-1.1, [-0.2, 0.1], false),
            (100.5, [97.0, f64::NAN], false),
            (150.0, [120.0, 90.0], true),
            (-3.0, [-2.0, 4.0], true),
        ] {
            assert_eq!(is_in_range(value, known), is_in, "{value} {known:?}");
        }
        let errors = Aggregate::Stderr((0.99, 0.01), (0.97, 0.01));
        assert_eq!(of(errors, [0.97, 0.99], LimitKind::MaxDrop, 0.001), None);
    }
}
