//! Writes a run record and its signature.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::CANT_WRITE;
use crate::atomic;
use crate::document::{Diagnostic, Node, NotFinite, hex, to_text};
use crate::recording::{TrainingFacts, list_name};
use crate::signing::{BESIDE, Envelope, PrivateKey, RECORD_TYPE};

/// The permissions of a new record.
const MODE: u32 = 0o644;

/// Where a record goes.
pub(super) struct Target<'t> {
    pub(super) path: &'t Path,
    /// The file must not exist yet.
    pub(super) fresh: bool,
}

impl Target<'_> {
    /// Writes the record atomically, and its signature if there are keys. The signature is written first: if
    /// the process is killed in between, the old record fails against the new signature, whereas a record
    /// without its signature would pass as one that was never signed. For the same reason an old signature is
    /// removed before its record is replaced.
    ///
    /// Returns the path that it wrote to instead, if the intended file already existed and may not be
    /// overwritten.
    pub(super) fn write(
        &self,
        record: &Node,
        keys: &[PrivateKey],
    ) -> Result<Option<PathBuf>, Box<Diagnostic>> {
        if self.fresh && self.path.symlink_metadata().is_ok() {
            let mut random = [0; 4];
            getrandom::fill(&mut random)
                .map_err(|error| cannot("record", self.path, &io::Error::other(error)))?;
            let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
            let other = self.path.with_file_name(format!("{stem}-{}.json", hex(&random)));
            return Target { path: &other, fresh: true }.write(record, keys).map(|_| Some(other));
        }
        // If the path became a pipe while the command ran, writing would block.
        if fs::metadata(self.path).is_ok_and(|meta| !meta.is_file()) {
            return Err(cannot("record", self.path, &io::Error::other("it is not a regular file")));
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot("record", self.path, &error))?;
        }
        let text = text_of(record);
        let signature = beside(self.path);
        if keys.is_empty() {
            match fs::remove_file(&signature) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot("signature", &signature, &error));
                }
                _ => {}
            }
        } else {
            let envelope = Envelope::sign(RECORD_TYPE, text.as_bytes(), keys).to_json();
            atomic::write(&signature, |to| to.write_all(envelope.as_bytes()))
                .map_err(|error| cannot("signature", &signature, &error))?;
        }
        let written = if self.fresh {
            atomic::create(self.path, MODE, |to| to.write_all(text.as_bytes()))
                .and_then(|new| if new { Ok(()) } else { Err(io::Error::from(io::ErrorKind::AlreadyExists)) })
        } else {
            atomic::write(self.path, |to| to.write_all(text.as_bytes()))
        };
        written.map_err(|error| cannot("record", self.path, &error)).map(|()| None)
    }
}

impl Target<'_> {
    /// Writes the list of files of each data folder next to the record. An existing list has the same contents, because
    /// its name contains their digest.
    pub(super) fn write_lists(&self, facts: &TrainingFacts) -> Result<(), Box<Diagnostic>> {
        for (role, fact) in &facts.data {
            let Some(list) = &fact.list else { continue };
            let path = self.path.with_file_name(list_name(role, &fact.digest));
            let folder = path.parent().unwrap_or(self.path);
            fs::create_dir_all(folder)
                .and_then(|()| atomic::write(&path, |to| to.write_all(list.as_bytes())))
                .map_err(|error| cannot("list of files", &path, &error))?;
        }
        Ok(())
    }
}

/// The path of a record's signature.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BESIDE);
    PathBuf::from(name)
}

/// The bytes of a record.
pub(super) fn text_of(record: &Node) -> String {
    to_text(record, NotFinite::Text) + "\n"
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Box<Diagnostic> {
    Diagnostic::new(CANT_WRITE, format!("the {what} can't be written to {}: {error}", path.display()))
        .help("name another file: --output runs/NAME.json")
        .boxed()
}
