//! How a comparison came about.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::run::{AGGREGATIONS, Aggregation};
use crate::stats::{self, METHODS};

/// How a comparison came about. A report writes its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Recorded values, compared as they are.
    Exact,
    /// Two estimates, without asking how sure they are.
    PointEstimate,
    /// One number out of several.
    Picked(Aggregation),
    /// Cases, counted.
    Counted,
    /// A metric, computed again from the cases.
    Recomputed,
    /// Nothing that could show it was recorded.
    NoEvidence,
    /// An interval of an estimate.
    Interval(stats::Method),
    /// A method that another version of gate wrote.
    Other(Box<str>),
}

impl Method {
    /// The name in reports.
    pub fn name(&self) -> &str {
        match self {
            Self::Exact => "exact",
            Self::PointEstimate => "point estimate",
            Self::Picked(pick) => pick.name(),
            Self::Counted => "counted",
            Self::Recomputed => "recomputed",
            Self::NoEvidence => "none",
            Self::Interval(method) => method.name(),
            Self::Other(name) => name,
        }
    }

    /// The unit that it counts: cases, seeds or folds.
    pub fn units(&self) -> &'static str {
        match self {
            Self::Interval(method) => method.units(),
            _ => "cases",
        }
    }

    fn named(name: &str) -> Self {
        let plain =
            [Self::Exact, Self::PointEstimate, Self::Counted, Self::Recomputed, Self::NoEvidence].into_iter();
        let picked = AGGREGATIONS.into_iter().map(|(_, pick)| Self::Picked(pick));
        let intervals = METHODS.into_iter().map(Self::Interval);
        let mut known = plain.chain(picked).chain(intervals);
        known.find(|method| method.name() == name).unwrap_or_else(|| Self::Other(name.into()))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::named(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_report_has_the_same_methods() {
        for method in [
            Method::Exact,
            Method::NoEvidence,
            Method::Picked(Aggregation::Median),
            Method::Interval(stats::Method::ClusterRobust),
            Method::Other("of tomorrow".into()),
        ] {
            assert_eq!(Method::named(method.name()), method);
        }
    }
}
