//! Where values come from: files of parameters and metrics, and the lines that training wrote.

use std::sync::Arc;

use super::NOT_AN_OBJECT;
use super::files::Files;
use crate::document::{Diagnostic, Document, FileKind, Format, Map, Node, Path, Value};
use crate::recording::{Lines, merge};

/// Reads and merges the objects in several files.
pub(super) fn objects(files: &Files, paths: &[String], what: &str, problems: &mut Vec<Diagnostic>) -> Map {
    let mut all = Map::default();
    for path in paths {
        match files.read(path, what).and_then(|bytes| object(path, bytes, what)) {
            Ok(map) => merge(&mut all, map, &Path::root(), problems),
            Err(problem) => problems.push(*problem),
        }
    }
    all
}

/// The object in a JSON or YAML file.
pub(super) fn object(path: &str, bytes: Vec<u8>, what: &str) -> Result<Map, Box<Diagnostic>> {
    let format = if FileKind::of(path) == Some(FileKind::Yaml) { Format::Yaml } else { Format::Json };
    let document = Arc::new(Document::new(path, bytes, format)?);
    match document.parse()? {
        Node { value: Value::Map(map), .. } => Ok(map),
        other => {
            Err(Diagnostic::new(NOT_AN_OBJECT, format!("the {what} `{path}` must hold an object with keys"))
                .at(
                    &document,
                    crate::document::Span { end: other.span.end.min(other.span.start + 1), ..other.span },
                    other.value.sort(),
                )
                .help("names with values, such as {\"f1\": 0.84}")
                .boxed())
        }
    }
}

/// Reads the lines that training wrote.
pub(super) fn lines(bytes: Vec<u8>) -> Result<Lines, Vec<Diagnostic>> {
    let document = Document::new("$GATE_RECORD_FILE", bytes, Format::Json)?;
    Lines::parse(&Arc::new(document))
}
