//! DVC: a project in the working tree or at a commit.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use super::{Around, Fetched, Fetcher, NOT_THERE, Place, Role};
use crate::document::{Problem, hex};
use crate::git::{Commit, Git, short};
use crate::run::Origin;
use crate::source::dvc::{Code, Files, Sum, current, items, tracked};
use crate::store::{Revision, Selector, Store as _};

pub(super) const FETCHER: Fetcher = Fetcher { name: "dvc", fetch, recognises };

/// Bytes of a file that is read.
const MOST: usize = 64 << 20;
/// Bytes of a committed file that is hashed.
const LARGEST: usize = 1 << 30;

/// A project, or a folder that DVCLive wrote.
fn recognises(path: &Path) -> bool {
    path.join("dvc.yaml").is_file()
        || path.join("dvc.lock").is_file()
        || path.join("metrics.json").is_file()
            && (path.join("plots/metrics").is_dir() || path.join("params.yaml").is_file())
            && !path.join("run.json").is_file()
}

/// A folder, and what stands behind an `@`.
fn fetch(rest: &str, around: &Around<'_>) -> Result<Fetched, Box<Problem>> {
    let (folder, revision) = around.with_revision(rest);
    let place = around.place(folder)?;
    match revision {
        Some(revision) => at_revision(rest, revision, &place, around),
        None => in_tree(rest, place, around),
    }
}

/// What leads to the project from the workspace.
fn prefix(place: &Place, around: &Around<'_>) -> String {
    let root = around.root.canonicalize().unwrap_or_else(|_| around.root.to_owned());
    match place.path.strip_prefix(root) {
        Ok(below) if below.as_os_str().is_empty() => String::new(),
        Ok(below) => format!("{}/", below.display().to_string().replace('\\', "/")),
        // Elsewhere: its files are not those of the workspace, and are not looked for there.
        Err(_) => format!("{}/", place.path.display()),
    }
}

fn in_tree(rest: &str, place: Place, around: &Around<'_>) -> Result<Fetched, Box<Problem>> {
    let origin = Origin { tracker: "dvc".into(), reference: format!("dvc:{rest}"), resolved: None };
    let code = code_of_tree(&place);
    let prefix = prefix(&place, around);
    let label = place.label.clone();
    let project =
        place.path.ancestors().find(|above| above.join(".dvc").is_dir()).unwrap_or(&place.path).to_owned();
    let files = Tree { cache: cache(&place.path, around), project, place };
    Ok(Fetched { in_tree: true, ..finish(&files, &prefix, &code, label, origin, around)? })
}

fn finish(
    files: &dyn Files,
    prefix: &str,
    code: &Code,
    label: String,
    origin: Origin,
    around: &Around<'_>,
) -> Result<Fetched, Box<Problem>> {
    let resolved = origin.resolved.clone();
    let mut run = tracked(files, prefix, code, label, origin)?;
    let siblings = if around.wanted.siblings { items(files, &run)? } else { Vec::new() };
    // They are of one group with the whole: a stage, which they name.
    if let Some(stage) = siblings.first().and_then(|item| item.record.get("stage")?.as_written()) {
        run.text(&crate::document::Path::of(["stage"]), Some(stage), "dvc.yaml");
        run.is_whole = true;
    }
    Ok(Fetched { runs: vec![Ok(run)], siblings, resolved, exact: true, in_tree: false })
}

fn code_of_tree(place: &Place) -> Code {
    let Ok(git) = Git::open(&place.path) else { return Code::default() };
    let Ok(head) = git.commit("HEAD") else { return Code::default() };
    let dirty = git
        .uncommitted()
        .ok()
        .map(|files| files.iter().any(|file| file.path.starts_with(git.prefix()) && !file.untracked));
    // What differs from the commit was not made at its time.
    let time = head.time.filter(|_| dirty == Some(false)).map(|time| time.to_string());
    Code { commit: Some(head.id), dirty, time }
}

fn at_revision(
    rest: &str,
    revision: &str,
    place: &Place,
    around: &Around<'_>,
) -> Result<Fetched, Box<Problem>> {
    let git = Git::open(&place.path)?;
    let (name, commit) = commit(&git, revision, around)?;
    let date = commit.time.map(|time| format!(" of {}", time.strftime("%Y-%m-%d"))).unwrap_or_default();
    let through = if name == revision { String::new() } else { format!("{name}, ") };
    let resolved = Some(format!("{through}commit {}{date}", short(&commit.id)));
    let code = Code {
        commit: Some(commit.id.clone()),
        dirty: Some(false),
        time: commit.time.map(|time| time.to_string()),
    };
    let origin = Origin { tracker: "dvc".into(), reference: format!("dvc:{rest}"), resolved };
    let files = Committed { store: Revision::new(&git, &name, commit), cache: cache(&place.path, around) };
    let mut fetched = finish(&files, &prefix(place, around), &code, format!("dvc:{rest}"), origin, around)?;
    if around.role == Role::Baseline && revision.starts_with("refs/exps/") {
        for run in fetched.runs.iter_mut().flatten() {
            run.notes.push(
                "this baseline is an experiment, which a clone does not fetch: commit it to a branch".into(),
            );
        }
    }
    Ok(fetched)
}

