//! Whether a file's bytes are those of a blob, without asking git.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::document::hex;

/// Whether bytes are those of a blob, ignoring line endings, which git on Windows may change at checkout.
pub fn is_blob(id: &str, bytes: &[u8]) -> bool {
    if blob_id(id.len(), bytes) == id {
        return true;
    }
    let unix = unix_line_ends(bytes);
    unix.len() != bytes.len() && blob_id(id.len(), &unix) == id
}

/// The blob ids of these bytes, as they are and with the line endings that git stores, in a repository whose ids have
/// this many digits.
pub fn blob_ids(digits: usize, bytes: &[u8]) -> [String; 2] {
    [blob_id(digits, bytes), blob_id(digits, &unix_line_ends(bytes))]
}

/// The bytes with the line endings that git stores.
pub fn unix_line_ends(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| !(**byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')))
        .map(|(_, byte)| *byte)
        .collect()
}

/// The blob id of these bytes, in a repository whose ids have this many digits.
fn blob_id(digits: usize, bytes: &[u8]) -> String {
    let header = format!("blob {}\0", bytes.len());
    if digits == 64 {
        hex(&Sha256::new().chain_update(header).chain_update(bytes).finalize())
    } else {
        hex(&Sha1::new().chain_update(header).chain_update(bytes).finalize())
    }
}
