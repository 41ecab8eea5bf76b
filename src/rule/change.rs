//! What a rule is given to judge that is about the change, and not about one run.

use super::Facts;
use crate::run::Run;

/// A file that a change adds, or gives other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path, relative to the workspace.
    pub path: String,
    /// It was not there before.
    pub added: bool,
}

/// What differs from the base, uncommitted files included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Since what, in words, such as `main (1b2c3d4e5f)`.
    pub since: String,
    /// The files that were asked for, in order of their paths.
    pub files: Vec<ChangedFile>,
}

/// The change before one rule.
#[derive(Clone, Copy)]
pub struct ChangeInput<'c> {
    /// Every run record that is known: those that the policy matches, changed or not, and those that were named.
    pub records: &'c [Run],
    /// The world outside the records.
    pub facts: &'c dyn Facts,
}
