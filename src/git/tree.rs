//! What git knows about the files on disk.

use std::io::Write as _;
use std::process::Stdio;

use super::{Git, not_started, refused};
use crate::document::Diagnostic;

/// A file that differs from the checked-out commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncommitted {
    /// Its path, from the top of the repository.
    pub path: String,
    /// It is not tracked.
    pub untracked: bool,
}

/// An index entry that need not be in the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialEntry {
    /// Its path, relative to this folder.
    pub path: String,
    /// Why it need not be there.
    pub kind: IndexKind,
}

/// Why an index entry need not be in the working tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// A sparse checkout left it out.
    LeftOut,
    /// It is another repository.
    Submodule,
}

/// The rule that ignores a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredBy {
    /// The file and the line of the rule: `.gitignore:3`.
    pub place: String,
    /// The pattern.
    pub pattern: String,
}

impl Git {
    /// The branch that is checked out, if one is.
    pub fn branch(&self) -> Option<String> {
        let output = self.run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok()?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !name.is_empty()).then_some(name)
    }

    /// Everything in the working tree that differs from the checked-out commit, except ignored files.
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

    /// The wanted files below this folder that are tracked or could be added; ignored files are left out.
    pub fn files(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Box<Diagnostic>> {
        let listed = self.ls_files(&["--cached", "--others", "--exclude-standard", "--deduplicate"])?;
        let below = listed.split('\0').filter_map(|path| path.strip_prefix(&self.prefix));
        let mut files: Vec<String> =
            below.filter(|path| !path.is_empty() && wanted(path)).map(str::to_owned).collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }

    /// The index entries below this folder that need not be in the working tree.
    pub fn special_index_entries(&self) -> Result<Vec<SpecialEntry>, Box<Diagnostic>> {
        // Each line is `S 100644 ID 0<tab>PATH`, where `S` marks entries that a sparse checkout left out.
        let listed = self.ls_files(&["-t", "--stage", "--cached"])?;
        let entry = |line: &str| {
            let (before, path) = line.split_once('\t')?;
            let mut words = before.split(' ');
            let (tag, mode) = (words.next()?, words.next()?);
            let kind = match (tag, mode) {
                (_, "160000") => IndexKind::Submodule,
                ("S", _) => IndexKind::LeftOut,
                _ => return None,
            };
            Some(SpecialEntry { path: path.strip_prefix(&self.prefix)?.to_owned(), kind })
        };
        Ok(listed.split('\0').filter_map(entry).collect())
    }

    fn ls_files(&self, options: &[&str]) -> Result<String, Box<Diagnostic>> {
        let mut arguments = vec!["ls-files", "-z"];
        arguments.extend(options);
        arguments.push("--");
        arguments.extend((!self.prefix.is_empty()).then_some(self.prefix.as_str()));
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The rule that makes git ignore a file, if there is one. A tracked file is never ignored.
    pub fn ignored_by(&self, path: &str) -> Option<IgnoredBy> {
        let path = format!("{}{path}", self.prefix);
        // This command does not support literal pathspecs, and does not treat paths as patterns.
        let mut command = self.command();
        command.env_remove("GIT_LITERAL_PATHSPECS").args(["check-ignore", "--verbose", "-z", "--stdin"]);
        let mut asked =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        // Git reads one short line before it answers, so neither side waits for the other.
        asked.stdin.take()?.write_all(format!("{path}\0").as_bytes()).ok()?;
        let output = asked.wait_with_output().ok()?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let mut fields = answer.split('\0');
        let (file, line, pattern) = (fields.next()?, fields.next()?, fields.next()?);
        // A pattern that starts with `!` re-includes the file.
        let ignored = output.status.success() && !pattern.starts_with('!');
        ignored.then(|| IgnoredBy { place: format!("{file}:{line}"), pattern: pattern.to_owned() })
    }
}
