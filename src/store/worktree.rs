//! Files as they currently are on disk.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::walk::Walk;
use super::{Entry, NOT_A_FILE, NOT_FOUND, OUTSIDE, Selector, Store, UNREADABLE, below, refused, too_large};
use crate::document::Diagnostic;
use crate::git::Refusal;

/// How far a store reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing outside its folder is opened, whatever a path or a link says: for paths in a record or a policy, and for
    /// files that a glob finds.
    Inside,
    /// A path is opened as given: for paths that a person typed.
    Anywhere,
}

/// The flag for opening without blocking.
#[cfg(unix)]
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// A folder and what is below it.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: PathBuf,
    /// The root as a capability, opened with the first file.
    folder: Arc<OnceLock<Dir>>,
    reach: Reach,
    /// The prefix of paths in messages.
    shown: String,
}

impl WorkTree {
    /// The files below `root`.
    pub fn new(root: &Path, reach: Reach) -> Self {
        Self { root: root.to_owned(), folder: Arc::default(), reach, shown: String::new() }
    }

    /// Shows paths relative to `folder`, which is at or below the root.
    #[must_use]
    pub fn shown_from(mut self, folder: &Path) -> Self {
        if let Ok(below) = folder.strip_prefix(&self.root) {
            self.shown = "../".repeat(below.components().count());
        }
        self
    }

    fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Opens a regular file, and returns its length. Opening never blocks, as it would on a pipe without another end.
    fn open(&self, path: &str) -> io::Result<(File, u64)> {
        let file = match self.reach {
            Reach::Anywhere => {
                let mut options = fs::OpenOptions::new();
                options.read(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
                options.open(self.full(path))?
            }
            Reach::Inside => {
                let folder = match self.folder.get() {
                    Some(folder) => folder,
                    None => {
                        let opened = Dir::open_ambient_dir(&self.root, ambient_authority())?;
                        self.folder.get_or_init(|| opened)
                    }
                };
                let mut options = cap_std::fs::OpenOptions::new();
                options.read(true);
                #[cfg(unix)]
                cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
                folder.open_with(path, &options)?.into_std()
            }
        };
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "not a regular file"));
        }
        Ok((file, meta.len()))
    }

    /// Collects what the walk searches for in a folder; `real` is the folder's path without links.
    fn walk(&self, folder: &str, real: &str, walk: &mut Walk<'_>) -> Result<(), Box<Diagnostic>> {
        let failed = |error: &io::Error| unreadable(&self.label(folder), error);
        let mut names = Vec::new();
        for entry in fs::read_dir(self.full(folder)).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let kind = entry.file_type().map_err(|error| failed(&error))?;
            names.push((entry.file_name().to_string_lossy().into_owned(), kind));
        }
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in names {
            walk.visit()?;
            let (path, at) = (below(folder, &name), below(real, &name));
            if kind.is_dir() {
                if name == ".git" {
                    continue;
                }
                if self.is_submodule(&path) {
                    walk.unreadable(path, at);
                } else if walk.enter(&at, false)? {
                    self.walk(&path, &at, walk)?;
                    walk.leave();
                }
            } else if kind.is_symlink() {
                match fs::metadata(self.full(&path)) {
                    Ok(meta) if !meta.is_dir() => walk.file(path, at, None),
                    Ok(_) => match self.real(&path).filter(|_| !self.is_submodule(&path)) {
                        Some(target) => {
                            if walk.enter(&target, true)? {
                                self.walk(&path, &target, walk)?;
                                walk.leave();
                            }
                        }
                        None => walk.unreadable(path, at),
                    },
                    Err(_) => walk.unreadable(path, at),
                }
            } else {
                walk.file(path, at, None);
            }
        }
        Ok(())
    }

    /// Says why a file can't be read, mentioning any link involved.
    fn unreadable(&self, path: &str, error: &io::Error) -> Box<Diagnostic> {
        let label = self.label(path);
        if self.is_submodule(path) {
            return refused(&label, &Refusal::Submodule);
        }
        let Ok(target) = fs::read_link(self.full(path)) else { return unreadable(&label, error) };
        let target = target.to_string_lossy().into_owned();
        match fs::metadata(self.full(path)) {
            Err(_) => refused(&label, &Refusal::BrokenLink { target }),
            Ok(_) if leads_out(error) => refused(&label, &Refusal::Outside { target }),
            Ok(_) => unreadable(&label, error),
        }
    }

    /// The path of a folder without links; `None` if it is outside of the store's reach.
    fn real(&self, path: &str) -> Option<String> {
        let (real, root) = (self.full(path).canonicalize().ok()?, self.root.canonicalize().ok()?);
        match real.strip_prefix(&root) {
            Ok(below) => Some(below.to_string_lossy().replace('\\', "/")),
            Err(_) => (self.reach == Reach::Anywhere).then(|| real.to_string_lossy().into_owned()),
        }
    }

    /// Whether a folder is the top of another repository, whose files are in no commit of this one. A path that a
    /// person typed is read anyway.
    fn is_submodule(&self, path: &str) -> bool {
        self.reach == Reach::Inside
            && !path.is_empty()
            && self.full(path).join(".git").symlink_metadata().is_ok()
            && !self.leads_to_root(path)
    }

    /// Whether a link points to the top of the workspace, or above it.
    fn leads_to_root(&self, path: &str) -> bool {
        match (self.full(path).canonicalize(), self.root.canonicalize()) {
            (Ok(real), Ok(root)) => root.starts_with(real),
            _ => false,
        }
    }
}

