//! Files in the workspace: their digest, size and rows, measured through a single open handle.

use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};

use super::progress::{Counter, Progress};
use super::{FILE_MISSING, OUTSIDE, STOPPED, UNREADABLE};
use crate::document::{Diagnostic, hex};
use crate::facts::{Watch, files_below, hash_below, hash_watched};
use crate::process::StopSignal;
use crate::recording::{FileFact, RowCounter};

/// Bytes read at once.
const BUFFER: usize = 1 << 20;
/// Maximum size in bytes of a file of parameters, metrics or lines.
const MOST: u64 = 8 << 20;
/// The start of a git-lfs pointer file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The workspace's files; nothing outside is opened, whatever a path or a link says.
#[derive(Debug)]
pub(super) struct Files {
    dir: Dir,
    /// Stops reading a large file when signalled.
    told: Option<StopSignal>,
    progress: Progress,
}

/// A time on the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(i64, i64);

/// Metadata that shows whether a file was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    changed: (u64, i64, i64),
}

/// The stamps of all files in a data folder, or the stamp of a single file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataStamp(Vec<(String, Stamp)>);

impl Files {
    pub(super) fn open(root: &Path) -> Result<Self, Box<Diagnostic>> {
        match Dir::open_ambient_dir(root, ambient_authority()) {
            Ok(dir) => Ok(Self { dir, told: None, progress: Progress::silent() }),
            Err(error) => {
                Err(Diagnostic::new(UNREADABLE, format!("{} can't be read: {error}", root.display())).boxed())
            }
        }
    }

    /// Makes reading stop on a stop signal, and report its progress.
    pub(super) fn until(self, told: &StopSignal, progress: &Progress) -> Self {
        Self { told: Some(told.clone()), progress: progress.clone(), ..self }
    }

    fn is_stopped(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.stop().is_some())
    }

    /// The current time on this file system's clock: a file changed later is not older than this.
    pub(super) fn now(&self) -> Tick {
        let probe = cap_tempfile(&self.dir).and_then(|file| file.metadata());
        probe.map_or_else(|_| Tick(jiff::Timestamp::now().as_second() - 1, 0), |meta| tick(&meta))
    }

    /// Whether a file was changed or moved here since then.
    pub(super) fn changed_since(&self, path: &str, then: Tick) -> bool {
        self.dir.metadata(path).is_ok_and(|meta| tick(&meta) >= then)
    }

    /// Whether a file is a git-lfs pointer instead of the data.
    pub(super) fn is_pointer(&self, path: &str) -> bool {
        let start = self.regular(path, "data").and_then(|file| {
            let mut start = Vec::new();
            file.take(POINTER.len() as u64)
                .read_to_end(&mut start)
                .map_err(|error| fault(path, "data", &error))?;
            Ok(start)
        });
        start.is_ok_and(|start| start == POINTER)
    }

    /// The folder itself.
    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The metadata that shows whether a file was rewritten; `None` if it does not exist.
    pub(super) fn stamp(&self, path: &str) -> Option<Stamp> {
        let meta = self.dir.metadata(path).ok()?;
        Some(Stamp {
            bytes: meta.len(),
            modified: meta.modified().ok().map(cap_std::time::SystemTime::into_std),
            changed: changed(&meta),
        })
    }

    /// Measures a file: digest, size and rows.
    pub(super) fn measure(&self, path: &str, what: &str) -> Result<FileFact, Box<Diagnostic>> {
        let mut file = self.regular(path, what)?;
        let mut hasher = Sha256::new();
        let mut counter = RowCounter::of(path);
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        let all = file.metadata().map(|meta| meta.len()).unwrap_or_default();
        let seen = Counter::of(&self.progress, path, 1, all);
        loop {
            if self.is_stopped() {
                return Err(stopped(path));
            }
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
            seen.add(0, read as u64);
        }
        seen.add(1, 0);
        let digest = format!("sha256:{}", hex(&hasher.finalize()));
        Ok(FileFact {
            path: path.to_owned(),
            digest,
            bytes,
            rows: counter.and_then(RowCounter::rows),
            list: None,
        })
    }

    /// Whether a path is a folder.
    pub(super) fn is_folder(&self, path: &str) -> bool {
        self.dir.metadata(path).is_ok_and(|meta| meta.is_dir())
    }

    /// Digest and size of a model folder, and the first file in it that is older than `then`.
    pub(super) fn measure_folder(
        &self,
        path: &str,
        then: Tick,
    ) -> Result<(FileFact, Option<String>), Box<Diagnostic>> {
        let hashed = hash_below(&self.dir, path, None)?;
        let mut files = hashed.manifest.iter().flatten().map(|(file, _, _)| format!("{path}/{file}"));
        let older = files.find(|file| !self.changed_since(file, then));
        let digest = format!("sha256:{}", hashed.sha256);
        Ok((FileFact { path: path.to_owned(), digest, bytes: hashed.bytes, rows: None, list: None }, older))
    }

    /// Measures a data file or folder, which must exist.
    pub(super) fn measure_data(&self, path: &str, role: &str) -> Result<FileFact, Box<Diagnostic>> {
        if self.is_folder(path) {
            return self.measure_data_folder(path);
        }
        if self.is_pointer(path) {
            let message = format!("the data file `{path}` is a Git LFS pointer, not the data");
            return Err(Diagnostic::new(UNREADABLE, message)
                .help("fetch the data first: git lfs pull")
                .boxed());
        }
        self.measure(path, role)
    }

    fn measure_data_folder(&self, path: &str) -> Result<FileFact, Box<Diagnostic>> {
        let sizes = |file: &String| self.dir.metadata(format!("{path}/{file}")).map_or(0, |meta| meta.len());
        let files = self.files_of(path)?;
        let bytes = files.iter().map(sizes).sum();
        let seen = Counter::of(&self.progress, path, files.len() as u64, bytes);
        let watch: Watch<'_> = &|files, bytes| {
            seen.add(files, bytes);
            !self.is_stopped()
        };
        let hashed = hash_watched(&self.dir, path, None, watch)
            .map_err(|problem| if self.is_stopped() { stopped(path) } else { as_unreadable(problem) })?;
        let (digest, list) = (format!("sha256:{}", hashed.sha256), Some(hashed.list()));
        Ok(FileFact { path: path.to_owned(), digest, bytes: hashed.bytes, rows: None, list })
    }

    fn files_of(&self, path: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let folder = self.dir.open_dir(path).map_err(|error| fault(path, "data", &error))?;
        let mut files = files_below(&folder, path).map_err(as_unreadable)?;
        files.sort();
        Ok(files)
    }

    /// The metadata that shows whether a file, or any file in a folder, was rewritten; `None` if it does not exist.
    pub(super) fn data_stamp(&self, path: &str) -> Option<DataStamp> {
        if !self.is_folder(path) {
            return self.stamp(path).map(|stamp| DataStamp(vec![(String::new(), stamp)]));
        }
        let stamped = |file: String| {
            let stamp = self.stamp(&format!("{path}/{file}"))?;
            Some((file, stamp))
        };
        self.files_of(path).ok()?.into_iter().map(stamped).collect::<Option<_>>().map(DataStamp)
    }

    /// The bytes of a small file.
    pub(super) fn read(&self, path: &str, what: &str) -> Result<Vec<u8>, Box<Diagnostic>> {
        let mut bytes = Vec::new();
        let file = self.regular(path, what)?;
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| fault(path, what, &error))?;
        if bytes.len() as u64 > MOST {
            return Err(Diagnostic::new(
                UNREADABLE,
                format!("the {what} `{path}` has more than {MOST} bytes"),
            )
            .help("keep large tables in separate files, and name them as data")
            .boxed());
        }
        Ok(bytes)
    }

    fn regular(&self, path: &str, what: &str) -> Result<cap_std::fs::File, Box<Diagnostic>> {
        // Check before opening: opening a pipe would block until its other end is opened.
        let meta = self.dir.metadata(path).map_err(|error| fault(path, what, &error))?;
        if meta.is_dir() {
            return Err(Diagnostic::new(UNREADABLE, format!("the {what} `{path}` is a folder"))
                .help("name a file in it")
                .boxed());
        }
        if !meta.is_file() {
            return Err(
                Diagnostic::new(UNREADABLE, format!("the {what} `{path}` is not a regular file")).boxed()
            );
        }
        self.dir.open(path).map_err(|error| fault(path, what, &error))
    }
}

