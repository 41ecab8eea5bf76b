//! Answers what rules ask about the outside world: files in the workspace, and the repository around it.

mod cases;
mod changes;
mod count_files;
mod digested;
mod files;
mod folder;
mod hash;
mod hashed;
mod named;
mod partitions;
mod row_files;
mod tally;
mod unique_ids;

use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

pub use count_files::{CountProgress, CountedFiles, PARTITION_ROWS, TellProgress, count_files};
pub use folder::files_below;
pub use hash::{hash_below, hash_named, hash_watched};
pub use hashed::{FETCH_LFS, Hashed, LFS_POINTER, LfsPointer, Watch, in_parts, lfs_pointer};

use crate::aggregates::Aggregates;
use crate::cases::{CaseColumns, Cases, DecisionTally, Table};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::git::{Found, Git, Resolved, Trusted};
use crate::rule::{ChangedFile, CommitFacts, Facts, FileFacts, FileFault, NoCases};
use crate::run::{Digest, Run};

codes! {
    CANNOT_TELL = "facts/cannot-tell": "A rule needs a fact about a commit, a file or the change that gate can't determine.";
    CHANGED = "artifact/changed": "A model file was changed while it was read.";
    TEMPORARY = "facts/temporary-files": "Predictions that don't fit into memory are sorted in temporary files, and one of these can't be written or read.";
    STOPPED = "artifact/stopped": "Reading a file was interrupted before its end.";
    LFS = "artifact/lfs-pointer": "A model file is only a Git LFS pointer.";
    UNREADABLE = "artifact/unreadable": "A model file or folder can't be read, or contains something that is not a regular file.";
}

/// Maximum size in bytes of a committed file that is read: a script, a lockfile.
const COMMITTED: usize = 64 << 20;

/// Provides the repository on demand: a rule that does not need git starts no process.
pub trait Repository: Sync {
    /// The repository around the workspace.
    fn git(&self) -> Result<&Git, Box<Diagnostic>>;
}

/// The workspace on disk.
pub struct Workspace<'w> {
    folder: std::io::Result<Dir>,
    repository: &'w dyn Repository,
    /// The two ends of the change.
    span: changes::Span,
    /// Tables that were already read.
    kept: cases::Kept,
}

impl<'w> Workspace<'w> {
    /// The files below `root`, and the repository around them.
    pub fn new(root: &Path, repository: &'w dyn Repository) -> Self {
        Self {
            folder: Dir::open_ambient_dir(root, ambient_authority()),
            repository,
            span: changes::Span::default(),
            kept: cases::Kept::default(),
        }
    }

    /// Compares changes with this branch instead of the default one.
    #[must_use]
    pub fn against(mut self, base: Option<&str>) -> Self {
        self.span = changes::Span::WorkingTree { base: base.map(str::to_owned) };
        self
    }

    /// Uses the changes between two commits, those of a pull request, whatever is in the working tree.
    #[must_use]
    pub fn between(mut self, change: Trusted<'_>) -> Self {
        self.span = changes::Span::Commits {
            base: change.base.clone(),
            head: change.head.clone(),
            names: change.names.to_vec(),
        };
        self
    }

    /// The decisions of a run, counted in memory that does not grow with the rows, and cases with each pair
    /// of a label and a prediction that occurs. `None` if [`Facts::cases`] is needed, to compute something
    /// else or to report what is wrong.
    pub fn tally(&self, run: &Run, columns: &CaseColumns) -> Option<(DecisionTally, Cases)> {
        let folder = self.folder().ok()?;
        cases::tally_of(run, columns, folder, &|commit, path| self.committed(commit, path))
    }

    fn folder(&self) -> Result<&Dir, FileFault> {
        self.folder.as_ref().map_err(|error| FileFault::Unreadable(error.to_string()))
    }

    fn git(&self) -> Result<&Git, Box<Diagnostic>> {
        self.repository.git()
    }
}

