//! The values of a metric during a run, and which of them is the last.

use std::cmp::Ordering;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::document::{Map, Node, Span, Value};

/// One value, in a form that can be written out again.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A number.
    Number(f64),
    /// Not a number.
    NaN,
    /// Infinity; MLflow's databases store the largest number instead.
    Infinite {
        /// Negative infinity.
        negative: bool,
    },
}

/// One value at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The value.
    pub value: Reading,
    /// The step; 0 if the user gave none.
    pub step: i64,
    /// Milliseconds since 1970.
    pub time: i64,
    /// The dataset that it was measured on, if known.
    pub dataset: Option<String>,
    /// For a value of a logged model, the run that measured it: other runs may measure a model too.
    pub run: Option<String>,
}

/// What is known about one metric of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The last value, as MLflow defines it.
    pub last: Option<Point>,
    /// The smallest and the largest finite value, if the whole history was read.
    pub best: Option<(f64, f64)>,
    /// How many values there are, if the whole history was read.
    pub points: Option<u64>,
}

impl Reading {
    /// A value from a database or a server, which store infinity as the largest number.
    pub fn of(value: f64) -> Self {
        if value.is_nan() {
            Self::NaN
        } else if value.abs() >= f64::MAX {
            Self::Infinite { negative: value < 0.0 }
        } else {
            Self::Number(value)
        }
    }

    /// Parses the spellings of Python and of MLflow's servers.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse::<f64>().ok().map(Self::of)
    }

    /// Whether it is a finite number.
    pub fn is_finite(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// The value as text for messages.
    pub fn written(&self) -> String {
        match self.to_value() {
            Value::Number(written) | Value::NotFinite(written) => written.into(),
            _ => String::new(),
        }
    }

    fn finite(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The rank among values of the same step and time; NaN sorts first, as in MLflow.
    fn rank(&self) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::NaN => f64::NEG_INFINITY,
            Self::Infinite { negative: true } => f64::MIN,
            Self::Infinite { negative: false } => f64::MAX,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            // The fewest digits that parse back to the same number.
            Self::Number(value) => Value::Number(format!("{value:?}").into()),
            Self::NaN => Value::NotFinite("NaN".into()),
            Self::Infinite { negative: false } => Value::NotFinite("Infinity".into()),
            Self::Infinite { negative: true } => Value::NotFinite("-Infinity".into()),
        }
    }
}

impl Point {
    /// MLflow's order: by step, then by time, then by value. The last value is neither the last line of a file nor the
    /// newest one.
    pub fn order(&self, other: &Self) -> Ordering {
        (self.step, self.time)
            .cmp(&(other.step, other.time))
            .then_with(|| self.value.rank().total_cmp(&other.value.rank()))
    }
}

impl Series {
    /// A whole history.
    pub fn of(points: Vec<Point>) -> Self {
        let finite = points.iter().filter_map(|point| point.value.finite());
        let best = finite.fold(None, |best: Option<(f64, f64)>, value| {
            let (min, max) = best.unwrap_or((value, value));
            Some((min.min(value), max.max(value)))
        });
        let count = points.len() as u64;
        let last = points.into_iter().max_by(Point::order);
        Self { last, best, points: Some(count) }
    }

    /// Only the last value.
    pub fn ending_with(point: Point) -> Self {
        Self { last: Some(point), best: None, points: None }
    }

    /// The metric in a canonical record: a number, or an object if more is known.
    pub(super) fn node(&self) -> Option<Node> {
        let last = self.last.as_ref()?;
        let many = self.points.is_some_and(|points| points > 1);
        if !many && last.step == 0 && last.dataset.is_none() {
            return Some(Node::made(last.value.to_value()));
        }
        let mut map = Map::default();
        let put = |map: &mut Map, key: &str, value: Value| {
            map.insert(key, Span::default(), Node::made(value));
        };
        put(&mut map, "value", last.value.to_value());
        if many || last.step != 0 {
            put(&mut map, "step", Value::Number(last.step.to_string().into()));
        }
        if let (true, Some((min, max))) = (many, self.best) {
            let mut best = Map::default();
            put(&mut best, "min", Reading::Number(min).to_value());
            put(&mut best, "max", Reading::Number(max).to_value());
            put(&mut map, "best", Value::Map(best));
        }
        if let (true, Some(points)) = (many, self.points) {
            put(&mut map, "points", Value::Number(points.to_string().into()));
        }
        if let Some(dataset) = &last.dataset {
            put(&mut map, "dataset", Value::String(dataset.as_str().into()));
        }
        Some(Node::made(Value::Map(map)))
    }
}

/// The last value of each metric.
pub(super) fn last_of_each(points: Vec<(String, Point)>) -> Vec<(String, Series)> {
    let mut metrics: IndexMap<String, Point> = IndexMap::new();
    for (name, point) in points {
        match metrics.entry(name) {
            Entry::Occupied(mut last) if point.order(last.get()).is_gt() => *last.get_mut() = point,
            Entry::Occupied(_) => {}
            Entry::Vacant(first) => {
                first.insert(point);
            }
        }
    }
    metrics.into_iter().map(|(name, point)| (name, Series::ending_with(point))).collect()
}
