//! Text written by people and programs, as a tree that keeps every number as written.
//!
//! Two formats, one tree: JSON (including Python's `NaN` and `Infinity`) and YAML. Every node knows its span in the
//! text; lines and columns are computed only when something is shown.

mod diagnostic;
mod file_kind;
mod hints;
mod json;
pub mod limits;
mod line_index;
mod location;
mod nearest;
mod node;
mod path;
mod reader;
mod text;
mod write;
mod yaml;

use std::sync::Arc;

pub use diagnostic::Diagnostic;
pub use file_kind::FileKind;
pub use line_index::Text;
pub use location::{Excerpt, Location};
pub use nearest::nearest;
pub use node::{Entry, Map, Node, Span, Value};
pub use path::{Path, Segment};
pub(crate) use reader::CODES as READER_CODES;
pub use reader::{Documents, Reader, did_you_mean, listed, thousands};
pub use write::{NotFinite, to_line, to_text};

use crate::code::codes;

codes! {
    INVALID_UTF8 = "document/invalid-utf8": "The file is not UTF-8.";
    UTF16 = "document/utf-16": "The file is UTF-16; write it as UTF-8.";
    TOO_LARGE = "document/too-large": "The file, a string in it or its nesting exceeds a limit.";
    SYNTAX = "document/syntax": "The text is not JSON, or not YAML.";
    DUPLICATE_KEY = "document/duplicate-key": "A key occurs twice in one object, so the value is ambiguous.";
    DECIMAL_COMMA = "document/decimal-comma": "Digits in braces have no value, probably because of a decimal comma.";
    EMPTY = "document/empty": "The file is empty.";
}

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, with Python's three tokens for non-finite numbers.
    Json,
    /// YAML 1.2, without merge keys, and with a limit on aliases.
    Yaml,
    /// YAML 1.2 with merge keys (`<<`), as DVC reads it.
    YamlWithMergeKeys,
}

/// A named text, and what is needed to point into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name in messages: a path as given, or `git:main:runs/a.json`.
    pub name: Box<str>,
    /// The text, without a byte order mark.
    pub text: Text,
    /// The format.
    pub format: Format,
    /// The line number in the file where the text starts, if it is one line of a file with several records.
    pub line: Option<usize>,
}

impl Document {
    /// Decodes bytes: strips a byte order mark, and refuses bytes that are not UTF-8 or too many.
    pub fn new(name: impl Into<Box<str>>, bytes: Vec<u8>, format: Format) -> Result<Self, Box<Diagnostic>> {
        let name = name.into();
        let text = text::decode(&name, bytes, format)?.into();
        Ok(Self { name, text, format, line: None })
    }

    /// The record's name in messages: the file, with the line if it has several records.
    pub fn label(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.name),
            None => self.name.to_string(),
        }
    }

    /// Parses the whole text.
    pub fn parse(self: &Arc<Self>) -> Result<Node, Box<Diagnostic>> {
        self.check_size()?;
        match self.format {
            Format::Json => json::parse(self, limits::STRING_BYTES),
            Format::Yaml | Format::YamlWithMergeKeys => yaml::parse(self, 0),
        }
    }

    /// Parses JSON in which one string may be almost the whole text, such as an envelope's payload.
    pub fn parse_long(self: &Arc<Self>) -> Result<Node, Box<Diagnostic>> {
        self.check_size()?;
        json::parse(self, limits::JSON_BYTES)
    }

    /// The line and column of a byte, both from 1, with columns in characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let (lines, _, columns) = self.text.locate(offset);
        (self.line.unwrap_or(1) + lines, columns + 1)
    }

    /// The byte offset where the line of a byte starts.
    pub fn line_start(&self, offset: usize) -> usize {
        self.text.locate(offset).1
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        let start = floor_char(&self.text, span.start as usize);
        let end = floor_char(&self.text, span.end as usize).max(start);
        &self.text[start..end]
    }

    pub(crate) fn check_size(self: &Arc<Self>) -> Result<(), Box<Diagnostic>> {
        let (limit, what) = match self.format {
            Format::Json => (limits::JSON_BYTES, "a JSON record"),
            Format::Yaml | Format::YamlWithMergeKeys => (limits::YAML_BYTES, "a YAML document"),
        };
        if self.text.len() <= limit {
            return Ok(());
        }
        Err(Diagnostic::new(
            TOO_LARGE,
            format!("`{}` has {} bytes; {what} may have {limit}", self.name, self.text.len()),
        )
        .help("keep large tables in files of their own, and name them in the record")
        .boxed())
    }
}

/// Bytes as lower-case hexadecimal digits, as used in digests and ids.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(bytes))
}

fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests;
