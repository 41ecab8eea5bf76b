//! What a change adds: the files of the working tree that are not at the base as they are here.

use cap_std::fs::Dir;

use super::files;
use crate::document::Problem;
use crate::git::{Commit, Found, Git, short};
use crate::rule::{ChangedFile, Changes};

/// Bytes of a committed text whose line ends are compared, and of a pointer of git-lfs.
const SMALL: usize = 1 << 20;
/// What a pointer of git-lfs begins with.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The wanted files that differ from the last commit in common with the base, uncommitted ones included.
pub(super) fn since(
    git: &Git,
    base: Option<&str>,
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Changes, Box<Problem>> {
    let (name, base) = match base {
        Some(name) => (name.to_owned(), git.commit(name)?),
        None => git.default_branch()?,
    };
    let head = git.commit("HEAD")?;
    let base = git.merge_base(&head, &base)?;
    let mut found = Vec::new();
    for path in git.files()?.into_iter().filter(|path| wanted(path)) {
        let added = match git.at_path(&base, &path)? {
            None => true,
            Some(entry) if same(git, &entry.id, folder, &path)? => continue,
            Some(_) => false,
        };
        // What is still in the index and no longer on the disk was taken out, which adds nothing.
        if folder.symlink_metadata(&path).is_ok() {
            found.push(ChangedFile { path, added });
        }
    }
    Ok(Changes { since: since_words(&name, &base), files: found })
}

fn since_words(name: &str, base: &Commit) -> String {
    format!("{name} ({})", short(&base.id))
}

/// Whether a file is as it was committed. One that can't be read is not: the rule then says why.
fn same(git: &Git, blob: &str, folder: &Dir, path: &str) -> Result<bool, Box<Problem>> {
    match files::blob_id(folder, path, blob.len()) {
        Ok(id) if id == blob => return Ok(true),
        Ok(_) => {}
        Err(_) => return Ok(false),
    }
    let Found::Object { data, .. } = git.blob(blob, SMALL)? else { return Ok(false) };
    if data.starts_with(POINTER) {
        let of_pointer = String::from_utf8_lossy(&data);
        let digest = of_pointer.lines().find_map(|line| line.strip_prefix("oid "));
        let ours = files::facts(folder, path, Some("sha256")).ok().and_then(|facts| facts.digest);
        return Ok(digest.is_some() && ours.map(|ours| ours.to_string()).as_deref() == digest);
    }
    // On Windows git may write other line ends than it keeps.
    let Ok(bytes) = files::bytes(folder, path, SMALL) else { return Ok(false) };
    let unix: Vec<u8> = bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| !(**byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')))
        .map(|(_, byte)| *byte)
        .collect();
    Ok(unix == data)
}
