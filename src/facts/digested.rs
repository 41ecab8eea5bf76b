//! Computes the digest of bytes while they are read.

use std::io::{self, Read};

use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::document::hex;
use crate::run::Digest;

/// Hashes bytes as they are read.
pub(super) struct Digested<R> {
    bytes: R,
    found: Hashes,
}

/// The digest of the bytes read so far.
pub(super) struct Hashes {
    sha256: Option<Sha256>,
    md5: Option<Md5>,
}

impl<R: Read> Digested<R> {
    pub(super) fn new(bytes: R, digest: Option<&Digest>) -> Self {
        Self { bytes, found: Hashes::new(digest) }
    }

    /// Reads and hashes the remaining bytes too.
    pub(super) fn read_to_end(mut self) -> io::Result<Hashes> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.found)
    }
}

impl Hashes {
    /// Uses the algorithm of the recorded digest.
    pub(super) fn new(recorded: Option<&Digest>) -> Self {
        let by = |name: &str| recorded.is_some_and(|digest| &*digest.algorithm == name);
        Self { sha256: by("sha256").then(Sha256::new), md5: by("md5").then(Md5::new) }
    }

    /// Adds the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.sha256 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.md5 {
            hasher.update(bytes);
        }
    }

    /// Whether the digest matches the recorded one, if any.
    pub(super) fn are(self, recorded: Option<&Digest>) -> bool {
        matches!(self.differs(recorded), Ok(None))
    }

    /// The found and the recorded digest if they differ; an error if the algorithm is not supported.
    pub(super) fn differs(self, recorded: Option<&Digest>) -> Result<Option<(String, String)>, String> {
        let Some(recorded) = recorded else { return Ok(None) };
        let found = match (self.sha256, self.md5) {
            (Some(hasher), _) => hex(&hasher.finalize()),
            (_, Some(hasher)) => hex(&hasher.finalize()),
            _ => return Err(format!("`{}`", recorded.algorithm)),
        };
        let found = Digest::new(&recorded.algorithm, found);
        Ok((found != *recorded).then(|| (found.to_string(), recorded.to_string())))
    }
}

impl<R: Read> Read for Digested<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.found.update(&into[..read]);
        Ok(read)
    }
}
