//! Resolves a path at a commit. Links are followed as on disk, within the folder that they may not leave, so that a
//! commit and its checkout give the same answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use super::{Commit, Found, Git, TreeEntry, TreeKind, short};
use crate::document::Diagnostic;

/// Maximum number of links followed on one path, as on Linux.
const MAX_HOPS: usize = 40;
/// Maximum length in bytes of a link's target.
const MAX_LINK_BYTES: usize = 4096;
/// Maximum number of folders in the cache.
const MAX_CACHED: usize = 256;

/// The result of resolving a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A regular file.
    File {
        /// The id of its blob.
        id: String,
        /// Its path without links, from the top of the repository.
        path: String,
    },
    /// A folder.
    Folder {
        /// The id of its tree.
        id: String,
        /// Its path without links, from the top of the repository.
        path: String,
    },
    /// It does not exist.
    Missing,
    /// It exists, but can't be read as a file or a folder.
    Refused(Refusal),
}

/// Why a path of a commit is neither a file nor a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A dangling or circular link.
    BrokenLink {
        /// The link's target.
        target: String,
    },
    /// A link out of the folder that it may not leave.
    Outside {
        /// The link's target.
        target: String,
    },
    /// Another repository.
    Submodule,
}

/// The entries of a folder, by name.
pub type Folder = Arc<BTreeMap<String, TreeEntry>>;

/// The folders read so far, so that a folder of ten thousand records is parsed once.
#[derive(Debug, Default)]
pub(super) struct FolderCache {
    folders: Mutex<HashMap<String, Folder>>,
    /// The top folder of each commit looked up.
    roots: Mutex<HashMap<String, String>>,
}

impl Git {
    /// Resolves a path below this folder at a commit. No link may leave this folder.
    pub fn look_up(&self, commit: &Commit, path: &str) -> Result<Resolved, Box<Diagnostic>> {
        self.look_up_within(commit, &format!("{}{path}", self.prefix), &self.prefix)
    }

    /// Resolves a path from the top of the repository at a commit. No link may leave the repository.
    pub fn look_up_from_top(&self, commit: &Commit, path: &str) -> Result<Resolved, Box<Diagnostic>> {
        self.look_up_within(commit, path, "")
    }

    fn look_up_within(&self, commit: &Commit, path: &str, bounds: &str) -> Result<Resolved, Box<Diagnostic>> {
        let root = self.root(commit)?;
        let bounds = parts(bounds).count();
        let mut names: Vec<String> = Vec::new();
        let mut folders = vec![root];
        let mut rest: Vec<String> = parts(path).rev().map(str::to_owned).collect();
        let (mut hops, mut target) = (0, None::<String>);
        let nothing = |target: Option<String>| match target {
            Some(target) => Resolved::Refused(Refusal::BrokenLink { target }),
            None => Resolved::Missing,
        };
        while let Some(name) = rest.pop() {
            if name == ".." {
                if names.len() <= bounds {
                    let outside = |target| Resolved::Refused(Refusal::Outside { target });
                    return Ok(target.map_or(Resolved::Missing, outside));
                }
                names.pop();
                folders.pop();
                continue;
            }
            let folder = self.folder(folders.last().expect("the root is never popped"))?;
            let Some(entry) = folder.get(&name) else { return Ok(nothing(target)) };
            match entry.kind {
                TreeKind::Folder => {
                    names.push(name);
                    folders.push(entry.id.clone());
                }
                TreeKind::File if rest.is_empty() => {
                    names.push(name);
                    return Ok(Resolved::File { id: entry.id.clone(), path: names.join("/") });
                }
                TreeKind::File => return Ok(nothing(target)),
                TreeKind::Submodule => return Ok(Resolved::Refused(Refusal::Submodule)),
                TreeKind::Link => {
                    let text = self.link(entry)?;
                    hops += 1;
                    if hops > MAX_HOPS {
                        return Ok(nothing(Some(text)));
                    }
                    if text.starts_with('/') {
                        return Ok(Resolved::Refused(Refusal::Outside { target: text }));
                    }
                    rest.extend(parts(&text).rev().map(str::to_owned));
                    target = Some(text);
                }
            }
        }
        let id = folders.pop().expect("the root is never popped");
        Ok(Resolved::Folder { id, path: names.join("/") })
    }

    /// The id of the top folder of a commit.
    fn root(&self, commit: &Commit) -> Result<String, Box<Diagnostic>> {
        let mut roots = self.folders.roots.lock().expect("no question panics half-way");
        if let Some(known) = roots.get(&commit.id) {
            return Ok(known.clone());
        }
        let Found::Object { id, .. } = self.ask(&format!("{}^{{tree}}", commit.id), usize::MAX)? else {
            return Err(self.absent(&format!("the folder of the commit {}", short(&commit.id))));
        };
        roots.insert(commit.id.clone(), id.clone());
        Ok(id)
    }

    fn link(&self, entry: &TreeEntry) -> Result<String, Box<Diagnostic>> {
        match self.ask(&entry.id, MAX_LINK_BYTES)? {
            Found::Object { data, .. } => Ok(String::from_utf8_lossy(&data).into_owned()),
            Found::TooLarge { .. } => Ok("…".to_owned()),
            Found::Missing | Found::Ambiguous => Err(self.absent(&format!("the link `{}`", entry.name))),
        }
    }

    /// The entries of a folder.
    pub fn folder(&self, id: &str) -> Result<Folder, Box<Diagnostic>> {
        let mut cache = self.folders.folders.lock().expect("no question panics half-way");
        if let Some(known) = cache.get(id) {
            return Ok(Arc::clone(known));
        }
        let entries = self.tree(id)?.into_iter().map(|entry| (entry.name.clone(), entry));
        let folder: Folder = Arc::new(entries.collect());
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(id.to_owned(), Arc::clone(&folder));
        Ok(folder)
    }
}

impl Resolved {
    /// The id of the file or the folder.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::File { id, .. } | Self::Folder { id, .. } => Some(id),
            Self::Missing | Self::Refused(_) => None,
        }
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}
