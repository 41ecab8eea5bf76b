//! One metric of a run.

use std::fmt;

use super::Decimal;
use crate::document::{Node, Path, Value};

/// A metric as the canonical record holds it: a number, or an object with `value` and what is known about it.
#[derive(Debug, Clone)]
pub struct Metric<'r> {
    /// Its name; parts of a nested one are joined by dots.
    pub name: &'r str,
    /// What the record holds under that name.
    pub node: &'r Node,
}

/// Why a metric has no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricFault {
    /// `null`, or an object without `value`.
    Null,
    /// Not a number or infinite, as written.
    NotFinite(Box<str>),
    /// Text, even if it looks like a number.
    Text(Box<str>),
    /// Something else altogether.
    Other(&'static str),
    /// A number that can't be compared.
    Unusable(Box<str>, super::NotDecimal),
}

/// The spellings of a number that is not finite, among those that trackers write as text.
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
            Value::Map(map) => map.get("value").map_or(Err(MetricFault::Null), number),
            _ => number(self.node),
        }
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
            Self::NotFinite(written) => write!(f, "is {written}, which is not a finite number"),
            Self::Text(text) => write!(f, "is the text \"{text}\", not a number"),
            Self::Other(sort) => write!(f, "is {sort}, not a number"),
            Self::Unusable(written, fault) => write!(f, "is {written}, which has {fault}"),
        }
    }
}
