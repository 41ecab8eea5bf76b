//! Facts that are given and not looked up: for tests, and for callers that have files and history elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ChangedFile, CommitFacts, Facts, FileChange, FileFacts, FileFault, NoCases};
use crate::aggregates::Aggregates;
use crate::cases::{CaseColumns, Cases, Table, read_delimited};
use crate::document::{Diagnostic, sha256};
use crate::run::{Digest, Run};

/// Files, commits and a change, in memory. Empty, it knows no file and no commit.
#[derive(Debug, Clone, Default)]
pub struct InMemoryFacts {
    files: BTreeMap<String, Vec<u8>>,
    /// Commits, the newest last; each follows the one before it.
    history: Vec<String>,
    changed: Vec<ChangedFile>,
    /// The cases of each run, by the name of the run.
    cases: BTreeMap<String, Arc<Cases>>,
    /// The aggregates of each run.
    aggregates: BTreeMap<String, Arc<Aggregates>>,
}

impl InMemoryFacts {
    /// Adds a file of the workspace.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    /// Adds a file that the change adds or modifies.
    #[must_use]
    pub fn changed(mut self, path: &str, bytes: impl Into<Vec<u8>>, change: FileChange) -> Self {
        self.changed.push(ChangedFile { path: path.to_owned(), change });
        self.file(path, bytes)
    }

    /// Removes a file, as the change does.
    #[must_use]
    pub fn removed(mut self, path: &str) -> Self {
        self.files.remove(path);
        self.changed.push(ChangedFile { path: path.to_owned(), change: FileChange::Removed });
        self
    }

    /// Adds a commit on top of the others.
    #[must_use]
    pub fn commit(mut self, id: &str) -> Self {
        self.history.push(id.to_owned());
        self
    }

    /// Adds the cases of a run, by the name of the run.
    #[must_use]
    pub fn cases(mut self, run: &str, cases: Cases) -> Self {
        self.cases.insert(run.to_owned(), Arc::new(cases));
        self
    }

    /// Adds the aggregates of a run, by the name of the run.
    #[must_use]
    pub fn aggregates(mut self, run: &str, aggregates: Aggregates) -> Self {
        self.aggregates.insert(run.to_owned(), Arc::new(aggregates));
        self
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.history.iter().position(|known| known == id)
    }
}

impl Facts for InMemoryFacts {
    fn file(&self, path: &str, algorithm: Option<&str>) -> Result<FileFacts, FileFault> {
        let bytes = self.files.get(path).ok_or(FileFault::Missing)?;
        let digest = match algorithm {
            None => None,
            Some("sha256") => Some(Digest::new("sha256", sha256(bytes))),
            Some(other) => return Err(FileFault::Algorithm(other.to_owned())),
        };
        Ok(FileFacts { bytes: bytes.len() as u64, digest, list: None })
    }

    fn bytes(&self, path: &str, most: usize) -> Result<Vec<u8>, FileFault> {
        let bytes = self.files.get(path).ok_or(FileFault::Missing)?;
        if bytes.len() > most {
            return Err(FileFault::Unreadable(format!("it has more than {most} bytes")));
        }
        Ok(bytes.clone())
    }

    fn first_bytes(&self, path: &str, count: usize) -> Result<Vec<u8>, FileFault> {
        self.files
            .get(path)
            .map(|bytes| bytes.iter().copied().take(count).collect())
            .ok_or(FileFault::Missing)
    }

    fn changes(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(ChangedFile),
    ) -> Result<String, Box<Diagnostic>> {
        let there = self.changed.iter().filter(|file| file.change != FileChange::Removed);
        there.filter(|file| wanted(&file.path)).cloned().for_each(each);
        Ok("the base".into())
    }

    fn named_changes(&self, paths: &[&str]) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
        let below = |file: &ChangedFile, path: &str| {
            file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let change = |path: &str| {
            let touched = self.changed.iter().filter(|file| below(file, path)).map(|file| file.change);
            touched.reduce(FileChange::and)
        };
        let named = |path: &&str| Some(ChangedFile { path: (*path).to_owned(), change: change(path)? });
        Ok(paths.iter().filter_map(named).collect())
    }

    fn commit(&self, id: &str) -> Result<CommitFacts, Box<Diagnostic>> {
        Ok(match self.place(id) {
            Some(_) => CommitFacts::Known(id.to_owned()),
            None => CommitFacts::Unknown,
        })
    }

    fn committed(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        Ok(self.place(id).and_then(|_| self.files.get(path).cloned()))
    }

    fn cases(&self, run: &Run, _: &CaseColumns) -> Result<Arc<Cases>, NoCases> {
        self.cases.get(run.label()).cloned().ok_or(NoCases::NotRecorded)
    }

    fn aggregates(&self, run: &Run, _: &CaseColumns) -> Result<Arc<Aggregates>, NoCases> {
        self.aggregates.get(run.label()).cloned().ok_or(NoCases::NotRecorded)
    }

    fn rows(&self, path: &str, _: Option<&Digest>) -> Result<Arc<Table>, NoCases> {
        let missing = || NoCases::unreadable(format!("`{path}` is missing"), "add the file");
        let bytes = self.files.get(path).ok_or_else(missing)?;
        read_delimited(bytes.as_slice(), b',').map(Arc::new).map_err(|error| NoCases::of(path, error))
    }

    fn is_ancestor(&self, id: &str, of: &str) -> Result<bool, Box<Diagnostic>> {
        Ok(match (self.place(id), self.place(of)) {
            (Some(id), Some(of)) => id <= of,
            _ => false,
        })
    }
}