#[cfg(unix)]
fn changed(meta: &cap_std::fs::Metadata) -> (u64, i64, i64) {
    use cap_std::fs::MetadataExt;
    (meta.ino(), meta.ctime(), meta.ctime_nsec())
}

/// When a file's contents, name or permissions last changed; only the system's clock sets this time.
#[cfg(unix)]
fn tick(meta: &cap_std::fs::Metadata) -> Tick {
    use cap_std::fs::MetadataExt;
    Tick(meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn tick(meta: &cap_std::fs::Metadata) -> Tick {
    let time = meta.modified().ok().map(cap_std::time::SystemTime::into_std);
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    Tick(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

/// An unnamed file in a folder, deleted when it is closed.
fn cap_tempfile(dir: &Dir) -> io::Result<cap_std::fs::File> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("{}{}", crate::atomic::NEIGHBOUR, hex(&random));
    let file = dir.open_with(&name, cap_std::fs::OpenOptions::new().write(true).create_new(true))?;
    dir.remove_file(&name)?;
    Ok(file)
}

#[cfg(not(unix))]
fn changed(_: &cap_std::fs::Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

fn stopped(path: &str) -> Box<Diagnostic> {
    Diagnostic::new(STOPPED, format!("stopped while `{path}` was read")).boxed()
}

/// Reports an error in a data folder as unreadable.
fn as_unreadable(problem: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: UNREADABLE.into(), ..*problem }.boxed()
}

fn fault(path: &str, what: &str, error: &io::Error) -> Box<Diagnostic> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Diagnostic::new(FILE_MISSING, format!("the {what} `{path}` does not exist"))
                .help(
                    "paths are relative to the current folder, and are looked up after the command has ended",
                )
                .boxed()
        }
        // cap-std's error for a path or a link that leaves the folder.
        io::ErrorKind::PermissionDenied if error.to_string().contains("outside") => {
            Diagnostic::new(OUTSIDE, format!("the {what} `{path}` is outside the workspace"))
                .help("keep the file itself inside")
                .boxed()
        }
        _ => Diagnostic::new(UNREADABLE, format!("the {what} `{path}` can't be read: {error}")).boxed(),
    }
}
