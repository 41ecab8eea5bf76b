//! A folder or a file that a reference names, and access to its contents.

use std::path::{Path, PathBuf};

use super::{FetchContext, NOT_THERE, OUTSIDE};
use crate::document::Diagnostic;
use crate::store::{Entry, Reach, Selector, Store as _, WorkTree};

/// A path of a reference, resolved. Nothing outside of it is opened, whatever a file in it says.
#[derive(Debug)]
pub struct Place {
    /// The path on disk.
    pub path: PathBuf,
    /// The path as it was named, for labels.
    pub label: String,
    files: WorkTree,
    /// Nothing above this folder is opened.
    limit: Option<PathBuf>,
    /// The file's name, if the reference names a file; the place is then its folder.
    pub file: Option<String>,
}

impl FetchContext<'_> {
    /// The path and the revision of `PATH@REVISION`. If the whole text is an existing path, it has no revision: a
    /// folder may have `@` in its name.
    pub(super) fn with_revision<'r>(&self, rest: &'r str) -> (&'r str, Option<&'r str>) {
        let is_there = |path: &str| self.folder.join(path).symlink_metadata().is_ok();
        if is_there(rest) {
            return (rest, None);
        }
        let mut ats = rest.match_indices('@').map(|(at, _)| at);
        let Some(at) = ats.clone().rfind(|at| is_there(&rest[..*at])).or_else(|| ats.next()) else {
            return (rest, None);
        };
        (if at == 0 { "." } else { &rest[..at] }, Some(&rest[at + 1..]))
    }

    /// A path in the workspace, relative to it.
    pub fn below_root(&self, path: &Path) -> Option<String> {
        let (path, root) = (path.canonicalize().ok()?, self.root.canonicalize().ok()?);
        let below = path.strip_prefix(root).ok()?.to_str()?;
        Some(below.replace('\\', "/"))
    }

    /// The file or folder at a path in the reference.
    pub fn place(&self, path: &str) -> Result<Place, Box<Diagnostic>> {
        let full = self.folder.join(path);
        let real = full.canonicalize().map_err(|error| {
            Diagnostic::new(NOT_THERE, format!("`{path}` can't be opened: {error}"))
                .help(
                    "paths are relative to the current folder; paths in a policy are relative to the policy",
                )
                .boxed()
        })?;
        let limit = match self.reach {
            Reach::Inside => Some(self.folder.canonicalize().unwrap_or_else(|_| self.folder.to_owned())),
            Reach::Anywhere => None,
        };
        if limit.as_ref().is_some_and(|limit| !real.starts_with(limit)) {
            return Err(outside(path));
        }
        let (folder, file) = if real.is_dir() {
            (real.clone(), None)
        } else {
            let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
            (real.parent().unwrap_or(Path::new(".")).to_owned(), name)
        };
        let files = WorkTree::new(&folder, Reach::Inside);
        Ok(Place { path: folder, label: path.trim_end_matches('/').to_owned(), files, limit, file })
    }
}

fn outside(path: &str) -> Box<Diagnostic> {
    let message = format!("`{path}` is outside the workspace");
    Diagnostic::new(OUTSIDE, message).help("a policy can only name paths below it").boxed()
}

impl Place {
    /// The parent folder.
    pub fn above(&self) -> Result<Self, Box<Diagnostic>> {
        let path = self.path.parent().unwrap_or(&self.path).to_owned();
        if self.limit.as_ref().is_some_and(|limit| !path.starts_with(limit)) {
            return Err(outside(&self.label));
        }
        // The reference may have named a file in it, or the folder by another name.
        let named = if self.file.is_some() {
            self.label.rsplit_once('/').map(|(folder, _)| folder)
        } else {
            Some(&*self.label)
        };
        let label = match named.and_then(|named| named.rsplit_once('/')) {
            Some((above, name)) if !matches!(name, "." | "..") => above.to_owned(),
            _ if named.is_some_and(|named| !named.contains("..") && named != ".") => ".".to_owned(),
            _ => path.display().to_string(),
        };
        let files = WorkTree::new(&path, Reach::Inside);
        Ok(Self { path, label, files, limit: self.limit.clone(), file: None })
    }

    /// The path to it from a folder above it: empty, or ending in `/`.
    pub fn below(&self, root: &Path) -> Option<String> {
        let below = self.path.strip_prefix(root.canonicalize().ok()?).ok()?;
        let below = below.to_str()?.replace('\\', "/");
        Some(if below.is_empty() { below } else { format!("{below}/") })
    }

    /// The names of the folders in it, sorted; links to folders are left out.
    pub fn folders(&self) -> Result<Vec<String>, Box<Diagnostic>> {
        let unreadable = |error: std::io::Error| {
            Diagnostic::new(NOT_THERE, format!("`{}` can't be read: {error}", self.label)).boxed()
        };
        let mut names = Vec::new();
        for entry in self.path.read_dir().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The bytes of a file in it; `None` if it does not exist. A file larger than `most` is an error.
    pub fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        if !self.has(path) {
            return Ok(None);
        }
        self.files.read(&Entry { path: path.to_owned(), blob: None }, most).map(Some)
    }

    /// Its files.
    pub fn files(&self) -> &WorkTree {
        &self.files
    }

    /// Whether it contains a file or folder at that path.
    pub fn has(&self, path: &str) -> bool {
        self.path.join(path).symlink_metadata().is_ok()
    }

    /// The paths of the files that a glob matches, in order.
    pub fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        Ok(self.files.select(&Selector::new(glob)?)?.into_iter().map(|entry| entry.path).collect())
    }

    /// The name of a file in it, for messages.
    pub fn label_of(&self, path: &str) -> String {
        match &self.file {
            Some(file) if file == path => self.label.clone(),
            Some(_) => path.to_owned(),
            None if self.label == "." => path.to_owned(),
            None => format!("{}/{path}", self.label),
        }
    }
}
