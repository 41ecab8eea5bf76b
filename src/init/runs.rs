//! What a project's runs have in common: the fields that all of them have, and the values of each metric.

use indexmap::IndexMap;

use crate::document::Path;
use crate::run::{Decimal, Run};

/// Fields that a rule can require, in policy order.
const FIELDS: [&[&str]; 8] = [
    &["params"],
    &["git_commit"],
    &["data_version"],
    &["artifact"],
    &["created_at"],
    &["seed"],
    &["environment", "lockfile"],
    &["command"],
];

/// What all runs have in common.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// The number of runs.
    pub(super) runs: usize,
    /// Fields that every run has.
    pub(super) fields: Vec<String>,
    /// Fields that some run lacks.
    pub(super) missing: Vec<String>,
    /// Fields of `validation` that every run has.
    pub(super) validation: Vec<&'static str>,
    /// The values of each metric that every run has.
    pub(super) metrics: IndexMap<String, Vec<Decimal>>,
    /// The smallest number of examples in a validation split, if every run records it.
    pub(super) rows: Option<u64>,
    /// The names of the models.
    pub(super) models: Vec<String>,
}

impl Summary {
    /// Reads the runs.
    pub(super) fn of(runs: &[Run]) -> Self {
        let mut summary = Self { runs: runs.len(), ..Self::default() };
        let Some(first) = runs.first() else { return summary };
        let has = |run: &Run, path: &[&str]| {
            run.get(&path.iter().fold(Path::root(), |path, key| path.key(key))).is_some_and(|node| {
                !node.is_null()
                    && node.as_map().is_none_or(|map| !map.is_empty())
                    && node.as_list().is_none_or(|list| !list.is_empty())
            })
        };
        for path in FIELDS {
            let everywhere = runs.iter().all(|run| has(run, path));
            let into = if everywhere { &mut summary.fields } else { &mut summary.missing };
            into.push(path.join("."));
        }
        for field in ["split", "digest", "rows"] {
            if runs.iter().all(|run| has(run, &["validation", field])) {
                summary.validation.push(field);
            }
        }
        for metric in first.metrics() {
            let values: Vec<Decimal> = runs
                .iter()
                .filter_map(|run| run.metric(metric.name).and_then(|metric| metric.value().ok()))
                .collect();
            if values.len() == runs.len() {
                summary.metrics.insert(metric.name.to_owned(), values);
            }
        }
        let rows = |run: &Run| {
            run.get(&Path::of(["validation", "rows"])).and_then(|node| node.as_written()?.parse::<u64>().ok())
        };
        summary.rows = runs.iter().map(rows).min().flatten();
        for model in runs.iter().filter_map(Run::model) {
            if !summary.models.iter().any(|known| known == model) {
                summary.models.push(model.to_owned());
            }
        }
        summary
    }
}
