//! Finds the commit that contains a file's exact bytes.

use std::path::Path;

use crate::git::{Found, Git, Resolved};
use crate::ledger::MOST;

/// Names files by the checked-out commit, if that contains them unchanged.
pub(super) struct Committed<'g> {
    git: Option<&'g Git>,
}

impl<'g> Committed<'g> {
    pub(super) fn new(git: Option<&'g Git>) -> Self {
        Self { git }
    }

    /// `git:COMMIT:PATH`, if the commit has this text at that path below the folder git was opened in.
    pub(super) fn uri(&self, path: &str, text: &str) -> Option<String> {
        let git = self.git?;
        let head = git.commit("HEAD").ok()?;
        let Resolved::File { id, path } = git.look_up(&head, path).ok()? else { return None };
        let Found::Object { data, .. } = git.blob(&id, MOST).ok()? else { return None };
        (data == text.as_bytes()).then(|| format!("git:{}:{path}", head.id))
    }
}

/// A path relative to a folder, with `/` as the separator.
pub(super) fn below(path: &Path, folder: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let below = path.strip_prefix(folder.canonicalize().ok()?).ok()?;
    Some(below.to_str()?.replace('\\', "/"))
}
