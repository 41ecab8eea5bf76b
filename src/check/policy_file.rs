//! Finds the policy and the files that it names.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::NO_POLICY;
use crate::document::{Diagnostic, Document, FileKind, Format, limits};
use crate::git::Git;
use crate::policy::{self, PACKS, Policy};
use crate::rule::PolicyFiles;
use crate::store::{Selector, left_out};

/// The file names of a policy.
pub(super) const NAMES: [&str; 2] = ["gate.yaml", "gate.yml"];

/// A policy before it is read.
#[derive(Debug)]
pub struct PolicyName {
    /// Its display name.
    pub label: String,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Pack(&'static str),
}

/// A policy that was read.
#[derive(Debug)]
pub(super) struct LoadedFile {
    pub(super) policy: Policy,
    pub(super) path: String,
    pub(super) digest: String,
    /// Every expression in it.
    pub(super) expressions: Vec<String>,
}

impl LoadedFile {
    pub(super) fn new(loaded: policy::Loaded, path: String) -> Self {
        let policy::Loaded { policy, digest, expressions, .. } = loaded;
        Self { policy, path, digest, expressions }
    }
}

/// Makes sure that no policy nearer than the one found is committed but missing on disk.
fn not_left_out(folder: &Path, found: Option<&Path>) -> Result<(), Box<Diagnostic>> {
    for nearer in folder.ancestors().take_while(|nearer| Some(*nearer) != found) {
        let Ok(git) = Git::open(nearer) else { return Ok(()) };
        if !git.is_sparse() {
            return Ok(());
        }
        let names = NAMES.iter().map(|name| Selector::new(name)).collect::<Result<Vec<_>, _>>()?;
        if let Some(why) = left_out(&git, &names)? {
            return Err(why);
        }
    }
    Ok(())
}

/// The policy that was named, or the one here or above, up to the top of the repository. A named policy speaks of
/// the folder that the command was started in, one that was found of its own.
pub(super) fn find(named: Option<&str>, folder: &Path) -> Result<PolicyName, Box<Diagnostic>> {
    if let Some(name) = named {
        if let Some(pack) = PACKS.iter().find(|pack| pack.name == name) {
            return Ok(PolicyName {
                label: name.to_owned(),
                folder: folder.to_owned(),
                source: Source::Pack(pack.text),
            });
        }
        if name.starts_with("gate:") {
            let names: Vec<&str> = PACKS.iter().map(|pack| pack.name).collect();
            return Err(Diagnostic::new(NO_POLICY, format!("there is no pack `{name}`"))
                .help(crate::document::did_you_mean(name, &names, "the packs are"))
                .boxed());
        }
        let path = folder.join(name);
        return Ok(PolicyName {
            label: name.to_owned(),
            folder: folder.to_owned(),
            source: Source::File(path),
        });
    }
    let mut label = String::new();
    for above in folder.ancestors() {
        for name in NAMES {
            let path = above.join(name);
            // A broken link counts as a policy that can't be read; a policy in a folder above must not replace it.
            if path.symlink_metadata().is_ok() {
                not_left_out(folder, Some(above))?;
                let label = format!("{label}{name}");
                return Ok(PolicyName { label, folder: above.to_owned(), source: Source::File(path) });
            }
        }
        if above.join(".git").exists() {
            break;
        }
        label.push_str("../");
    }
    not_left_out(folder, None)?;
    Err(Diagnostic::new(NO_POLICY, "there is no gate.yaml here, or above in this repository")
        .help("create one with `gate init`, name one with --policy FILE, or try a built-in one: --policy gate:checklist")
        .boxed())
}

/// How to check a run whose own folder, or a folder above it, has a policy.
pub(super) fn around_run(run: &str, folder: &Path) -> Option<String> {
    let has_policy = |above: &&Path| NAMES.iter().any(|name| folder.join(above).join(name).is_file());
    let above = Path::new(run).ancestors().skip(1).find(has_policy)?;
    let (rest, above) = (Path::new(run).strip_prefix(above).ok()?.display(), above.display());
    Some(format!("the policy is in `{above}`: gate -C {above} check {rest}"))
}

/// Reads a policy and everything that it names.
pub(super) fn load(name: PolicyName, folder: &Path, now: Timestamp) -> Result<LoadedFile, Vec<Diagnostic>> {
    Ok(LoadedFile::new(read_all(&name, folder, now)?, name.label))
}

fn read_all(name: &PolicyName, folder: &Path, now: Timestamp) -> Result<policy::Loaded, Vec<Diagnostic>> {
    let files = Disk { folder: folder.to_owned(), boundary: boundary(name) };
    let document = match &name.source {
        Source::Pack(text) => Ok(Document {
            name: name.label.clone().into(),
            text: (*text).into(),
            format: Format::Yaml,
            line: None,
        }),
        Source::File(path) => {
            inside(path, &name.label, &files.boundary)?;
            read(path, &name.label, Format::Yaml)
        }
    };
    let document = document?;
    policy::load(document, &files, now)
}

/// Reads the named policy, or the one here or above, for commands about the policy itself; returns its name too.
pub fn load_policy(
    named: Option<&str>,
    folder: &Path,
    now: Timestamp,
) -> Result<(policy::Loaded, String), Vec<Diagnostic>> {
    let name = find(named, folder)?;
    Ok((read_all(&name, folder, now)?, name.label))
}

/// The repository that contains a policy, else its folder: the policy can't make gate read anything outside.
fn boundary(name: &PolicyName) -> PathBuf {
    let folder = match &name.source {
        Source::File(path) => path.parent().unwrap_or(&name.folder),
        Source::Pack(_) => &name.folder,
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&folder).to_owned()
}

/// The label of a file that a policy, or one that it extends, names.
pub(super) fn label_beside(beside: &Document, path: &str) -> Result<String, Box<Diagnostic>> {
    if beside.name.starts_with("gate:") {
        return Err(Diagnostic::new(policy::FILE_OUTSIDE, "a built-in pack can't name files").boxed());
    }
    Ok(match beside.name.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    })
}

