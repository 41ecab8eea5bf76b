//! Copies a tracker's files at a revision to where its reader can find them.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::NOT_THERE;
use super::found::is_telling;
use crate::document::Diagnostic;
use crate::store::{Entry, Selector, Store};

/// Maximum number of files and bytes that are copied.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: usize = 512 << 20;
/// Maximum number of files that are copied if none of their names is typical of a tracker.
const MAX_UNTOLD: usize = 200;

/// Copies a path at a revision into a temporary folder; `None` if nothing looks like a tracker's. Links are skipped,
/// and nothing is written outside of the folder.
pub fn export(store: &dyn Store, path: &str) -> Result<Option<TempDir>, Box<Diagnostic>> {
    let path = path.trim_end_matches('/');
    if path.contains(['*', '?', '[', '{']) {
        return Ok(None);
    }
    let named = store.select(&Selector::new(path)?)?;
    let is_file = matches!(named.as_slice(), [one] if one.path == path);
    let folder = if is_file { path.rsplit_once('/').map_or("", |(folder, _)| folder) } else { path };
    let inside =
        if folder.is_empty() || folder == "." { String::new() } else { globset::escape(folder) + "/" };
    if is_file && !is_telling(path) {
        // Include what a reader looks for next to it: samples of an evaluation, series of an exported database.
        let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
        let beside = format!(
            "{inside}{{{}_samples.jsonl,{0}.jsonl,metrics.json,metrics.jsonl}}",
            globset::escape(stem)
        );
        let mut entries = store.select(&Selector::new(&beside)?)?;
        entries.retain(|entry| entry.path != path);
        entries.extend(named);
        return copy(store, &entries).map(Some);
    }
    let depth = if is_file { "*" } else { "**" };
    let mut entries = store.select(&Selector::new(&format!("{inside}{depth}"))?)?;
    // An MLflow run refers to datasets and models that are stored next to it.
    if entries.iter().any(|entry| entry.path.strip_prefix(folder) == Some("/meta.yaml"))
        && let Some((experiment, _)) = folder.rsplit_once('/')
    {
        for beside in ["meta.yaml", "datasets/**", "models/*/{meta.yaml,metrics/**,params/**,tags/**}"] {
            entries
                .extend(store.select(&Selector::new(&format!("{}/{beside}", globset::escape(experiment)))?)?);
        }
    }
    // Evaluation results may have any name, so a small set of files is copied anyway.
    let may_tell = entries.len() <= MAX_UNTOLD || entries.iter().any(|entry| is_telling(&entry.path));
    if !may_tell || entries.len() > MAX_FILES {
        return Ok(None);
    }
    copy(store, &entries).map(Some)
}

fn copy(store: &dyn Store, entries: &[Entry]) -> Result<TempDir, Box<Diagnostic>> {
    let failed = |error: std::io::Error| {
        Diagnostic::new(NOT_THERE, format!("a copy of a revision can't be written: {error}"))
            .help("look at the space and the permissions of the folder for temporary files (TMPDIR)")
            .boxed()
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    let mut left = MAX_BYTES;
    for entry in entries {
        let is_plain =
            Path::new(&entry.path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_plain {
            continue;
        }
        // A file that is too large to read is a model or data, which no reader opens.
        let Ok(bytes) = store.read(entry, left) else { continue };
        left -= bytes.len();
        let to = folder.path().join(&entry.path);
        fs::create_dir_all(to.parent().unwrap_or(folder.path())).map_err(failed)?;
        fs::write(to, bytes).map_err(failed)?;
    }
    Ok(folder)
}
