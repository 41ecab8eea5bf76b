//! The tags of a repository, and other references to its commits.

use super::{Git, refused};
use crate::document::Diagnostic;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// The commit that it points to.
    pub commit: String,
    /// When it was created, in seconds; for a lightweight tag, the time of its commit.
    pub time: i64,
}

const FORMAT: &str = "--format=%(refname:strip=2)%09%(objectname)%09%(*objectname)%09%(creatordate:unix)";

impl Git {
    /// All tags whose names start with a prefix, unordered.
    pub fn tags(&self, prefix: &str) -> Result<Vec<Tag>, Box<Diagnostic>> {
        let output = self.run(&["for-each-ref", FORMAT, "refs/tags/"])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let tag = |line: &str| {
            let mut parts = line.split('\t');
            let (name, object, behind) = (parts.next()?, parts.next()?, parts.next()?);
            let commit = if behind.is_empty() { object } else { behind };
            let time = parts.next().and_then(|time| time.parse().ok()).unwrap_or_default();
            Some(Tag { name: name.to_owned(), commit: commit.to_owned(), time })
        };
        Ok(text.lines().filter_map(tag).filter(|tag| tag.name.starts_with(prefix)).collect())
    }

    /// The full names of references in a namespace, such as `refs/exps/`.
    pub fn references_below(&self, folder: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let output = self.run(&["for-each-ref", "--format=%(refname)", folder])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// The full names of branches, tags and other references from which a commit can be reached.
    pub fn references_to(&self, commit: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let contains = format!("--contains={commit}");
        let output = self.run(&["for-each-ref", "--format=%(refname)", &contains])?;
        if !output.status.success() {
            return Err(refused(&output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}
