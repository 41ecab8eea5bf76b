//! Why aggregates can't be used.

/// What sort of fault it is; the message says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregatesFault {
    /// They are not the table that the statements give.
    Unreadable,
    /// Guards are missing, so nobody knows what the cells are of.
    Unguarded,
    /// Rows are missing, or there twice: counts do not add up.
    Incomplete,
    /// Ids are not spread over the buckets.
    Buckets,
    /// They were counted for another policy.
    OtherPolicy,
    /// A column can't be told from another.
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
    /// The sort.
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
