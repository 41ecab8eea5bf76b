//! Why a table of cases can't be used.

/// The kind of fault; the message describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CasesFault {
    /// The bytes are not in the format that the name promises.
    Unreadable,
    /// A required column is missing or ambiguous.
    Columns,
    /// An id is missing, or occurs twice.
    Ids,
    /// A value is missing, not a number, or not finite.
    Values,
}

/// A table that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasesError {
    /// The kind of fault.
    pub fault: CasesFault,
    /// What is wrong, and in which row.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl CasesError {
    pub(super) fn new(fault: CasesFault, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { fault, message: message.into(), help: help.into() }
    }
}