impl Facts for Workspace<'_> {
    fn file(&self, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
        files::facts(self.folder()?, path, algorithm)
    }

    fn bytes(&self, path: &str, most: usize) -> Result<Vec<u8>, FileFault> {
        files::bytes(self.folder()?, path, most)
    }

    fn first_bytes(&self, path: &str, count: usize) -> Result<Vec<u8>, FileFault> {
        files::first_bytes(self.folder()?, path, count)
    }

    fn changes(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(ChangedFile),
    ) -> Result<String, Box<Diagnostic>> {
        let folder = self.folder().map_err(|_| unreadable())?;
        changes::since(self.git()?, &self.span, folder, wanted, each)
    }

    fn named_changes(&self, paths: &[&str]) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
        let folder = self.folder().map_err(|_| unreadable())?;
        named::named(self.git()?, &self.span, folder, paths)
    }

    fn commit(&self, id: &str) -> Result<CommitFacts, Box<Diagnostic>> {
        match self.git()?.commit_by_id(id)? {
            Found::Object { id, .. } | Found::TooLarge { id, .. } => Ok(CommitFacts::Known(id)),
            Found::Ambiguous => Ok(CommitFacts::Ambiguous),
            // A shallow clone lacks commits that exist.
            Found::Missing if self.git()?.is_shallow() => Err(Diagnostic::new(
                CANNOT_TELL,
                format!("this clone is shallow, so it is not known whether the commit {id} exists"),
            )
            .help("fetch the history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout")
            .boxed()),
            Found::Missing => Ok(CommitFacts::Unknown),
        }
    }

    fn committed(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        let CommitFacts::Known(id) = self.commit(id)? else { return Ok(None) };
        let git = self.git()?;
        let commit = crate::git::Commit { id, time: None };
        let Resolved::File { id, .. } = git.look_up(&commit, path)? else { return Ok(None) };
        match git.blob(&id, COMMITTED)? {
            Found::Object { data, .. } => Ok(Some(data)),
            Found::TooLarge { bytes, .. } => Err(Diagnostic::new(
                CANNOT_TELL,
                format!("`{path}` has {bytes} bytes at the commit, and at most {COMMITTED} are read"),
            )
            .help("name a smaller file in the record")
            .boxed()),
            Found::Missing | Found::Ambiguous => Ok(None),
        }
    }

    fn cases(&self, run: &Run, columns: &CaseColumns) -> Result<Arc<Cases>, NoCases> {
        let folder = self.folder().map_err(|_| {
            NoCases::unreadable("the workspace can't be read", "check the permissions of its folder")
        })?;
        self.kept.cases(run, columns, folder, &|commit, path| self.committed(commit, path))
    }

    fn aggregates(&self, run: &Run, columns: &CaseColumns) -> Result<Arc<Aggregates>, NoCases> {
        let folder = self.folder().map_err(|_| {
            NoCases::unreadable("the workspace can't be read", "check the permissions of its folder")
        })?;
        cases::read_aggregates_of(run, columns, folder, &|commit, path| self.committed(commit, path))
    }

    fn rows(&self, path: &str, digest: Option<&Digest>) -> Result<Arc<Table>, NoCases> {
        let folder = self.folder().map_err(|_| {
            NoCases::unreadable("the workspace can't be read", "check the permissions of its folder")
        })?;
        cases::read_rows(path, digest, None, folder, &|_, _| Ok(None)).map(Arc::new)
    }

    fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, Box<Diagnostic>> {
        let git = self.git()?;
        let of = match &self.span {
            // If a change is being judged, its head is what gets released, whatever is checked out.
            changes::Span::Commits { head, .. } if of == "HEAD" => head.clone(),
            changes::Span::Commits { base, head, names } => {
                git.resolve_trusted(of, Trusted { base, head, names })?.commit
            }
            changes::Span::WorkingTree { .. } => git.commit(of)?,
        };
        git.is_ancestor(id, &of.id)
    }
}

fn unreadable() -> Box<Diagnostic> {
    Diagnostic::new(CANNOT_TELL, "the workspace can't be read")
        .help("check the permissions of its folder")
        .boxed()
}
