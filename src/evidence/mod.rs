//! Answers to what rules ask of the world: files of the workspace, and the repository around it.

mod files;

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::document::Problem;
use crate::git::{Found, Git};
use crate::rule::{CannotTell, CommitFacts, Evidence, FileFacts, FileFault};

/// Gives the repository, when it is asked for: a rule that asks nothing of git starts no process.
pub trait Repository: Sync {
    /// The repository around the workspace.
    fn git(&self) -> Result<&Git, Box<Problem>>;
}

/// The workspace on the disk.
pub struct Workspace<'w> {
    folder: std::io::Result<Dir>,
    repository: &'w dyn Repository,
}

impl<'w> Workspace<'w> {
    /// The files below `root`, and the repository around them.
    pub fn new(root: &Path, repository: &'w dyn Repository) -> Self {
        Self { folder: Dir::open_ambient_dir(root, ambient_authority()), repository }
    }

    fn git(&self) -> Result<&Git, CannotTell> {
        self.repository.git().map_err(|problem| cannot(*problem))
    }
}

impl Evidence for Workspace<'_> {
    fn file(&self, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
        let folder = self.folder.as_ref().map_err(|error| FileFault::Unreadable(error.to_string()))?;
        files::facts(folder, path, algorithm)
    }

    fn commit(&self, id: &str) -> Result<CommitFacts, CannotTell> {
        match self.git()?.commit_by_id(id).map_err(|problem| cannot(*problem))? {
            Found::Object { id, .. } | Found::TooLarge { id, .. } => Ok(CommitFacts::Known(id)),
            Found::Ambiguous => Ok(CommitFacts::Ambiguous),
            // A shallow clone lacks commits that exist.
            Found::Missing if self.git()?.is_shallow() => Err(CannotTell {
                message: format!("this clone is shallow, and can't tell whether the commit {id} exists"),
                help: "fetch the history: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout"
                    .into(),
            }),
            Found::Missing => Ok(CommitFacts::Unknown),
        }
    }

    fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, CannotTell> {
        let git = self.git()?;
        let of = git.commit(of).map_err(|problem| cannot(*problem))?;
        git.is_ancestor(id, &of.id).map_err(|problem| cannot(*problem))
    }
}

fn cannot(problem: Problem) -> CannotTell {
    CannotTell { message: problem.message, help: problem.help.unwrap_or_default() }
}
