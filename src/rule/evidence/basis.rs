//! The form of evidence on a metric, whatever its source.

use super::AMBIGUOUS_METRIC;
use crate::document::listed;
use crate::scorer::{Aggregate, Metric as Scorer, metric_named};
use crate::stats::{Refusal, RightWrong};
use crate::verdict::Finding;

/// Evidence on one metric.
#[derive(Debug)]
pub(in crate::rule) struct Basis {
    /// What limits are made from, or why these data allow none.
    pub(in crate::rule) aggregate: Result<Aggregate, Refusal>,
    /// The candidate's value and, for a difference, the baseline's; NaN if it is undefined.
    pub(in crate::rule) values: [f64; 2],
    /// How many cases, seeds or folds.
    pub(in crate::rule) n: Option<u64>,
    /// Decisions of both models, where cases were paired.
    pub(in crate::rule) pairs: Option<RightWrong>,
    /// How many clusters.
    pub(in crate::rule) clusters: Option<u64>,
    /// Values were computed from cases.
    pub(in crate::rule) recomputed: bool,
    /// How far each value may be off, the candidate's first: aggregates have bins and rounded sums.
    pub(in crate::rule) resolution: [f64; 2],
    /// What a person must know about that, in words.
    pub(in crate::rule) coarse: Option<String>,
    /// Why there is no better evidence.
    pub(in crate::rule) why_not_better: Option<String>,
}

/// The result of looking for evidence.
pub(in crate::rule) enum Found {
    /// Evidence.
    Basis(Box<Basis>),
    /// No evidence, and why.
    Nothing(String),
    /// There is evidence, but it can't decide.
    Wrong(Box<Finding>),
}

/// How a metric's value comes from cases.
pub(in crate::rule) enum HowScored<'n> {
    /// By this metric.
    By(Scorer),
    /// As the mean of a column of that name.
    Column(&'n str),
    /// Not at all.
    Not,
}

/// How to compute a metric, given its name, from cases whose labels have this many classes.
pub(in crate::rule) fn how_scored<'n>(
    name: &'n str,
    as_name: Option<&'n str>,
    classes: Option<usize>,
    has_column: impl Fn(&str) -> bool,
) -> Result<HowScored<'n>, Box<Finding>> {
    let means = as_name.unwrap_or(name);
    if has_column(means) {
        return Ok(HowScored::Column(means));
    }
    match metric_named(means, classes) {
        Ok(Some(metric)) => Ok(HowScored::By(metric)),
        Ok(None) => Ok(HowScored::Not),
        Err(ambiguous) => {
            let raised = Finding::new(
                AMBIGUOUS_METRIC,
                format!("`{means}` could mean several metrics for {} labels", classes.unwrap_or_default()),
            )
            .subject(name)
            .help(format!("choose one with `as:`: {}", listed(ambiguous.choices)));
            Err(Box::new(raised))
        }
    }
}
