//! A training run as data: what was trained, with which data, code and parameters, and the results.
//!
//! Pure: nothing here opens a file, asks a clock or knows a policy.

mod canonical;
mod decimal;
mod digest;
mod equal;
mod field_map;
mod field_path;
mod flat;
mod metric;
mod record;
mod reference;
mod search;
mod seeds;
mod shape;
mod slices;
mod small;
mod time;

pub use decimal::{Decimal, NotDecimal};
pub use digest::Digest;
pub use equal::{Sameness, same_value};
pub(crate) use equal::{identical, same_commits, value_key};
pub use field_map::{Each, FieldMap, elements, text_at};
pub use field_path::{FieldPath, PathError, Step};
pub use metric::{AGGREGATIONS, Aggregation, Metric, MetricFault};
pub use record::{Artifact, CaseResult, DataFile, LEDGER, ONLY_METRICS, Origin, Run};
pub use reference::Reference;
pub use search::Field;
pub use shape::{Names, fields_below, known_fields};
pub use time::{Age, DurationError, Moment, TimeError, parse_date, parse_duration};

use crate::code::codes;

codes! {
    NOT_A_REFERENCE = "check/not-a-reference": "A run reference can't be read.";
    NOT_AN_OBJECT = "record/not-an-object": "A run record must be an object, but this is something else.";
    WRONG_SHAPE = "record/wrong-shape": "A field of the run record has a value of the wrong type.";
    SAME_METRIC_TWICE = "record/same-metric-twice": "Two entries of `metrics` have the same name once nested ones are joined by dots.";
    SAME_SEED = "record/same-seed": "Two runs that the policy's `seeds:` combines are the same run, or have the same seed.";
    SEEDS_DIFFER = "record/seeds-differ": "Runs that the policy's `seeds:` combines differ in more than their seed.";
    FIELDS_DISAGREE = "record/fields-disagree": "The policy's `fields:` map finds two different values.";
}

#[cfg(test)]
mod tests;
