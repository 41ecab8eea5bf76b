//! Limits and order of a walk through folders and their links, the same on disk and at a commit.

use std::collections::HashSet;

use super::{Entry, Selector, TOO_MANY};
use crate::document::Diagnostic;

/// Maximum number of files and folders visited for one glob.
const MAX_VISITED: usize = 1_000_000;
/// Maximum number of linked folders entered for one glob.
const MAX_LINKED_FOLDERS: usize = 1_000;
/// Maximum nesting depth of folders.
const MAX_DEPTH: usize = 256;

/// What a walk found so far.
pub(super) struct Walk<'s> {
    pub(super) selector: &'s Selector,
    found: Vec<(Entry, String)>,
    /// The folders that the walk is inside of, without links.
    above: Vec<String>,
    visited: usize,
    linked: usize,
}

impl<'s> Walk<'s> {
    pub(super) fn new(selector: &'s Selector) -> Self {
        Self { selector, found: Vec::new(), above: Vec::new(), visited: 0, linked: 0 }
    }

    /// Enters a folder, whose path without links is `real`. Returns false if the walk is already in it, or a link leads
    /// back to a folder above.
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

    /// Adds a file if the selector matches it.
    pub(super) fn file(&mut self, path: String, real: String, blob: Option<String>) {
        if self.selector.matches(&path) {
            self.found.push((Entry { path, blob }, real));
        }
    }

    /// Adds an entry that can't be read, if the selector may match it or files in it.
    pub(super) fn unreadable(&mut self, path: String, real: String) {
        if self.selector.matches(&path) || self.selector.describes_folder(&path) {
            self.found.push((Entry { path, blob: None }, real));
        }
    }

    /// The files without duplicates: one found under its own path is not listed again under a linked folder.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        if self.linked == 0 && self.found.iter().all(|(entry, real)| entry.path == *real) {
            return self.found.into_iter().map(|(entry, _)| entry).collect();
        }
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
