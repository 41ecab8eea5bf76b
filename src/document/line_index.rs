//! Text that finds the line of a byte without reading everything before it.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// Bytes between two marks, so a lookup reads at most this many.
const STEP: usize = 4 << 10;

/// Text with marks, which are computed when a line is first requested, so that many findings in one long text cost
/// little each. Its digest, too, is computed only once.
#[derive(Clone)]
pub struct Text {
    text: Box<str>,
    marks: OnceLock<Vec<Mark>>,
    sha256: OnceLock<Box<str>>,
}

/// The position at a multiple of [`STEP`] bytes.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The byte offset, at a character boundary.
    at: usize,
    /// Newlines before it.
    lines: usize,
    /// The start of its line.
    line_start: usize,
    /// Characters in its line before it.
    columns: usize,
}

impl Mark {
    /// The mark moved forward to a later byte.
    fn until(self, text: &str, at: usize) -> Self {
        let passed = &text[self.at..at];
        match passed.rfind('\n') {
            None => Self { at, columns: self.columns + passed.chars().count(), ..self },
            Some(last) => Self {
                at,
                lines: self.lines + passed.bytes().filter(|&byte| byte == b'\n').count(),
                line_start: self.at + last + 1,
                columns: passed[last + 1..].chars().count(),
            },
        }
    }
}

impl Text {
    /// Its SHA-256, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| super::sha256(self.text.as_bytes()).into())
    }

    /// The number of newlines before a byte, the start of its line, and the characters in the line before it.
    pub(super) fn locate(&self, offset: usize) -> (usize, usize, usize) {
        let offset = super::floor_char(&self.text, offset);
        let marks = self.marks.get_or_init(|| {
            let mut mark = Mark { at: 0, lines: 0, line_start: 0, columns: 0 };
            let mut marks = vec![mark];
            while mark.at + STEP < self.text.len() {
                mark = mark.until(&self.text, super::floor_char(&self.text, mark.at + STEP));
                marks.push(mark);
            }
            marks
        });
        let before = marks.partition_point(|mark| mark.at <= offset).saturating_sub(1);
        let found = marks[before].until(&self.text, offset);
        (found.lines, found.line_start, found.columns)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<T: Into<Box<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        Self { text: text.into(), marks: OnceLock::new(), sha256: OnceLock::new() }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_as_if_all_before_it_were_read() {
        let text = Text::from(format!("{}\né{}\n\nend", "é".repeat(STEP), "x\n".repeat(STEP)));
        for offset in (0..text.len() + 2).step_by(7) {
            let at = super::super::floor_char(&text, offset);
            let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let lines = text[..at].matches('\n').count();
            assert_eq!(text.locate(offset), (lines, start, text[start..at].chars().count()), "{offset}");
        }
    }
}
