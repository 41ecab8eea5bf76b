//! A first look at a path, to see whose it is. Nothing but a regular file is opened, nothing outside of its folder, and
//! nothing is waited for.

use std::path::Path;
use std::sync::Arc;

use crate::document::{Diagnostic, Document, Format, Node};
use crate::store::{Entry, Reach, Store as _, WorkTree};

/// Names of a folder that are looked at.
const MOST: usize = 10_000;

/// The bytes of a file; none of one that is larger than `most`.
pub(super) fn bytes(path: &Path, most: usize) -> Option<Vec<u8>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name()?.to_str()?;
    WorkTree::new(folder, Reach::Inside).read(&Entry { path: name.to_owned(), blob: None }, most).ok()
}

/// What JSON holds.
pub(super) fn json(bytes: Vec<u8>) -> Option<Node> {
    Arc::new(Document::new("", bytes, Format::Json).ok()?).parse_long().ok()
}

/// The objects in a document of JSON Lines, each with the line that it is in.
pub(super) fn json_lines(whole: &Document) -> Result<Vec<Node>, Box<Diagnostic>> {
    let lines = whole.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(at, line)| {
        let document = Document {
            name: whole.name.clone(),
            text: line.into(),
            format: Format::Json,
            line: Some(at + 1),
        };
        Arc::new(document).parse_long()
    });
    parsed.collect()
}

/// The names of the files and folders in a folder, up to a bound.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
