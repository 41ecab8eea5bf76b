//! What a model is, byte for byte: a file, or a folder of files by their names.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{CHANGED, LFS, UNREADABLE};
use crate::document::{Diagnostic, hex, sha256};
use crate::run::Digest;
use crate::source::dvc::folder_md5;

/// A pointer of Git LFS, which a checkout without git-lfs has in place of a large file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LfsPointer {
    /// The SHA-256 of the file itself.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
}

/// Bytes that a pointer of Git LFS has at most.
pub const LFS_POINTER: usize = 1024;

/// Reads a pointer of Git LFS (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>); `None` where it is none.
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

/// What to do where there is a pointer in place of a file.
pub const FETCH_LFS: &str = "run `git lfs pull`; in actions/checkout, set `lfs: true`";

/// Bytes that are read at once.
const BUFFER: usize = 1 << 20;
/// Files of a folder.
const MOST_FILES: usize = 100_000;
/// Folders within each other.
const DEEPEST: usize = 64;

/// A file or a folder that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// Of a file its SHA-256, of a folder that of its manifest, in hexadecimal digits.
    pub sha256: String,
    /// Bytes of all that was read.
    pub bytes: u64,
    /// Of a folder: each file with its SHA-256 and its size, in order of their paths.
    pub manifest: Option<Vec<(String, String, u64)>>,
    /// The digest by the algorithm that was asked for.
    pub asked: Option<Digest>,
}

impl Hashed {
    /// What it is: `file` or `folder`.
    pub fn sort(&self) -> &'static str {
        if self.manifest.is_some() { "folder" } else { "file" }
    }

    /// Of a folder, the list of its files as `sha256sum` prints it: what its digest is of.
    pub fn list(&self) -> String {
        let files = self.manifest.iter().flatten();
        files.map(|(path, digest, _)| format!("{digest}  {path}\n")).collect()
    }
}

/// Reads a file or a folder below a folder; a link may not lead out of it.
pub fn hash_below(folder: &Dir, path: &str, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
    let meta = folder.metadata(path).map_err(|error| unreadable(path, &error))?;
    if meta.is_dir() {
        if folder.symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
            let message = format!("`{path}` is a symbolic link to a folder");
            return Err(Diagnostic::new(UNREADABLE, message).help("name the folder itself").boxed());
        }
        let folder = folder.open_dir(path).map_err(|error| unreadable(path, &error))?;
        return hash_folder(&folder, path, asked);
    }
    hash_file(open(folder, path)?, path, asked)
}

/// Reads a file or a folder that a person named; a link to a file is followed.
pub fn hash_named(path: &Path, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
    let label = path.display().to_string();
    let meta = std::fs::metadata(path).map_err(|error| unreadable(&label, &error))?;
    if meta.is_dir() {
        let folder =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| unreadable(&label, &error))?;
        return hash_folder(&folder, &label, asked);
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
    hash_file(options.open(path).map_err(|error| unreadable(&label, &error))?, &label, asked)
}

/// Opening a pipe would wait for its other end.
#[cfg(unix)]
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

fn open(folder: &Dir, path: &str) -> Result<File, Box<Diagnostic>> {
    let mut options = cap_std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NO_WAITING);
    folder
        .open_with(path, &options)
        .map(cap_std::fs::File::into_std)
        .map_err(|error| unreadable(path, &error))
}

