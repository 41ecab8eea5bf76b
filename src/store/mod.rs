//! Where files are read from: the working tree, or a commit.
//!
//! Both give the same answers to the same questions, including for links, so a record, a policy or a baseline reads the
//! same from either. Files of a commit are never checked out.

mod index;
mod pattern;
mod revision;
mod walk;
mod worktree;

pub use index::left_out;
pub use pattern::Selector;
pub use revision::Revision;
pub use worktree::{Reach, WorkTree};

use crate::code::codes;
use crate::document::Diagnostic;
use crate::git::Refusal;

codes! {
    NOT_FOUND = "reference/not-found": "A named file or folder does not exist.";
    NOTHING_MATCHED = "reference/nothing-matched": "A named glob or folder has no run record.";
    BAD_GLOB = "reference/bad-glob": "The glob is not valid.";
    OUTSIDE = "reference/outside": "A path or a symbolic link points outside the workspace.";
    NOT_A_FILE = "reference/not-a-file": "The named path is not a regular file.";
    UNREADABLE = "reference/unreadable": "A file can't be read.";
    BROKEN_LINK = "reference/broken-link": "A symbolic link is broken or circular.";
    SUBMODULE = "reference/submodule": "The named path is a submodule: another repository, whose files are not part of this one.";
    SPARSE = "reference/sparse": "A sparse checkout omits a needed file.";
    TOO_MANY = "reference/too-many": "A glob or a folder covers too many files or linked folders.";
    TOO_LARGE = "reference/too-large": "A file is too large.";
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative to the store's folder, with `/` as the separator.
    pub path: String,
    /// The id of its blob, at a commit. Absent in the working tree, and for unreadable entries: reading them says why.
    pub blob: Option<String>,
}

/// A place to read files from.
pub trait Store: Sync {
    /// The files that a path, a glob or a folder selects, sorted by path. A missing file, or a folder or glob without
    /// files, gives an empty list. Links are followed. A match that is not a readable file (a broken link, a submodule)
    /// is listed too: reading it says why it can't be read.
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>>;

    /// The bytes of a file, unless there are more than `most`.
    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>>;

    /// The first link in a folder, or up to `levels` levels below, that does not point to a file.
    fn linked_folder(&self, folder: &str, levels: usize) -> Result<Option<String>, Box<Diagnostic>>;

    /// The name of a store path in messages.
    fn label(&self, path: &str) -> String;
}

/// Says why a link or a submodule can't be read.
fn refused(label: &str, why: &Refusal) -> Box<Diagnostic> {
    match why {
        Refusal::BrokenLink { target } => Diagnostic::new(
            BROKEN_LINK,
            format!("`{label}` is a symbolic link to `{target}`, which does not exist"),
        )
        .help("put the file itself there, or correct the link"),
        Refusal::Outside { target } => Diagnostic::new(
            OUTSIDE,
            format!("`{label}` is a symbolic link to `{target}`, which is outside the workspace"),
        )
        .help("a link in the workspace may only point to a file in it"),
        Refusal::Submodule => Diagnostic::new(
            SUBMODULE,
            format!("`{label}` is a submodule, another repository: its files are not part of this one"),
        )
        .help("keep run records in this repository, or let `runs:` name other folders"),
    }
    .boxed()
}

/// The path of an entry in a folder; the store's own folder has an empty path.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn too_large(label: &str, bytes: usize, most: usize) -> Box<Diagnostic> {
    Diagnostic::new(TOO_LARGE, format!("`{label}` has {bytes} bytes, and at most {most} are read"))
        .help("keep large tables in separate files, and name them in the record")
        .boxed()
}
