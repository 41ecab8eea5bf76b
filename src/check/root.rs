//! The workspace: the folder that paths in records are relative to.

use std::path::{Path, PathBuf};

/// The folder of the policy here or above, else this one.
pub fn workspace_root(folder: &Path) -> PathBuf {
    super::policy_file::find(None, folder).map_or_else(|_| folder.to_owned(), |found| found.folder)
}
