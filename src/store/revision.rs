//! Committed files, read from git's objects and never checked out.

use super::walk::Walk;
use super::{Entry, NOT_FOUND, Selector, Store, below, refused, too_large};
use crate::document::Diagnostic;
use crate::git::{Commit, Found, Git, Resolved, TreeKind};

/// The files below a folder at a commit.
#[derive(Debug)]
pub struct Revision<'g> {
    git: &'g Git,
    commit: Commit,
    /// The prefix of paths in messages.
    shown: String,
}

impl<'g> Revision<'g> {
    /// The files at a commit, below the folder that `git` was opened in.
    pub fn new(git: &'g Git, name: &str, commit: Commit) -> Self {
        Self { git, commit, shown: format!("git:{name}:") }
    }

    /// Like [`Self::new`], but with paths in messages as in the working tree.
    pub fn shown_plainly(git: &'g Git, commit: Commit) -> Self {
        Self { git, commit, shown: String::new() }
    }

    /// Sets the prefix of paths in messages to the path from the current folder.
    #[must_use]
    pub fn shown_behind(mut self, up: &str) -> Self {
        up.clone_into(&mut self.shown);
        self
    }

    /// The commit.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// Collects what the walk searches for in a folder; `real` is the folder's path without links.
    fn walk(&self, tree: &str, folder: &str, real: &str, walk: &mut Walk<'_>) -> Result<(), Box<Diagnostic>> {
        for entry in self.git.folder(tree)?.values() {
            walk.visit()?;
            let (path, at) = (below(folder, &entry.name), below(real, &entry.name));
            match entry.kind {
                TreeKind::File => walk.file(path, at, Some(entry.id.clone())),
                TreeKind::Folder => {
                    if walk.enter(&at, false)? {
                        self.walk(&entry.id, &path, &at, walk)?;
                        walk.leave();
                    }
                }
                TreeKind::Submodule => walk.unreadable(path, at),
                TreeKind::Link => match self.git.look_up(&self.commit, &path)? {
                    Resolved::File { id, .. } => walk.file(path, at, Some(id)),
                    Resolved::Folder { id, path: target } => {
                        let target = self.below_here(&target);
                        if walk.enter(&target, true)? {
                            self.walk(&id, &path, &target, walk)?;
                            walk.leave();
                        }
                    }
                    Resolved::Missing | Resolved::Refused(_) => walk.unreadable(path, at),
                },
            }
        }
        Ok(())
    }

    /// A path from the top of the repository, relative to this store.
    fn below_here(&self, path: &str) -> String {
        format!("{path}/").strip_prefix(self.git.prefix()).unwrap_or(path).trim_end_matches('/').to_owned()
    }
}

impl Store for Revision<'_> {
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let written = selector.written();
        let unreadable = |path: &str| Ok(vec![Entry { path: path.to_owned(), blob: None }]);
        let named = self.git.look_up(&self.commit, written)?;
        // A file whose name looks like a glob is still a file.
        if let Resolved::File { id, .. } = named {
            return Ok(vec![Entry { path: written.to_owned(), blob: Some(id) }]);
        }
        let (folder, found) = if selector.is_glob() {
            (selector.folder(), self.git.look_up(&self.commit, selector.folder())?)
        } else {
            (written, named)
        };
        match found {
            Resolved::Folder { id, path } => {
                let mut walk = Walk::new(selector);
                let real = self.below_here(&path);
                walk.enter(&real, false)?;
                self.walk(&id, folder, &real, &mut walk)?;
                Ok(walk.into_entries())
            }
            Resolved::Refused(_) => unreadable(folder),
            Resolved::File { .. } | Resolved::Missing => Ok(Vec::new()),
        }
    }

    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let label = self.label(&entry.path);
        let Some(blob) = &entry.blob else {
            return Err(match self.git.look_up(&self.commit, &entry.path)? {
                Resolved::Refused(why) => refused(&label, &why),
                _ => Diagnostic::new(NOT_FOUND, format!("`{label}` was not found")).boxed(),
            });
        };
        match self.git.blob(blob, most)? {
            Found::Object { data, .. } => Ok(data),
            Found::TooLarge { bytes, .. } => Err(too_large(&label, bytes, most)),
            Found::Missing | Found::Ambiguous => {
                Err(Diagnostic::new(NOT_FOUND, format!("`{label}` was not found")).boxed())
            }
        }
    }

    fn linked_folder(&self, folder: &str, levels: usize) -> Result<Option<String>, Box<Diagnostic>> {
        let Resolved::Folder { id, .. } = self.git.look_up(&self.commit, folder)? else { return Ok(None) };
        for entry in self.git.folder(&id)?.values() {
            let path = below(folder, &entry.name);
            let link = match entry.kind {
                TreeKind::File => None,
                TreeKind::Folder if levels > 1 => self.linked_folder(&path, levels - 1)?,
                TreeKind::Folder => None,
                TreeKind::Submodule => Some(path),
                TreeKind::Link => match self.git.look_up(&self.commit, &path)? {
                    Resolved::File { .. } => None,
                    _ => Some(path),
                },
            };
            if link.is_some() {
                return Ok(link);
            }
        }
        Ok(None)
    }

    fn label(&self, path: &str) -> String {
        format!("{}{path}", self.shown)
    }
}
