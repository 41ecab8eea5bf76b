//! Turns the results of a training run into a run record, and compares reruns with it.
//!
//! Pure: from facts to a record, and from two records to an answer. [`crate::training`] gathers the facts.

mod again;
mod command;
mod facts;
mod file_list;
mod lines;
mod outcome;
mod promises;
mod rows;
mod spread;
mod variables;

pub use again::{Rerun, Tolerance, ToleranceError, compare, recorded_files};
pub use command::{Unusable, masked, source, with_seed, words};
pub use facts::{AggregatesFact, Environment, FileFact, LoggedModel, TrainingFacts, Validation, merge};
pub use file_list::{differing_files, list_name};
pub use lines::{Lines, scalar};
pub use outcome::{Answer, FileRow, MetricRow, Reproduction, Spread};
pub use promises::{broken, leave_out, leave_out_infinite, seed_of};
pub use rows::RowCounter;
pub use variables::VARIABLES;

use crate::code::codes;

codes! {
    BAD_LINE = "recording/bad-line": "A line that training wrote for the record can't be read.";
    SAID_TWICE = "recording/said-twice": "Two sources give one field of the record different values.";
    NO_METRICS = "recording/no-metrics": "The command wrote no metric.";
    METRIC_MISSING = "recording/metric-missing": "The command did not write a promised metric.";
    NOT_A_METRIC = "recording/not-a-metric": "A metric that the command wrote is not a finite number.";
    NO_ARTIFACT = "recording/no-artifact": "The command wrote no artifact.";
}

#[cfg(test)]
mod tests;
