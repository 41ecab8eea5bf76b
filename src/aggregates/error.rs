//! Why aggregates can't be used.

/// The kind of fault; the message describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregatesFault {
    /// The file is not a table as the statements write it.
    Unreadable,
    /// Guards are missing, so it is unknown which cases the cells cover.
    Unguarded,
    /// Rows are missing or repeated, so counts do not add up.
    Incomplete,
    /// Ids are not spread over the buckets.
    Buckets,
    /// The cases were counted for another policy.
    OtherPolicy,
    /// Column names differ by case only, so the engine can't tell them apart.
    Columns,
    /// Ids are missing or repeated.
    Ids,
    /// The two models do not have the same ids.
    OtherIds,
    /// Labels or clusters differ between the two models.
    LabelsChanged,
    /// Slices differ between the two models.
    SlicesDiffer,
    /// Cases have no prediction.
    Unscored,
    /// Values are missing, not finite, or out of range.
    Values,
}

/// Aggregates that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregatesError {
    /// The kind of fault.
    pub fault: AggregatesFault,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl AggregatesError {
    pub(super) fn new(fault: AggregatesFault, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { fault, message: message.into(), help: help.into() }
    }
}
