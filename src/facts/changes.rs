//! What a change adds: files in the working tree, or at the head of a pull request, that are missing or different at
//! the base.

use std::collections::HashMap;

use cap_std::fs::Dir;

use super::{CANNOT_TELL, files};
use crate::document::Diagnostic;
use crate::git::{Commit, Found, Git, Resolved, TreeKind, short, unix_line_ends};
use crate::rule::{ChangedFile, FileChange};

/// Maximum size in bytes of a committed text whose line endings are compared, and of a git-lfs pointer.
const SMALL: usize = 1 << 20;
/// The start of a git-lfs pointer.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The two ends of a change.
#[derive(Debug, Clone)]
pub(super) enum Span {
    /// From the merge base with a branch, by default the default branch, to the working tree.
    WorkingTree {
        /// The branch.
        base: Option<String>,
    },
    /// From the merge base with the base branch to the head of a pull request.
    Commits {
        /// The tip of the trusted branch.
        base: Commit,
        /// The head commit.
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

/// Passes on the wanted files that differ, one by one; returns a description of the base.
pub(super) fn since(
    git: &Git,
    span: &Span,
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(ChangedFile),
) -> Result<String, Box<Diagnostic>> {
    let Ends { name, bases, head } = ends(git, span)?;
    match span {
        Span::WorkingTree { .. } => in_working_tree(git, &bases, folder, wanted, each)?,
        Span::Commits { .. } => {
            if let Resolved::Folder { id, .. } = git.look_up(&head, "")? {
                AtHead::new(git, &bases, &head).walk(&id, "", wanted, each)?;
            }
        }
    }
    let ids: Vec<&str> = bases.iter().map(|base| short(&base.id)).collect();
    Ok(format!("{name} ({})", ids.join(", ")))
}

/// The resolved ends of a change.
pub(super) struct Ends {
    /// The name of the base.
    name: String,
    /// The merge bases.
    pub(super) bases: Vec<Commit>,
    pub(super) head: Commit,
}

pub(super) fn ends(git: &Git, span: &Span) -> Result<Ends, Box<Diagnostic>> {
    let (name, base, head) = match span {
        Span::WorkingTree { base } => {
            let base = git.base(base.as_deref())?;
            (base.name().to_owned(), base.commit, git.commit("HEAD")?)
        }
        Span::Commits { base, head, .. } => ("the base".to_owned(), base.clone(), head.clone()),
    };
    let bases = git.merge_bases(&head, &base)?;
    Ok(Ends { name, bases, head })
}

/// Passes on the changed files in the working tree, including uncommitted ones.
pub(super) fn in_working_tree(
    git: &Git,
    bases: &[Commit],
    folder: &Dir,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(ChangedFile),
) -> Result<(), Box<Diagnostic>> {
    for path in git.files(wanted)? {
        // A file that is in the index but not on disk was removed, which adds nothing.
        let Ok(meta) = folder.symlink_metadata(&path) else { continue };
        let before = at_each(git, bases, &path)?;
        let mut unchanged = true;
        for before in &before {
            unchanged = unchanged
                && match before {
                    Resolved::File { id, .. } => same(git, id, folder, &path)?,
                    // A link that was broken before and still is did not change.
                    Resolved::Refused(_) => meta.is_symlink() && folder.metadata(&path).is_err(),
                    // Files in a folder are compared under their own paths.
                    Resolved::Folder { .. } => folder.metadata(&path).is_ok_and(|meta| meta.is_dir()),
                    Resolved::Missing => false,
                };
        }
        if !unchanged {
            each(ChangedFile { path, change: added_or_replaced(&before) });
        }
    }
    Ok(())
}

/// Maximum number of files and folders visited in the head's changed folders: a commit may have more paths than anyone
/// could list.
const MOST_VISITED: usize = 300_000;

/// Walks through the files of a commit.
pub(super) struct AtHead<'g> {
    git: &'g Git,
    bases: &'g [Commit],
    head: &'g Commit,
    visited: usize,
    /// Whether a folder contains a link at any depth, by the folder's id.
    linked: HashMap<String, bool>,
}

impl<'g> AtHead<'g> {
    pub(super) fn new(git: &'g Git, bases: &'g [Commit], head: &'g Commit) -> Self {
        Self { git, bases, head, visited: 0, linked: HashMap::new() }
    }

