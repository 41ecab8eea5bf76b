//! The way a person names fields of a record.

use std::fmt;

use smol_str::SmolStr;

use crate::document::{Path, Segment};

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(SmolStr),
    /// `[2]`: one element, counted from 0.
    Index(usize),
    /// `[]`: every element.
    Each,
    /// `[role=train]`: every element that has this text at this key.
    Where {
        /// The key.
        key: SmolStr,
        /// The text.
        value: SmolStr,
    },
}

/// A dotted path such as `metrics.f1`, `data[].digest`, `data[role=train].uri`, `params."lr.decay"`, or a JSON
/// Pointer such as `/params/lr.decay`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    steps: Vec<Step>,
    /// The steps as a plain path, if they name just one value.
    path: Option<Path>,
    written: SmolStr,
}

/// Why some text is not a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// The byte offset of the error.
    pub at: usize,
}

impl FieldPath {
    /// Reads a dotted path or a JSON Pointer.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let steps = if let Some(pointer) = text.strip_prefix('/') {
            pointer
                .split('/')
                .map(|key| Step::Key(key.replace("~1", "/").replace("~0", "~").into()))
                .collect()
        } else {
            Parser { text, at: 0 }.steps()?
        };
        Ok(Self { path: path_of(&steps), steps, written: text.into() })
    }

    /// The path to the whole document: the empty JSON Pointer.
    pub fn whole() -> Self {
        Self { steps: Vec::new(), path: Some(Path::root()), written: "".into() }
    }

    /// Whether it means the whole document.
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// The steps, from the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The path as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The first key.
    pub fn first_key(&self) -> &str {
        match self.steps.first() {
            Some(Step::Key(key)) => key,
            _ => "",
        }
    }

    /// The path to one value, if the path names just one.
    pub fn to_path(&self) -> Option<Path> {
        self.path.clone()
    }

    /// Like [`Self::to_path`], by reference.
    pub(super) fn as_path(&self) -> Option<&Path> {
        self.path.as_ref()
    }
}

fn path_of(steps: &[Step]) -> Option<Path> {
    let segment = |step: &Step| match step {
        Step::Key(key) => Some(Segment::Key(key.clone())),
        Step::Index(index) => Some(Segment::Index(*index)),
        Step::Each | Step::Where { .. } => None,
    };
    steps.iter().map(segment).collect()
}

/// Reads an index as a JSON Pointer writes it.
pub(super) fn index_of(key: &str) -> Option<usize> {
    let plain = key == "0" || !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
    if plain { key.parse().ok() } else { None }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn steps(mut self) -> Result<Vec<Step>, PathError> {
        let mut steps = vec![self.key()?];
        while let Some(next) = self.peek() {
            match next {
                '.' => {
                    self.at += 1;
                    steps.push(self.key()?);
                }
                '[' => steps.push(self.bracket()?),
                _ => return Err(self.error("a `.` or a `[` is expected")),
            }
        }
        Ok(steps)
    }

    fn key(&mut self) -> Result<Step, PathError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let rest = &self.text[self.at..];
        let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error("a key is expected"));
        }
        self.at += end;
        Ok(Step::Key(rest[..end].into()))
    }

    fn quoted(&mut self) -> Result<Step, PathError> {
        let start = self.at;
        self.at += 1;
        let mut key = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(Step::Key(key.into())),
                '\\' => {
                    let Some(escaped) = self.peek() else { break };
                    self.at += escaped.len_utf8();
                    key.push(escaped);
                }
                _ => key.push(c),
            }
        }
        Err(PathError { message: "the quotation mark is not closed".into(), at: start })
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        let start = self.at;
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.find(']') else {
            return Err(PathError { message: "the bracket is not closed".into(), at: start });
        };
        let inside = &rest[..end];
        self.at += end + 2;
        if inside.is_empty() {
            return Ok(Step::Each);
        }
        if let Some((key, value)) = inside.split_once('=') {
            let value = value.trim().trim_matches('"');
            if key.trim().is_empty() || value.is_empty() {
                return Err(PathError { message: "a filter looks like [role=train]".into(), at: start });
            }
            return Ok(Step::Where { key: key.trim().into(), value: value.into() });
        }
        inside.parse().map(Step::Index).map_err(|_| PathError {
            message: "write a number, nothing (every element), or key=value in the brackets".into(),
            at: start,
        })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn error(&self, message: &str) -> PathError {
        PathError { message: message.into(), at: self.at }
    }
}
