//! Reads a ledger from the working tree or from a commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BROKEN, StageHistory, Statement};
use crate::document::{Diagnostic, sha256};
use crate::store::{Entry as File, Selector, Store};

/// Maximum size in bytes of a statement, an envelope or a record.
pub const MOST: usize = 8 << 20;

/// An open ledger.
#[derive(Clone)]
pub struct Ledger<'s> {
    pub(super) store: Arc<dyn Store + Send + 's>,
    /// Its folder in the store, with a trailing `/`; empty if the store is itself the ledger.
    pub(super) folder: String,
    /// The prefix of paths in messages.
    shown: String,
}

/// A promotion's files.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number, from its name.
    pub number: u64,
    /// Its statement's name in messages.
    pub label: String,
    /// The statement's bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hexadecimal digits.
    pub digest: String,
    /// The envelope's name in messages and its bytes, if this number has one: it covers the statement's bytes, unless
    /// something was changed.
    pub envelope: Option<(String, Vec<u8>)>,
}

impl Entry {
    /// Parses the statement.
    pub fn statement(&self) -> Result<Statement, Box<Diagnostic>> {
        Statement::parse(&self.label, self.bytes.clone())
    }
}

/// The files of a stage history, sorted by their names.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) statements: BTreeMap<u64, File>,
    /// Envelopes, by number and the start of the statement's digest.
    pub(super) envelopes: Vec<(u64, String, File)>,
}

impl<'s> Ledger<'s> {
    /// The ledger in a folder of a store, empty for the store itself; `shown` is the folder's name in messages.
    pub fn new(store: Arc<dyn Store + Send + 's>, folder: &str, shown: &str) -> Self {
        let end = |text: &str| {
            let text = text.trim_end_matches('/');
            if text.is_empty() { String::new() } else { format!("{text}/") }
        };
        Self { store, folder: end(folder), shown: end(shown) }
    }

    /// The identity that was chosen at the first promotion; `None` if there is no promotion, or the ledger predates
    /// identities.
    pub fn id(&self) -> Result<Option<String>, Box<Diagnostic>> {
        let path = format!("{}{}", self.folder, super::ID);
        let found = self.store.select(&Selector::new(&path)?)?;
        let Some(file) = found.into_iter().find(|file| file.path == path) else { return Ok(None) };
        let bytes = self.store.read(&file, MOST)?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        if super::is_id(&text) {
            return Ok(Some(text));
        }
        let message = format!("`{}` does not contain the identity of a ledger", self.label(&path));
        Err(Diagnostic::new(BROKEN, message).help("restore it from git").boxed())
    }

    /// Every stage history that has a promotion, in order.
    pub fn lines(&self) -> Result<Vec<StageHistory>, Box<Diagnostic>> {
        let names = self.names(&format!("{}*/*/*.json", self.folder))?;
        Ok(names
            .into_iter()
            .filter(|(_, names)| !names.statements.is_empty())
            .map(|(line, _)| line)
            .collect())
    }

    /// The histories of a stage.
    pub fn at_stage(&self, stage: &str) -> Result<Vec<StageHistory>, Box<Diagnostic>> {
        Ok(self.lines()?.into_iter().filter(|line| line.stage == stage).collect())
    }

    /// The newest promotion in a stage history.
    pub fn head(&self, line: &StageHistory) -> Result<Option<Entry>, Box<Diagnostic>> {
        let names = self.names_of(line)?;
        names.statements.last_key_value().map(|(number, file)| self.entry(*number, file, &names)).transpose()
    }

