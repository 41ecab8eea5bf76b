//! A path to a value in a document.

use std::fmt;

use smallvec::SmallVec;
use smol_str::SmolStr;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Into an object.
    Key(SmolStr),
    /// Into a list, from 0.
    Index(usize),
}

/// The steps from the root of a document to a value. Displayed with dots, as in a policy: `metrics.f1`,
/// `data[0].digest`, `params."lr.decay"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(SmallVec<[Segment; 3]>);

impl Path {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path through `keys`.
    pub fn of<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.iter().map(|&key| Segment::Key(key.into())).collect())
    }

    /// This path with one more key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Key(key.into()));
        path
    }

    /// This path with one more index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// Adds a step.
    pub fn push(&mut self, step: Segment) {
        self.0.push(step);
    }

    /// Removes the last step.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// The steps, from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The steps below `prefix`, if this path begins with it.
    pub fn below(&self, prefix: &Self) -> Option<&[Segment]> {
        self.0.strip_prefix(&prefix.0[..])
    }

    /// This path followed by `steps`.
    #[must_use]
    pub fn join(&self, steps: &[Segment]) -> Self {
        let mut path = self.clone();
        path.0.extend(steps.iter().cloned());
        path
    }

    /// The path without its last step; the root has none.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.into()))
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    write_key(f, key)?;
                }
            }
        }
        Ok(())
    }
}

/// Writes a key of a dotted path, quoted if it would not parse back as one key.
pub(crate) fn write_key(f: &mut impl fmt::Write, key: &str) -> fmt::Result {
    let plain = !key.is_empty()
        && !key.starts_with('/')
        && !key.contains(|c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_control());
    if plain {
        return f.write_str(key);
    }
    f.write_char('"')?;
    for c in key.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
