//! Hashes the file or folder at a path.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::UNREADABLE;
use super::folder::hash_folder;
use super::hashed::{Hashed, Watch, hash_file, open, open_named, unreadable};
use crate::document::Diagnostic;

/// Ignores progress.
const UNWATCHED: Watch<'static> = &|_, _| true;

/// Hashes a file or folder inside another folder; links may not leave that folder.
pub fn hash_below(folder: &Dir, path: &str, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
    hash_watched(folder, path, asked, UNWATCHED)
}

/// Like [`hash_below`], but reports progress, because it may take long.
pub fn hash_watched(
    folder: &Dir,
    path: &str,
    asked: Option<&str>,
    watch: Watch<'_>,
) -> Result<Hashed, Box<Diagnostic>> {
    let meta = folder.metadata(path).map_err(|error| unreadable(path, &error))?;
    if meta.is_dir() {
        if folder.symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
            let message = format!("`{path}` is a symbolic link to a folder");
            return Err(Diagnostic::new(UNREADABLE, message).help("name the folder itself").boxed());
        }
        let folder = folder.open_dir(path).map_err(|error| unreadable(path, &error))?;
        return hash_folder(&folder, path, asked, watch);
    }
    hash_file(open(folder, path)?, path, asked, watch)
}

/// Hashes a file or folder that the user named; a link to a file is followed.
pub fn hash_named(path: &Path, asked: Option<&str>) -> Result<Hashed, Box<Diagnostic>> {
    let label = path.display().to_string();
    let meta = std::fs::metadata(path).map_err(|error| unreadable(&label, &error))?;
    if meta.is_dir() {
        let folder =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| unreadable(&label, &error))?;
        return hash_folder(&folder, &label, asked, UNWATCHED);
    }
    hash_file(open_named(path).map_err(|error| unreadable(&label, &error))?, &label, asked, UNWATCHED)
}
