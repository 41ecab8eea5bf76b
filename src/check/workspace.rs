//! How paths are resolved: the current folder, and the folder of the policy.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::Revisions;
use crate::document::Diagnostic;
use crate::facts::Repository;
use crate::git::{self, Commit, Git};
use crate::ledger::{FOLDER, Ledger};
use crate::policy::Policy;
use crate::store::{Reach, Revision, Store, WorkTree};
use crate::tracker::Role;

/// A push to a branch. As a baseline, `git:BRANCH` means the commit before it: the branch itself is what is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The branch.
    pub branch: String,
    /// The id of the branch's previous commit.
    pub before: String,
}

impl Pushed {
    /// Whether a revision names the branch.
    fn is_named(&self, revision: &str) -> bool {
        let name = revision.strip_prefix("refs/heads/").or_else(|| revision.strip_prefix("refs/remotes/"));
        let name = name.unwrap_or(revision);
        name == self.branch || name.strip_prefix("origin/") == Some(&self.branch)
    }
}

/// The two folders, and the repository around them.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    root: PathBuf,
    git: OnceLock<Result<Git, Box<Diagnostic>>>,
    revisions: Option<Revisions>,
    pushed: Option<Pushed>,
    ledger: Option<PathBuf>,
    history: bool,
}

impl Workspace {
    /// `folder` is where the command was started; `root` is what the paths of the policy, and of the records' files,
    /// are relative to.
    pub fn new(folder: &Path, root: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            root: root.to_owned(),
            git: OnceLock::new(),
            revisions: None,
            pushed: None,
            ledger: None,
            history: false,
        }
    }

    /// Sets the revisions of a pull request: both the trusted files and the judged ones come from commits.
    #[must_use]
    pub fn with_revisions(mut self, revisions: Revisions) -> Self {
        self.revisions = Some(revisions);
        self
    }

    /// Sets the push that is judged.
    #[must_use]
    pub(super) fn with_pushed(mut self, pushed: Option<&Pushed>) -> Self {
        self.pushed = pushed.cloned();
        self
    }

    /// Takes promotions from this folder instead of the one that the policy names.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Option<&Path>) -> Self {
        self.ledger = ledger.map(|ledger| self.folder.join(ledger));
        self
    }

    /// Asks trackers for every value of each metric, even if that is more work than only the last one.
    #[must_use]
    pub fn with_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// Whether trackers are asked for every value of each metric.
    pub(super) fn wants_history(&self) -> bool {
        self.history
    }

    /// Where promotions are written.
    pub fn ledger_folder(&self, policy: Option<&Policy>) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| self.root.join(ledger_name(policy)))
    }

    /// The promotions in the working tree or, for a pull request, in the base.
    pub fn ledger(&self, policy: Option<&Policy>) -> Result<Ledger<'_>, Box<Diagnostic>> {
        let shown = |folder: &Path| folder.strip_prefix(&self.folder).unwrap_or(folder).display().to_string();
        if let Some(folder) = &self.ledger {
            return Ok(Ledger::new(Arc::new(WorkTree::new(folder, Reach::Inside)), "", &shown(folder)));
        }
        let name = ledger_name(policy);
        if let Some(revisions) = &self.revisions {
            let store = Revision::shown_plainly(self.git()?, revisions.trusted.clone());
            return Ok(Ledger::new(Arc::new(store), name, name));
        }
        let store: Arc<dyn Store + Send> = Arc::new(WorkTree::new(&self.root, Reach::Inside));
        Ok(Ledger::new(store, name, &shown(&self.root.join(name))))
    }

    /// The commits of a decision on a pull request, if it is one.
    pub fn revisions(&self) -> Option<&Revisions> {
        self.revisions.as_ref()
    }

    /// The path from the folder up to the root: empty, or `../../`.
    pub(super) fn up(&self) -> String {
        let below = self.folder.strip_prefix(&self.root).map_or(0, |below| below.components().count());
        "../".repeat(below)
    }

    /// The path as commits have it, if files are read from a commit: typed paths are relative to the folder,
    /// paths in a commit to the root.
    pub(super) fn seen_from_root(&self, path: &str, is_policys: bool) -> String {
        let below = self.below();
        if self.revisions.is_none() || is_policys || below.is_empty() {
            return path.to_owned();
        }
        format!("{below}/{path}")
    }

    /// The path of the folder from the root: empty, or a path such as `training/churn`.
    pub(super) fn below(&self) -> String {
        let below = self.folder.strip_prefix(&self.root).ok().and_then(Path::to_str).unwrap_or_default();
        below.replace('\\', "/")
    }

    /// The folder where the command was started.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that paths in the policy are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files that a person may name.
    pub fn named(&self) -> WorkTree {
        WorkTree::new(&self.folder, Reach::Anywhere)
    }

    /// The files of the change: those of the working tree, or of the head of a pull request.
    pub(super) fn head(&self) -> Result<Arc<dyn Store + Send + '_>, Box<Diagnostic>> {
        Ok(match &self.revisions {
            Some(revisions) => Arc::new(
                Revision::shown_plainly(self.git()?, revisions.head.clone()).shown_behind(&self.up()),
            ),
            None => Arc::new(self.found()),
        })
    }

    /// The files that the policy may find.
    pub fn found(&self) -> WorkTree {
        WorkTree::new(&self.root, Reach::Inside).shown_from(&self.folder)
    }

    /// Resolves a revision. In a pull request, the author must not be able to choose the baseline, and the base's
    /// name means its tip; after a push, the branch's name means the commit before it.
    pub(super) fn resolve(
        &self,
        git: &Git,
        revision: &str,
        role: Role,
    ) -> Result<git::Revision, Box<Diagnostic>> {
        if role == Role::Baseline && self.git().is_ok_and(|ours| ours.is_same(git)) {
            if let Some(revisions) = &self.revisions {
                return git.resolve_trusted(revision, revisions.trusted());
            }
            if let Some(pushed) = self.pushed.as_ref().filter(|pushed| pushed.is_named(revision)) {
                return git.resolve(&pushed.before);
            }
        }
        git.resolve(revision)
    }

    /// The repository around the workspace.
    pub fn git(&self) -> Result<&Git, Box<Diagnostic>> {
        self.git.get_or_init(|| Git::open(&self.root)).as_ref().map_err(Clone::clone)
    }
}

fn ledger_name(policy: Option<&Policy>) -> &str {
    policy.and_then(|policy| policy.ledger.as_deref()).unwrap_or(FOLDER)
}

impl crate::tracker::Repository for Workspace {
    fn git(&self) -> Result<&Git, Box<Diagnostic>> {
        Self::git(self)
    }

    fn commit(&self, git: &Git, revision: &str, role: Role) -> Result<Commit, Box<Diagnostic>> {
        self.resolve(git, revision, role).map(|revision| revision.commit)
    }
}

impl Repository for Workspace {
    fn git(&self) -> Result<&Git, Box<Diagnostic>> {
        Self::git(self)
    }
}