/// The files beside a policy on disk.
struct Disk {
    folder: PathBuf,
    boundary: PathBuf,
}

impl PolicyFiles for Disk {
    fn read(&self, beside: &Document, path: &str) -> Result<Document, Box<Diagnostic>> {
        let label = label_beside(beside, path)?;
        let label = label.replace("/./", "/");
        let label = label.strip_prefix("./").unwrap_or(&label);
        let full = self.folder.join(label);
        if let Ok(real) = full.canonicalize()
            && !real.starts_with(&self.boundary)
        {
            return Err(outside(label));
        }
        let format = if FileKind::of(path) == Some(FileKind::Json) { Format::Json } else { Format::Yaml };
        read(&full, label, format)
    }
}

/// A policy in a repository may be a link, but not to a target outside the repository.
fn inside(path: &Path, label: &str, boundary: &Path) -> Result<(), Box<Diagnostic>> {
    let Ok(real) = path.canonicalize() else { return Ok(()) };
    let in_repository = boundary.join(".git").exists();
    if in_repository && !real.starts_with(boundary) { Err(outside(label)) } else { Ok(()) }
}

fn outside(label: &str) -> Box<Diagnostic> {
    Diagnostic::new(policy::FILE_OUTSIDE, format!("`{label}` is outside the repository of the policy"))
        .help("keep a copy of it beside the policy")
        .boxed()
}

fn read(path: &Path, label: &str, format: Format) -> Result<Document, Box<Diagnostic>> {
    let unreadable = |why: String| {
        Diagnostic::new(policy::FILE_UNREADABLE, format!("`{label}` can't be read: {why}"))
            .help("check the path; it is relative to the file that names it")
            .boxed()
    };
    let meta = fs::metadata(path).map_err(|error| match fs::read_link(path) {
        Ok(target) => {
            let target = target.display();
            unreadable(format!("it is a symbolic link to `{target}`, which does not exist"))
        }
        Err(_) => unreadable(error.to_string()),
    })?;
    if !meta.is_file() {
        return Err(unreadable("it is not a regular file".into()));
    }
    if meta.len() > limits::YAML_BYTES as u64 {
        return Err(unreadable(format!(
            "it has {} bytes, and at most {} are read",
            meta.len(),
            limits::YAML_BYTES
        )));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    Document::new(label, bytes, format)
}