impl Store for WorkTree {
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let written = selector.written();
        let full = self.full(written);
        let only = |path: &str| Ok(vec![Entry { path: path.to_owned(), blob: None }]);
        // A file whose name looks like a glob is still a file.
        if full.is_file() {
            return only(written);
        }
        // A pipe, a device, or a dangling link: reading it reports that.
        if !selector.is_glob() && full.symlink_metadata().is_ok() && !full.is_dir() {
            return only(written);
        }
        let folder = if selector.is_glob() { selector.folder() } else { written };
        let above = folder.match_indices('/').map(|(end, _)| &folder[..end]).chain([folder]);
        let mut links = above.filter(|folder| !folder.is_empty());
        // An unreadable folder is not the same as an empty one.
        if let Some(odd) = links.find(|folder| {
            let is_link = self.full(folder).symlink_metadata().is_ok_and(|meta| meta.is_symlink());
            self.is_submodule(folder) || is_link && self.real(folder).is_none()
        }) {
            return only(odd);
        }
        if !self.full(folder).is_dir() {
            return Ok(Vec::new());
        }
        let real = self.real(folder).unwrap_or_else(|| folder.to_owned());
        let mut walk = Walk::new(selector);
        walk.enter(&real, false)?;
        self.walk(folder, &real, &mut walk)?;
        Ok(walk.into_entries())
    }

    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let label = self.label(&entry.path);
        let (file, length) = self.open(&entry.path).map_err(|error| self.unreadable(&entry.path, &error))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(most).min(most) + 1);
        let limit = most as u64 + 1;
        file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&label, &error))?;
        if bytes.len() > most {
            let whole = fs::metadata(self.full(&entry.path))
                .map_or(bytes.len(), |meta| usize::try_from(meta.len()).unwrap_or(usize::MAX));
            return Err(too_large(&label, whole, most));
        }
        Ok(bytes)
    }

    fn linked_folder(&self, folder: &str, levels: usize) -> Result<Option<String>, Box<Diagnostic>> {
        let entries = match fs::read_dir(self.full(folder)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(unreadable(folder, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(folder, &error))?;
            let kind = entry.file_type().map_err(|error| unreadable(folder, &error))?;
            let path = below(folder, &entry.file_name().to_string_lossy());
            if kind.is_symlink() && !entry.path().is_file() {
                return Ok(Some(path));
            }
            if kind.is_dir()
                && levels > 1
                && let Some(link) = self.linked_folder(&path, levels - 1)?
            {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    fn label(&self, path: &str) -> String {
        format!("{}{path}", self.shown)
    }
}

fn unreadable(label: &str, error: &io::Error) -> Box<Diagnostic> {
    match error.kind() {
        io::ErrorKind::NotFound => Diagnostic::new(NOT_FOUND, format!("`{label}` was not found")).boxed(),
        io::ErrorKind::IsADirectory => {
            Diagnostic::new(NOT_A_FILE, format!("`{label}` is not a regular file")).boxed()
        }
        _ if leads_out(error) => Diagnostic::new(OUTSIDE, format!("`{label}` is outside the workspace"))
            .help("a link in the workspace may only point to a file in it")
            .boxed(),
        _ => Diagnostic::new(UNREADABLE, format!("`{label}` can't be read: {error}")).boxed(),
    }
}

/// Whether this is cap-std's error for a path or link that leaves the folder.
fn leads_out(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.to_string().contains("outside")
}
