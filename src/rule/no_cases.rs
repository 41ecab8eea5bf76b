//! Why there are no cases of a run.

use crate::cases::{CasesError, CasesFault};
use crate::code::{Code, codes};
use crate::document::Diagnostic;

codes! {
    CASES_UNREADABLE = "cases/unreadable": "A file of predictions is missing, or can't be read.";
    CASES_CHANGED = "cases/changed": "A file of predictions does not have the recorded digest.";
    CASES_COLUMNS = "cases/columns": "A file of predictions lacks a required column, or several columns could be meant.";
    CASES_IDS = "cases/ids": "An id in a file of predictions is missing, or occurs twice.";
    CASES_VALUES = "cases/values": "A cell in a file of predictions is missing, or is not a number.";
}

/// Why there are no cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCases {
    /// The record names no predictions.
    NotRecorded,
    /// It names some, and they can't be used.
    Unusable(Box<Diagnostic>),
}

impl NoCases {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Unusable(Diagnostic::new(code, message).help(help).boxed())
    }

    /// Of a table that can't be used.
    pub fn of(path: &str, error: CasesError) -> Self {
        let code = match error.fault {
            CasesFault::Unreadable => CASES_UNREADABLE,
            CasesFault::Columns => CASES_COLUMNS,
            CasesFault::Ids => CASES_IDS,
            CasesFault::Values => CASES_VALUES,
        };
        Self::new(code, format!("`{path}`: {}", error.message), error.help)
    }

    /// Of a file that can't be read.
    pub fn unreadable(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(CASES_UNREADABLE, message, help)
    }

    /// Of a file that is another one than was recorded.
    pub fn changed(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(CASES_CHANGED, message, help)
    }
}
