//! Ties aggregates to a baseline that records no predictions, by the values that it reports.

use super::basis::{HowScored, how_scored};
use super::coarse::too_coarse;
use super::mismatch::mismatch;
use super::rounding::decimal;
use crate::aggregates::Aggregates;
use crate::run::Run;

/// How many digits of a value a message shows.
const DIGITS: usize = 4;

/// Checks that a value that the baseline reports is the one that the aggregates give. The error says why not.
pub(super) fn reports_values_of(baseline: &Run, aggregates: &Aggregates) -> Result<(), String> {
    let mut differ = Vec::new();
    for metric in baseline.metrics() {
        let Ok(HowScored::By(scorer)) = how_scored(metric.name, None, aggregates.classes, |_| false) else {
            continue;
        };
        let (Ok(reported), Ok(found)) = (metric.value(), aggregates.whole().estimate(&scorer, true)) else {
            continue;
        };
        let (value, slack) = (found.baseline, found.resolution[1]);
        if !value.is_finite() || too_coarse(slack).is_some() {
            continue;
        }
        if mismatch(metric.name, "the baseline", &reported, (value, slack)).is_none() {
            return Ok(());
        }
        differ.push(format!(
            "`{}` is {reported}, and {} in the aggregates",
            metric.name,
            decimal(value, DIGITS)
        ));
    }
    Err(if differ.is_empty() {
        "it records no predictions, and reports no metric that the aggregates give".to_owned()
    } else {
        format!("it records no predictions, and reports other values: {}", differ.join("; "))
    })
}