/// The commit of a revision, or of the stage that GTO's tags assign: `churn#prod`.
fn commit(git: &Git, revision: &str, around: &Around<'_>) -> Result<(String, Commit), Box<Problem>> {
    let stage = revision.split_once('#').filter(|(_, stage)| !stage.is_empty() && !stage.contains('#'));
    let Some((artifact, stage)) = stage else {
        return Ok((revision.to_owned(), around.git.commit(git, revision, around.role)?));
    };
    let tags = git.tags(artifact)?;
    let commit_of = |tag: &str| git.commit(&format!("refs/tags/{tag}")).ok().map(|commit| commit.id);
    let tag = current(&tags, artifact, stage, commit_of).ok_or_else(|| {
        Problem::new(NOT_THERE, format!("no tag of GTO assigns the stage `{stage}` to `{artifact}`"))
            .help("`git fetch --tags` brings tags into a clone; `gto show` lists what they say")
            .boxed()
    })?;
    let commit = git.commit(&format!("refs/tags/{tag}"))?;
    Ok((tag, commit))
}

/// The cache of the project around a folder, where one lies inside of what may be read.
fn cache(folder: &Path, around: &Around<'_>) -> Option<Place> {
    let root = around.root.canonicalize().ok()?;
    let found = folder.ancestors().find(|above| above.join(".dvc").is_dir())?;
    let named = if found.starts_with(&root) { found } else { folder };
    around.place(&named.join(".dvc/cache/files/md5").display().to_string()).ok()
}

fn from_cache(cache: Option<&Place>, md5: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
    let is_md5 = md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit());
    match cache.filter(|_| is_md5) {
        Some(cache) => cache.read(&format!("{}/{}", &md5[..2], &md5[2..]), MOST),
        None => Ok(None),
    }
}

/// Whether a path of a file leads out of the folder.
fn leads_out(path: &str) -> bool {
    path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains(['\\', ':', '\0'])
}

struct Tree {
    place: Place,
    /// The folder that DVC knows, which may be one above.
    project: PathBuf,
    cache: Option<Place>,
}

impl Files for Tree {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
        let is_file = !leads_out(path) && self.place.path.join(path).is_file();
        if is_file { self.place.read(path, MOST) } else { Ok(None) }
    }

    fn md5(&self, path: &str) -> Result<Sum, Box<Problem>> {
        let full = self.place.path.join(path);
        if leads_out(path) || !full.is_file() {
            return Ok(Sum::NotThere);
        }
        // DVC may have put links to its cache there.
        match full.canonicalize() {
            Ok(real) if real.starts_with(&self.project) => {}
            _ => {
                return Ok(Sum::NotLookedAt(
                    "is a link that leads out of the project, which gate does not follow",
                ));
            }
        }
        hash(&full).map(Sum::Of).map_err(|error| {
            Problem::new(NOT_THERE, format!("`{}` can't be read: {error}", self.label(path)))
                .help("look at its permissions")
                .boxed()
        })
    }

    fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Problem>> {
        if leads_out(glob) { Ok(Vec::new()) } else { self.place.matching(glob) }
    }

    fn cached(&self, md5: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
        from_cache(self.cache.as_ref(), md5)
    }

    fn label(&self, path: &str) -> String {
        self.place.label_of(path)
    }
}

/// The MD5 of a file, part by part: data may be larger than the memory.
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

struct Committed<'g> {
    store: Revision<'g>,
    cache: Option<Place>,
}

impl Committed<'_> {
    fn bytes(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Box<Problem>> {
        if leads_out(path) || path.contains(['*', '?', '[', '{']) {
            return Ok(None);
        }
        let found = self.store.select(&Selector::new(path)?)?;
        match found.into_iter().find(|entry| entry.path == path) {
            Some(entry) => self.store.read(&entry, most).map(Some),
            None => Ok(None),
        }
    }
}

impl Files for Committed<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
        self.bytes(path, MOST)
    }

    fn md5(&self, path: &str) -> Result<Sum, Box<Problem>> {
        let found = self.bytes(path, LARGEST)?;
        Ok(found.map_or(Sum::NotThere, |bytes| Sum::Of(hex(&Md5::digest(&bytes)))))
    }

    fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Problem>> {
        if leads_out(glob) {
            return Ok(Vec::new());
        }
        Ok(self.store.select(&Selector::new(glob)?)?.into_iter().map(|entry| entry.path).collect())
    }

    fn cached(&self, md5: &str) -> Result<Option<Vec<u8>>, Box<Problem>> {
        from_cache(self.cache.as_ref(), md5)
    }

    fn label(&self, path: &str) -> String {
        self.store.label(path)
    }
}
