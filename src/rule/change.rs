//! The input of rules about the change, rather than about one run.

use std::collections::HashSet;

use super::{Facts, Pattern};
use crate::run::Run;

/// A file of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path, relative to the workspace.
    pub path: String,
    /// What the change did to it.
    pub change: FileChange,
}

/// What a change does to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// It did not exist before.
    Added,
    /// Its bytes or its file type changed.
    Replaced,
    /// It was deleted.
    Removed,
}

impl FileChange {
    /// The verb of a sentence: the change *adds* a file.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Added => "adds",
            Self::Replaced => "replaces",
            Self::Removed => "deletes",
        }
    }

    /// The change of a whole if one of its parts changed by `self` and another by `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Replaced }
    }
}

/// Whether a rule also judges the change that the candidates are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboutChange {
    /// It is about candidates only.
    Never,
    /// It judges the change, unless runs were named one by one.
    WhenFound,
    /// It judges the change even if runs were named.
    Always,
}

/// The run records around a change.
#[derive(Debug, Default)]
pub struct ChangeRecords {
    /// Every record that is known: those that the policy matches, changed or not, and those that were named.
    pub head: Vec<Run>,
    /// The records that the policy matches at the base. Empty where only named runs are judged.
    pub base: Vec<Run>,
    /// The labels of candidates that can't be read, so that there is no verdict on them.
    pub unreadable: Vec<String>,
    /// Paths that DVC's files name as outputs.
    pub dvc_outputs: Vec<String>,
    /// Whether the change itself is judged: its records were found, not named one by one.
    pub whole: bool,
}

/// The input of a rule about the change.
#[derive(Clone, Copy)]
pub struct ChangeInput<'c> {
    /// The run records on both sides.
    pub records: &'c ChangeRecords,
    /// The models that the rule is for; empty means all.
    pub models: &'c [Pattern],
    /// Facts from outside the records.
    pub facts: &'c dyn Facts,
}

impl ChangeRecords {
    /// The texts of the records at the base: a record of another text is in the change.
    pub(super) fn base_texts(&self) -> HashSet<String> {
        self.base.iter().map(text).collect()
    }
}

/// The text of a record, ignoring differences in line ends.
pub(super) fn text(run: &Run) -> String {
    run.document.text.replace('\r', "").trim_end().to_owned()
}
