//! Size and digest of a file, read once from one open handle.

use std::io::{self, Read};

use cap_std::fs::Dir;
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::rule::{FileFacts, FileFault};
use crate::run::Digest;

/// Bytes that are read at once.
const BUFFER: usize = 1 << 20;

/// What is known of a file below `folder`. A path, or a link on it, that leads out is refused.
pub(super) fn facts(folder: &Dir, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let meta = folder.metadata(path).map_err(|error| fault(&error))?;
    if meta.is_dir() {
        return Err(FileFault::NotAFile("a folder"));
    }
    if !meta.is_file() {
        return Err(FileFault::NotAFile("a pipe or a device"));
    }
    let mut file = folder.open(path).map_err(|error| fault(&error))?;
    let Some(algorithm) = algorithm else { return Ok(FileFacts { bytes: meta.len(), digest: None }) };
    let (bytes, value) = match algorithm {
        "sha256" => hash::<Sha256>(&mut file, None),
        "md5" => hash::<Md5>(&mut file, None),
        "git" => hash::<Sha1>(&mut file, Some(format!("blob {}\0", meta.len()))),
        "" => return Err(FileFault::Algorithm("by an algorithm that is not named".into())),
        other => return Err(FileFault::Algorithm(format!("`{other}`"))),
    }
    .map_err(|error| FileFault::Unreadable(error.to_string()))?;
    Ok(FileFacts { bytes, digest: Some(Digest::new(algorithm, value)) })
}

fn hash<H: sha2::Digest>(file: &mut impl Read, header: Option<String>) -> io::Result<(u64, String)> {
    let mut hasher = H::new();
    if let Some(header) = header {
        hasher.update(header);
    }
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
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
