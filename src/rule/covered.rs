//! Whether run records contain the metrics that a notebook shows.

use super::notebook_metrics::{PrintedMetric, is_recorded, same_name};
use crate::document::{Map, Node};
use crate::run::{Decimal, Metric, Run};

/// Metrics that are named one by one.
const LISTED: usize = 5;

/// What an output shows but no record has: a metric that is recorded with other values or, if none of its
/// metrics is recorded, all of them. Tables show more than a record keeps, so one recorded number per name is
/// enough; a history needs none.
pub(super) fn unrecorded(output: &[PrintedMetric], recorded: &[(String, Decimal)]) -> Option<String> {
    let holds = |shown: &PrintedMetric, of_name: bool| {
        recorded
            .iter()
            .filter(|(name, _)| !of_name || same_name(name, &shown.name))
            .any(|(_, value)| shown.numbers.iter().any(|number| is_recorded(number, value)))
    };
    let known = |shown: &&PrintedMetric| recorded.iter().any(|(name, _)| same_name(name, &shown.name));
    let (known, unknown): (Vec<&PrintedMetric>, Vec<&PrintedMetric>) = output.iter().partition(known);
    // One metric may be shown under several names, such as those of the splits.
    let alike = |shown: &PrintedMetric| {
        known.iter().any(|other| same_name(&other.name, &shown.name) && holds(other, true))
    };
    let wrong: Vec<&PrintedMetric> =
        known.iter().copied().filter(|shown| !shown.history && !alike(shown)).collect();
    if !wrong.is_empty() {
        return Some(listed(wrong.into_iter()));
    }
    let accounted = !known.is_empty() || unknown.iter().any(|shown| holds(shown, false));
    (!accounted).then(|| listed(unknown.into_iter()))
}

/// Names with the last number of each.
pub(super) fn listed<'s>(shown: impl Iterator<Item = &'s PrintedMetric>) -> String {
    let mut all: Vec<String> = Vec::new();
    for shown in shown {
        let text = format!("{} {}", shown.name, shown.numbers.last().map_or("", String::as_str));
        if !all.contains(&text) {
            all.push(text);
        }
    }
    let more = all.len().saturating_sub(LISTED);
    all.truncate(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    all.join(", ") + &more
}

/// Every value of a record's metrics, including those of seeds, folds and slices.
pub(super) fn values(run: &Run) -> Vec<(String, Decimal)> {
    let number = |node: &Node| Metric { name: "", node }.value().ok();
    let all = run.metrics().chain(run.slice_metrics().map(|(_, metric)| metric));
    all.flat_map(|metric| {
        let many = metric.detail("values").and_then(Node::as_list).unwrap_or_default();
        let best = metric.detail("best").and_then(Node::as_map).into_iter().flat_map(Map::iter);
        let values: Vec<Decimal> = metric
            .value()
            .ok()
            .into_iter()
            .chain(many.iter().filter_map(number))
            .chain(best.filter_map(|(_, node)| number(node)))
            .collect();
        values.into_iter().map(move |value| (metric.name.to_owned(), value))
    })
    .collect()
}
