//! How DVC hashes a file: DVC 3 hashes the raw bytes; DVC 2 first converts text to Unix line endings.

use md5::{Digest as _, Md5};

use crate::document::hex;
use crate::git::unix_line_ends;

/// Which bytes of a file are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// All of them, unchanged: DVC 3.
    Plain,
    /// Text has its CRLFs converted to LF first: DVC 2.
    UnixLineEnds,
}

impl Hash {
    /// The MD5 of a file's bytes.
    pub fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::UnixLineEnds if is_text(bytes) => hex(&Md5::digest(unix_line_ends(bytes))),
            _ => hex(&Md5::digest(bytes)),
        }
    }
}

/// The MD5 of a text with Windows line endings; `None` if it is not text or has no newline.
pub(super) fn windows_md5(bytes: &[u8]) -> Option<String> {
    if !is_text(bytes) || !bytes.contains(&b'\n') {
        return None;
    }
    let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for byte in &*unix_line_ends(bytes) {
        if *byte == b'\n' {
            text.push(b'\r');
        }
        text.push(*byte);
    }
    Some(hex(&Md5::digest(text)))
}

/// The MD5 of a text with Unix line endings; `None` if it is not text.
pub(super) fn unix_md5(bytes: &[u8]) -> Option<String> {
    is_text(bytes).then(|| hex(&Md5::digest(unix_line_ends(bytes))))
}

/// Whether DVC 2 treats a file as text: its first 512 bytes have no zero byte and at most 30 % non-printable
/// bytes.
fn is_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(512)];
    let odd = start.iter().filter(|byte| !matches!(byte, 32..=126 | b'\n' | b'\r' | b'\t' | 8 | 12)).count();
    !start.contains(&0) && odd * 10 <= start.len() * 3
}

/// The digest that DVC gives a folder: the MD5 of the list of its files, each with its relative path and MD5,
/// serialised as Python does.
pub fn folder_md5(mut files: Vec<(String, String)>) -> String {
    files.sort();
    let objects: Vec<String> = files
        .iter()
        .map(|(path, md5)| format!("{{\"md5\": \"{md5}\", \"relpath\": {}}}", ascii(path)))
        .collect();
    hex(&Md5::digest(format!("[{}]", objects.join(", ")).as_bytes()))
}

/// A text as a JSON string, with non-ASCII characters as `\u` escapes.
fn ascii(text: &str) -> String {
    let mut made = String::new();
    for c in serde_json::json!(text).to_string().chars() {
        if matches!(c, ' '..='~') {
            made.push(c);
        } else {
            let units = &mut [0; 2];
            c.encode_utf16(units).iter().for_each(|unit| made.push_str(&format!("\\u{unit:04x}")));
        }
    }
    made
}
