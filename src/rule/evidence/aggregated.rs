//! Evidence from aggregates: cases that were counted where they are.

use super::basis::{Basis, Found, HowScored, how_scored};
use super::cases::CaseEvidence;
use super::lack::Lack;
use crate::aggregates::Part;
use crate::scorer::Metric as Scorer;

/// Evidence on a metric from aggregates, for all cases or for a slice, given as its columns and its key.
/// `None` if no aggregates are named.
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
        Ok(basis) => {
            let mut why = evidence.source_of_aggregates();
            if is_relative && evidence.is_tied_by_value() {
                why.push_str(", tied to the baseline by a value that it reports");
            }
            let why_not_better = Some(why);
            Found::Basis(Box::new(Basis { clusters: aggregates.clusters, why_not_better, ..basis }))
        }
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
        why_not_better: None,
    })
}
