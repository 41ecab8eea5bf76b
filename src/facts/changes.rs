//! What a change adds: the files of the working tree that are not at the base as they are here.

use cap_std::fs::Dir;

use super::files;
use crate::document::Diagnostic;
use crate::git::{Commit, Found, Git, short, unix_line_ends};
use crate::rule::{ChangedFile, Changes};
use crate::store::{Revision, Selector, Store as _};

/// Bytes of a committed text whose line ends are compared, and of a pointer of git-lfs.
const SMALL: usize = 1 << 20;
/// What a pointer of git-lfs begins with.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What a change is seen between.
#[derive(Debug, Clone)]
pub(super) enum Span {
    /// From the last commit in common with a branch, the default one if none is named, to the working tree.
    WorkingTree {
        /// The branch.
        base: Option<String>,
    },
    /// From the last commit in common with the base to the head of a pull request.
    Commits {
        /// The tip of the branch that is trusted.
        base: Commit,
        /// What is judged.
        head: Commit,
    },
}

impl Default for Span {
    fn default() -> Self {
        Self::WorkingTree { base: None }
    }
}

/// The wanted files that differ.
pub(super) fn since(
    git: &Git,
    span: &Span,
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Changes, Box<Diagnostic>> {
    let (name, base, head) = match span {
        Span::WorkingTree { base: Some(name) } => (name.clone(), git.commit(name)?, git.commit("HEAD")?),
        Span::WorkingTree { base: None } => {
            let (name, base) = git.default_branch()?;
            (name, base, git.commit("HEAD")?)
        }
        Span::Commits { base, head } => ("the base".to_owned(), base.clone(), head.clone()),
    };
    let base = git.merge_bases(&head, &base)?.remove(0);
    let files = match span {
        Span::WorkingTree { .. } => in_working_tree(git, &base, folder, wanted)?,
        Span::Commits { .. } => at_head(git, &base, head, wanted)?,
    };
    Ok(Changes { since: format!("{name} ({})", short(&base.id)), files })
}

/// Uncommitted files included.
fn in_working_tree(
    git: &Git,
    base: &Commit,
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for path in git.files()?.into_iter().filter(|path| wanted(path)) {
        let added = match git.at_path(base, &path)? {
            None => true,
            Some(entry) if same(git, &entry.id, folder, &path)? => continue,
            Some(_) => false,
        };
        // What is still in the index and no longer on the disk was taken out, which adds nothing.
        if folder.symlink_metadata(&path).is_ok() {
            found.push(ChangedFile { path, added });
        }
    }
    Ok(found)
}

/// Whatever is checked out: a file of the head that is not here can't be read, and fails for that.
fn at_head(
    git: &Git,
    base: &Commit,
    head: Commit,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
    let everything = Selector::new("**")?;
    let mut found = Vec::new();
    for entry in Revision::shown_plainly(git, head).select(&everything)? {
        if !wanted(&entry.path) {
            continue;
        }
        let before = git.at_path(base, &entry.path)?.map(|before| before.id);
        if before.is_none() || before != entry.blob {
            found.push(ChangedFile { path: entry.path, added: before.is_none() });
        }
    }
    Ok(found)
}

/// Whether a file is as it was committed. One that can't be read is not: the rule then says why.
fn same(git: &Git, blob: &str, folder: &Dir, path: &str) -> Result<bool, Box<Diagnostic>> {
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
    Ok(unix_line_ends(&bytes) == data)
}
