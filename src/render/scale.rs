//! Puts the values, limits and interval of a comparison on one axis. For charts only: no decision depends on
//! it.

use crate::verdict::{Comparison, LimitKind};

/// The numbers of a comparison on one axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    /// What was measured: the candidate's value, or its change.
    pub(super) value: f64,
    /// The baseline's value, or zero if the axis shows changes.
    pub(super) baseline: Option<f64>,
    /// Values below this break the limit.
    pub(super) lowest: Option<f64>,
    /// Values above this break the limit.
    pub(super) highest: Option<f64>,
    /// The ends of the interval; an open end is infinite.
    pub(super) interval: Option<(f64, f64)>,
}

/// What an axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// The metric's own values.
    Values,
    /// The differences between candidate and baseline, so that parts with different baselines share the axis.
    Changes,
}

impl Scale {
    /// The numbers of a comparison; `None` if its limit is not a number.
    pub(super) fn of(one: &Comparison, axis: Axis) -> Option<Self> {
        let word = LimitKind::named(&one.word)?;
        let limit = number(one.limit_value.as_deref().or(one.limit.as_deref()))?;
        let candidate = number(one.candidate.as_deref())?;
        let baseline = number(one.baseline.as_deref());
        let end = |end: Option<&str>, open: f64| end.map_or(Some(open), |end| number(Some(end)));
        let interval = one.interval.as_ref().and_then(|[lower, upper]| {
            Some((end(lower.as_deref(), f64::NEG_INFINITY)?, end(upper.as_deref(), f64::INFINITY)?))
        });
        if !word.is_relative() {
            let (lowest, highest) = match word {
                LimitKind::Min | LimitKind::MinRatio => (Some(limit), None),
                _ => (None, Some(limit)),
            };
            return Some(Self { value: candidate, baseline: None, lowest, highest, interval });
        }
        // Limits and intervals of such a word are about the change.
        let (lowest, highest) = match word {
            LimitKind::MaxDrop => (Some(-limit), None),
            LimitKind::MinRise => (Some(limit), None),
            LimitKind::MinDrop => (None, Some(-limit)),
            LimitKind::MaxChange => (Some(-limit), Some(limit)),
            _ => (None, Some(limit)),
        };
        let baseline = baseline?;
        let change = number(one.change.as_deref()).unwrap_or(candidate - baseline);
        let changes = Self { value: change, baseline: Some(0.0), lowest, highest, interval };
        Some(match axis {
            Axis::Changes => changes,
            Axis::Values => Self { value: candidate, ..changes.moved(baseline) },
        })
    }

    fn moved(self, by: f64) -> Self {
        Self {
            value: self.value + by,
            baseline: self.baseline.map(|value| value + by),
            lowest: self.lowest.map(|value| value + by),
            highest: self.highest.map(|value| value + by),
            interval: self.interval.map(|(lower, upper)| (lower + by, upper + by)),
        }
    }

    /// Every number that the axis must show.
    fn numbers(&self) -> impl Iterator<Item = f64> {
        let ends = self.interval.map_or([None; 2], |(lower, upper)| [Some(lower), Some(upper)]);
        [Some(self.value), self.baseline, self.lowest, self.highest]
            .into_iter()
            .chain(ends)
            .flatten()
            .filter(|number| number.is_finite())
    }
}

/// The ends of an axis that shows all of these, with some room on either side.
pub(super) fn domain<'s>(scales: impl IntoIterator<Item = &'s Scale>) -> (f64, f64) {
    let (low, high) = scales
        .into_iter()
        .flat_map(Scale::numbers)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| (low.min(number), high.max(number)));
    if low > high {
        return (0.0, 1.0);
    }
    let span = high - low;
    let room = if span > 0.0 { span * 0.12 } else { high.abs().max(1.0) * 0.05 };
    (low - room, high + room)
}

fn number(text: Option<&str>) -> Option<f64> {
    text?.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Outcome;

    fn drop() -> Comparison {
        let mut one =
            Comparison::exact("f1", "max_drop", Outcome::Pass).candidate("0.75").baseline("1").limit("50%");
        one.limit_value = Some("0.5".into());
        one.change = Some("-0.25".into());
        one.interval = Some([Some("-0.375".into()), None]);
        one
    }

    #[test]
    fn a_drop_is_drawn_below_its_baseline() {
        let scale = Scale::of(&drop(), Axis::Values).expect("a scale");
        assert_eq!((scale.value, scale.baseline, scale.lowest), (0.75, Some(1.0), Some(0.5)));
        assert_eq!((scale.highest, scale.interval), (None, Some((0.625, f64::INFINITY))));
        let scale = Scale::of(&drop(), Axis::Changes).expect("a scale");
        assert_eq!((scale.value, scale.baseline, scale.lowest), (-0.25, Some(0.0), Some(-0.5)));
    }

    #[test]
    fn an_axis_has_room_for_a_single_number_and_for_none() {
        let one = Comparison::exact("f1", "min", Outcome::Pass).candidate("0").limit("0");
        let (low, high) = domain(&[Scale::of(&one, Axis::Values).expect("a scale")]);
        assert!(low < 0.0 && high > 0.0);
        assert_eq!(domain(&[]), (0.0, 1.0));
    }

    #[test]
    fn what_has_no_numbers_has_no_scale() {
        assert_eq!(Scale::of(&Comparison::exact("params", "present", Outcome::Pass), Axis::Values), None);
        let other = Comparison::exact("f1", "min", Outcome::Fail).candidate("NaN").limit("0.8");
        assert_eq!(Scale::of(&other, Axis::Values), None);
    }
}
