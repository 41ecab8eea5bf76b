//! Files, globs and folders, as a person names them.

use globset::{GlobBuilder, GlobMatcher};

use super::BAD_GLOB;
use crate::document::{Diagnostic, FileKind};

/// What a person named.
#[derive(Debug, Clone)]
pub struct Selector {
    written: String,
    matcher: Option<GlobMatcher>,
    /// It is of run records.
    of_records: bool,
}

impl Selector {
    /// Takes a path, a glob or a folder. `*` and `?` stay within a folder, `**` crosses them.
    pub fn new(written: &str) -> Result<Self, Box<Diagnostic>> {
        let written = normal(written);
        let matcher = if written.contains(['*', '?', '[', '{']) {
            let glob = GlobBuilder::new(&written).literal_separator(true).build().map_err(|error| {
                Diagnostic::new(BAD_GLOB, format!("`{written}` is not a glob: {}", error.kind()))
                    .help("`*` and `?` stay within a folder, `**` crosses them, `[…]` and `{…}` choose")
                    .boxed()
            })?;
            Some(glob.compile_matcher())
        } else {
            None
        };
        Ok(Self { written, matcher, of_records: false })
    }

    /// The same of run records, which are not in folders of tools.
    pub fn of_records(written: &str) -> Result<Self, Box<Diagnostic>> {
        Ok(Self { of_records: true, ..Self::new(written)? })
    }

    /// As it was named, without a `./` in front.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it is a glob.
    pub fn is_glob(&self) -> bool {
        self.matcher.is_some()
    }

    /// The folder below which all matches of a glob lie.
    pub(super) fn folder(&self) -> &str {
        let literal =
            self.written.find(['*', '?', '[', '{', '\\']).map_or(&*self.written, |at| &self.written[..at]);
        literal.rfind('/').map_or("", |at| &literal[..at])
    }

    /// Whether a path below [`Self::folder`], or in the folder that was named, is meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        if self.of_records && self.is_foreign(path) {
            return false;
        }
        match &self.matcher {
            Some(matcher) => matcher.is_match(path),
            None => FileKind::is_record(path),
        }
    }

    /// Whether a path is below a hidden folder, or one of installed packages, that the pattern does not name: `**/*.json`
    /// never means `.venv/…` or `.github/…`.
    fn is_foreign(&self, path: &str) -> bool {
        let mut folders = path.split('/');
        folders.next_back();
        let is_other = |folder: &str| folder.starts_with('.') || INSTALLED.contains(&folder);
        folders.any(|folder| is_other(folder) && !self.written.contains(folder))
    }
}

/// Folders of packages, whose files are no records.
const INSTALLED: [&str; 4] = ["venv", "node_modules", "site-packages", "__pycache__"];

/// `./a//b/` is `a/b`.
fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let absolute = if path.starts_with('/') { "/" } else { "" };
    format!("{absolute}{}", parts.join("/"))
}
