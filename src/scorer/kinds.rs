//! The jackknife over a few kinds of cases, wherever they were counted.

use std::collections::BTreeMap;

use super::{Aggregate, Confusion, Metric};
use crate::cases::Sample;
use crate::stats::{Refusal, jackknife};

/// The label, the baseline's decision, the candidate's, and the bits of the weight.
pub type CaseKind = (u32, u32, u32, u64);

/// Leaves out one case of each kind in turn. `candidate` has the labels and the decisions of all kinds.
/// Without a baseline, the baseline's decisions in `kinds` are ignored.
pub fn jackknife_of_kinds(
    metric: &Metric,
    kinds: &BTreeMap<CaseKind, u64>,
    (labels, ours): (&Sample, &Confusion),
    theirs: Option<&Confusion>,
) -> Result<Aggregate, Refusal> {
    let mut own: BTreeMap<(usize, u32, u32), u64> = BTreeMap::new();
    for (&(truth, theirs, ours, _), count) in kinds {
        *own.entry((0, truth, ours)).or_default() += count;
        *own.entry((1, truth, theirs)).or_default() += count;
    }
    let value =
        |confusion: &Confusion| metric.of_confusion(confusion, labels).sound().ok_or(Refusal::Undefined);
    let without = |confusion: &Confusion, side: usize, truth: u32, predicted: u32, weight: u64| {
        let mut rest = confusion.clone();
        rest.remove(truth, predicted, f64::from_bits(weight), own[&(side, truth, predicted)] == 1);
        value(&rest)
    };
    let mut estimate = value(ours)?;
    if let Some(theirs) = theirs {
        estimate -= value(theirs)?;
    }
    let mut groups = Vec::with_capacity(kinds.len());
    for (&(truth, their_class, our_class, weight), &count) in kinds {
        let mut statistic = without(ours, 0, truth, our_class, weight)?;
        if let Some(theirs) = theirs {
            statistic -= without(theirs, 1, truth, their_class, weight)?;
        }
        groups.push((count, statistic));
    }
    // With a single model, a wrong decision is one that could change.
    let is_changed = |(truth, their_class, our_class, _): &CaseKind| match theirs {
        Some(_) => their_class != our_class,
        None => truth != our_class,
    };
    let changed = kinds.iter().filter(|(kind, _)| is_changed(kind)).map(|(_, count)| count).sum();
    Ok(Aggregate::Jackknife { estimate: jackknife(estimate, groups)?, changed: Some(changed) })
}