/// Reads a file once, from one handle: what is hashed is what the handle holds, and that it stayed the same is looked
/// at before and after.
fn hash_file(mut file: File, label: &str, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
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
                format!("`{label}` is a pointer of Git LFS to sha256:{}, and not that file", pointer.sha256);
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
    let bytes = in_parts(&mut file, |part| {
        sha.update(part);
        if let Some(md5) = &mut md5 {
            md5.update(part);
        }
        if let Some(git) = &mut git {
            git.update(part);
        }
    })
    .map_err(|error| failed(&error))?;
    let after = file.metadata().map_err(|error| failed(&error))?;
    if state(&before) != state(&after) || bytes != after.len() {
        let message = format!("`{label}` was written to while it was read");
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

/// What changes whenever a file is written to: its size, and its times. The time of the last change (`ctime`) can't be set
/// back by who writes to the file.
#[cfg(unix)]
fn state(meta: &std::fs::Metadata) -> (u64, Option<std::time::SystemTime>, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.len(), meta.modified().ok(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn state(meta: &std::fs::Metadata) -> (u64, Option<std::time::SystemTime>) {
    (meta.len(), meta.modified().ok())
}

/// Reads to the end, part by part, and gives the number of bytes: a model may be larger than the memory.
pub fn in_parts(file: &mut impl Read, mut each: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => {
                each(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads every file of a folder. Its digest is that of the list that `sha256sum` prints of them in the order of their
/// paths, so that it covers names as well as bytes.
fn hash_folder(folder: &Dir, label: &str, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
    let mut walk =
        Walk { label, asked: asked.filter(|asked| *asked == OF_DVC).map(|_| "md5"), ..Walk::default() };
    walk.folder(folder, "", 0)?;
    let Walk { mut manifest, digests, .. } = walk;
    if manifest.is_empty() {
        return Err(Diagnostic::new(UNREADABLE, format!("the folder `{label}` holds no file")).boxed());
    }
    manifest.sort();
    let bytes = manifest.iter().map(|(_, _, bytes)| bytes).sum();
    let mut hashed = Hashed { sha256: String::new(), bytes, manifest: Some(manifest), asked: None };
    hashed.sha256 = sha256(hashed.list().as_bytes());
    hashed.asked = match asked {
        Some("sha256") => Some(Digest::new("sha256", hashed.sha256.as_str())),
        Some(OF_DVC) => Some(Digest::new(OF_DVC, folder_md5(digests))),
        _ => None,
    };
    Ok(hashed)
}

/// The algorithm by which DVC hashes a folder.
const OF_DVC: &str = "md5dir";

/// A folder on its way to its list of files.
#[derive(Default)]
struct Walk<'w> {
    label: &'w str,
    /// The algorithm by which each file is hashed beside SHA-256.
    asked: Option<&'w str>,
    manifest: Vec<(String, String, u64)>,
    /// The digest of each file by that algorithm.
    digests: Vec<(String, String)>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Dir, at: &str, depth: usize) -> Result<(), Box<Diagnostic>> {
        let label = self.label;
        for entry in folder.entries().map_err(|error| unreadable(label, &error))? {
            let entry = entry.map_err(|error| unreadable(label, &error))?;
            let kind = entry.file_type().map_err(|error| unreadable(label, &error))?;
            let name = entry.file_name();
            let path = format!("{at}{}", name.to_string_lossy());
            if name.to_str().is_none_or(|name| name.contains('\\') || name.contains(char::is_control)) {
                return Err(self.refused(&path, "has a name that a list of files can't hold"));
            }
            if kind.is_symlink() {
                return Err(self.refused(&path, "is a symbolic link"));
            }
            if kind.is_dir() {
                if depth == DEEPEST {
                    return Err(self.refused(&path, "lies too deep"));
                }
                let below = entry.open_dir().map_err(|error| unreadable(&path, &error))?;
                self.folder(&below, &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() {
                if self.manifest.len() == MOST_FILES {
                    return Err(self.refused(&path, "is one file too many"));
                }
                let file = open(folder, name.to_str().unwrap_or_default())?;
                let hashed = hash_file(file, &path, self.asked)?;
                self.digests.extend(hashed.asked.map(|digest| (path.clone(), digest.value.to_string())));
                self.manifest.push((path, hashed.sha256, hashed.bytes));
            } else {
                return Err(self.refused(&path, "is no regular file"));
            }
        }
        Ok(())
    }

    fn refused(&self, path: &str, why: &str) -> Box<Diagnostic> {
        let message = format!("the folder `{}` holds `{path}`, which {why}", self.label);
        Diagnostic::new(UNREADABLE, message)
            .help("a model folder holds regular files and folders; copy what a link leads to")
            .boxed()
    }
}

fn unreadable(label: &str, error: &io::Error) -> Box<Diagnostic> {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "look at the path; git-lfs and dvc have to fetch large files first",
        _ => "a model is a regular file, or a folder of them, inside the workspace",
    };
    Diagnostic::new(UNREADABLE, format!("`{label}` can't be read: {error}")).help(help).boxed()
}
