//! The files of a project, in the working tree or at a commit, and in DVC's cache.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use super::super::{FetchContext, NOT_THERE, Place};
use crate::document::{Diagnostic, hex};
use crate::source::dvc::{BROKEN, Files, Hash, Sum, joined, relative};
use crate::store::{Revision, Selector, Store as _};

/// Maximum size in bytes of a file that is read.
const MOST: usize = 64 << 20;
/// Maximum size in bytes of a committed file that is hashed.
const LARGEST: usize = 1 << 30;
/// Why a file is not hashed, as the end of a sentence.
const OUTSIDE: &str = "is outside the project, so gate does not read it";

/// The files in `.dvc/cache`, by MD5.
pub(super) struct Cache(Place);

impl Cache {
    /// The cache of a project, if it has one.
    pub(super) fn of(project: &Path, around: &FetchContext<'_>) -> Option<Self> {
        around.place(&project.join(".dvc/cache").display().to_string()).ok().map(Self)
    }

    /// The file with a digest, at the path that DVC 3 or DVC 2 uses. The contents must match the digest: anyone who can
    /// write to the repository can write to the cache.
    fn read(&self, hash: Hash, md5: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        let is_md5 = md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_md5 {
            return Ok(None);
        }
        let (start, rest) = md5.split_at(2);
        let folder = if hash == Hash::Plain { "files/md5/" } else { "" };
        let path = format!("{folder}{start}/{rest}");
        let Some(bytes) = self.0.read(&path, MOST)? else { return Ok(None) };
        if hash.of(&bytes) == md5 {
            return Ok(Some(bytes));
        }
        let message = format!("`.dvc/cache/{path}` is not the file that its name says");
        Err(Diagnostic::new(BROKEN, message)
            .help("remove it, and fetch it again with `dvc pull`; `.dvc/cache` is never committed")
            .boxed())
    }

    /// The MD5 of the cache file that a link points to.
    fn md5_of(&self, real: &Path) -> Option<String> {
        let below = real.strip_prefix(self.0.path.join("files/md5")).ok()?.to_str()?;
        Some(below.replace(['/', '\\'], ""))
    }
}

fn cached(cache: Option<&Cache>, hash: Hash, md5: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
    cache.map_or(Ok(None), |cache| cache.read(hash, md5))
}

/// A path from the top; `None` if it leaves the top.
fn from_top(below: &str, path: &str) -> Option<String> {
    let is_odd = path.starts_with('/') || path.contains(['\\', ':', '\0']);
    Some(joined(below, path)).filter(|path| !is_odd && path != ".." && !path.starts_with("../"))
}

/// A folder in the working tree.
pub(super) struct Tree {
    named: Place,
    /// Nothing above it is read.
    top: Place,
    /// The path from the top to the folder.
    below: String,
    /// The folder with DVC's `.dvc`.
    project: PathBuf,
    cache: Option<Cache>,
}

impl Tree {
    /// The files around a folder: those of its repository, or of its project if that is larger, within the workspace.
    pub(super) fn new(named: Place, around: &FetchContext<'_>) -> Result<Self, Box<Diagnostic>> {
        let root = around.root.canonicalize().unwrap_or_else(|_| around.root.to_owned());
        let above = |name: &str| named.path.ancestors().find(|above| above.join(name).exists());
        let project = above(".dvc").unwrap_or(&named.path).to_owned();
        let repository = above(".git").unwrap_or(&named.path);
        let outer = if project.starts_with(repository) { repository } else { &project };
        let top = if named.path.starts_with(&root) && root.starts_with(outer) { &root } else { outer };
        let below = named.path.strip_prefix(top).unwrap_or(Path::new(""));
        let below = below.display().to_string().replace('\\', "/");
        let cache = if project.starts_with(top) { Cache::of(&project, around) } else { None };
        let top = around.place(&top.display().to_string())?;
        Ok(Self { named, top, below, project, cache })
    }
}

