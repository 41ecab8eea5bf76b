//! The exact contents of a model: a file, or a folder of named files.

use std::fs::File;
use std::io::{self, Read, Seek as _};

use cap_std::fs::Dir;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{CHANGED, LFS, STOPPED, UNREADABLE};
use crate::document::{Diagnostic, hex};
use crate::run::Digest;

/// A Git LFS pointer, which replaces a large file in a checkout without git-lfs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LfsPointer {
    /// The SHA-256 of the actual file.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Maximum size in bytes of a Git LFS pointer.
pub const LFS_POINTER: usize = 1024;

/// Parses a Git LFS pointer (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>); `None` if it is not one.
pub fn lfs_pointer(bytes: &[u8]) -> Option<LfsPointer> {
    let text = std::str::from_utf8(bytes.get(..bytes.len().min(LFS_POINTER))?).ok()?;
    if bytes.len() > LFS_POINTER || !text.starts_with("version https://git-lfs.github.com/spec/") {
        return None;
    }
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let sha256 = value("oid sha256:")?;
    let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = value("size ")?.parse().ok()?;
    is_digest.then(|| LfsPointer { sha256: sha256.to_ascii_lowercase(), bytes })
}

/// What to do about a pointer in place of a file.
pub const FETCH_LFS: &str = "run `git lfs pull`; in actions/checkout, set `lfs: true`";

/// Bytes read at once.
const BUFFER: usize = 1 << 20;
/// The buffer size for a small file.
const SMALL_BUFFER: usize = 1 << 12;
/// A hashed file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The SHA-256 of the file, or of the folder's manifest, in hexadecimal digits.
    pub sha256: String,
    /// The total number of bytes.
    pub bytes: u64,
    /// For a folder: each file with its SHA-256 and size, sorted by path.
    pub manifest: Option<Vec<(String, String, u64)>>,
    /// The digest by the requested algorithm.
    pub asked: Option<Digest>,
}

impl Hashed {
    /// The type: `file` or `folder`.
    pub fn sort(&self) -> &'static str {
        if self.manifest.is_some() { "folder" } else { "file" }
    }

    /// For a folder, its files as listed by `sha256sum`: the text that its digest covers.
    pub fn list(&self) -> String {
        let files = self.manifest.iter().flatten();
        files.map(|(path, digest, _)| format!("{digest}  {path}\n")).collect()
    }
}

/// Receives progress while reading: the number of additional files and bytes. Returning false stops reading.
pub type Watch<'w> = &'w (dyn Fn(u64, u64) -> bool + Sync);

/// Opening a pipe would block until its other end is opened.
#[cfg(unix)]
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

pub(super) fn open(folder: &Dir, path: &str) -> Result<File, Box<Diagnostic>> {
    let mut options = cap_std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
    folder
        .open_with(path, &options)
        .map(cap_std::fs::File::into_std)
        .map_err(|error| unreadable(path, &error))
}

/// Opens a file that the user named, following links.
pub(super) fn open_named(path: &std::path::Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
    options.open(path)
}

/// Hashes a file in one pass through one handle; its state is compared before and after, to be sure that it did not
/// change.
pub(super) fn hash_file(
    mut file: File,
    label: &str,
    asked: Option<&str>,
    watch: Watch<'_>,
) -> Result<Hashed, Box<Diagnostic>> {
    let failed = |error: &io::Error| unreadable(label, error);
    let before = file.metadata().map_err(|error| failed(&error))?;
    if !before.is_file() {
        let message = format!("`{label}` is neither a file nor a folder");
        return Err(Diagnostic::new(UNREADABLE, message)
            .help("a model is a regular file, or a folder of them")
            .boxed());
    }
    if before.len() <= LFS_POINTER as u64 {
        let mut start = Vec::new();
        file.by_ref().take(LFS_POINTER as u64 + 1).read_to_end(&mut start).map_err(|error| failed(&error))?;
        if let Some(pointer) = lfs_pointer(&start) {
            let message =
                format!("`{label}` is a Git LFS pointer to sha256:{}, not that file", pointer.sha256);
            return Err(Diagnostic::new(LFS, message).help(FETCH_LFS).boxed());
        }
        file.seek(io::SeekFrom::Start(0)).map_err(|error| failed(&error))?;
    }
    let mut sha = Sha256::new();
    let mut md5 = (asked == Some("md5")).then(Md5::new);
    let mut git = (asked == Some("git")).then(Sha1::new);
    if let Some(git) = &mut git {
        git.update(format!("blob {}\0", before.len()));
    }
    let mut watched = true;
    let bytes = in_parts(&mut file, before.len(), |part| {
        watched = watched && watch(0, part.len() as u64);
        if !watched {
            return false;
        }
        sha.update(part);
        if let Some(md5) = &mut md5 {
            md5.update(part);
        }
        if let Some(git) = &mut git {
            git.update(part);
        }
        true
    })
    .map_err(|error| failed(&error))?;
    if !(watched && watch(1, 0)) {
        return Err(Diagnostic::new(STOPPED, format!("stopped while `{label}` was read")).boxed());
    }
    let after = file.metadata().map_err(|error| failed(&error))?;
    if state(&before) != state(&after) || bytes != after.len() {
        let message = format!("`{label}` was changed while it was read");
        return Err(Diagnostic::new(CHANGED, message).help("wait until training is done").boxed());
    }
    let sha256 = hex(&sha.finalize());
    let asked = match asked {
        Some("sha256") => Some(Digest::new("sha256", sha256.as_str())),
        Some("md5") => md5.map(|md5| Digest::new("md5", hex(&md5.finalize()))),
        Some("git") => git.map(|git| Digest::new("git", hex(&git.finalize()))),
        _ => None,
    };
    Ok(Hashed { sha256, bytes, manifest: None, asked })
}

/// The state that changes with every write to a file: its size and times. The change time (`ctime`) can't be reset by
/// the writer.
#[cfg(unix)]
fn state(meta: &std::fs::Metadata) -> (u64, Option<std::time::SystemTime>, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.len(), meta.modified().ok(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn state(meta: &std::fs::Metadata) -> (u64, Option<std::time::SystemTime>) {
    (meta.len(), meta.modified().ok())
}

/// Reads in chunks to the end, or until `each` returns false, and returns the number of bytes: a model may be larger
/// than memory. A small file of `expected` bytes needs no large buffer.
pub fn in_parts(file: &mut impl Read, expected: u64, mut each: impl FnMut(&[u8]) -> bool) -> io::Result<u64> {
    let mut buffer = vec![0; usize::try_from(expected).unwrap_or(BUFFER).clamp(SMALL_BUFFER, BUFFER)];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                bytes += read as u64;
                if !each(&buffer[..read]) {
                    return Ok(bytes);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub(super) fn unreadable(label: &str, error: &io::Error) -> Box<Diagnostic> {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "check the path; large files in git-lfs or dvc must be fetched first",
        _ => "a model is a regular file, or a folder of them, inside the workspace",
    };
    Diagnostic::new(UNREADABLE, format!("`{label}` can't be read: {error}")).help(help).boxed()
}
