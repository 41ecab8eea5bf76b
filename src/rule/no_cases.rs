//! Why there are no cases of a run.

use crate::aggregates::{AggregatesError, AggregatesFault};
use crate::cases::{CasesError, CasesFault};
use crate::code::{Code, codes};
use crate::document::Diagnostic;

codes! {
    CASES_UNREADABLE = "cases/unreadable": "A file of predictions is missing, or can't be read.";
    CASES_CHANGED = "cases/changed": "A file of predictions does not have the recorded digest.";
    CASES_COLUMNS = "cases/columns": "A file of predictions lacks a required column, or several columns could be meant.";
    CASES_IDS = "cases/ids": "An id in a file of predictions is missing or occurs twice, or there are no rows.";
    CASES_VALUES = "cases/values": "A cell in a file of predictions is missing or has no usable value, such as a text where a number is needed.";
    OTHER_CASES = "cases/other-ids": "The two runs do not have the same cases.";
    LABELS_CHANGED = "cases/labels-changed": "Labels, weights or clusters of the same cases differ between the two runs.";
    UNSCORED = "cases/unscored": "Some cases have no prediction: they failed, timed out, or were left out.";
    SLICE_DIFFERS = "slices/differ": "The same case is in one slice in the candidate, and in another in the baseline.";
    AGGREGATES_UNREADABLE = "aggregates/unreadable": "A file of aggregates does not have the rows and columns that the SQL returns.";
    AGGREGATES_UNGUARDED = "aggregates/unguarded": "A file of aggregates has no guards, so it is not known whether the cases were sound.";
    AGGREGATES_INCOMPLETE = "aggregates/incomplete": "The counts in a file of aggregates do not add up: rows are missing or duplicated.";
    AGGREGATES_BUCKETS = "aggregates/buckets": "A file of aggregates has too few or too many buckets for its number of ids, so the ids were not hashed as they should be.";
    AGGREGATES_OTHER_POLICY = "aggregates/other-policy": "A file of aggregates was counted over other columns, or for another positive label, than the policy names.";
}

/// Why there are no cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCases {
    /// The record names no predictions.
    NotRecorded,
    /// It names predictions, but they can't be used.
    Unusable(Box<Diagnostic>),
}

impl NoCases {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Unusable(Diagnostic::new(code, message).help(help).boxed())
    }

    /// For a table that can't be used.
    pub fn of(path: &str, error: CasesError) -> Self {
        let code = match error.fault {
            CasesFault::Unreadable => CASES_UNREADABLE,
            CasesFault::Columns => CASES_COLUMNS,
            CasesFault::Ids => CASES_IDS,
            CasesFault::Values => CASES_VALUES,
        };
        Self::new(code, format!("`{path}`: {}", error.message), error.help)
    }

    /// For aggregates that can't be used.
    pub fn of_aggregates(path: &str, error: AggregatesError) -> Self {
        let code = match error.fault {
            AggregatesFault::Unreadable => AGGREGATES_UNREADABLE,
            AggregatesFault::Unguarded => AGGREGATES_UNGUARDED,
            AggregatesFault::Incomplete => AGGREGATES_INCOMPLETE,
            AggregatesFault::Buckets => AGGREGATES_BUCKETS,
            AggregatesFault::OtherPolicy => AGGREGATES_OTHER_POLICY,
            AggregatesFault::Columns => CASES_COLUMNS,
            AggregatesFault::Ids => CASES_IDS,
            AggregatesFault::OtherIds => OTHER_CASES,
            AggregatesFault::LabelsChanged => LABELS_CHANGED,
            AggregatesFault::SlicesDiffer => SLICE_DIFFERS,
            AggregatesFault::Unscored => UNSCORED,
            AggregatesFault::Values => CASES_VALUES,
        };
        Self::new(code, format!("`{path}`: {}", error.message), error.help)
    }

    /// For a file that can't be read.
    pub fn unreadable(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(CASES_UNREADABLE, message, help)
    }

    /// For a file that differs from the recorded one.
    pub fn changed(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(CASES_CHANGED, message, help)
    }
}