    /// Passes on the wanted files below a folder that differ, regardless of the checkout: a file of the head that is
    /// not checked out can't be read, and fails for that reason.
    pub(super) fn walk(
        &mut self,
        tree: &str,
        folder: &str,
        wanted: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(ChangedFile),
    ) -> Result<(), Box<Diagnostic>> {
        self.walk_into(tree, folder, false, wanted, each)
    }

    /// `is_new`: no base has the folder, nor anything in it.
    fn walk_into(
        &mut self,
        tree: &str,
        folder: &str,
        is_new: bool,
        wanted: &dyn Fn(&str) -> bool,
        each: &mut dyn FnMut(ChangedFile),
    ) -> Result<(), Box<Diagnostic>> {
        let before = self.before(folder, is_new)?;
        let is_new = before.iter().all(|before| *before == Resolved::Missing);
        if before.iter().all(|before| before.id() == Some(tree)) && !self.has_links(tree)? {
            return Ok(());
        }
        for entry in self.git.folder(tree)?.values() {
            self.visited += 1;
            if self.visited > MOST_VISITED {
                let message = format!("the change has more than {MOST_VISITED} files and folders");
                return Err(Diagnostic::new(CANNOT_TELL, message)
                    .help("split the change: gate can't check so many files")
                    .boxed());
            }
            let path =
                if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            match entry.kind {
                TreeKind::Folder => self.walk_into(&entry.id, &path, is_new, wanted, each)?,
                // Another repository's files are not part of this one, not even on disk.
                TreeKind::Submodule => {}
                TreeKind::File | TreeKind::Link if wanted(&path) => {
                    let before = self.before(&path, is_new)?;
                    let here = match entry.kind {
                        TreeKind::Link => self.git.look_up(self.head, &path)?,
                        _ => Resolved::File { id: entry.id.clone(), path: path.clone() },
                    };
                    let is_same = |before: &Resolved| match (before, &here) {
                        (Resolved::Folder { .. }, Resolved::Folder { .. }) => true,
                        (Resolved::Missing, _) => false,
                        (before, here) => before.id() == here.id(),
                    };
                    if !before.iter().all(is_same) {
                        each(ChangedFile { path, change: added_or_replaced(&before) });
                    }
                }
                TreeKind::File | TreeKind::Link => {}
            }
        }
        Ok(())
    }

    fn before(&self, path: &str, is_new: bool) -> Result<Vec<Resolved>, Box<Diagnostic>> {
        if is_new {
            Ok(vec![Resolved::Missing; self.bases.len()])
        } else {
            at_each(self.git, self.bases, path)
        }
    }

    /// Whether an unchanged folder may still contain a change, through the target of a link.
    fn has_links(&mut self, tree: &str) -> Result<bool, Box<Diagnostic>> {
        if let Some(known) = self.linked.get(tree) {
            return Ok(*known);
        }
        let mut found = false;
        for entry in self.git.folder(tree)?.values() {
            found = match entry.kind {
                TreeKind::Link => true,
                TreeKind::Folder => self.has_links(&entry.id)?,
                TreeKind::File | TreeKind::Submodule => false,
            };
            if found {
                break;
            }
        }
        self.linked.insert(tree.to_owned(), found);
        Ok(found)
    }
}

/// What a path resolves to at each of several merge bases: it changed if it differs from any of them.
pub(super) fn at_each(git: &Git, bases: &[Commit], path: &str) -> Result<Vec<Resolved>, Box<Diagnostic>> {
    bases.iter().map(|base| git.look_up(base, path)).collect()
}

/// The change of an existing file: added if no merge base has it, else replaced.
pub(super) fn added_or_replaced(before: &[Resolved]) -> FileChange {
    if before.iter().all(|before| *before == Resolved::Missing) {
        FileChange::Added
    } else {
        FileChange::Replaced
    }
}

/// Whether a file is as committed. An unreadable file is not, so that the rule reports why.
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
    // On Windows git may check out other line endings than it stores.
    let Ok(bytes) = files::bytes(folder, path, SMALL) else { return Ok(false) };
    Ok(unix_line_ends(&bytes) == data)
}
