//! The margins that the runs' predictions can show, for the limits of a first policy.

use std::collections::BTreeMap;
use std::path::Path;

use crate::check::{PowerRequest, power};
use crate::run::Run;
use crate::scorer::PowerTable;
use crate::stats::Confidence;

/// The margins that the cases can show at 95 % confidence, in four out of five validation splits of this size.
#[derive(Debug, Default)]
pub(super) struct Margins {
    /// The number of cases.
    pub(super) cases: usize,
    /// The margin of each metric whose recorded value can be computed from the predictions.
    pub(super) of: BTreeMap<String, f64>,
}

/// The power to detect a margin.
const POWER: f64 = 0.8;
/// The share of decisions that a first candidate is assumed to change.
const CHANGED: f64 = 0.05;
/// Maximum number of runs that are compared with the first.
const RUNS: usize = 8;

impl Margins {
    /// Empty unless every run has predictions for the same cases: a stricter policy would block the existing runs.
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

/// The margin of each metric whose recorded value follows from the run's predictions.
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
