//! Aggregates: what is left of the cases of two models after they were counted where they are.
//!
//! A table of a billion predictions stays in its warehouse. One SQL statement counts it by slice, bucket and decision,
//! and what leaves the warehouse is a few thousand rows of whole numbers. The same rows can be counted here, from files,
//! and the same functions turn both into an estimate.
//!
//! Buckets make intervals possible without rows: an id, or a cluster, is in one of 4,096 by its MD5, so that a statistic
//! without one bucket at a time has a jackknife's standard error.

mod plan;
mod table;

pub use plan::{BUCKET_DIGITS, CaseNeeds, Impossible, Plan, Sum, Task};
pub use table::{AggregateTable, FIXED_COLUMNS, Row, RowKind};
