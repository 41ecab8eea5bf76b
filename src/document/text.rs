//! Decodes bytes into text.

use std::sync::Arc;

use super::{Document, Format, INVALID_UTF8, Span, UTF16, hints};
use crate::document::Diagnostic;

/// The bytes as UTF-8 without a byte order mark.
pub(super) fn decode(name: &str, bytes: Vec<u8>, format: Format) -> Result<Box<str>, Box<Diagnostic>> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || looks_like_utf16(&bytes) {
        return Err(Diagnostic::new(UTF16, format!("`{name}` is UTF-16"))
            .help("write it as UTF-8; PowerShell's `>` writes UTF-16, `Out-File -Encoding utf8` does not")
            .boxed());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix('\u{FEFF}') {
            Some(rest) => rest.into(),
            None => text.into_boxed_str(),
        }),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let wrong = error.as_bytes()[valid];
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let document = Document { name: name.into(), text: text.into(), format, line: None };
            let span = Span::new(0, valid, valid + '\u{FFFD}'.len_utf8());
            Err(Diagnostic::new(
                INVALID_UTF8,
                format!("`{name}` is not UTF-8: byte {valid} is 0x{wrong:02X}"),
            )
            .at(&Arc::new(document), span, "not UTF-8")
            .help(hints::for_bytes(name))
            .boxed())
        }
    }
}

/// UTF-16 without a byte order mark: JSON and YAML start with ASCII, so every other byte at the start is zero.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0, second, ..] => *second != 0,
        [first, 0, ..] => *first != 0,
        _ => false,
    }
}
