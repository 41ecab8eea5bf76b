//! Whether a file or a folder matches its recorded digest.

use super::hash::{folder_md5, unix_md5, windows_md5};
use super::ignored::Ignored;
use super::lock::Hashed;
use super::{Files, Hash, Sum};
use crate::document::Diagnostic;

/// The result of a comparison.
pub(super) enum State {
    Same,
    /// Same text with different line endings: Windows on one side, Unix on the other.
    SameText,
    Differs,
    NotThere,
    /// With the reason, worded as the end of a sentence.
    NotLookedAt(&'static str),
}

/// Maximum number of files in a folder that is hashed again.
const MAX_FILES: usize = 2_000;

pub(super) fn state(files: &dyn Files, hashed: &Hashed) -> Result<State, Box<Diagnostic>> {
    let Some((hash, is_folder, digest)) = hashed.parts() else { return Ok(State::NotThere) };
    if is_folder {
        return folder(files, &hashed.path, hash, digest);
    }
    Ok(match sum(files, &hashed.path, hash, digest)? {
        Sum::Of(sum) if sum == digest => State::Same,
        Sum::Of(_) if same_text(files, &hashed.path, digest) => State::SameText,
        Sum::Of(_) => State::Differs,
        Sum::NotThere => State::NotThere,
        Sum::NotLookedAt(why) => State::NotLookedAt(why),
    })
}

/// Whether a file differs only in its line endings from the one that was hashed: git may have converted them.
fn same_text(files: &dyn Files, path: &str, wanted: &str) -> bool {
    let Ok(Some(bytes)) = files.read(path) else { return false };
    [windows_md5(&bytes), unix_md5(&bytes)].iter().flatten().any(|md5| md5 == wanted)
}

/// The MD5 of a file. If DVC 2 hashed it and the raw bytes don't match `wanted`, the file is read and hashed as text.
fn sum(files: &dyn Files, path: &str, hash: Hash, wanted: &str) -> Result<Sum, Box<Diagnostic>> {
    let plain = files.md5(path)?;
    let is_wanted = matches!(&plain, Sum::Of(sum) if sum == wanted);
    if hash == Hash::Plain || is_wanted || !matches!(plain, Sum::Of(_)) {
        return Ok(plain);
    }
    Ok(match files.read(path) {
        Ok(Some(bytes)) => Sum::Of(hash.of(&bytes)),
        Ok(None) => Sum::NotThere,
        Err(_) => Sum::NotLookedAt("was hashed by DVC 2, and is too large to be hashed so here"),
    })
}

fn folder(files: &dyn Files, path: &str, hash: Hash, list: &str) -> Result<State, Box<Diagnostic>> {
    let mut found = files.matching(&format!("{}/**", globset::escape(path)))?;
    let ignored = Ignored::in_folder(files, path, &found)?;
    found.retain(|path| !ignored.has(path));
    if found.is_empty() {
        // The MD5 lookup reports paths outside of the folder.
        return Ok(match files.md5(path)? {
            Sum::NotLookedAt(why) => State::NotLookedAt(why),
            _ => State::NotThere,
        });
    }
    if found.len() > MAX_FILES {
        return Ok(State::NotLookedAt("has too many files for gate to hash"));
    }
    let relative = |file: &str| file.strip_prefix(&format!("{path}/")).unwrap_or(file).to_owned();
    let mut sums: Vec<(String, String)> = Vec::new();
    for file in &found {
        match sum(files, file, hash, "")? {
            Sum::Of(sum) => sums.push((relative(file), sum)),
            Sum::NotThere => {}
            Sum::NotLookedAt(why) => return Ok(State::NotLookedAt(why)),
        }
    }
    if folder_md5(sums.clone()) == list {
        return Ok(State::Same);
    }
    for line_ends in [windows_md5, unix_md5] {
        let mut other = sums.clone();
        for (path, sum) in &mut other {
            let file = found.iter().find(|file| relative(file) == *path);
            let bytes = file.and_then(|file| files.read(file).ok().flatten()).unwrap_or_default();
            if let Some(md5) = line_ends(&bytes) {
                *sum = md5;
            }
        }
        if folder_md5(other) == list {
            return Ok(State::SameText);
        }
    }
    Ok(State::Differs)
}
