//! One-sided limits, and what they say about a margin.

use std::fmt;

use super::distribution::normal_quantile;

/// One-sided confidence, above 0.5 and below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence(f64);

impl Confidence {
    /// From a share such as 0.95. `None` unless it is above one half and below 1.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.5 && share < 1.0).then_some(Self(share))
    }

    /// As a share of 1.
    pub fn share(self) -> f64 {
        self.0
    }

    /// The chance that a limit at this confidence is wrong.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// The standard normal quantile.
    pub fn z(self) -> f64 {
        normal_quantile(self.0)
    }
}

/// A lower and an upper limit, each one-sided. An open end is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The true value is below this in at most 1 − confidence of cases.
    pub lower: f64,
    /// The true value is above this in at most 1 − confidence of cases.
    pub upper: f64,
}

/// Valid because no method gives a NaN limit.
impl Eq for Limits {}

impl Limits {
    /// Limits at equal distance from an estimate.
    pub fn around(estimate: f64, reach: f64) -> Self {
        Self { lower: estimate - reach, upper: estimate + reach }
    }

    /// Limits that say nothing.
    pub const OPEN: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// Judges "the difference is at least `bound`": shown, shown to be false, or neither.
    pub fn at_least(self, bound: f64) -> Verdict {
        if self.lower >= bound {
            Verdict::Shown
        } else if self.upper < bound {
            Verdict::Refuted
        } else {
            Verdict::Open
        }
    }

    /// The limits of the negated value.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { lower: -self.upper, upper: -self.lower }
    }
}

/// What data say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds at the confidence.
    Shown,
    /// The opposite holds at the confidence.
    Refuted,
    /// The data can't tell.
    Open,
}

/// An estimate of a difference or of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Its standard error.
    pub stderr: f64,
    /// Its limits.
    pub limits: Limits,
}

/// Why data allow no interval. Callers treat it as "can't tell", never as certainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// Too few units: cases, seeds, or folds.
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        have: u64,
        /// How many are needed.
        need: u64,
    },
    /// All values are equal, up to rounding.
    NoSpread,
    /// The metric is not defined on these data.
    Undefined,
    /// The metric is not defined on more than 1 % of the resamples.
    UndefinedResamples {
        /// The share of resamples without a value.
        share: f64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { what, have, need } => {
                write!(f, "{have} {what}, and an interval needs at least {need}")
            }
            Self::NoSpread => f.write_str("the differences have no spread, which does not prove certainty"),
            Self::Undefined => f.write_str("the metric is not defined on these cases"),
            Self::UndefinedResamples { share } => {
                write!(f, "the metric is not defined on {:.1} % of the resamples", share * 100.0)
            }
        }
    }
}
