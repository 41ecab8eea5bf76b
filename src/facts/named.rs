//! How a change affects files that records name. Links are followed: the change may touch the target at
//! another path, or only the link.

use std::collections::BTreeMap;
use std::path::Path;

use cap_std::fs::Dir;

use super::changes::{AtHead, Ends, Span, added_or_replaced, at_each, ends, in_working_tree};
use crate::document::Diagnostic;
use crate::git::{Commit, Git, Refusal, Resolved};
use crate::rule::{ChangedFile, FileChange};

/// The changes to these paths; unchanged ones are left out.
pub(super) fn named(
    git: &Git,
    span: &Span,
    folder: &Dir,
    paths: &[&str],
) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let Ends { bases, head, .. } = ends(git, span)?;
    match span {
        Span::WorkingTree { .. } => on_disk(git, &bases, folder, paths),
        Span::Commits { .. } => {
            let mut changed = Vec::new();
            for path in paths {
                if let Some(change) = between(git, &bases, &head, path)? {
                    changed.push(ChangedFile { path: (*path).to_owned(), change });
                }
            }
            Ok(changed)
        }
    }
}

fn between(
    git: &Git,
    bases: &[Commit],
    head: &Commit,
    path: &str,
) -> Result<Option<FileChange>, Box<Diagnostic>> {
    let before = at_each(git, bases, path)?;
    let here = git.look_up(head, path)?;
    let is_same = |before: &Resolved| match (before.id(), here.id()) {
        (None, None) => *before == here,
        (before, here) => before == here,
    };
    if !before.iter().all(is_same) {
        let is_there = here != Resolved::Missing;
        return Ok(Some(if is_there { added_or_replaced(&before) } else { FileChange::Removed }));
    }
    // A folder may be unchanged although the target of a link in it has changed.
    let mut touched = None;
    if let Resolved::Folder { id, .. } = &here {
        let mut each = |file: ChangedFile| touched = Some(file.change);
        AtHead::new(git, bases, head).walk(id, path, &|_| true, &mut each)?;
    }
    Ok(touched.map(|_| FileChange::Replaced))
}

/// Like [`named`], but compares with files on disk, including uncommitted ones. Files that no base has and
/// that git would not add are not part of the change.
fn on_disk(
    git: &Git,
    bases: &[Commit],
    folder: &Dir,
    paths: &[&str],
) -> Result<Vec<ChangedFile>, Box<Diagnostic>> {
    let mut changed: BTreeMap<&str, FileChange> = BTreeMap::new();
    // The real location of each path, and the names that records use for it.
    let mut leads: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in paths {
        let before = at_each(git, bases, path)?;
        leads.entry((*path).to_owned()).or_default().push(path);
        match folder.canonicalize(path) {
            Ok(real) => {
                let real = slashed(&real);
                if before.iter().any(|before| is_another(git, before, folder, &real)) {
                    changed.insert(path, FileChange::Replaced);
                }
                if real != *path {
                    leads.entry(real).or_default().push(path);
                }
            }
            // The entry exists, but points to nothing readable.
            Err(_) if folder.symlink_metadata(path).is_ok() => {
                if !before.iter().all(|before| matches!(before, Resolved::Refused(_) | Resolved::Missing)) {
                    changed.insert(path, FileChange::Replaced);
                }
            }
            Err(_) if before.iter().any(|before| before.id().is_some()) => {
                changed.insert(path, FileChange::Removed);
            }
            Err(_) => {}
        }
    }
    without_left_out(git, &mut changed)?;
    let covering = |path: &str| {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.map(|end| &path[..end]).find_map(|part| leads.get(part))
    };
    in_working_tree(git, bases, folder, &|path| covering(path).is_some(), &mut |file| {
        for path in covering(&file.path).into_iter().flatten() {
            changed.entry(path).and_modify(|known| *known = known.and(file.change)).or_insert(file.change);
        }
    })?;
    Ok(changed.into_iter().map(|(path, change)| ChangedFile { path: path.to_owned(), change }).collect())
}

/// Whether a path resolved to another location or another type at the base.
fn is_another(git: &Git, before: &Resolved, folder: &Dir, real: &str) -> bool {
    let is_folder = folder.metadata(real).is_ok_and(|meta| meta.is_dir());
    match before {
        Resolved::File { path, .. } => is_folder || path.strip_prefix(git.prefix()) != Some(real),
        Resolved::Folder { path, .. } => !is_folder || path.strip_prefix(git.prefix()) != Some(real),
        Resolved::Refused(Refusal::Submodule) => !is_folder,
        Resolved::Refused(_) | Resolved::Missing => false,
    }
}

/// Removes the files that a sparse checkout left out: they are not deleted.
fn without_left_out(git: &Git, changed: &mut BTreeMap<&str, FileChange>) -> Result<(), Box<Diagnostic>> {
    if changed.values().any(|change| *change == FileChange::Removed) {
        for entry in git.special_index_entries()? {
            changed.retain(|path, change| *change != FileChange::Removed || *path != entry.path);
        }
    }
    Ok(())
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
