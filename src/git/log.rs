//! The commits between two others, and those that changed a file.

use jiff::Timestamp;

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

/// The author of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name, as the commit has it.
    pub name: String,
    /// When the change was made.
    pub at: Option<Timestamp>,
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
        let text =
            self.log_of_file(from, path, &["--diff-filter=AM", "--no-renames", "--format=%H", &most])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Who last changed a file, going back from one commit; `None` if no commit of this clone did. The path is relative
    /// to the folder.
    pub fn author(&self, from: &Commit, path: &str) -> Result<Option<Author>, Box<Diagnostic>> {
        // The `.mailmap` on disk belongs to the change.
        let options = ["--no-mailmap", "--max-count=1", "--format=%an%x00%at%x00%P"];
        let text = self.log_of_file(from, path, &options)?;
        let mut fields = text.trim_end_matches('\n').split('\0');
        let (Some(name), Some(seconds), Some(parents)) = (fields.next(), fields.next(), fields.next()) else {
            return Ok(None);
        };
        // The oldest commit of a shallow clone seems to add every file that it has.
        if name.is_empty() || self.is_shallow() && parents.is_empty() {
            return Ok(None);
        }
        let at = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Some(Author { name: name.to_owned(), at }))
    }

    /// What `git log` says about a file, going back from one commit. The path is relative to the folder.
    fn log_of_file(&self, from: &Commit, path: &str, options: &[&str]) -> Result<String, Box<Diagnostic>> {
        let path = format!("{}{path}", self.prefix);
        let before =
            ["--literal-pathspecs", "-c", "log.showSignature=false", "log", "--no-show-signature"].as_slice();
        let output = self.run(&[before, options, &["--end-of-options", &from.id, "--", &path]].concat())?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
