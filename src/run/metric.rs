//! One metric of a run.

use std::fmt;

use smol_str::SmolStr;

use super::Decimal;
use crate::document::{Node, Path, Value};

/// A metric in the canonical record: a number, or an object with `value` and what is known about it.
#[derive(Debug, Clone)]
pub struct Metric<'r> {
    /// Its name; the parts of a nested name are joined by dots.
    pub name: &'r str,
    /// The record's value under that name.
    pub node: &'r Node,
}

/// Which of a metric's numbers to use, if it has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregation {
    /// Its `value`.
    #[default]
    Last,
    /// The best of its seeds or folds, or else of its history.
    Best,
    /// The mean of its seeds or folds.
    Mean,
    /// The median of its seeds or folds.
    Median,
    /// The worst of its seeds or folds.
    Worst,
}

/// Every choice, with the word that a policy writes.
pub const AGGREGATIONS: [(&str, Aggregation); 5] = [
    ("last", Aggregation::Last),
    ("best", Aggregation::Best),
    ("mean", Aggregation::Mean),
    ("median", Aggregation::Median),
    ("worst", Aggregation::Worst),
];

impl Aggregation {
    /// The word that a policy writes.
    pub fn name(self) -> &'static str {
        AGGREGATIONS.into_iter().find(|(_, pick)| *pick == self).map_or("last", |(name, _)| name)
    }
}

/// Why a metric has no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricFault {
    /// `null`, or an object without `value`.
    Null,
    /// Some of its seeds or folds have no value.
    SomeMissing,
    /// A single number, although several are needed.
    NoValues,
    /// NaN or infinite, as written.
    NotFinite(SmolStr),
    /// Text, even if it looks like a number.
    Text(SmolStr),
    /// Some other kind of value.
    Other(&'static str),
    /// A number that can't be compared.
    Unusable(SmolStr, super::NotDecimal),
}

/// How trackers write a number that is not finite, when they write it as text.
const NOT_FINITE: [&str; 8] = ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", ".nan"];

impl<'r> Metric<'r> {
    /// The path of the number in the canonical record.
    pub fn path(&self) -> Path {
        let path = Path::of(["metrics", self.name]);
        if self.node.as_map().is_some_and(|map| map.get("value").is_some()) {
            path.key("value")
        } else {
            path
        }
    }

    /// The last value that was recorded, which is never silently the best.
    pub fn value(&self) -> Result<Decimal, MetricFault> {
        match &self.node.value {
            Value::Map(map) => match map.get("value") {
                Some(value) if value.is_null() && self.lacks_some() => Err(MetricFault::SomeMissing),
                value => value.map_or(Err(MetricFault::Null), number),
            },
            _ => number(self.node),
        }
    }

    /// The values of its seeds or folds, in their order.
    fn values(&self) -> Option<&'r [Node]> {
        self.detail("values")?.as_list().filter(|values| !values.is_empty())
    }

    fn lacks_some(&self) -> bool {
        self.values().is_some_and(|values| values.iter().any(Node::is_null))
    }

    /// The number that `pick` selects; `higher` says whether a higher one is better.
    pub fn pick(&self, pick: Aggregation, higher: bool) -> Result<Decimal, MetricFault> {
        if pick == Aggregation::Last {
            return self.value();
        }
        let Some(values) = self.values() else {
            let end = if higher { "max" } else { "min" };
            let best =
                self.detail("best").and_then(|best| best.get(end)).filter(|_| pick == Aggregation::Best);
            return best.map_or(Err(MetricFault::NoValues), number);
        };
        if self.lacks_some() {
            return Err(MetricFault::SomeMissing);
        }
        let numbers = values.iter().map(number).collect::<Result<Vec<Decimal>, _>>()?;
        let picked = match (pick, higher) {
            (Aggregation::Mean, _) => Decimal::mean(&numbers),
            (Aggregation::Median, _) => Decimal::median(&numbers),
            (Aggregation::Best, true) | (Aggregation::Worst, false) => numbers.into_iter().max(),
            (Aggregation::Best | Aggregation::Last, _) | (Aggregation::Worst, true) => {
                numbers.into_iter().min()
            }
        };
        picked.ok_or(MetricFault::NoValues)
    }

    /// How many values of seeds or folds there are.
    pub fn count(&self) -> Option<usize> {
        self.values().map(<[Node]>::len)
    }

    /// What is recorded beside the value, such as `stderr` or `dataset`.
    pub fn detail(&self, key: &str) -> Option<&'r Node> {
        self.node.get(key)
    }
}

fn number(node: &Node) -> Result<Decimal, MetricFault> {
    match &node.value {
        Value::Number(written) => {
            Decimal::parse(written).map_err(|fault| MetricFault::Unusable(written.clone(), fault))
        }
        Value::NotFinite(written) => Err(MetricFault::NotFinite(written.clone())),
        Value::String(text) if NOT_FINITE.contains(&text.trim().to_lowercase().as_str()) => {
            Err(MetricFault::NotFinite(text.clone()))
        }
        Value::String(text) => Err(MetricFault::Text(text.clone())),
        Value::Null => Err(MetricFault::Null),
        value => Err(MetricFault::Other(value.sort())),
    }
}

impl fmt::Display for MetricFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("is null"),
            Self::SomeMissing => f.write_str("is missing in some of its seeds or folds"),
            Self::NoValues => f.write_str("has no `values`, one for each seed or fold"),
            Self::NotFinite(written) => write!(f, "is {written}, which is not a finite number"),
            Self::Text(text) => write!(f, "is the text \"{text}\", not a number"),
            Self::Other(sort) => write!(f, "is {sort}, not a number"),
            Self::Unusable(written, fault) => write!(f, "is {written}, which has {fault}"),
        }
    }
}
