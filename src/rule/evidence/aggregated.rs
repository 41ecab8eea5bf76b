//! Evidence from aggregates: cases that were counted where they are.

use super::basis::{Basis, Found, HowScored, how_scored};
use super::cases::{CaseEvidence, Lack};
use crate::aggregates::Part;
use crate::scorer::Metric as Scorer;

/// Evidence on a metric from aggregates, of all cases or of a slice, by the columns that make it and its key. `None` where
/// none are named.
pub(in crate::rule) fn find_in_aggregates(
    evidence: &CaseEvidence<'_>,
    (name, as_name): (&str, Option<&str>),
    slice: Option<(&str, &str)>,
    is_relative: bool,
) -> Option<Found> {
    let aggregates = match evidence.aggregated() {
        Ok(aggregates) => aggregates,
        Err(Lack::Wrong(raised)) => return Some(Found::Wrong(raised.clone())),
        Err(Lack::NotRecorded(_)) => return None,
    };
    let metric = match how_scored(name, as_name, aggregates.classes, |_| false) {
        Err(raised) => return Some(Found::Wrong(raised)),
        Ok(HowScored::By(metric)) => metric,
        Ok(HowScored::Column(_) | HowScored::Not) => {
            let why = format!(
                "`{name}` can't be computed from aggregates: `as:` says which metric it is; for a value of each case, record \
                 the files of predictions"
            );
            return Some(Found::Nothing(why));
        }
    };
    let part = match slice {
        None => Some(aggregates.whole()),
        Some((columns, slice)) => aggregates.part(columns, slice),
    };
    let found = part.ok_or("the slice was not counted").and_then(|part| basis(&metric, part, is_relative));
    Some(match found {
        Ok(basis) => Found::Basis(Box::new(Basis { clusters: aggregates.clusters, ..basis })),
        Err(why) => Found::Nothing(format!("`{name}` can't be computed from aggregates: {why}")),
    })
}

fn basis(metric: &Scorer, part: Part<'_>, is_relative: bool) -> Result<Basis, &'static str> {
    let found = part.estimate(metric, is_relative)?;
    let coarse = *metric == Scorer::RocAuc && found.resolution.iter().any(|bound| *bound > 0.0);
    let [ours, theirs] = found.resolution;
    let coarse = coarse.then(|| {
        format!(
            "scores are counted in bins of 0.001, so the area may be off by {:.6}, and the interval is wider by that",
            ours + theirs
        )
    });
    let own = found.aggregate.as_ref().ok().and_then(crate::scorer::Aggregate::n);
    Ok(Basis {
        n: own.or(Some(part.cases())),
        pairs: if is_relative { part.right_wrong() } else { None },
        aggregate: found.aggregate,
        values: [found.candidate, found.baseline],
        clusters: None,
        recomputed: true,
        resolution: found.resolution,
        coarse,
        why_not_better: Some("from aggregates".to_owned()),
    })
}

/// How far a value may be off where no interval is wider by it.
const COARSE: f64 = 0.0005;

/// What to do about a value that is too coarse.
pub(in crate::rule) const TOO_COARSE_HELP: &str =
    "record the files of predictions, or add `confidence`, whose intervals are wider by that";

/// Why a value from aggregates can't be compared without an interval.
pub(in crate::rule) fn too_coarse(resolution: f64) -> Option<String> {
    (resolution > COARSE)
        .then(|| format!("is known to ±{resolution:.6} only: the aggregates count scores in bins of 0.001"))
}
