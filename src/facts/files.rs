//! The size and digest of a file, read once through one open handle.

use std::io::{self, Read, Seek as _};

use cap_std::fs::Dir;
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::hash::hash_below;
use super::hashed::{FETCH_LFS, LFS_POINTER, LfsPointer, in_parts, lfs_pointer};
use crate::rule::{FileFacts, FileFault};
use crate::run::Digest;

/// The facts about a file below `folder`. A path or link that leaves the folder is refused.
pub(super) fn facts(folder: &Dir, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    if folder.metadata(path).is_ok_and(|meta| meta.is_dir()) {
        return folder_facts(folder, path, algorithm);
    }
    let (mut file, size) = open(folder, path)?;
    if let Some(pointer) = pointer(&mut file, size)? {
        return of_pointer(&pointer, algorithm);
    }
    let Some(algorithm) = algorithm else { return Ok(FileFacts { bytes: size, digest: None, list: None }) };
    let (bytes, value) = match algorithm {
        "sha256" => hash::<Sha256>(&mut file, size, None),
        "md5" => hash::<Md5>(&mut file, size, None),
        "git" => hash::<Sha1>(&mut file, size, Some(format!("blob {size}\0"))),
        "" => return Err(FileFault::Algorithm("by an algorithm that is not named".into())),
        other => return Err(FileFault::Algorithm(format!("`{other}`"))),
    }
    .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(FileFacts { bytes, digest: Some(Digest::new(algorithm, value)), list: None })
}

/// The facts in a Git LFS pointer, which identifies the actual file by its SHA-256.
fn of_pointer(pointer: &LfsPointer, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    match algorithm {
        None => Ok(FileFacts { bytes: pointer.bytes, digest: None, list: None }),
        Some("sha256") => Ok(FileFacts {
            bytes: pointer.bytes,
            digest: Some(Digest::new("sha256", pointer.sha256.as_str())),
            list: None,
        }),
        Some(_) => Err(FileFault::Unreadable(format!("it is a Git LFS pointer: {FETCH_LFS}"))),
    }
}

/// The Git LFS pointer in a file, if it is one; otherwise rewinds the file.
fn pointer(file: &mut cap_std::fs::File, size: u64) -> Result<Option<LfsPointer>, FileFault> {
    if size > LFS_POINTER as u64 {
        return Ok(None);
    }
    let mut start = Vec::new();
    let read = file.by_ref().take(LFS_POINTER as u64 + 1).read_to_end(&mut start);
    read.and_then(|_| file.seek(io::SeekFrom::Start(0)))
        .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(lfs_pointer(&start))
}

/// The facts about a folder, whose digest is that of its list of files.
fn folder_facts(folder: &Dir, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    let hashed =
        hash_below(folder, path, algorithm).map_err(|problem| FileFault::Unreadable(problem.message))?;
    if algorithm.is_some() && hashed.asked.is_none() {
        return Err(FileFault::NotAFile("a folder"));
    }
    Ok(FileFacts { bytes: hashed.bytes, list: Some(hashed.list()), digest: hashed.asked })
}

/// The git blob id of a file, in a repository whose ids have this many digits.
pub(super) fn blob_id(folder: &Dir, path: &str, digits: usize) -> Result<String, FileFault> {
    let (mut file, size) = open(folder, path)?;
    let header = Some(format!("blob {size}\0"));
    let hashed = if digits == 64 {
        hash::<Sha256>(&mut file, size, header)
    } else {
        hash::<Sha1>(&mut file, size, header)
    };
    hashed.map(|(_, id)| id).map_err(|error| FileFault::Unreadable(error.to_string()))
}

/// The bytes of a file, unless there are more than `most`.
pub(super) fn bytes(folder: &Dir, path: &str, most: usize) -> Result<Vec<u8>, FileFault> {
    let (mut file, size) = open(folder, path)?;
    if pointer(&mut file, size)?.is_some() {
        return Err(FileFault::Unreadable(format!("it is a Git LFS pointer: {FETCH_LFS}")));
    }
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| FileFault::Unreadable(error.to_string()))?;
    if bytes.len() > most {
        return Err(FileFault::Unreadable(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// The first bytes of a file, or all of them if there are fewer.
pub(super) fn first_bytes(folder: &Dir, path: &str, count: usize) -> Result<Vec<u8>, FileFault> {
    let (file, _) = open(folder, path)?;
    let mut bytes = Vec::new();
    file.take(count as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(bytes)
}

pub(super) fn open(folder: &Dir, path: &str) -> Result<(cap_std::fs::File, u64), FileFault> {
    // Check before opening: opening a pipe would block until its other end is opened.
    let meta = folder.metadata(path).map_err(|error| fault(&error))?;
    if meta.is_dir() {
        return Err(FileFault::NotAFile("a folder"));
    }
    if !meta.is_file() {
        return Err(FileFault::NotAFile("a pipe or a device"));
    }
    Ok((folder.open(path).map_err(|error| fault(&error))?, meta.len()))
}

fn hash<H: sha2::Digest>(
    file: &mut impl Read,
    size: u64,
    header: Option<String>,
) -> io::Result<(u64, String)> {
    let mut hasher = H::new();
    if let Some(header) = header {
        hasher.update(header);
    }
    let bytes = in_parts(file, size, |part| {
        hasher.update(part);
        true
    })?;
    let digits = crate::document::hex(&hasher.finalize());
    Ok((bytes, digits))
}

fn fault(error: &io::Error) -> FileFault {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileFault::Missing,
        // cap-std's error for a path or a link that leaves the folder.
        io::ErrorKind::PermissionDenied if error.to_string().contains("outside") => FileFault::Outside,
        _ => FileFault::Unreadable(error.to_string()),
    }
}
