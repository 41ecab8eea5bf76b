//! Plain run records: JSON, JSON Lines, YAML.

use std::sync::Arc;

use crate::document::{Diagnostic, Document, FileKind, Format};
use crate::run::{FieldMap, Origin, Run};

/// A record that can't be read, among those that can.
#[derive(Debug, Clone)]
pub struct BadRecord {
    /// What a person calls it.
    pub label: String,
    /// Everything that is wrong with it.
    pub problems: Vec<Diagnostic>,
}

/// The records of one file, by the ending of its name. A broken one does not hide the others.
pub fn read(label: &str, bytes: Vec<u8>, fields: &FieldMap, origin: &Origin) -> Vec<Result<Run, BadRecord>> {
    match FileKind::of(label) {
        Some(FileKind::JsonLines) => lines(label, bytes, fields, origin),
        Some(FileKind::Yaml) => vec![one(label, bytes, Format::Yaml, fields, origin)],
        Some(FileKind::Json) | None => vec![one(label, bytes, Format::Json, fields, origin)],
    }
}

fn one(
    label: &str,
    bytes: Vec<u8>,
    format: Format,
    fields: &FieldMap,
    origin: &Origin,
) -> Result<Run, BadRecord> {
    let bad = |problems: Vec<Diagnostic>| BadRecord { label: label.to_owned(), problems };
    let document = Document::new(label, bytes, format).map_err(|problem| bad(vec![*problem]))?;
    record(&Arc::new(document), fields, origin).map_err(bad)
}

fn record(document: &Arc<Document>, fields: &FieldMap, origin: &Origin) -> Result<Run, Vec<Diagnostic>> {
    let tree = document.parse()?;
    Run::new(document, tree, fields, origin.clone())
}

/// One record on each line; empty lines count for nothing.
fn lines(label: &str, bytes: Vec<u8>, fields: &FieldMap, origin: &Origin) -> Vec<Result<Run, BadRecord>> {
    let whole = match Document::new(label, bytes, Format::Json) {
        Ok(document) => document,
        Err(problem) => return vec![Err(BadRecord { label: label.to_owned(), problems: vec![*problem] })],
    };
    let mut runs = Vec::new();
    for (index, line) in whole.text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            continue;
        }
        let document =
            Document { name: label.into(), text: line.into(), format: Format::Json, line: Some(index + 1) };
        let read = record(&Arc::new(document), fields, origin);
        runs.push(read.map_err(|problems| BadRecord { label: format!("{label}:{}", index + 1), problems }));
    }
    if runs.is_empty() {
        // Parsed as it is, an empty file says that it is empty.
        runs.push(
            record(&Arc::new(whole), fields, origin)
                .map_err(|problems| BadRecord { label: label.to_owned(), problems }),
        );
    }
    runs
}

/// Bytes that are read of a file, by the ending of its name.
pub(crate) fn most(label: &str) -> usize {
    FileKind::of(label).unwrap_or(FileKind::Json).most()
}
