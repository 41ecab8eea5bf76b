//! Files of the workspace: digest, size and rows, from one open handle.

use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};

use super::{FILE_MISSING, OUTSIDE, UNREADABLE};
use crate::document::{Problem, hex};
use crate::recording::{FileFact, RowCounter};

/// Bytes that are read at once.
const BUFFER: usize = 1 << 20;
/// Bytes of a file of parameters, metrics or lines.
const MOST: u64 = 8 << 20;

/// The workspace's files; nothing outside is opened, whatever a path or a link says.
#[derive(Debug)]
pub(super) struct Files(Dir);

/// By what a file that was written again is told from one that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    changed: (u64, i64, i64),
}

impl Files {
    pub(super) fn open(root: &Path) -> Result<Self, Box<Problem>> {
        Dir::open_ambient_dir(root, ambient_authority()).map(Self).map_err(|error| {
            Problem::new(UNREADABLE, format!("{} can't be read: {error}", root.display())).boxed()
        })
    }

    /// The folder itself.
    pub(super) fn dir(&self) -> &Dir {
        &self.0
    }

    /// What tells whether a file was written since; `None` where there is none.
    pub(super) fn stamp(&self, path: &str) -> Option<Stamp> {
        let meta = self.0.metadata(path).ok()?;
        Some(Stamp {
            bytes: meta.len(),
            modified: meta.modified().ok().map(cap_std::time::SystemTime::into_std),
            changed: changed(&meta),
        })
    }

    /// Digest, size and rows.
    pub(super) fn measure(&self, path: &str, what: &str) -> Result<FileFact, Box<Problem>> {
        let mut file = self.regular(path, what)?;
        let mut hasher = Sha256::new();
        let mut counter = RowCounter::of(path);
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            let read = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault(path, what, &error)),
            };
            hasher.update(&buffer[..read]);
            if let Some(counter) = &mut counter {
                counter.feed(&buffer[..read]);
            }
            bytes += read as u64;
        }
        let digest = format!("sha256:{}", hex(&hasher.finalize()));
        Ok(FileFact { path: path.to_owned(), digest, bytes, rows: counter.map(RowCounter::rows) })
    }

    /// The bytes of a small file.
    pub(super) fn read(&self, path: &str, what: &str) -> Result<Vec<u8>, Box<Problem>> {
        let mut bytes = Vec::new();
        let file = self.regular(path, what)?;
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| fault(path, what, &error))?;
        if bytes.len() as u64 > MOST {
            return Err(Problem::new(UNREADABLE, format!("the {what} `{path}` has more than {MOST} bytes"))
                .help("keep large tables in files of their own, and name them as data")
                .boxed());
        }
        Ok(bytes)
    }

    fn regular(&self, path: &str, what: &str) -> Result<cap_std::fs::File, Box<Problem>> {
        // Looked at before it is opened: opening a pipe would wait for its other end.
        let meta = self.0.metadata(path).map_err(|error| fault(path, what, &error))?;
        if meta.is_dir() {
            return Err(Problem::new(UNREADABLE, format!("the {what} `{path}` is a folder"))
                .help("name the files in it, one by one")
                .boxed());
        }
        if !meta.is_file() {
            return Err(
                Problem::new(UNREADABLE, format!("the {what} `{path}` is not a regular file")).boxed()
            );
        }
        self.0.open(path).map_err(|error| fault(path, what, &error))
    }
}

#[cfg(unix)]
fn changed(meta: &cap_std::fs::Metadata) -> (u64, i64, i64) {
    use cap_std::fs::MetadataExt;
    (meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &cap_std::fs::Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

fn fault(path: &str, what: &str, error: &io::Error) -> Box<Problem> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Problem::new(FILE_MISSING, format!("the {what} `{path}` is not there"))
                .help("paths are relative to the folder that gate is started in, and are looked up when the command has ended")
                .boxed()
        }
        // What cap-std answers when a path or a link leads out.
        io::ErrorKind::PermissionDenied if error.to_string().contains("outside") => {
            Problem::new(OUTSIDE, format!("the {what} `{path}` leads out of the workspace"))
                .help("keep the file itself inside")
                .boxed()
        }
        _ => Problem::new(UNREADABLE, format!("the {what} `{path}` can't be read: {error}")).boxed(),
    }
}
