//! The values that expressions compute with.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::SignedDuration;

use crate::document::{Map, Node, Path, Segment, Value};
use crate::run::{Decimal, Metric, MetricFault, Moment, Run};

/// A value. A value from a record is borrowed.
#[derive(Debug, Clone)]
pub enum Val<'r> {
    /// Null, and the result of `get` for an absent path.
    Null,
    /// A truth value.
    Bool(bool),
    /// A finite number, exact.
    Number(Decimal),
    /// A number that can't be computed with, and why.
    NoNumber(String),
    /// Text.
    Text(Cow<'r, str>),
    /// An instant, and whether its zone was written.
    Time(Moment),
    /// A span of time.
    Duration(SignedDuration),
    /// A list that the expression built.
    List(Vec<Val<'r>>),
    /// A list from a record.
    Items(&'r [Node]),
    /// An object from a record.
    Map(&'r Map),
    /// `candidate` or `baseline`.
    Run(&'r Run),
    /// The metrics of a run, each as its number.
    Metrics(&'r Run),
    /// A field that always exists, but is empty.
    Nothing,
}

/// Fields that every run has, even if empty, so that `has(candidate.metrics.ece)` is false and not an error.
const ALWAYS_THERE: [&str; 6] = ["metrics", "params", "tags", "slices", "validation", "environment"];

impl<'r> Val<'r> {
    /// The name of this type of value in messages.
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::NoNumber(_) => "a number that can't be computed with",
            Self::Text(_) => "text",
            Self::Time(_) => "a time",
            Self::Duration(_) => "a duration",
            Self::List(_) | Self::Items(_) => "a list",
            Self::Map(_) | Self::Metrics(_) | Self::Nothing => "an object",
            Self::Run(_) => "a run",
        }
    }

    /// The value of a record's node.
    pub(super) fn of(node: &'r Node) -> Self {
        match &node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(_) | Value::NotFinite(_) => match (Metric { name: "", node }).value() {
                Ok(number) => Self::Number(number),
                Err(fault) => Self::NoNumber(fault.to_string()),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::List(items) => Self::Items(items),
            Value::Map(map) => Self::Map(map),
        }
    }

    /// The value at a path of a run: a metric is its number, a time is a time.
    pub(super) fn at(path: &Path, node: &'r Node) -> Self {
        match path.segments() {
            [Segment::Key(first), Segment::Key(_)] if &**first == "metrics" => Self::metric(node),
            [Segment::Key(first)] if matches!(&**first, "created_at" | "ended_at") => {
                match node.as_written().and_then(|text| Moment::parse(text).ok()) {
                    Some(moment) => Self::Time(moment),
                    None => Self::of(node),
                }
            }
            _ => Self::of(node),
        }
    }

    fn metric(node: &'r Node) -> Self {
        match (Metric { name: "", node }).value() {
            Ok(number) => Self::Number(number),
            Err(MetricFault::Null) => Self::Null,
            Err(fault) => Self::NoNumber(fault.to_string()),
        }
    }

    /// The value of a field; `None` if it does not exist.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Run(run) if name == "metrics" => Some(Self::Metrics(run)),
            Self::Run(run) => match run.record().get(name) {
                Some(node) if !node.is_null() => Some(Self::at(&field_path(name), node)),
                _ if name == "data" => Some(Self::Items(&[])),
                _ if ALWAYS_THERE.contains(&name) => Some(Self::Nothing),
                _ => None,
            },
            Self::Metrics(run) => run.metric(name).map(|metric| Self::metric(metric.node)),
            Self::Map(map) => map.get(name).filter(|node| !node.is_null()).map(Self::of),
            _ => None,
        }
    }

    /// Whether a field is recorded. Fields that every run has count only if the record has them.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Run(run) if name == "metrics" && run.metrics().next().is_some() => true,
            Self::Run(run) => run.record().get(name).is_some_and(|node| !node.is_null()),
            _ => self.field(name).is_some(),
        }
    }

    /// The element at an index; `None` if it does not exist.
    pub(super) fn element(&self, index: usize) -> Option<Self> {
        match self {
            Self::List(items) => items.get(index).cloned(),
            Self::Items(items) => items.get(index).map(Self::of),
            _ => None,
        }
    }

    /// The elements of a list, or the keys of an object, which a fold iterates over.
    pub(super) fn elements(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Items(items) => Some(items.iter().map(Self::of).collect()),
            Self::Map(map) => Some(map.keys().map(|key| Self::Text(Cow::Borrowed(key))).collect()),
            Self::Metrics(run) => {
                Some(run.metrics().map(|metric| Self::Text(Cow::Borrowed(metric.name))).collect())
            }
            Self::Nothing => Some(Vec::new()),
            _ => None,
        }
    }

    /// Whether two values are equal. Null may be compared with anything; text and numbers may not be compared.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, String> {
        Ok(match (self, other) {
            (Self::NoNumber(why), _) | (_, Self::NoNumber(why)) => return Err(format!("the value {why}")),
            (Self::Null, Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Number(one), Self::Number(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Time(one), Self::Time(other)) => time_order(one, other)? == Ordering::Equal,
            (Self::Duration(one), Self::Duration(other)) => one == other,
            (Self::List(_) | Self::Items(_), Self::List(_) | Self::Items(_)) => {
                let (one, other) =
                    (self.elements().unwrap_or_default(), other.elements().unwrap_or_default());
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (one, other) in one.iter().zip(&other) {
                    if !one.equals(other)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => return Err(format!("{} and {} can't be compared", self.sort(), other.sort())),
        })
    }

    /// The order of two values of the same type.
    pub(super) fn order(&self, other: &Self) -> Result<Ordering, String> {
        match (self, other) {
            (Self::NoNumber(why), _) | (_, Self::NoNumber(why)) => Err(format!("the value {why}")),
            (Self::Number(one), Self::Number(other)) => Ok(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Ok(one.cmp(other)),
            (Self::Time(one), Self::Time(other)) => time_order(one, other),
            (Self::Duration(one), Self::Duration(other)) => Ok(one.cmp(other)),
            _ => Err(format!("{} and {} have no order", self.sort(), other.sort())),
        }
    }
}

fn time_order(one: &Moment, other: &Moment) -> Result<Ordering, String> {
    one.order(other).ok_or_else(|| "one time has no zone, so it is not known which is earlier".into())
}

/// The path of a field directly below a run.
fn field_path(name: &str) -> Path {
    [Segment::Key(name.into())].into_iter().collect()
}
