//! Bounds and order of a walk through folders and the links in them, the same on the disk and at a commit.

use std::collections::HashSet;

use super::{Entry, Selector, TOO_MANY};
use crate::document::Diagnostic;

/// Files and folders that one glob leads through.
const MAX_VISITED: usize = 1_000_000;
/// Linked folders that one glob leads into.
const MAX_LINKED_FOLDERS: usize = 1_000;
/// Folders within each other.
const MAX_DEPTH: usize = 256;

/// What a glob or a folder led to so far.
pub(super) struct Walk<'s> {
    pub(super) selector: &'s Selector,
    found: Vec<(Entry, String)>,
    /// The folders that the walk is in, without links.
    above: Vec<String>,
    visited: usize,
    linked: usize,
}

impl<'s> Walk<'s> {
    pub(super) fn new(selector: &'s Selector) -> Self {
        Self { selector, found: Vec::new(), above: Vec::new(), visited: 0, linked: 0 }
    }

    /// Goes into a folder, whose path without links is `real`. False where the walk is
    /// in it already, or a link leads back to a folder around it.
    pub(super) fn enter(&mut self, real: &str, linked: bool) -> Result<bool, Box<Diagnostic>> {
        let leads_back = |above: &String| {
            above == real
                || linked
                    && (real.is_empty() || above.strip_prefix(real).is_some_and(|rest| rest.starts_with('/')))
        };
        if self.above.iter().any(leads_back) {
            return Ok(false);
        }
        self.linked += usize::from(linked);
        if self.linked > MAX_LINKED_FOLDERS {
            return Err(self.too_many(&format!("{MAX_LINKED_FOLDERS} linked folders")));
        }
        if self.above.len() >= MAX_DEPTH {
            return Err(self.too_many(&format!("{MAX_DEPTH} folders within each other")));
        }
        self.above.push(real.to_owned());
        Ok(true)
    }

    pub(super) fn leave(&mut self) {
        self.above.pop();
    }

    /// Counts one more file or folder.
    pub(super) fn visit(&mut self) -> Result<(), Box<Diagnostic>> {
        self.visited += 1;
        if self.visited > MAX_VISITED {
            return Err(self.too_many(&format!("{MAX_VISITED} files and folders")));
        }
        Ok(())
    }

    /// Takes a file, if it is one of those that are looked for.
    pub(super) fn file(&mut self, path: String, real: String, blob: Option<String>) {
        if self.selector.matches(&path) {
            self.found.push((Entry { path, blob }, real));
        }
    }

    /// Takes what can't be looked into and could be, or hold, one of the files that are looked for.
    pub(super) fn unreadable(&mut self, path: String, real: String) {
        if self.selector.matches(&path) || self.selector.describes_folder(&path) {
            self.found.push((Entry { path, blob: None }, real));
        }
    }

    /// The files, each once: one that is found under its own path is not found again behind a linked folder.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let mut seen: HashSet<String> = self
            .found
            .iter()
            .filter(|(entry, real)| entry.path == *real)
            .map(|(_, real)| real.clone())
            .collect();
        let mut found = self.found;
        found.retain(|(entry, real)| entry.path == *real || seen.insert(real.clone()));
        found.into_iter().map(|(entry, _)| entry).collect()
    }

    fn too_many(&self, what: &str) -> Box<Diagnostic> {
        let written = self.selector.written();
        Diagnostic::new(TOO_MANY, format!("`{written}` covers more than {what}"))
            .help("name the folder of the records more precisely, such as `runs/*.json`")
            .boxed()
    }
}