impl Files for Tree {
    fn below(&self) -> &str {
        &self.below
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        let Some(inside) = from_top(&self.below, path) else { return Ok(None) };
        let full = self.top.path.join(&inside);
        if !full.is_file() {
            return Ok(None);
        }
        // DVC may have put a link to its cache there.
        if let (true, Some(cache), Ok(real)) = (full.is_symlink(), &self.cache, full.canonicalize())
            && let Some(md5) = cache.md5_of(&real)
        {
            return cache.read(Hash::Plain, &md5);
        }
        self.top.read(&inside, MOST)
    }

    fn md5(&self, path: &str) -> Result<Sum, Box<Diagnostic>> {
        let Some(inside) = from_top(&self.below, path) else { return Ok(Sum::NotLookedAt(OUTSIDE)) };
        let full = self.top.path.join(inside);
        if !full.is_file() {
            return Ok(Sum::NotThere);
        }
        match full.canonicalize() {
            Ok(real) if real.starts_with(&self.project) || real.starts_with(&self.top.path) => {}
            _ => {
                return Ok(Sum::NotLookedAt(
                    "is a link that leads out of the project, which gate does not follow",
                ));
            }
        }
        hash(&full).map(Sum::Of).map_err(|error| {
            Diagnostic::new(NOT_THERE, format!("`{}` can't be read: {error}", self.label(path)))
                .help("look at its permissions")
                .boxed()
        })
    }

    fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let Some(inside) = from_top(&globset::escape(&self.below), glob) else { return Ok(Vec::new()) };
        let found = self.top.matching(&inside)?;
        Ok(found.iter().map(|path| relative(&self.below, path)).collect())
    }

    fn cached(&self, hash: Hash, md5: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        cached(self.cache.as_ref(), hash, md5)
    }

    fn label(&self, path: &str) -> String {
        joined("", &self.named.label_of(path))
    }
}

/// The MD5 of a file, read in chunks: data may be larger than memory.
fn hash(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let (mut sum, mut part) = (Md5::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex(&sum.finalize())),
            read => sum.update(&part[..read]),
        }
    }
}

/// A folder at a commit.
pub(super) struct Committed<'g> {
    /// From the top of the repository.
    pub(super) store: Revision<'g>,
    /// The path from there to the folder.
    pub(super) below: String,
    pub(super) cache: Option<Cache>,
}

impl Committed<'_> {
    fn bytes(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        let Some(path) = from_top(&self.below, path) else { return Ok(None) };
        if path.contains(['*', '?', '[', '{']) {
            return Ok(None);
        }
        let found = self.store.select(&Selector::new(&path)?)?;
        match found.into_iter().find(|entry| entry.path == path) {
            Some(entry) => self.store.read(&entry, most).map(Some),
            None => Ok(None),
        }
    }
}

impl Files for Committed<'_> {
    fn below(&self) -> &str {
        &self.below
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        self.bytes(path, MOST)
    }

    fn md5(&self, path: &str) -> Result<Sum, Box<Diagnostic>> {
        if from_top(&self.below, path).is_none() {
            return Ok(Sum::NotLookedAt(OUTSIDE));
        }
        let found = self.bytes(path, LARGEST)?;
        Ok(found.map_or(Sum::NotThere, |bytes| Sum::Of(hex(&Md5::digest(&bytes)))))
    }

    fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let Some(inside) = from_top(&globset::escape(&self.below), glob) else { return Ok(Vec::new()) };
        let found = self.store.select(&Selector::new(&inside)?)?;
        Ok(found.iter().map(|entry| relative(&self.below, &entry.path)).collect())
    }

    fn cached(&self, hash: Hash, md5: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        cached(self.cache.as_ref(), hash, md5)
    }

    fn label(&self, path: &str) -> String {
        self.store.label(&joined(&self.below, path))
    }
}
