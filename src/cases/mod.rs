//! Cases: one row for each example of a validation split.
//!
//! A case has an id, and either a label with a prediction or scores, or the value of a metric on it. Optional: a
//! weight, a cluster, and any other columns as slices. Nothing here guesses: what could be read in two ways is
//! refused with the reason, since a silently misread table decides a verdict.

mod class;
mod codes;
mod column;
mod columns;
mod delimited;
mod error;
mod ids;
mod json_lines;
mod keys;
mod labels;
mod numbers;
mod pair;
mod parquet_chunk;
mod parquet_columns;
mod parquet_dictionary;
mod parquet_join;
mod parquet_runs;
mod parquet_source;
mod parquet_window;
mod recorded;
mod row_reader;
mod sample;
mod slices;
mod table;
mod tally;
mod view;

pub use column::Column;
pub use columns::{CaseColumns, ID_COLUMNS, Roles, Scores};
pub use delimited::{DelimitedReader, read_delimited};
pub use error::{CasesError, CasesFault};
pub use ids::{IdBounds, id_hashes};
pub use json_lines::{JsonLinesReader, read_json_lines};
pub use labels::label_order;
pub use pair::{Pairing, Unpaired, pair};
pub use parquet_columns::{ParquetReader, read_parquet};
pub use parquet_source::ParquetSource;
pub use parquet_window::ParquetWindow;
pub use recorded::recorded_cases;
pub use row_reader::RowReader;
pub use sample::Sample;
pub use slices::{slice_name, slices_of};
pub use table::{Table, short};
pub use tally::{DecisionColumns, DecisionTally, Decisions, MOST_SLICES, SlicedDecisions, added_up};
pub use view::Cases;

#[cfg(test)]
mod parquet_tests;
#[cfg(test)]
mod tests;
