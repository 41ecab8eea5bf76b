//! Trust in a pull request: the policy, the files that it names, the waivers and the baseline come from the tip of
//! the base branch. Files of the pull request are data, read from git's objects.
//!
//! The tip, not the merge base: the author of a branch chooses how old its merge base is.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;

use super::policy_file::{LoadedFile, NAMES, PolicyName, label_beside};
use super::{NO_BASE_POLICY, NO_POLICY, Request};
use crate::document::{Diagnostic, Document, FileKind, Format, limits};
use crate::git::{Commit, Found, Git, Refusal, Resolved, Trusted, short};
use crate::policy;
use crate::rule::PolicyFiles;

/// The request: the revisions for a decision on a pull request.
#[derive(Debug, Clone, Default)]
pub struct PullRequestBase {
    /// The tip of the trusted branch.
    pub base: String,
    /// The commit to judge; default `HEAD`.
    pub head: Option<String>,
    /// The name of the base branch, as policies write it in `git:main`.
    pub branch: Option<String>,
    /// Give no verdict if the base has no policy.
    pub require_policy: bool,
}

/// The revisions of a [`PullRequestBase`], resolved.
#[derive(Debug, Clone)]
pub struct Revisions {
    /// Where policy and baselines come from.
    pub trusted: Commit,
    /// The commit that the head is compared with to find candidates.
    pub base: Commit,
    /// Where candidates come from.
    pub head: Commit,
    /// Names that mean the base: `main`, `origin/main`.
    pub names: Vec<String>,
}

impl Revisions {
    /// Resolves the revisions.
    pub(super) fn resolve(trust: &PullRequestBase, git: &Git) -> Result<Self, Box<Diagnostic>> {
        let base = git.resolve(&trust.base)?;
        let head = git.commit(trust.head.as_deref().unwrap_or("HEAD"))?;
        let names = git.names_of_base(&base, trust.branch.as_deref())?;
        Ok(Self { trusted: base.commit.clone(), base: base.commit, head, names })
    }

    /// What git needs to know to refuse names that the change can influence.
    pub(super) fn trusted(&self) -> Trusted<'_> {
        Trusted { base: &self.base, head: &self.head, names: &self.names }
    }

    /// The same revisions with everything taken from the head: the state after the merge.
    pub(super) fn proposed(&self) -> Self {
        Self { trusted: self.head.clone(), ..self.clone() }
    }

    /// The base in words: `main (19a2155624)`.
    pub(super) fn words(&self) -> String {
        let name = self.names.get(1).or(self.names.first()).map_or("the base", String::as_str);
        format!("{name} ({})", short(&self.base.id))
    }
}

/// A policy that was found, before it is read.
pub(super) enum FoundPolicy {
    /// A shipped pack.
    Shipped(PolicyName),
    /// A file at a commit.
    Committed {
        /// Its display name.
        label: String,
        /// The folder that its paths are relative to, in the working tree.
        folder: PathBuf,
        /// Its path from the top of the repository.
        path: String,
    },
}

impl FoundPolicy {
    /// Its path from the top of the repository; `None` for a shipped pack.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Shipped(_) => None,
            Self::Committed { path, .. } => Some(path),
        }
    }

    /// The folder that its paths are relative to, in the working tree.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Shipped(name) => &name.folder,
            Self::Committed { folder, .. } => folder,
        }
    }
}

/// Finds the policy at a commit as on disk: by its name, else here or above.
pub(super) fn find(
    request: &Request,
    folder: &Path,
    git: &Git,
    commit: &Commit,
) -> Result<Option<FoundPolicy>, Box<Diagnostic>> {
    let here = git.prefix().trim_end_matches('/').to_owned();
    if let Some(name) = &request.policy {
        if name.starts_with("gate:") {
            return super::policy_file::find(Some(name), folder).map(FoundPolicy::Shipped).map(Some);
        }
        let Some(path) = below(&here, name) else {
            return Err(Diagnostic::new(NO_POLICY, format!("`{name}` is outside the repository"))
                .help(
                    "the policy of a pull request comes from the base branch: name a file of the repository",
                )
                .boxed());
        };
        let found = git.look_up_from_top(commit, &path)? != Resolved::Missing;
        let folder = folder.to_owned();
        return Ok(found.then(|| FoundPolicy::Committed { label: name.clone(), folder, path }));
    }
    let mut above = Some(here.as_str());
    let (mut up, mut root) = (String::new(), folder.to_owned());
    while let Some(folder) = above {
        for name in NAMES {
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            // A broken link counts as a policy that can't be read; a policy in a folder above must not replace it.
            if git.look_up_from_top(commit, &path)? != Resolved::Missing {
                return Ok(Some(FoundPolicy::Committed { label: format!("{up}{name}"), folder: root, path }));
            }
        }
        up.push_str("../");
        root.pop();
        above = (!folder.is_empty()).then(|| folder.rsplit_once('/').map_or("", |(above, _)| above));
    }
    Ok(None)
}

