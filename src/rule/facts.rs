//! What rules may ask of the world outside the records.
//!
//! Rules are functions of what they are given, so everything that needs a file or git goes through this trait; a
//! test answers it from a table.

use std::sync::Arc;

use super::{ChangedFile, NoCases};
use crate::aggregates::Aggregates;
use crate::cases::{CaseColumns, Cases, Table};
use crate::document::Diagnostic;
use crate::run::{Digest, Run};

/// What is known about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Its size.
    pub bytes: u64,
    /// Its digest by the algorithm that was asked for.
    pub digest: Option<Digest>,
    /// For a folder, the list of its files as `sha256sum` prints it; the folder's digest is the digest of this list.
    pub list: Option<String>,
}

/// Why nothing is known about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFault {
    /// It does not exist.
    Missing,
    /// Its path leads out of the workspace.
    Outside,
    /// It is a folder, a pipe, a device, or a link that may not be followed.
    NotAFile(&'static str),
    /// The digest that was asked for can't be computed here.
    Algorithm(String),
    /// The system refused to read it.
    Unreadable(String),
}

/// What is known about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitFacts {
    /// It exists; this is its whole id.
    Known(String),
    /// The repository has no commit with that id.
    Unknown,
    /// More than one commit begins with that id.
    Ambiguous,
}

/// Answers to what rules ask.
pub trait Facts: Sync {
    /// Size and digest of a file of the workspace.
    fn file(&self, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault>;

    /// The bytes of a file of the workspace, unless there are more than `most`.
    fn bytes(&self, path: &str, most: usize) -> Result<Vec<u8>, FileFault>;

    /// The first bytes of a file of the workspace; all of them where there are fewer.
    fn first_bytes(&self, path: &str, count: usize) -> Result<Vec<u8>, FileFault>;

    /// Passes to `each`, in order of their paths, the wanted files of the workspace that differ from the
    /// base, including uncommitted ones; files that git ignores are not part of a change. Returns what they
    /// were compared with, in words, such as `main (1b2c3d4e5f)`.
    fn changes(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(ChangedFile),
    ) -> Result<String, Box<Diagnostic>>;

    /// How files and folders that records name were changed, in the order of their paths; unchanged ones are left
    /// out. Links are followed, because the change may touch the target of a path and not the path itself.
    fn named_changes(&self, paths: &[&str]) -> Result<Vec<ChangedFile>, Box<Diagnostic>>;

    /// Whether a commit exists.
    fn commit(&self, id: &str) -> Result<CommitFacts, Box<Diagnostic>>;

    /// The bytes of a file of the workspace at a commit; `None` if the commit does not have it.
    fn committed(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>>;

    /// The cases of a run: its predictions as a table.
    fn cases(&self, run: &Run, columns: &CaseColumns) -> Result<Arc<Cases>, NoCases>;

    /// The aggregates that replace a run's cases: those that its record names, else those that the policy
    /// names for runs without predictions.
    fn aggregates(&self, _run: &Run, _columns: &CaseColumns) -> Result<Arc<Aggregates>, NoCases> {
        Err(NoCases::NotRecorded)
    }

    /// The rows of a data file of the workspace, whose digest is checked while it is read.
    fn rows(&self, path: &str, digest: Option<&Digest>) -> Result<Arc<Table>, NoCases>;

    /// Whether a commit is `of`, or one of its ancestors.
    fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, Box<Diagnostic>>;
}
