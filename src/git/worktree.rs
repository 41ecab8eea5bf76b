//! Checks out a commit outside of the working tree, without running any program that the repository names.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Git, not_started, refused};
use crate::document::Diagnostic;

/// The name of a file next to a checkout, which is locked as long as the program runs.
pub const LOCK: &str = "lock";
/// The folder of the checkout next to the lock.
const TREE: &str = "tree";

/// A checked-out commit, removed on drop.
#[derive(Debug)]
pub struct Checkout<'g> {
    git: &'g Git,
    tree: PathBuf,
}

impl Git {
    /// Checks out a commit into `folder`, which contains only [`LOCK`]. No hook, submodule, transport or file-system
    /// monitor is used, and git-lfs files stay pointers, as committed.
    pub fn checkout(&self, commit: &str, folder: &Path) -> Result<Checkout<'_>, Box<Diagnostic>> {
        let tree = folder.join(TREE);
        // Created first, so that a partial checkout is removed on failure.
        let checkout = Checkout { git: self, tree };
        let arguments = ["worktree", "add", "--quiet", "--detach", "--no-guess-remote", "--force"];
        let output = self.checked(&arguments, &[checkout.tree.as_os_str(), OsStr::new(commit)])?;
        if output.status.success() { Ok(checkout) } else { Err(refused(&output)) }
    }

    /// Removes the checkouts that a killed program with the same `prefix` left behind.
    pub fn remove_abandoned(&self, prefix: &str) {
        let Ok(output) = self.run(&["worktree", "list", "--porcelain", "-z"]) else { return };
        let text = String::from_utf8_lossy(&output.stdout);
        for tree in text.split('\0').filter_map(|line| line.strip_prefix("worktree ")).map(Path::new) {
            let Some(folder) = tree.parent().filter(|_| tree.ends_with(TREE)) else { continue };
            let named =
                folder.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(prefix));
            // The program holds the lock as long as it runs.
            let abandoned = named
                && match File::open(folder.join(LOCK)) {
                    Ok(lock) => lock.try_lock().is_ok(),
                    Err(_) => true,
                };
            if abandoned {
                self.remove_tree(tree);
                let _ = fs::remove_dir_all(folder);
            }
        }
    }

    fn remove_tree(&self, tree: &Path) {
        let _ = self.checked(&["worktree", "remove", "--force", "--force"], &[tree.as_os_str()]);
        if tree.exists() {
            let _ = fs::remove_dir_all(tree);
            let _ = self.checked(&["worktree", "prune"], &[]);
        }
    }

    fn checked(&self, arguments: &[&str], paths: &[&OsStr]) -> Result<std::process::Output, Box<Diagnostic>> {
        self.configured(&self.without_own_programs()?)
            .args(arguments)
            .args(paths)
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            .output()
            .map_err(|error| not_started(&error))
    }
}

impl Checkout<'_> {
    /// The folder of the checkout.
    pub fn path(&self) -> &Path {
        &self.tree
    }
}

impl Drop for Checkout<'_> {
    fn drop(&mut self) {
        self.git.remove_tree(&self.tree);
    }
}