/// Joins `a/b` and `../c` to `a/c`; `None` if the result is outside.
pub(super) fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Reads a policy and everything that it names; also returns the paths that were read.
pub(super) fn load(
    found: FoundPolicy,
    git: &Git,
    commit: &Commit,
    now: Timestamp,
) -> Result<(LoadedFile, BTreeSet<String>), Vec<Diagnostic>> {
    let (label, path) = match found {
        FoundPolicy::Shipped(name) => {
            let folder = name.folder.clone();
            return super::policy_file::load(name, &folder, now).map(|loaded| (loaded, BTreeSet::new()));
        }
        FoundPolicy::Committed { label, path, .. } => (label, path),
    };
    let root = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let files = Committed { git, commit, root, label: &label, read: Mutex::default() };
    let document = files.document(&path, &label, Format::Yaml)?;
    let loaded = policy::load(document, &files, now)?;
    let read = files.read.into_inner().unwrap_or_default();
    Ok((LoadedFile::new(loaded, format!("{label} at {}", short(&commit.id))), read))
}

/// The files beside a policy at a commit.
struct Committed<'g> {
    git: &'g Git,
    commit: &'g Commit,
    /// The folder of the policy, from the top of the repository.
    root: &'g str,
    /// The label of the policy file, so that the files beside it get similar labels.
    label: &'g str,
    read: Mutex<BTreeSet<String>>,
}

impl Committed<'_> {
    fn document(&self, path: &str, label: &str, format: Format) -> Result<Document, Box<Diagnostic>> {
        let unreadable = |why: &str| {
            Diagnostic::new(
                policy::FILE_UNREADABLE,
                format!("`{label}` can't be read at {}: {why}", short(&self.commit.id)),
            )
            .help("check the path; it is relative to the file that names it")
            .boxed()
        };
        if let Ok(mut read) = self.read.lock() {
            read.insert(path.to_owned());
        }
        let id = match self.git.look_up_from_top(self.commit, path)? {
            Resolved::File { id, .. } => id,
            Resolved::Folder { .. } => return Err(unreadable("it is not a regular file")),
            Resolved::Missing => return Err(unreadable("it does not exist")),
            Resolved::Refused(Refusal::Submodule) => return Err(unreadable("it is in a submodule")),
            Resolved::Refused(Refusal::BrokenLink { target }) => {
                return Err(unreadable(&format!(
                    "it is a symbolic link to `{target}`, which does not exist"
                )));
            }
            Resolved::Refused(Refusal::Outside { target }) => {
                let why = format!("it is a symbolic link to `{target}`, which is outside the repository");
                return Err(unreadable(&why));
            }
        };
        match self.git.blob(&id, limits::YAML_BYTES)? {
            Found::Object { data, .. } => Document::new(label, data, format),
            Found::TooLarge { bytes, .. } => {
                Err(unreadable(&format!("it has {bytes} bytes, and at most {} are read", limits::YAML_BYTES)))
            }
            Found::Missing | Found::Ambiguous => Err(unreadable("it does not exist")),
        }
    }
}

impl PolicyFiles for Committed<'_> {
    fn read(&self, beside: &Document, path: &str) -> Result<Document, Box<Diagnostic>> {
        let label = label_beside(beside, path)?;
        // Labels are relative to where the command runs; the policy's own label says how far up its folder is.
        let up = self.label.rsplit_once('/').map_or("", |(folder, _)| folder);
        let from_root = if up.is_empty() {
            label.as_str()
        } else {
            label.strip_prefix(up).unwrap_or(&label).trim_start_matches('/')
        };
        let full = below(self.root, from_root).ok_or_else(|| {
            Diagnostic::new(
                policy::FILE_OUTSIDE,
                format!("`{label}` is outside the repository of the policy"),
            )
            .help("keep a copy of it beside the policy")
            .boxed()
        })?;
        let format = if FileKind::of(path) == Some(FileKind::Json) { Format::Json } else { Format::Yaml };
        self.document(&full, &label, format)
    }
}

/// The policy files that the head changes, compared with its last common commits with the base: later changes on the
/// base are not part of this change.
pub(super) fn changed(
    paths: impl IntoIterator<Item = String>,
    git: &Git,
    revisions: &Revisions,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut changed = Vec::new();
    let bases =
        git.merge_bases(&revisions.head, &revisions.base).unwrap_or_else(|_| vec![revisions.base.clone()]);
    for path in paths {
        // The target of a link decides, not the text of the link.
        let content = |commit| git.look_up_from_top(commit, &path);
        let head = content(&revisions.head)?;
        for base in &bases {
            if content(base)? != head {
                changed.push(path);
                break;
            }
        }
    }
    Ok(changed)
}

/// The error that the base has no policy.
pub(super) fn no_base_policy(revisions: &Revisions) -> Box<Diagnostic> {
    Diagnostic::new(NO_BASE_POLICY, format!("{} has no policy", revisions.words()))
        .help("merge one first; without --require-base-policy the one of this change is used, and the report says so")
        .boxed()
}
