//! What git knows of the files on the disk.

use super::{Git, not_started, refused};
use crate::document::Diagnostic;

/// A file that is not as the checked-out commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncommitted {
    /// Its path, from the top of the repository.
    pub path: String,
    /// No commit knows it.
    pub untracked: bool,
}

impl Git {
    /// The branch that is checked out, if one is.
    pub fn branch(&self) -> Option<String> {
        let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok()?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !name.is_empty()).then_some(name)
    }

    /// Everything in the working tree that is not as the checked-out commit has it; what git ignores is left out.
    pub fn uncommitted(&self) -> Result<Vec<Uncommitted>, Box<Diagnostic>> {
        let mut command = self.configured(&self.without_own_programs()?);
        command.args(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]);
        let output = command.output().map_err(|error| not_started(&error))?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let entry = |entry: &str| {
            let (state, path) = (entry.get(..2)?, entry.get(3..)?);
            Some(Uncommitted { path: path.to_owned(), untracked: state == "??" })
        };
        Ok(text.split('\0').filter_map(entry).collect())
    }

    /// The files below this folder that are committed, or would be: what git ignores is left out.
    pub fn files(&self) -> Result<Vec<String>, Box<Diagnostic>> {
        let mut arguments =
            vec!["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--"];
        arguments.extend((!self.prefix.is_empty()).then_some(self.prefix.as_str()));
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut files: Vec<String> =
            text.split('\0').filter_map(|path| path.strip_prefix(&self.prefix)).map(str::to_owned).collect();
        files.retain(|path| !path.is_empty());
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}
