//! Size and digest of a file, read once from one open handle.

use std::io::{self, Read};

use cap_std::fs::Dir;
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use super::hashed::{hash_below, in_parts};
use crate::rule::{FileFacts, FileFault};
use crate::run::Digest;

/// What is known of a file below `folder`. A path, or a link on it, that leads out is refused.
pub(super) fn facts(folder: &Dir, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    if folder.metadata(path).is_ok_and(|meta| meta.is_dir()) {
        return folder_facts(folder, path, algorithm);
    }
    let (mut file, size) = open(folder, path)?;
    let Some(algorithm) = algorithm else { return Ok(FileFacts { bytes: size, digest: None }) };
    let (bytes, value) = match algorithm {
        "sha256" => hash::<Sha256>(&mut file, None),
        "md5" => hash::<Md5>(&mut file, None),
        "git" => hash::<Sha1>(&mut file, Some(format!("blob {size}\0"))),
        "" => return Err(FileFault::Algorithm("by an algorithm that is not named".into())),
        other => return Err(FileFault::Algorithm(format!("`{other}`"))),
    }
    .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(FileFacts { bytes, digest: Some(Digest::new(algorithm, value)) })
}

/// A folder has the digest of the list of its files.
fn folder_facts(folder: &Dir, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    let hashed =
        hash_below(folder, path, algorithm).map_err(|problem| FileFault::Unreadable(problem.message))?;
    if algorithm.is_some() && hashed.asked.is_none() {
        return Err(FileFault::NotAFile("a folder"));
    }
    Ok(FileFacts { bytes: hashed.bytes, digest: hashed.asked })
}

/// The id that git gives to a file, in a repository whose ids have so many digits.
pub(super) fn blob_id(folder: &Dir, path: &str, digits: usize) -> Result<String, FileFault> {
    let (mut file, size) = open(folder, path)?;
    let header = Some(format!("blob {size}\0"));
    let hashed =
        if digits == 64 { hash::<Sha256>(&mut file, header) } else { hash::<Sha1>(&mut file, header) };
    hashed.map(|(_, id)| id).map_err(|error| FileFault::Unreadable(error.to_string()))
}

/// The bytes of a file, unless there are more than `most`.
pub(super) fn bytes(folder: &Dir, path: &str, most: usize) -> Result<Vec<u8>, FileFault> {
    let (file, _) = open(folder, path)?;
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| FileFault::Unreadable(error.to_string()))?;
    if bytes.len() > most {
        return Err(FileFault::Unreadable(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// The first bytes of a file; all of them where there are fewer.
pub(super) fn first_bytes(folder: &Dir, path: &str, count: usize) -> Result<Vec<u8>, FileFault> {
    let (file, _) = open(folder, path)?;
    let mut bytes = Vec::new();
    file.take(count as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(bytes)
}

pub(super) fn open(folder: &Dir, path: &str) -> Result<(cap_std::fs::File, u64), FileFault> {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let meta = folder.metadata(path).map_err(|error| fault(&error))?;
    if meta.is_dir() {
        return Err(FileFault::NotAFile("a folder"));
    }
    if !meta.is_file() {
        return Err(FileFault::NotAFile("a pipe or a device"));
    }
    Ok((folder.open(path).map_err(|error| fault(&error))?, meta.len()))
}

fn hash<H: sha2::Digest>(file: &mut impl Read, header: Option<String>) -> io::Result<(u64, String)> {
    let mut hasher = H::new();
    if let Some(header) = header {
        hasher.update(header);
    }
    let bytes = in_parts(file, |part| hasher.update(part))?;
    let digits = crate::document::hex(&hasher.finalize());
    Ok((bytes, digits))
}

fn fault(error: &io::Error) -> FileFault {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileFault::Missing,
        // What cap-std answers when a path or a link leads out.
        io::ErrorKind::PermissionDenied if error.to_string().contains("outside") => FileFault::Outside,
        _ => FileFault::Unreadable(error.to_string()),
    }
}
