//! Metrics that depend on rows only through counts of a few distinct cells.

use super::distribution::student_quantile;
use super::limits::{Confidence, Estimate, Limits, Refusal};
use super::sum::sum;

/// With fewer changed decisions than this, the normal approximation is worthless.
const FEWEST_DISCORDANT: u64 = 10;

/// An estimate with its jackknife standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JackknifeEstimate {
    /// The statistic on all units.
    pub value: f64,
    /// Its standard error.
    pub stderr: f64,
    /// How many units were left out in turn.
    pub units: u64,
}

/// Leaves out one unit at a time (Efron and Stein 1981; normal limits, here with t(n − 1)).
///
/// `groups` are the distinct kinds of units: how many units of a kind there are, and the statistic without one of
/// them. Units of the same kind give the same value, so the cost does not grow with the rows, and the result is exact.
pub fn jackknife(
    value: f64,
    groups: impl IntoIterator<Item = (u64, f64)>,
) -> Result<JackknifeEstimate, Refusal> {
    let groups: Vec<(f64, f64)> = groups
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, without)| {
            #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
            (count as f64, without)
        })
        .collect();
    let n = sum(groups.iter().map(|(count, _)| *count));
    if !value.is_finite() || groups.iter().any(|(_, without)| !without.is_finite()) {
        return Err(Refusal::Undefined);
    }
    let mean = sum(groups.iter().map(|(count, without)| count * without)) / n;
    let squares = sum(groups.iter().map(|(count, without)| count * (without - mean).powi(2)));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts")]
    Ok(JackknifeEstimate { value, stderr: ((n - 1.0) / n * squares).sqrt(), units: n as u64 })
}

impl JackknifeEstimate {
    /// Limits with t(units − 1). `discordant` is how many cases the two models decide differently; for one model alone,
    /// how many it decides wrongly.
    pub fn limits(&self, discordant: u64, confidence: Confidence) -> Result<Estimate, Refusal> {
        if discordant < FEWEST_DISCORDANT {
            return Err(Refusal::TooFew {
                what: "cases that the two models decide differently",
                have: discordant,
                need: FEWEST_DISCORDANT,
            });
        }
        self.student(confidence)
    }

    /// Limits over clusters, of which at least five are needed.
    pub fn cluster_limits(&self, confidence: Confidence) -> Result<Estimate, Refusal> {
        if self.units < 5 {
            return Err(Refusal::TooFew { what: "clusters", have: self.units, need: 5 });
        }
        self.student(confidence)
    }

    /// Limits over buckets of cases or clusters, of which at least five are needed.
    pub fn bucket_limits(&self, confidence: Confidence) -> Result<Estimate, Refusal> {
        if self.units < 5 {
            return Err(Refusal::TooFew { what: "buckets", have: self.units, need: 5 });
        }
        self.student(confidence)
    }

    /// Limits with t(units − 1), whatever the number of changed decisions.
    pub fn student(&self, confidence: Confidence) -> Result<Estimate, Refusal> {
        if self.units < 2 {
            return Err(Refusal::TooFew { what: "cases", have: self.units, need: 2 });
        }
        if self.stderr <= 1e-13 * self.value.abs().max(1.0) {
            return Err(Refusal::NoSpread);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
        let quantile = student_quantile(confidence.share(), self.units as f64 - 1.0);
        let limits = Limits::around(self.value, quantile * self.stderr);
        Ok(Estimate { value: self.value, stderr: self.stderr, limits })
    }
}
