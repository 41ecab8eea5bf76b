//! Files, globs and folders, as the user names them.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use super::BAD_GLOB;
use crate::document::{Diagnostic, FileKind};

/// A path, a glob or a folder.
#[derive(Debug, Clone)]
pub struct Selector {
    written: String,
    matcher: Option<GlobMatcher>,
    /// The folders that a glob names or matches on the way to files.
    folders: Option<GlobSet>,
    /// Whether it selects run records.
    of_records: bool,
}

impl Selector {
    /// Parses a path, a glob or a folder. `*` and `?` stay within a folder, `**` crosses folders.
    pub fn new(written: &str) -> Result<Self, Box<Diagnostic>> {
        let written = normal(written);
        if !written.contains(['*', '?', '[', '{']) {
            return Ok(Self { written, matcher: None, folders: None, of_records: false });
        }
        let glob = GlobBuilder::new(&written).literal_separator(true).build().map_err(|error| {
            Diagnostic::new(BAD_GLOB, format!("`{written}` is not a glob: {}", error.kind()))
                .help("`*` and `?` stay within a folder, `**` crosses them, `[…]` and `{…}` choose")
                .boxed()
        })?;
        let folders = folders(&written);
        Ok(Self { written, matcher: Some(glob.compile_matcher()), folders, of_records: false })
    }

    /// Like [`Self::new`], but for run records, which are never in the folders of tools.
    pub fn of_records(written: &str) -> Result<Self, Box<Diagnostic>> {
        Ok(Self { of_records: true, ..Self::new(written)? })
    }

    /// As named, without a leading `./`.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it is a glob.
    pub fn is_glob(&self) -> bool {
        self.matcher.is_some()
    }

    /// The folder that contains all matches of a glob.
    pub(crate) fn folder(&self) -> &str {
        let literal =
            self.written.find(['*', '?', '[', '{', '\\']).map_or(&*self.written, |at| &self.written[..at]);
        literal.rfind('/').map_or("", |at| &literal[..at])
    }

    /// Whether the glob passes through this folder on the way to files: `runs/a` for `runs/*/x.json` and
    /// `runs/**/*.json`, but not for `**/x.json`, which passes through every folder.
    pub(super) fn describes_folder(&self, path: &str) -> bool {
        self.matcher.is_none() || self.folders.as_ref().is_some_and(|folders| folders.is_match(path))
    }

    /// Whether this selects the file at a path.
    pub(crate) fn names(&self, path: &str) -> bool {
        path == self.written || self.matches(path) && (self.is_glob() || is_below(path, &self.written))
    }

    /// Whether this may select files in a folder.
    pub(super) fn names_in(&self, folder: &str) -> bool {
        if self.is_glob() {
            return self.matches(folder) || self.describes_folder(folder);
        }
        folder == self.written || is_below(folder, &self.written) || is_below(&self.written, folder)
    }

    /// Whether a path below [`Self::folder`], or in the named folder, is selected.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if self.of_records && self.is_foreign(path) {
            return false;
        }
        match &self.matcher {
            Some(matcher) => matcher.is_match(path),
            None => FileKind::is_record(path),
        }
    }

    /// Whether a path is below a hidden folder, or one of installed packages, that the pattern does not name:
    /// `**/*.json` never selects `.venv/…` or `.github/…`.
    fn is_foreign(&self, path: &str) -> bool {
        let mut folders = path.split('/');
        folders.next_back();
        let is_other = |folder: &str| folder.starts_with('.') || INSTALLED.contains(&folder);
        folders.any(|folder| is_other(folder) && !self.written.contains(folder))
    }
}

/// Folders of installed packages, whose files are not records.
const INSTALLED: [&str; 4] = ["venv", "node_modules", "site-packages", "__pycache__"];
/// The folders above the files of a glob: `a`, `a/*` and `a/*/b` for `a/*/b/*.json`. A leading `**` gives none.
fn folders(glob: &str) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for (end, _) in glob.match_indices('/') {
        let folder = &glob[..end];
        // A `/` may be inside braces; the parts around it are then not valid globs.
        if folder != "**"
            && let Ok(glob) = GlobBuilder::new(folder).literal_separator(true).build()
        {
            set.add(glob);
        }
    }
    set.build().ok()
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// `./a//b/` becomes `a/b`.
fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let absolute = if path.starts_with('/') { "/" } else { "" };
    format!("{absolute}{}", parts.join("/"))
}
