//! Files as they were committed, read from git's objects and never checked out.

use super::{Entry, NOT_FOUND, Selector, Store, TOO_MANY, too_large};
use crate::document::Diagnostic;
use crate::git::{Commit, Found, Git, TreeKind};

/// The files below a folder at a commit.
#[derive(Debug)]
pub struct Revision<'g> {
    git: &'g Git,
    commit: Commit,
    /// What stands before a path when it is shown.
    shown: String,
}

impl<'g> Revision<'g> {
    /// The files at a commit, below the folder that `git` was opened in.
    pub fn new(git: &'g Git, name: &str, commit: Commit) -> Self {
        Self { git, commit, shown: format!("git:{name}:") }
    }

    /// The same, with paths shown as they are in the working tree.
    pub fn shown_plainly(git: &'g Git, commit: Commit) -> Self {
        Self { git, commit, shown: String::new() }
    }

    /// Puts what leads there from where the command runs before each path that is shown.
    #[must_use]
    pub fn shown_behind(mut self, up: &str) -> Self {
        up.clone_into(&mut self.shown);
        self
    }

    /// The commit.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    fn walk(
        &self,
        tree: &str,
        folder: &str,
        selector: &Selector,
        found: &mut Vec<Entry>,
        looked_at: &mut LookedAt,
    ) -> Result<(), Box<Diagnostic>> {
        let mut entries = self.git.tree(tree)?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        looked_at.count(entries.len(), folder)?;
        for entry in entries {
            let path =
                if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            match entry.kind {
                TreeKind::Folder => {
                    looked_at.enter(&path)?;
                    self.walk(&entry.id, &path, selector, found, looked_at)?;
                    looked_at.depth -= 1;
                }
                TreeKind::File if selector.matches(&path) => found.push(Entry { path, blob: Some(entry.id) }),
                TreeKind::File | TreeKind::Other => {}
            }
        }
        Ok(())
    }
}

/// How much was looked at below a folder of a commit. A few kilobytes of git's objects can name more folders than any
/// machine can look at, since a tree may be in many others.
#[derive(Default)]
struct LookedAt {
    entries: usize,
    folders: usize,
    depth: usize,
}

/// Files and folders below one folder of a commit.
const MAX_ENTRIES: usize = 500_000;
/// Folders among them: each is a question to git.
const MAX_FOLDERS: usize = 20_000;
/// Folders within each other.
const MAX_DEPTH: usize = 64;

impl LookedAt {
    fn count(&mut self, entries: usize, folder: &str) -> Result<(), Box<Diagnostic>> {
        self.entries += entries;
        within(self.entries, MAX_ENTRIES, "files and folders", folder)
    }

    fn enter(&mut self, folder: &str) -> Result<(), Box<Diagnostic>> {
        self.folders += 1;
        self.depth += 1;
        within(self.folders, MAX_FOLDERS, "folders", folder)?;
        within(self.depth, MAX_DEPTH, "folders within each other", folder)
    }
}

fn within(count: usize, most: usize, what: &str, folder: &str) -> Result<(), Box<Diagnostic>> {
    if count <= most {
        return Ok(());
    }
    let folder: String = folder.chars().take(80).collect();
    Err(Diagnostic::new(TOO_MANY, format!("more than {most} {what}, at `{folder}` of the commit"))
        .help("name a folder or a pattern that holds only the run records")
        .boxed())
}

impl Store for Revision<'_> {
    fn select(&self, selector: &Selector) -> Result<Vec<Entry>, Box<Diagnostic>> {
        let written = selector.written();
        let at = self.git.at_path(&self.commit, written)?;
        if let Some(entry) = &at
            && entry.kind == TreeKind::File
        {
            return Ok(vec![Entry { path: written.to_owned(), blob: Some(entry.id.clone()) }]);
        }
        let (folder, tree) = if selector.is_glob() {
            (selector.folder(), self.git.at_path(&self.commit, selector.folder())?)
        } else {
            (written, at)
        };
        let mut found = Vec::new();
        if let Some(tree) = tree.filter(|entry| entry.kind == TreeKind::Folder) {
            self.walk(&tree.id, folder, selector, &mut found, &mut LookedAt::default())?;
        }
        Ok(found)
    }

    fn read(&self, entry: &Entry, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let label = self.label(&entry.path);
        let missing = || Diagnostic::new(NOT_FOUND, format!("`{label}` is not there")).boxed();
        let blob = entry.blob.as_deref().ok_or_else(missing)?;
        match self.git.blob(blob, most)? {
            Found::Object { data, .. } => Ok(data),
            Found::TooLarge { bytes, .. } => Err(too_large(&label, bytes, most)),
            Found::Missing | Found::Ambiguous => Err(missing()),
        }
    }

    fn linked_folder(&self, folder: &str, levels: usize) -> Result<Option<String>, Box<Diagnostic>> {
        let Some(tree) = self.git.at_path(&self.commit, folder)? else { return Ok(None) };
        if tree.kind != TreeKind::Folder {
            return Ok(None);
        }
        for entry in self.git.tree(&tree.id)? {
            let path =
                if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            let link = match entry.kind {
                TreeKind::Other => Some(path),
                TreeKind::Folder if levels > 1 => self.linked_folder(&path, levels - 1)?,
                TreeKind::Folder | TreeKind::File => None,
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
