//! Where paths lead: the folder that the command was started in, and the one that the policy speaks of.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Sources;
use crate::document::Problem;
use crate::evidence::Repository;
use crate::git::Git;
use crate::store::{Reach, WorkTree};

/// The two folders, and the repository around them.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    root: PathBuf,
    git: OnceLock<Result<Git, Box<Problem>>>,
    sources: Option<Sources>,
}

impl Workspace {
    /// `folder` is where the command was started; `root` is what the paths of the policy, and of the records' files,
    /// are relative to.
    pub fn new(folder: &Path, root: &Path) -> Self {
        Self { folder: folder.to_owned(), root: root.to_owned(), git: OnceLock::new(), sources: None }
    }

    /// The same for a pull request: what is trusted and what is judged come from commits.
    #[must_use]
    pub fn with_sources(mut self, sources: Sources) -> Self {
        self.sources = Some(sources);
        self
    }

    /// The commits that a decision on a pull request speaks of, if it is one.
    pub fn sources(&self) -> Option<&Sources> {
        self.sources.as_ref()
    }

    /// What leads from the folder up to the root: empty, or `../../`.
    pub(super) fn up(&self) -> String {
        let below = self.folder.strip_prefix(&self.root).map_or(0, |below| below.components().count());
        "../".repeat(below)
    }

    /// A path as a commit has it, where a commit is read: what was typed is relative to the folder, and a commit's
    /// files to the root.
    pub(super) fn seen_from_root(&self, path: &str, is_policys: bool) -> String {
        let below = self.folder.strip_prefix(&self.root).ok().and_then(Path::to_str).unwrap_or_default();
        if self.sources.is_none() || is_policys || below.is_empty() {
            return path.to_owned();
        }
        format!("{}/{path}", below.replace('\\', "/"))
    }

    /// Where the command was started.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the paths of the policy are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files that a person may name.
    pub fn named(&self) -> WorkTree {
        WorkTree::new(&self.folder, Reach::Anywhere)
    }

    /// The files that the policy may find.
    pub fn found(&self) -> WorkTree {
        WorkTree::new(&self.root, Reach::Inside).shown_from(&self.folder)
    }

    /// The repository around the workspace.
    pub fn git(&self) -> Result<&Git, Box<Problem>> {
        self.git.get_or_init(|| Git::open(&self.root)).as_ref().map_err(Clone::clone)
    }
}

impl Repository for Workspace {
    fn git(&self) -> Result<&Git, Box<Problem>> {
        Self::git(self)
    }
}
