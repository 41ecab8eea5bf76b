//! Whether a file or a folder is what a digest says.

use super::hash::folder_md5;
use super::ignored::Ignored;
use super::lock::Hashed;
use super::{Files, Hash, Sum};
use crate::document::Diagnostic;

/// What comparing gives.
pub(super) enum State {
    Same,
    Differs,
    NotThere,
    /// And why, as the end of a sentence.
    NotLookedAt(&'static str),
}

/// Files of a folder that are hashed again.
const MOST_FILES: usize = 2_000;

pub(super) fn state(files: &dyn Files, hashed: &Hashed) -> Result<State, Box<Diagnostic>> {
    let Some((hash, is_folder, digest)) = hashed.parts() else { return Ok(State::NotThere) };
    if is_folder {
        return folder(files, &hashed.path, hash, digest);
    }
    Ok(match sum(files, &hashed.path, hash, digest)? {
        Sum::Of(sum) if sum == digest => State::Same,
        Sum::Of(_) => State::Differs,
        Sum::NotThere => State::NotThere,
        Sum::NotLookedAt(why) => State::NotLookedAt(why),
    })
}

/// The sum of a file. Its bytes are read where they may be text of DVC 2, and not what is `wanted` as they are.
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
        // What lies outside says so.
        return Ok(match files.md5(path)? {
            Sum::NotLookedAt(why) => State::NotLookedAt(why),
            _ => State::NotThere,
        });
    }
    if found.len() > MOST_FILES {
        return Ok(State::NotLookedAt("holds too many files to be hashed here"));
    }
    let mut entries: Vec<(String, String)> = Vec::new();
    for file in found {
        let sum = match sum(files, &file, hash, "")? {
            Sum::Of(sum) => sum,
            Sum::NotThere => continue,
            Sum::NotLookedAt(why) => return Ok(State::NotLookedAt(why)),
        };
        let relative = file.strip_prefix(&format!("{path}/")).unwrap_or(&file).to_owned();
        entries.push((relative, sum));
    }
    Ok(if folder_md5(entries) == list { State::Same } else { State::Differs })
}
