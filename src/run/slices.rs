//! Metrics on parts of the validation split.

use super::{Metric, Run};
use crate::document::{Map, Node};

impl Run {
    /// The metrics of every slice, each with the name of its slice: `("region=EU", f1)`.
    pub fn slice_metrics(&self) -> impl Iterator<Item = (&str, Metric<'_>)> {
        let slices = self.record().get("slices").and_then(Node::as_map);
        slices.into_iter().flat_map(Map::iter).flat_map(|(slice, node)| {
            let metrics = node.get("metrics").and_then(Node::as_map);
            metrics.into_iter().flat_map(Map::iter).map(move |(name, node)| (slice, Metric { name, node }))
        })
    }

    /// Everything that was measured: metrics by their names, those of slices as `region=EU/f1`.
    pub fn measured(&self) -> impl Iterator<Item = (String, Metric<'_>)> {
        let whole = self.metrics().map(|metric| (metric.name.to_owned(), metric));
        whole.chain(self.slice_metrics().map(|(slice, metric)| (format!("{slice}/{}", metric.name), metric)))
    }
}
