//! Shows a waiting user how far reading has got.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much has been read, and how much there is.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'r> {
    /// The path of the file or the folder.
    pub path: &'r str,
    /// Files read so far, and their total.
    pub files: (u64, u64),
    /// Bytes read so far, and their total.
    pub bytes: (u64, u64),
}

/// Receives progress updates, from several threads at once.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Reading<'_>) + Send + Sync>);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

impl Progress {
    /// Passes updates to this function; the last one comes when everything was read.
    pub fn new(tell: impl Fn(Reading<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Ignores all updates.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }
}

/// Counts the progress of reading one file or folder.
#[derive(Debug)]
pub(super) struct Counter<'c> {
    progress: &'c Progress,
    path: &'c str,
    files: (AtomicU64, u64),
    bytes: (AtomicU64, u64),
}

impl<'c> Counter<'c> {
    /// Starts counting towards a total of files and bytes.
    pub(super) fn of(progress: &'c Progress, path: &'c str, files: u64, bytes: u64) -> Self {
        Self { progress, path, files: (AtomicU64::new(0), files), bytes: (AtomicU64::new(0), bytes) }
    }

    /// Adds to what was read.
    pub(super) fn add(&self, files: u64, bytes: u64) {
        let files = self.files.0.fetch_add(files, Ordering::Relaxed) + files;
        let bytes = self.bytes.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.0(Reading {
            path: self.path,
            files: (files, self.files.1),
            bytes: (bytes, self.bytes.1),
        });
    }
}
