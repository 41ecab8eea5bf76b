//! A run that was found, and how its files are read.

use std::sync::Arc;

use super::super::{FetchContext, NOT_THERE, Place};
use crate::document::limits::YAML_BYTES;
use crate::document::{Diagnostic, Document, Format, Node};
use crate::run::Origin;

/// Maximum size in bytes of a results file or an archive.
pub(super) const MAX_BYTES: usize = 512 << 20;

/// A run that was found: the place that contains it, and its file, if the run is a single file.
pub(super) struct Found<'f> {
    pub(super) place: &'f Place,
    /// The path from the place to the run's folder: empty, or ending in `/`.
    pub(super) below: String,
    /// The file, if the run is a single file.
    pub(super) file: Option<String>,
    pub(super) origin: Origin,
    pub(super) around: &'f FetchContext<'f>,
}

impl Found<'_> {
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.below)
    }

    pub(super) fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let path = self.path(name);
        let missing = || {
            let message = format!("`{}` was not found", self.place.label_of(&path));
            Diagnostic::new(NOT_THERE, message).help("copy the whole folder of the run").boxed()
        };
        self.place.read(&path, most)?.ok_or_else(missing)
    }

    pub(super) fn json(&self, name: &str) -> Result<Node, Box<Diagnostic>> {
        let bytes = self.read(name, MAX_BYTES)?;
        Arc::new(Document::new(self.label_of(name), bytes, Format::Json)?).parse_long()
    }

    pub(super) fn yaml(&self, name: &str) -> Result<Option<Node>, Box<Diagnostic>> {
        let path = self.path(name);
        let Some(bytes) = self.place.read(&path, YAML_BYTES)? else { return Ok(None) };
        Arc::new(Document::new(self.place.label_of(&path), bytes, Format::Yaml)?).parse().map(Some)
    }

    pub(super) fn label_of(&self, name: &str) -> String {
        self.place.label_of(&self.path(name))
    }

    /// The name of the folder in messages.
    pub(super) fn folder_label(&self) -> String {
        let below = self.below.trim_end_matches('/');
        if below.is_empty() { self.place.label.clone() } else { self.place.label_of(below) }
    }

    /// The name of the folder.
    pub(super) fn folder_name(&self) -> String {
        let path = self.place.path.join(&self.below);
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(super) fn file(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }
}
