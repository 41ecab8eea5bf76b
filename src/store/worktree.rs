//! Files as they are on the disk now.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Entry, NOT_A_FILE, NOT_FOUND, OUTSIDE, Selector, Store, UNREADABLE, too_large};
use crate::document::Diagnostic;

/// How far a store reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing outside its folder is opened, whatever a path or a link says: for paths that a record or a policy
    /// names, and for files that a glob finds.
    Inside,
    /// A path is opened as it is: for what a person typed.
    Anywhere,
}

/// Opening does not wait for anything.
#[cfg(unix)]
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// A folder and what is below it.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: PathBuf,
    /// The root as a capability, opened when the first file of it is.
    folder: Arc<OnceLock<Dir>>,
    reach: Reach,
    /// What stands before a path when it is shown.
    shown: String,
}

impl WorkTree {
    /// The files below `root`.
    pub fn new(root: &Path, reach: Reach) -> Self {
        Self { root: root.to_owned(), folder: Arc::default(), reach, shown: String::new() }
    }

    /// Paths are shown as they are from `folder`, which is at or below the root.
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

    /// Opens a regular file, and tells its length. Whatever else it is, opening it does not wait: a pipe would, for its
    /// other end.
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

    fn walk(&self, folder: &str, selector: &Selector, found: &mut Vec<Entry>) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.full(folder))? {
            let entry = entry?;
            names.push((entry.file_name().to_string_lossy().into_owned(), entry.file_type()?));
        }
        names.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in names {
            let path = below(folder, &name);
            if kind.is_dir() {
                if name != ".git" {
                    self.walk(&path, selector, found)?;
                }
            } else if selector.matches(&path) {
                found.push(Entry { path, blob: None });
            }
        }
        Ok(())
    }
}

impl Store for WorkTree {
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let written = selector.written();
        let full = self.full(written);
        // A file whose name looks like a glob is still a file.
        if full.is_file() {
            return Ok(vec![Entry { path: written.to_owned(), blob: None }]);
        }
        let folder = if selector.is_glob() { selector.folder() } else { written };
        let mut found = Vec::new();
        match fs::symlink_metadata(&full) {
            Ok(kind) if !selector.is_glob() && !kind.is_dir() && !full.is_dir() => {
                // A pipe, a device, or a link to nowhere: reading it says so.
                return Ok(vec![Entry { path: written.to_owned(), blob: None }]);
            }
            _ => {}
        }
        match self.walk(folder, selector, &mut found) {
            Ok(()) => Ok(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
            Err(error) => Err(unreadable(written, &error)),
        }
    }

    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let label = self.label(&entry.path);
        let (file, length) = self.open(&entry.path).map_err(|error| unreadable(&label, &error))?;
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

/// The path of what is in a folder; the folder of the store itself has none.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn unreadable(label: &str, error: &io::Error) -> Box<Diagnostic> {
    match error.kind() {
        io::ErrorKind::NotFound => Diagnostic::new(NOT_FOUND, format!("`{label}` is not there")).boxed(),
        io::ErrorKind::IsADirectory => {
            Diagnostic::new(NOT_A_FILE, format!("`{label}` is not a regular file")).boxed()
        }
        // What cap-std answers when a path or a link leads out.
        io::ErrorKind::PermissionDenied if error.to_string().contains("outside") => {
            Diagnostic::new(OUTSIDE, format!("`{label}` leads out of the workspace"))
                .help("a link in the workspace may only lead to a file in it")
                .boxed()
        }
        _ => Diagnostic::new(UNREADABLE, format!("`{label}` can't be read: {error}")).boxed(),
    }
}
