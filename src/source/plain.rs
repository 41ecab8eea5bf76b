//! Plain run records: JSON, JSON Lines, YAML, and tables of metrics.

use std::sync::Arc;

use super::{NOT_EACH, sniff, table};
use crate::document::{Diagnostic, Document, FileKind, Format, Node, TOO_LARGE, limits};
use crate::run::{Each, FieldMap, Origin, Run, elements, text_at};

/// A record that can't be read, among others that can.
#[derive(Debug, Clone)]
pub struct BadRecord {
    /// Its name in messages.
    pub label: String,
    /// Everything that is wrong with it.
    pub problems: Vec<Diagnostic>,
}

/// The records of one file; the file extension gives the format. A broken record does not hide the others.
pub fn read(label: &str, bytes: Vec<u8>, fields: &FieldMap, origin: &Origin) -> Vec<Result<Run, BadRecord>> {
    let bad = |problems: Vec<Diagnostic>| vec![Err(BadRecord { label: label.to_owned(), problems })];
    if let Some(problem) = sniff::not_a_record(label, &bytes) {
        return bad(vec![problem]);
    }
    match FileKind::of(label) {
        Some(FileKind::JsonLines) => lines(label, bytes, fields, origin),
        Some(FileKind::Yaml) => whole(label, bytes, Format::Yaml, fields, origin),
        Some(FileKind::Table) => table::read(label, bytes, fields, origin),
        Some(FileKind::Json) | None => whole(label, bytes, Format::Json, fields, origin),
    }
}

/// The record in a document, or several if the policy says so.
fn whole(
    label: &str,
    bytes: Vec<u8>,
    format: Format,
    fields: &FieldMap,
    origin: &Origin,
) -> Vec<Result<Run, BadRecord>> {
    let bad = |problems: Vec<Diagnostic>| BadRecord { label: label.to_owned(), problems };
    let document = match Document::new(label, bytes, format) {
        Ok(document) => Arc::new(document),
        Err(problem) => return vec![Err(bad(vec![*problem]))],
    };
    let Some(each) = &fields.each else {
        return vec![record(&document, fields, origin).map_err(bad)];
    };
    let tree = match document.parse() {
        Ok(tree) => tree,
        Err(problem) => return vec![Err(bad(vec![*problem]))],
    };
    let Some(found) = elements(&tree, &each.path) else {
        let what = if each.path.is_whole() { "`[]`".to_owned() } else { format!("`{}`", each.path) };
        let message =
            format!("`{label}` has no list of records at {what}, where `runs: each:` looks for one");
        let problem = Diagnostic::new(NOT_EACH, message)
            .at(&document, tree.span, "")
            .help("name the list, or the object, that contains a record for each model");
        return vec![Err(bad(vec![problem]))];
    };
    // The object may have fields about all its records next to them.
    let records = found.into_iter().filter(|(name, node)| name.is_none() || node.as_map().is_some());
    let mut records: Vec<Result<Run, BadRecord>> = records
        .map(|(name, node)| element(&document, name, node, each, fields, origin).map_err(bad))
        .collect();
    if let Some(only) = &each.only {
        let chosen = text_at(&tree, only);
        records.retain(|run| match run {
            Ok(run) => chosen.is_some() && run.model() == chosen,
            Err(_) => true,
        });
        if records.is_empty() {
            let message = match chosen {
                Some(model) => {
                    format!("`{label}` selects `{model}` at `{only}`, but has no record of it")
                }
                None => format!("`{label}` does not select a record at `{only}`"),
            };
            let problem = Diagnostic::new(NOT_EACH, message)
                .at(&document, tree.span, "")
                .help("use the same model name there as in the records, or remove `only:`");
            return vec![Err(bad(vec![problem]))];
        }
    }
    records
}

/// One of several records of a document.
fn element(
    document: &Arc<Document>,
    name: Option<&str>,
    node: &Node,
    each: &Each,
    fields: &FieldMap,
    origin: &Origin,
) -> Result<Run, Vec<Diagnostic>> {
    let mut run = Run::new(document, node.clone(), fields, origin.clone())?;
    let said = each.model.as_ref().and_then(|path| {
        let found = run.find(path).into_iter().next()?.node?;
        found.as_written().map(str::to_owned)
    });
    if let Some(model) = said.or_else(|| name.filter(|_| run.model().is_none()).map(str::to_owned)) {
        run.set_model(&model);
    }
    Ok(run)
}

fn record(document: &Arc<Document>, fields: &FieldMap, origin: &Origin) -> Result<Run, Vec<Diagnostic>> {
    let tree = document.parse()?;
    Run::new(document, tree, fields, origin.clone())
}

/// One record per line; empty lines are skipped.
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
        if runs.len() == limits::JSON_LINES_RECORDS {
            let most = limits::JSON_LINES_RECORDS;
            let problem =
                Diagnostic::new(TOO_LARGE, format!("`{label}` has more than {most} records to judge"))
                    .help("split them into several files, or name the runs to judge");
            return vec![Err(BadRecord { label: label.to_owned(), problems: vec![problem] })];
        }
        let document =
            Document { name: label.into(), text: line.into(), format: Format::Json, line: Some(index + 1) };
        let read = record(&Arc::new(document), fields, origin);
        runs.push(read.map_err(|problems| BadRecord { label: format!("{label}:{}", index + 1), problems }));
    }
    if runs.is_empty() {
        // Parsing an empty file as a whole gives the right error.
        runs.push(
            record(&Arc::new(whole), fields, origin)
                .map_err(|problems| BadRecord { label: label.to_owned(), problems }),
        );
    }
    runs
}

/// Maximum size in bytes of a file, by its extension.
pub(crate) fn most(label: &str) -> usize {
    FileKind::of(label).unwrap_or(FileKind::Json).most()
}
