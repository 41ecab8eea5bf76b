//! What git knows of the files on the disk.

use super::{Git, refused};
use crate::document::Diagnostic;

/// A file that is not as the checked-out commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncommitted {
    /// Its path, from the top of the repository.
    pub path: String,
    /// No commit knows it.
    pub untracked: bool,
}

/// A file-system monitor is a program that the repository names.
const QUIETLY: [&str; 2] = ["-c", "core.fsmonitor=false"];

impl Git {
    /// The branch that is checked out, if one is.
    pub fn branch(&self) -> Option<String> {
        let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok()?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !name.is_empty()).then_some(name)
    }

    /// Everything in the working tree that is not as the checked-out commit has it; what git ignores is left out.
    pub fn uncommitted(&self) -> Result<Vec<Uncommitted>, Box<Diagnostic>> {
        let [option, value] = QUIETLY;
        let arguments = [option, value, "status", "--porcelain=v1", "-z", "--untracked-files=all"];
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut entries = text.split('\0').filter(|entry| !entry.is_empty());
        let mut uncommitted = Vec::new();
        while let Some(entry) = entries.next() {
            let (Some(state), Some(path)) = (entry.get(..2), entry.get(3..)) else { continue };
            // The name that it had stands in an entry of its own.
            if state.contains(['R', 'C']) {
                entries.next();
            }
            uncommitted.push(Uncommitted { path: path.to_owned(), untracked: state == "??" });
        }
        Ok(uncommitted)
    }

    /// Whether git ignores a path of the working tree; it need not be there.
    pub fn ignores(&self, path: &std::path::Path) -> Result<bool, Box<Diagnostic>> {
        let path = path.to_string_lossy();
        let output = self.run(&["check-ignore", "--quiet", "--", &path])?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(refused(&output)),
        }
    }

    /// The files below this folder that are committed, or would be: what git ignores is left out.
    pub fn files(&self) -> Result<Vec<String>, Box<Diagnostic>> {
        let [option, value] = QUIETLY;
        let arguments =
            [option, value, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let mut files: Vec<String> =
            text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}
