//! Where files are read from: the working tree, or a commit.
//!
//! Both answer the same two questions, so that a record, a policy or a baseline is read alike from either, and what
//! lies at a commit is never checked out.

mod pattern;
mod revision;
mod worktree;

pub use pattern::Selector;
pub use revision::Revision;
pub use worktree::{Reach, WorkTree};

use crate::code::codes;
use crate::document::Diagnostic;

codes! {
    NOT_FOUND = "reference/not-found": "A file or folder that was named is not there.";
    NOTHING_MATCHED = "reference/nothing-matched": "A glob or a folder that was named holds no run record.";
    BAD_GLOB = "reference/bad-glob": "A glob that can't be read.";
    OUTSIDE = "reference/outside": "A file that was found is not inside the workspace.";
    NOT_A_FILE = "reference/not-a-file": "What was named is not a regular file.";
    UNREADABLE = "reference/unreadable": "A file can't be read.";
    TOO_MANY = "reference/too-many": "A folder or a glob leads to more files and folders than are looked at.";
    TOO_LARGE = "reference/too-large": "A file has more bytes than are read.";
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative to the folder of the store, with `/` between its parts.
    pub path: String,
    /// The id of its blob, at a commit.
    pub blob: Option<String>,
}

/// A place to read files from.
pub trait Store: Sync {
    /// The files that a path, a glob or a folder names, in order of their paths. Naming a file that is not there,
    /// or a folder or glob that holds none, gives an empty list.
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>>;

    /// The bytes of a file, unless there are more than `most`.
    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>>;

    /// The first link in a folder or in those below it, so many levels deep, that is no file: no folder behind it is
    /// looked into.
    fn linked_folder(&self, folder: &str, levels: usize) -> Result<Option<String>, Box<Diagnostic>>;

    /// What a person calls a path of this store.
    fn label(&self, path: &str) -> String;
}

fn too_large(label: &str, bytes: usize, most: usize) -> Box<Diagnostic> {
    Diagnostic::new(TOO_LARGE, format!("`{label}` has {bytes} bytes, and at most {most} are read"))
        .help("keep large tables in files of their own, and name them in the record")
        .boxed()
}
