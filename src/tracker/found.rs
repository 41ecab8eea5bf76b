//! Finds tracker runs where a policy's `runs:` looks for records: in the folder that it names, in those that a glob
//! matches, or one level below.

use std::collections::HashMap;
use std::fs::{DirEntry, FileType};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::beside::is_own;
use super::peek::{Peek, names};
use super::{FETCHERS, FetchContext, recognise};
use crate::document::Diagnostic;

/// Maximum number of folders searched below the literal part of a glob.
const MAX_FOLDERS: usize = 20_000;

/// File names that only trackers write, or that identify a tracker's folder.
const TELLING: [&str; 13] = [
    "dvc.yaml",
    "dvc.lock",
    "meta.yaml",
    "run.json",
    "trainer_state.json",
    "all_results.json",
    "eval_results.json",
    "wandb-summary.json",
    "config.yaml",
    "README.md",
    "args.yaml",
    "catboost_training.json",
    "hparams.yaml",
];

/// Whether a file's name is typical of a tracker, so that it is worth a look.
pub(super) fn is_telling(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends = [".wandb", ".eval"].iter().any(|ending| name.ends_with(ending));
    TELLING.contains(&name) || ends || name.starts_with("results_") || name.contains("tfevents")
}

/// The tracker runs that a path or a glob matches, each with the tracker's name and its path.
pub fn runs_at(
    pattern: &str,
    around: &FetchContext<'_>,
) -> Result<Vec<(&'static str, String)>, Box<Diagnostic>> {
    let pattern = pattern.trim_end_matches('/').trim_start_matches("./");
    let pattern = if pattern.is_empty() { "." } else { pattern };
    if !pattern.contains(['*', '?', '[', '{']) {
        if let Some(name) = recognise(pattern, around)? {
            return Ok(vec![(name, pattern.to_owned())]);
        }
        return below(pattern, around);
    }
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for path in matching(pattern, around) {
        let inside = |(_, known): &(&str, String)| path.starts_with(&format!("{known}/"));
        if found.iter().any(inside) {
            continue;
        }
        if let Some(name) = recognise(&path, around)? {
            // If runs of a matched experiment match too, keep the runs.
            found.retain(|(_, known)| !path.starts_with(&format!("{known}/")));
            found.push((name, path));
        }
    }
    let folders: Vec<String> = found.iter().map(|(_, path)| path.clone()).collect();
    found.retain(|(_, path)| {
        let folder = path.rsplit_once('/').filter(|(_, name)| *name == "meta.yaml").map(|(folder, _)| folder);
        folder.is_none_or(|folder| !folders.iter().any(|other| other.starts_with(folder) && other != path))
    });
    Ok(found)
}

/// The tracker folders directly in a folder.
fn below(folder: &str, around: &FetchContext<'_>) -> Result<Vec<(&'static str, String)>, Box<Diagnostic>> {
    let full = around.folder.join(folder);
    let mut found = Vec::new();
    let mut inner = names(&full);
    inner.sort();
    for name in inner.iter().filter(|name| !name.starts_with('.')) {
        let is_folder = full.join(name).symlink_metadata().is_ok_and(|data| data.is_dir());
        let path = if folder == "." { name.clone() } else { format!("{folder}/{name}") };
        if is_folder && let Some(tracker) = recognise(&path, around)? {
            found.push((tracker, path));
        }
    }
    Ok(found)
}

/// The folders that a glob matches, and the matching files whose names are typical of a tracker.
fn matching(pattern: &str, around: &FetchContext<'_>) -> Vec<String> {
    let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() else { return Vec::new() };
    let matcher = glob.compile_matcher();
    let literal = pattern.find(['*', '?', '[', '{', '\\']).map_or(pattern, |at| &pattern[..at]);
    let start = literal.rfind('/').map_or("", |at| &literal[..at]);
    let depth = if pattern.contains("**") { usize::MAX } else { pattern.matches('/').count() + 1 };
    let mut found = Vec::new();
    let mut open = vec![start.to_owned()];
    let mut looked = 0;
    while let Some(folder) = open.pop() {
        looked += 1;
        if looked > MAX_FOLDERS {
            break;
        }
        for (name, kind) in names_and_kinds(&around.folder.join(&folder)) {
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if kind.is_dir() {
                if matcher.is_match(&path) {
                    found.push(path.clone());
                }
                let is_foreign = name.starts_with('.') || matches!(&*name, "venv" | "node_modules");
                if !is_foreign && path.matches('/').count() + 1 < depth {
                    open.push(path);
                }
            } else if kind.is_file() && is_telling(&name) && matcher.is_match(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The entries of a folder, sorted by name; empty if it can't be read.
fn names_and_kinds(folder: &Path) -> Vec<(String, FileType)> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let kind = |entry: DirEntry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?));
    let mut found: Vec<(String, FileType)> = entries.filter_map(kind).collect();
    found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    found
}

/// Recognises files that a tracker keeps next to its runs, such as `meta.yaml`: not records, whatever they contain.
#[derive(Debug, Default)]
pub struct OwnFiles {
    known: HashMap<PathBuf, Option<&'static str>>,
}

/// The trackers whose folders contain files in record formats.
const KEEPERS: [&str; 3] = ["mlflow", "sacred", "wandb"];

impl OwnFiles {
    /// Whether a file belongs to a tracker; `path` is relative to `root`.
    pub fn has(&mut self, root: &Path, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let last = parts.len() - 1;
        let is_own_part = |tracker: &str, at: usize| {
            is_own(tracker, &if at == last { parts[at].to_owned() } else { format!("{}/", parts[at]) })
        };
        // For each tracker, the last part of the path that is one of its own names.
        let last_own = KEEPERS.map(|tracker| (0..=last).rev().find(|at| is_own_part(tracker, *at)));
        let Some(deepest) = last_own.into_iter().flatten().max() else { return false };
        (0..=deepest).any(|depth| {
            let owns = |tracker: &str| {
                let place = KEEPERS.iter().position(|keeper| *keeper == tracker);
                place.and_then(|place| last_own[place]).is_some_and(|at| depth <= at)
            };
            let folder = root.join(parts[..depth].join("/"));
            let found = *self.known.entry(folder.clone()).or_insert_with(|| {
                let keepers = FETCHERS.iter().filter(|fetcher| KEEPERS.contains(&fetcher.name));
                let peek = Peek::new(&folder);
                keepers.into_iter().find(|fetcher| (fetcher.recognises)(&peek)).map(|fetcher| fetcher.name)
            });
            found.is_some_and(owns)
        })
    }
}
