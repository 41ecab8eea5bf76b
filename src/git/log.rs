//! The commits between two others.

use super::{Commit, Git, is_id, refused};
use crate::document::Diagnostic;

/// A commit, and which of the two sides has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Only the second of the two has it; otherwise only the first.
    pub added: bool,
}

impl Git {
    /// The commits that only one of the two has, the newest first, at most `most`. Both must be full ids: a name could
    /// be taken for an option.
    pub fn between(&self, a: &str, b: &str, most: usize) -> Result<Vec<Logged>, Box<Diagnostic>> {
        if !is_id(a) || !is_id(b) {
            return Ok(Vec::new());
        }
        let most = format!("--max-count={most}");
        let range = format!("{a}...{b}");
        let output = self.run(&[
            "-c",
            "log.showSignature=false",
            "log",
            "--left-right",
            "--no-show-signature",
            "--format=%m%H%s",
            "-z",
            &most,
            "--end-of-options",
            &range,
            "--",
        ])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |line: &str| {
            let (side, rest) = (line.get(..1)?, line.get(1..)?);
            let (id, subject) = rest.split_at_checked(a.len())?;
            Some(Logged { id: id.to_owned(), subject: subject.to_owned(), added: side == ">" })
        };
        Ok(text.split('\0').filter_map(line).collect())
    }
}

impl Git {
    /// The ids of the commits that added or changed a file, going back from one commit: the newest first, at most
    /// `most`. The path is relative to the folder.
    pub fn versions(&self, from: &Commit, path: &str, most: usize) -> Result<Vec<String>, Box<Diagnostic>> {
        let most = format!("--max-count={most}");
        let output = self.run(&[
            "--literal-pathspecs",
            "-c",
            "log.showSignature=false",
            "log",
            "--no-show-signature",
            "--diff-filter=AM",
            "--no-renames",
            "--format=%H",
            &most,
            "--end-of-options",
            &from.id,
            "--",
            path,
        ])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}
