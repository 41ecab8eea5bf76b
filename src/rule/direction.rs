//! Some trackers know which way a metric is better. A limit that assumes the opposite is probably a slip,
//! which would let a worse model through.

use super::Limit;
use crate::code::codes;
use crate::document::Value;
use crate::run::Metric;
use crate::verdict::{Finding, LimitKind};

codes! {
    OTHER_DIRECTION = "metrics/other-direction": "The direction of a limit contradicts `higher_is_better` in the record. This is a warning.";
}

/// A warning if the limits on a metric contradict the direction in its record.
pub(super) fn contradicted(limits: &[Limit], metric: &Metric<'_>) -> Option<Finding> {
    let recorded = match metric.detail("higher_is_better").map(|node| &node.value) {
        Some(Value::Bool(higher)) => *higher,
        _ => return None,
    };
    let word = taking(limits, !recorded)?.name();
    let (better, taken) = if recorded { ("higher", "lower") } else { ("lower", "higher") };
    let name = metric.name;
    let message = format!(
        "the record says that a {better} `{name}` is better, but `{word}` implies that a {taken} one is"
    );
    let help = match word {
        "min" => "write `max`, or both if you mean a range",
        "max" => "write `min`, or both if you mean a range",
        "max_drop" => "write `max_rise`",
        "max_rise" => "write `max_drop`",
        "min_drop" => "write `min_rise`",
        _ => "write `min_drop`",
    };
    Some(
        Finding::new(OTHER_DIRECTION, message)
            .at(metric.path(), "the other way round")
            .subject(name)
            .help(help),
    )
}

/// The word that implies that higher, or lower, is better. A bound implies this only if it is the only word; next to
/// others it just gives the plausible range.
fn taking(limits: &[Limit], higher: bool) -> Option<LimitKind> {
    let words = || limits.iter().map(|limit| limit.word);
    if words().any(|word| word.higher_is_better().is_some()) {
        return words().find(|word| word.higher_is_better() == Some(higher));
    }
    let bounds: Vec<LimitKind> = words().filter(|word| !word.is_relative()).collect();
    match (bounds.as_slice(), higher) {
        ([word @ LimitKind::Min], true) | ([word @ LimitKind::Max], false) => Some(*word),
        _ => None,
    }
}
