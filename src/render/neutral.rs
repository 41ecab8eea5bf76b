//! Lines that a runner of GitHub Actions can't take for its commands.
//!
//! The runner reads standard output and standard error line by line, and obeys two syntaxes: `::name …::` behind any
//! white space at the beginning of a line, and `##[name …]` anywhere in one. Whatever is printed there without being
//! meant as a command goes through here.

use std::io::{self, Write};

/// Stands where a command would begin, and has no width.
const BREAK: char = '\u{200B}';

/// Text whose lines the runner prints and does not obey. Every kind of line break that the runner knows counts.
pub fn neutral(text: &str) -> String {
    let mut neutral = String::with_capacity(text.len());
    let mut at_start = true;
    let mut rest = text.chars().peekable();
    let mut last = ['\0'; 2];
    while let Some(c) = rest.next() {
        match c {
            ':' if at_start && rest.peek() == Some(&':') => {
                neutral.push(BREAK);
                at_start = false;
            }
            '[' if last == ['#', '#'] => {
                // `##[` in text of ours is broken between its first two characters.
                neutral.pop();
                neutral.push(BREAK);
                neutral.push('#');
            }
            _ => {}
        }
        if matches!(c, '\n' | '\r') {
            at_start = true;
        } else if !c.is_whitespace() {
            at_start = false;
        }
        neutral.push(c);
        last = [last[1], c];
    }
    neutral
}

/// The same for JSON, in which the number sign of a text can be written as an escape, so that the data stays what
/// it is.
pub fn neutral_json(text: &str) -> String {
    text.replace("##[", "\\u0023#[")
}

/// Writes line by line through [`neutral`] or [`neutral_json`].
pub struct Neutral<'w> {
    to: &'w mut dyn Write,
    json: bool,
    line: Vec<u8>,
}

impl<'w> Neutral<'w> {
    /// A writer before another.
    pub fn new(to: &'w mut dyn Write, json: bool) -> Self {
        Self { to, json, line: Vec::new() }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = if self.json { neutral_json(&text) } else { neutral(&text) };
        self.to.write_all(text.as_bytes())
    }
}

impl Write for Neutral<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.pass_on()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.to.flush()
    }
}
