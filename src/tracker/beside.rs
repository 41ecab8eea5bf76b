//! Plain records next to the runs of a tracker, which would be overlooked if the folder were treated as the tracker's.

use std::path::{Path, PathBuf};

use super::FETCHERS;
use super::peek::Peek;
use crate::document::FileKind;
use crate::store::{Entry, Reach, Store as _, WorkTree};

/// Names of files and folders that the tracker's own tools write: not plain records, whatever they contain.
const OWN: [(&str, &[&str]); 6] = [
    ("dvc", &["dvc.yaml", "params.yaml", "metrics.json"]),
    ("hf", &["all_results.json", "eval_results.json", "train_results.json", "trainer_state.json"]),
    ("lm-eval", &["results_", "samples_"]),
    ("mlflow", &["meta.yaml", "artifacts/", "inputs/", "outputs/"]),
    ("sacred", &["run.json", "config.json", "metrics.json", "info.json"]),
    ("wandb", &["run-", "offline-run-", "files/"]),
];

/// Maximum number of folders that are searched, and of files that are read.
const FOLDERS: usize = 500;
const FILES: usize = 500;
/// Maximum number of entries per folder, and of bytes per file.
const ENTRIES: usize = 10_000;
const BYTES: usize = 8 << 20;

/// The path of the first file in or below a folder that `is_record` accepts and that `tracker` did not write.
/// Skips folders with a tracker's runs, hidden folders, and links to folders.
pub fn record_beside(
    tracker: &str,
    folder: &Path,
    reach: Reach,
    is_record: &dyn Fn(&Path, &str, Vec<u8>) -> bool,
) -> Option<String> {
    let files = WorkTree::new(folder, reach);
    let text = |name: &str| {
        let entry = Entry { path: name.to_owned(), blob: None };
        let bytes = if folder.join(name).is_file() { files.read(&entry, BYTES).ok() } else { None };
        String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    };
    // Files that a pipeline names are part of it.
    let pipeline = if tracker == "dvc" { text("dvc.yaml") + &text("dvc.lock") } else { String::new() };
    let mut open: std::collections::VecDeque<String> = [String::new()].into();
    let (mut folders, mut read) = (0, 0);
    while let Some(below) = open.pop_front() {
        folders += 1;
        for (name, full, is_folder) in entries(&folder.join(&below)) {
            let path = format!("{below}{name}");
            if is_folder {
                let path = format!("{path}/");
                if folders + open.len() < FOLDERS && !is_own(tracker, &path) && !is_of_tracker(&full) {
                    open.push_back(path);
                }
                continue;
            }
            if !FileKind::is_record(&name) || is_own(tracker, &name) || pipeline.contains(&path) {
                continue;
            }
            read += 1;
            if read > FILES {
                return None;
            }
            let bytes = files.read(&Entry { path: path.clone(), blob: None }, BYTES);
            if bytes.is_ok_and(|bytes| is_record(&full, &path, bytes)) {
                return Some(path);
            }
        }
    }
    None
}

/// The entries of a folder in order: name, path, and whether it is a folder.
fn entries(folder: &Path) -> Vec<(String, PathBuf, bool)> {
    let found = folder.read_dir().into_iter().flatten().flatten().take(ENTRIES);
    let mut names: Vec<(String, PathBuf, bool)> = found
        .filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            Some((name, entry.path(), kind.is_dir()))
        })
        .collect();
    names.sort();
    names
}

pub(super) fn is_own(tracker: &str, name: &str) -> bool {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let named = if name.ends_with('/') { format!("{last}/") } else { last.to_owned() };
    let of_tracker = OWN.iter().filter(|(known, _)| *known == tracker);
    of_tracker.flat_map(|(_, names)| names.iter()).any(|own| match own.strip_suffix(['_', '-']) {
        // A prefix that ends in `-` names a run's folder; one that ends in `_`, a file.
        Some(_) => named.starts_with(own) && named.ends_with('/') == own.ends_with('-'),
        None => named == *own,
    })
}

fn is_of_tracker(folder: &Path) -> bool {
    let peek = Peek::new(folder);
    FETCHERS.iter().any(|fetcher| (fetcher.recognises)(&peek))
}
