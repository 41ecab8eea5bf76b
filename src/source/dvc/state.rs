//! Whether a file or a folder is what a digest says.

use md5::{Digest as _, Md5};

use super::ignored::Ignored;
use super::lock::Hashed;
use super::{Files, Hash, Sum};
use crate::document::{Problem, hex};

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

pub(super) fn state(files: &dyn Files, hashed: &Hashed) -> Result<State, Box<Problem>> {
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
fn sum(files: &dyn Files, path: &str, hash: Hash, wanted: &str) -> Result<Sum, Box<Problem>> {
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

fn folder(files: &dyn Files, path: &str, hash: Hash, list: &str) -> Result<State, Box<Problem>> {
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
    // As Python writes a list of objects, in the order of the paths.
    entries.sort();
    let objects: Vec<String> = entries
        .iter()
        .map(|(path, md5)| format!("{{\"md5\": \"{md5}\", \"relpath\": {}}}", ascii(path)))
        .collect();
    let whole = format!("[{}]", objects.join(", "));
    Ok(if hex(&Md5::digest(whole.as_bytes())) == list { State::Same } else { State::Differs })
}

/// A text in JSON, with everything beyond ASCII as `\u` and digits.
fn ascii(text: &str) -> String {
    let mut made = String::new();
    for c in serde_json::json!(text).to_string().chars() {
        if matches!(c, ' '..='~') {
            made.push(c);
        } else {
            let units = &mut [0; 2];
            c.encode_utf16(units).iter().for_each(|unit| made.push_str(&format!("\\u{unit:04x}")));
        }
    }
    made
}
