//! Escapes lines that a runner of GitHub Actions would take for commands.
//!
//! The runner reads standard output and standard error line by line, and obeys two syntaxes: `::name …::`
//! after any white space at the start of a line, and `##[name …]` anywhere in a line. All output that is not
//! meant as a command goes through here.

use std::io::{self, Write};

/// A character without width that breaks up a command.
const BREAK: char = '\u{200B}';

/// Breaks up commands in a text, so that the runner only prints it. Every line break that it knows counts.
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
                // Break a literal `##[` between its first two characters.
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

/// Like [`neutral`], but for JSON: the number sign can be written as an escape, so the data does not change.
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
    /// Wraps another writer.
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
