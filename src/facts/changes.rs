//! What a change adds: the files of the working tree, or of the head of a pull request, that the base has not as they
//! are here.

use cap_std::fs::Dir;

use super::files;
use crate::document::Diagnostic;
use crate::git::{Commit, Found, Git, Resolved, TreeKind, short, unix_line_ends};
use crate::rule::ChangedFile;

/// Bytes of a committed text whose line ends are compared, and of a pointer of git-lfs.
const SMALL: usize = 1 << 20;
/// What a pointer of git-lfs begins with.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What a change is seen between.
#[derive(Debug, Clone)]
pub(super) enum Span {
    /// From the last commits in common with a branch, the default one if none is named, to the working tree.
    WorkingTree {
        /// The branch.
        base: Option<String>,
    },
    /// From the last commits in common with the base to the head of a pull request.
    Commits {
        /// The tip of the branch that is trusted.
        base: Commit,
        /// What is judged.
        head: Commit,
        /// Names that mean the base.
        names: Vec<String>,
    },
}

impl Default for Span {
    fn default() -> Self {
        Self::WorkingTree { base: None }
    }
}

/// Hands over the wanted files that differ, one by one; gives since what, in words.
pub(super) fn since(
    git: &Git,
    span: &Span,
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(ChangedFile),
) -> Result<String, Box<Diagnostic>> {
    let (name, base, head) = match span {
        Span::WorkingTree { base } => {
            let base = git.base(base.as_deref())?;
            (base.name().to_owned(), base.commit, git.commit("HEAD")?)
        }
        Span::Commits { base, head, .. } => ("the base".to_owned(), base.clone(), head.clone()),
    };
    let bases = git.merge_bases(&head, &base)?;
    match span {
        Span::WorkingTree { .. } => in_working_tree(git, &bases, folder, wanted, each)?,
        Span::Commits { .. } => {
            if let Resolved::Folder { id, .. } = git.look_up(&head, "")? {
                at_head(git, &Ends { bases: &bases, head: &head }, &id, "", wanted, each)?;
            }
        }
    }
    let ids: Vec<&str> = bases.iter().map(|base| short(&base.id)).collect();
    Ok(format!("{name} ({})", ids.join(", ")))
}

/// Uncommitted files included.
fn in_working_tree(
    git: &Git,
    bases: &[Commit],
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(ChangedFile),
) -> Result<(), Box<Diagnostic>> {
    for path in git.files(wanted)? {
        // What is still in the index and no longer on the disk was taken out, which adds nothing.
        let Ok(meta) = folder.symlink_metadata(&path) else { continue };
        let before = at_each(git, bases, &path)?;
        let mut unchanged = true;
        for before in &before {
            unchanged = unchanged
                && match before {
                    Resolved::File { id, .. } => same(git, id, folder, &path)?,
                    // A link that was broken before and is broken now did not change.
                    Resolved::Refused(_) => meta.is_symlink() && folder.metadata(&path).is_err(),
                    // The files of a folder are compared under their own paths.
                    Resolved::Folder { .. } => folder.metadata(&path).is_ok_and(|meta| meta.is_dir()),
                    Resolved::Missing => false,
                };
        }
        if !unchanged {
            each(ChangedFile { path, added: is_added(&before) });
        }
    }
    Ok(())
}

/// The last commits in common, and the head.
struct Ends<'c> {
    bases: &'c [Commit],
    head: &'c Commit,
}

/// Whatever is checked out: a file of the head that is not here can't be read, and fails for that.
fn at_head(
    git: &Git,
    ends: &Ends<'_>,
    tree: &str,
    folder: &str,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(ChangedFile),
) -> Result<(), Box<Diagnostic>> {
    // A folder that is at the base as it is here holds nothing that changed, but for what its links lead to.
    let mut entries = git.tree(tree)?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in entries {
        let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
        match entry.kind {
            TreeKind::Folder => at_head(git, ends, &entry.id, &path, wanted, each)?,
            // Another repository's files are not part of this one, on the disk either.
            TreeKind::Submodule => {}
            TreeKind::File | TreeKind::Link if wanted(&path) => {
                let before = at_each(git, ends.bases, &path)?;
                let here = match entry.kind {
                    TreeKind::Link => git.look_up(ends.head, &path)?,
                    _ => Resolved::File { id: entry.id, path: path.clone() },
                };
                let is_same = |before: &Resolved| match (before, &here) {
                    (Resolved::Folder { .. }, Resolved::Folder { .. }) => true,
                    (Resolved::Missing, _) => false,
                    (before, here) => before.id() == here.id(),
                };
                if !before.iter().all(is_same) {
                    each(ChangedFile { path, added: is_added(&before) });
                }
            }
            TreeKind::File | TreeKind::Link => {}
        }
    }
    Ok(())
}

/// What a path leads to at each of several merge bases: it changed where it differs from any.
fn at_each(git: &Git, bases: &[Commit], path: &str) -> Result<Vec<Resolved>, Box<Diagnostic>> {
    bases.iter().map(|base| git.look_up(base, path)).collect()
}

/// Whether none of the merge bases has it.
fn is_added(before: &[Resolved]) -> bool {
    before.iter().all(|before| *before == Resolved::Missing)
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
