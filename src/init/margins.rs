//! The margins that the predictions of the runs can show, for the limits of a first policy.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::{PowerRequest, power};
use crate::run::Run;
use crate::scorer::PowerTable;
use crate::stats::Confidence;

/// What the cases can show at 95 % confidence, in four of five validation splits of their size.
#[derive(Debug, Default)]
pub(super) struct Margins {
    /// How many cases.
    pub(super) cases: usize,
    /// The margin of each metric whose recorded value the predictions give.
    pub(super) of: BTreeMap<String, f64>,
}

/// The power that a margin is for.
const POWER: f64 = 0.8;
/// The share of decisions that a first candidate is taken to change.
const CHANGED: f64 = 0.05;
/// Runs that are compared with the first.
const RUNS: usize = 8;

impl Margins {
    /// None at all, unless every run has predictions and all are of the same cases: a policy that asks for more would
    /// block the runs that are there.
    pub(super) fn of(runs: &[Run], folder: &Path) -> Self {
        Self::found(runs, folder).unwrap_or_default()
    }

    fn found(runs: &[Run], folder: &Path) -> Option<Self> {
        let (first, others) = runs.split_first()?;
        if runs.len() > RUNS
            || runs.iter().any(|run| run.get(&crate::document::Path::of(["predictions"])).is_none())
        {
            return None;
        }
        let ask = |run: &Run, against: Option<&Run>| {
            let asked = PowerRequest {
                run: run.label(),
                against: against.map(Run::label),
                metrics: &[],
                changed: CHANGED,
            };
            power(&asked, None, folder).ok().map(|(_, table)| table)
        };
        let alone = ask(first, None)?;
        let mut of = margins(first, &alone);
        for other in others {
            let is_recorded = margins(other, &ask(other, None)?);
            let between = margins(first, &ask(first, Some(other))?);
            of.retain(|metric, _| is_recorded.contains_key(metric) && between.contains_key(metric));
            for (metric, margin) in &mut of {
                *margin = margin.max(between[metric]);
            }
        }
        Some(Self { cases: alone.rows, of })
    }
}

/// The margin of each metric of a run that its predictions give as it is recorded.
fn margins(run: &Run, table: &PowerTable) -> BTreeMap<String, f64> {
    let Some(confidence) = Confidence::new(0.95) else { return BTreeMap::new() };
    let all = table.powers.iter().filter(|power| power.slice.is_none());
    all.filter_map(|power| {
        let recorded = run.metric(&power.metric)?.value().ok()?;
        let digits = recorded.written().split_once('.').map_or(0, |(_, digits)| digits.len());
        let is_recorded = format!("{:.digits$}", power.value) == recorded.written();
        Some((power.metric.clone(), power.margin(confidence, POWER)?))
            .filter(|(_, margin)| is_recorded && *margin > 0.0)
    })
    .collect()
}
