//! Aggregates: counts of two models' cases, made where the cases are stored.
//!
//! A table of a billion predictions stays in its warehouse. One SQL statement counts it by slice, bucket and
//! decision, and only rows of whole numbers leave the warehouse: for each slice at most 4,096 for each label
//! with its decisions. The same rows can be counted here, from files, and the same functions turn both into
//! an estimate.
//!
//! Buckets make intervals possible without rows: the MD5 of an id, or of a cluster, puts it into one of 4,096
//! buckets, and leaving out one bucket at a time gives a jackknife standard error.

mod adding_up;
mod area;
mod buckets;
mod checked;
mod count;
mod counts;
mod error;
mod estimate;
mod found;
mod guarded;
mod guarding;
mod packed;
mod places;
mod plan;
mod read;
mod sides;
mod table;
mod totals;

pub use checked::{Aggregates, Cell, ScoreCell, Slice};
pub use count::{Counting, count_rows};
pub use error::{AggregatesError, AggregatesFault};
pub use estimate::{Estimated, Part};
pub use packed::{Damaged, IntoPartition, Unpacked, count_clusters, pack_clusters, pack_rows};
pub use places::{Places, SeenLabels};
pub use plan::{BUCKET_DIGITS, CaseNeeds, Impossible, NOT_SCORED, Plan, Slicing, SlicingNeeds, Sum, Task};
pub use read::read_aggregates;
pub use sides::Side;
pub use table::{AggregateTable, FIXED_COLUMNS, Row, RowKind};

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
