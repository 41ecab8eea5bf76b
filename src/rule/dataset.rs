//! The dataset of a metric, if the metric names it itself: this is more specific than the run's `validation`.

use crate::document::Node;
use crate::run::Metric;

/// Whether both metrics record the digest of their dataset. Then these digests decide, whatever else their
/// runs measured.
pub(super) fn both_say(ours: &Metric<'_>, theirs: &Metric<'_>) -> bool {
    [ours, theirs].into_iter().all(|metric| text(metric, "dataset_digest").is_some())
}

/// The datasets of two values of a metric, if they differ.
pub(super) fn other(ours: &Metric<'_>, theirs: &Metric<'_>) -> Option<(String, String)> {
    ["dataset", "dataset_digest"].into_iter().find_map(|key| {
        let (ours, theirs) = (text(ours, key)?, text(theirs, key)?);
        (ours != theirs).then(|| (ours.to_owned(), theirs.to_owned()))
    })
}

fn text<'r>(metric: &Metric<'r>, key: &str) -> Option<&'r str> {
    metric.detail(key).and_then(Node::as_written)
}
