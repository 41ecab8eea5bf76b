//! Finds who made a baseline that is a file in git: the author of the commit that last changed it.

use std::collections::HashMap;
use std::sync::Mutex;

use super::Workspace;
use crate::git::{self, Author, Commit, Resolved};
use crate::source;
use crate::store::{Selector, Store as _};

/// Asks git for each file's author only once, because each question starts a process.
#[derive(Default)]
pub(super) struct Authors {
    known: Mutex<HashMap<(String, String), Option<Author>>>,
}

impl Authors {
    /// The author of a file at a commit, or of an unmodified file in the working tree. `path` is relative to
    /// the workspace's root. `None` if git does not know; the baseline is valid all the same.
    pub(super) fn of(&self, at: Option<&Commit>, path: &str, workspace: &Workspace) -> Option<Author> {
        let git = workspace.git().ok()?;
        let head = || git.commit("HEAD").ok().filter(|head| is_committed(head, path, workspace));
        let commit = at.cloned().or_else(head)?;
        let key = (commit.id.clone(), path.to_owned());
        let mut known = self.known.lock().ok()?;
        known.entry(key).or_insert_with(|| git.author(&commit, path).ok().flatten()).clone()
    }
}

/// Whether a file of the working tree equals the version of a commit.
fn is_committed(commit: &Commit, path: &str, workspace: &Workspace) -> bool {
    let is_same = || {
        let Resolved::File { id, .. } = workspace.git().ok()?.look_up(commit, path).ok()? else {
            return None;
        };
        let store = workspace.found();
        let entries = store.select(&Selector::new(path).ok()?).ok()?;
        let entry = entries.into_iter().find(|entry| entry.path == path)?;
        let bytes = store.read(&entry, source::most(path)).ok()?;
        git::is_blob(&id, &bytes).then_some(())
    };
    is_same().is_some()
}
