//! A folder of files as a unit: the list of its files with their digests, computed on all processors.

use std::io::{self, Read as _};

use cap_std::fs::Dir;
use rayon::prelude::*;

use super::UNREADABLE;
use super::hashed::{Hashed, Watch, hash_file, open, unreadable};
use crate::document::{Diagnostic, sha256};
use crate::run::Digest;
use crate::source::dvc::folder_md5;

/// Maximum number of files in a folder.
const MAX_FILES: usize = 1_000_000;
/// Maximum nesting depth of folders.
const MAX_DEPTH: usize = 64;
/// Maximum size in bytes of the file that MLflow adds.
const MAX_ADDED: u64 = 4096;
/// The algorithm that DVC uses to hash a folder.
const OF_DVC: &str = "md5dir";

/// Hashes every file in a folder. The folder's digest is that of the `sha256sum` listing sorted by path, so it covers
/// names as well as contents.
pub(super) fn hash_folder(
    folder: &Dir,
    label: &str,
    asked: Option<&str>,
    watch: Watch<'_>,
) -> Result<Hashed, Box<Diagnostic>> {
    let mut walk = Walk { label, paths: Vec::new() };
    walk.folder(folder, "", 0)?;
    let mut paths = walk.paths;
    if paths.is_empty() {
        return Err(Diagnostic::new(UNREADABLE, format!("the folder `{label}` contains no file")).boxed());
    }
    paths.sort();
    if is_added_by_mlflow(folder, &paths) {
        paths.retain(|path| path != ADDED_BY_MLFLOW);
    }
    let of_file = (asked == Some(OF_DVC)).then_some("md5");
    let read = |path: String| {
        let hashed = hash_file(open(folder, &path)?, &format!("{label}/{path}"), of_file, watch)?;
        Ok::<_, Box<Diagnostic>>((path, hashed))
    };
    let files = paths.into_par_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut digests = Vec::new();
    let mut manifest = Vec::with_capacity(files.len());
    for (path, hashed) in files {
        digests.extend(hashed.asked.map(|digest| (path.clone(), digest.value.to_string())));
        manifest.push((path, hashed.sha256, hashed.bytes));
    }
    let bytes = manifest.iter().map(|(_, _, bytes)| bytes).sum();
    let mut hashed = Hashed { sha256: String::new(), bytes, manifest: Some(manifest), asked: None };
    hashed.sha256 = sha256(hashed.list().as_bytes());
    hashed.asked = match asked {
        Some("sha256") => Some(Digest::new("sha256", hashed.sha256.as_str())),
        Some(OF_DVC) => Some(Digest::new(OF_DVC, folder_md5(digests))),
        _ => None,
    };
    Ok(hashed)
}

/// The file that MLflow adds when downloading a registered model. It names the requested version.
const ADDED_BY_MLFLOW: &str = "registered_model_meta";

/// Whether a model folder contains that file, which is not part of the model: with or without it, the digest is the
/// same. A file of that name with any other content is treated like all others.
fn is_added_by_mlflow(folder: &Dir, paths: &[String]) -> bool {
    let has = |name: &str| paths.iter().any(|path| path == name);
    if !(has("MLmodel") && has(ADDED_BY_MLFLOW)) {
        return false;
    }
    let mut text = String::new();
    let read = open(folder, ADDED_BY_MLFLOW).is_ok_and(|file| {
        file.take(MAX_ADDED).read_to_string(&mut text).is_ok_and(|read| (read as u64) < MAX_ADDED)
    });
    // Plain values only, which YAML can't interpret as anything but names.
    let is_plain = |value: &str| value.chars().all(|c| c.is_alphanumeric() || " _.-'".contains(c));
    let is_meta = |line: &str| {
        let value = line.strip_prefix("model_name: ").or_else(|| line.strip_prefix("model_version: "));
        value.is_some_and(is_plain)
    };
    read && !text.is_empty() && text.lines().all(is_meta)
}

/// The relative paths of all files in a folder; refused if any of them is not a regular file.
pub fn files_below(folder: &Dir, label: &str) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut walk = Walk { label, paths: Vec::new() };
    walk.folder(folder, "", 0)?;
    Ok(walk.paths)
}

/// A walk that collects a folder's files.
struct Walk<'w> {
    label: &'w str,
    paths: Vec<String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Dir, at: &str, depth: usize) -> Result<(), Box<Diagnostic>> {
        let label = self.label;
        let failed = |error: &io::Error| unreadable(label, error);
        for entry in folder.entries().map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let kind = entry.file_type().map_err(|error| failed(&error))?;
            let name = entry.file_name();
            let path = format!("{at}{}", name.to_string_lossy());
            if name.to_str().is_none_or(|name| name.contains('\\') || name.contains(char::is_control)) {
                return Err(self.refused(&path, "has a name that can't be written in a list of files"));
            }
            if kind.is_symlink() {
                return Err(self.refused(&path, "is a symbolic link"));
            }
            if kind.is_dir() {
                if depth == MAX_DEPTH {
                    return Err(self.refused(&path, "is nested too deeply"));
                }
                let below = entry.open_dir().map_err(|error| unreadable(&path, &error))?;
                self.folder(&below, &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() {
                if self.paths.len() == MAX_FILES {
                    return Err(self.refused(&path, "is one file too many"));
                }
                self.paths.push(path);
            } else {
                return Err(self.refused(&path, "is not a regular file"));
            }
        }
        Ok(())
    }

    fn refused(&self, path: &str, why: &str) -> Box<Diagnostic> {
        let message = format!("the folder `{}` contains `{path}`, which {why}", self.label);
        let help = format!(
            "a folder of a model or of data may contain only regular files, at most {MAX_FILES}, and folders; replace links with copies"
        );
        Diagnostic::new(UNREADABLE, message).help(help).boxed()
    }
}
