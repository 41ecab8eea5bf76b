//! Whether the bytes of a file are those of a blob, without asking git.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::document::hex;

/// Whether bytes are those of a blob, line ends aside: on Windows git may write others than it keeps.
pub fn is_blob(id: &str, bytes: &[u8]) -> bool {
    if blob_id(id.len(), bytes) == id {
        return true;
    }
    let unix = unix_line_ends(bytes);
    unix.len() != bytes.len() && blob_id(id.len(), &unix) == id
}

/// The ids that git gives to these bytes, with their own line ends and with those that git keeps, in a repository whose
/// ids have so many digits.
pub fn blob_ids(digits: usize, bytes: &[u8]) -> [String; 2] {
    [blob_id(digits, bytes), blob_id(digits, &unix_line_ends(bytes))]
}

/// The bytes with the line ends that git keeps.
pub fn unix_line_ends(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| !(**byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')))
        .map(|(_, byte)| *byte)
        .collect()
}

/// The id that git gives to these bytes, in a repository whose ids have so many digits.
fn blob_id(digits: usize, bytes: &[u8]) -> String {
    let header = format!("blob {}\0", bytes.len());
    if digits == 64 {
        hex(&Sha256::new().chain_update(header).chain_update(bytes).finalize())
    } else {
        hex(&Sha1::new().chain_update(header).chain_update(bytes).finalize())
    }
}