    /// All promotions in a stage history, the oldest first.
    pub fn entries(&self, line: &StageHistory) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let names = self.names_of(line)?;
        names.statements.iter().map(|(number, file)| self.entry(*number, file, &names)).collect()
    }

    /// A file named by the digest of its bytes, such as `records/<sha256>.json`.
    pub fn by_digest(
        &self,
        line: &StageHistory,
        uri: &str,
        digest: &str,
    ) -> Result<Vec<u8>, Box<Diagnostic>> {
        let path = self.path(line, uri);
        let label = self.label(&path);
        let plain = uri.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        if !plain || uri.contains(['*', '?', '[', '{', '\\']) {
            return Err(
                Diagnostic::new(BROKEN, format!("`{uri}` does not name a file of the ledger")).boxed()
            );
        }
        let bytes = self.store.read(&self.file(&path)?, MOST)?;
        if sha256(&bytes) != digest {
            let message = format!("`{label}` differs from what was promoted: its digest does not match");
            return Err(Diagnostic::new(BROKEN, message).help("restore it from git").boxed());
        }
        Ok(bytes)
    }

    /// The path, in the store, of a file in a stage history's folder.
    pub fn path(&self, line: &StageHistory, uri: &str) -> String {
        format!("{}{}/{uri}", self.folder, line.folder())
    }

    /// The name of a store path in messages.
    pub fn label(&self, path: &str) -> String {
        format!("{}{}", self.shown, path.strip_prefix(&self.folder).unwrap_or(path))
    }

    /// Promotions behind a link would not be found, and neither would the baseline, so links are an error.
    fn has_no_links(&self) -> Result<(), Box<Diagnostic>> {
        match self.store.linked_folder(self.folder.trim_end_matches('/'), 2)? {
            None => Ok(()),
            Some(link) => {
                let message = format!("`{}` is a link, which gate does not follow", self.label(&link));
                Err(Diagnostic::new(BROKEN, message)
                    .help("put the folder itself there; for a ledger elsewhere, use --ledger DIR")
                    .boxed())
            }
        }
    }

    fn file(&self, path: &str) -> Result<File, Box<Diagnostic>> {
        let found = self.store.select(&Selector::new(path)?)?;
        found.into_iter().find(|file| file.path == path).ok_or_else(|| {
            let message = format!("`{}` is missing, but a promotion names it", self.label(path));
            Diagnostic::new(BROKEN, message).help("restore it from git").boxed()
        })
    }

    fn entry(&self, number: u64, file: &File, names: &Names) -> Result<Entry, Box<Diagnostic>> {
        let bytes = self.store.read(file, MOST)?;
        let digest = sha256(&bytes);
        // Prefer the envelope named after these exact bytes; else take one with this number, which covers the bytes
        // before they were changed.
        let of_number = || names.envelopes.iter().filter(|(of, _, _)| *of == number);
        let envelope = of_number()
            .find(|(_, start, _)| digest.starts_with(start.as_str()))
            .or_else(|| of_number().next())
            .map(|(_, _, file)| {
                Ok::<_, Box<Diagnostic>>((self.label(&file.path), self.store.read(file, MOST)?))
            })
            .transpose()?;
        Ok(Entry { number, label: self.label(&file.path), bytes, digest, envelope })
    }

    pub(super) fn names_of(&self, line: &StageHistory) -> Result<Names, Box<Diagnostic>> {
        // The folder names contain no glob characters.
        let found = self.names(&format!("{}{}/*.json", self.folder, line.folder()))?;
        Ok(found.into_iter().find(|(of, _)| of == line).map(|(_, names)| names).unwrap_or_default())
    }

    pub(super) fn names(&self, glob: &str) -> Result<BTreeMap<StageHistory, Names>, Box<Diagnostic>> {
        self.has_no_links()?;
        let mut lines: BTreeMap<StageHistory, Names> = BTreeMap::new();
        for file in self.store.select(&Selector::new(glob)?)? {
            let below = file.path.strip_prefix(&self.folder).unwrap_or(&file.path);
            let mut parts = below.split('/');
            let (Some(model), Some(stage), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let Some(line) = StageHistory::of_folder(model, stage) else { continue };
            let names = lines.entry(line).or_default();
            match parse(name) {
                Some((number, None)) => {
                    names.statements.insert(number, file);
                }
                Some((number, Some(start))) => names.envelopes.push((number, start.to_owned(), file)),
                None => {}
            }
        }
        Ok(lines)
    }
}

/// `000012.json` is a statement, `000012-5a3949ca.intoto.json` an envelope.
pub(super) fn parse(name: &str) -> Option<(u64, Option<&str>)> {
    let stem = name.strip_suffix(".json")?;
    let number = |text: &str| {
        let number: u64 = text.parse().ok()?;
        (number_name(number) == text).then_some(number)
    };
    match stem.strip_suffix(".intoto") {
        None => Some((number(stem)?, None)),
        Some(stem) => {
            let (digits, start) = stem.split_once('-')?;
            let sound =
                start.len() == 8 && start.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            sound.then_some((number(digits)?, Some(start)))
        }
    }
}

impl std::fmt::Debug for Ledger<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.shown)
    }
}

/// `000012`.
pub(super) fn number_name(number: u64) -> String {
    format!("{number:06}")
}
