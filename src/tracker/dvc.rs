//! DVC: a project in the working tree or at a commit.

mod files;

use std::path::Path;

use files::{Cache, Committed, Tree};

use super::peek::Peek;
use super::{AMBIGUOUS, FetchContext, Fetched, Fetcher, NOT_THERE, Place, Role};
use crate::code::codes;
use crate::document::{Diagnostic, Path as Keys};
use crate::git::{Commit, Git, UNKNOWN_REVISION, short};
use crate::run::Origin;
use crate::source::dvc::{Code, Files, current, items, joined, model_names, tracked};
use crate::store::Revision;

codes! {
    EXPERIMENT = "dvc/experiment": "A baseline is a DVC experiment that is on no branch and no tag.";
}

pub(super) const FETCHER: Fetcher = Fetcher { name: "dvc", fetch, recognises };

/// Whether a path is a project, its `dvc.yaml` or `dvc.lock`, or a folder that DVCLive wrote.
fn recognises(peek: &Peek) -> bool {
    let has = |name: &str| peek.inside(name).is_file();
    peek.is_file() && matches!(peek.name(), "dvc.yaml" | "dvc.lock")
        || has("dvc.yaml")
        || has("dvc.lock")
        || has("metrics.json")
            && (peek.inside("plots/metrics").is_folder() || has("params.yaml"))
            && !has("run.json")
}

/// Fetches a folder, optionally with a revision or a model after an `@`.
fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let (folder, revision) = around.with_revision(rest);
    let Some(revision) = revision else { return in_tree(rest, around.place(folder)?, None, around) };
    match at_revision(rest, revision, folder, around) {
        // An unknown revision may be a model in `artifacts:`.
        Err(problem) if problem.code == UNKNOWN_REVISION => {
            let place = around.place(folder)?;
            let files = Tree::new(around.place(folder)?, around)?;
            let models = model_names(&files)?;
            if models.iter().any(|model| model == revision) {
                return in_tree(rest, place, Some(revision), around);
            }
            let help = if models.is_empty() {
                "name a branch, a tag, a commit, or an experiment of DVC".to_owned()
            } else {
                format!("name a branch, a tag, a commit, or a model of `artifacts:`: {}", models.join(", "))
            };
            Err(problem.help(help).boxed())
        }
        fetched => fetched,
    }
}

/// The path from the workspace to the project.
fn prefix(place: &Place, around: &FetchContext<'_>) -> String {
    let root = around.root.canonicalize().unwrap_or_else(|_| around.root.to_owned());
    // Outside of the workspace, use the full path, so that its files are not looked up in the workspace.
    let below = place.path.strip_prefix(root).unwrap_or(&place.path);
    below.display().to_string().replace('\\', "/")
}

fn in_tree(
    rest: &str,
    place: Place,
    model: Option<&str>,
    around: &FetchContext<'_>,
) -> Result<Fetched, Box<Diagnostic>> {
    let origin = Origin { tracker: "dvc".into(), reference: format!("dvc:{rest}"), resolved: None };
    let code = code_of_tree(&place);
    let prefix = prefix(&place, around);
    let label = match model {
        Some(model) => format!("{}@{model}", place.label),
        None => place.label.clone(),
    };
    let files = Tree::new(place, around)?;
    Ok(Fetched { in_tree: true, ..finish(&files, &prefix, (&code, model), label, origin, around)? })
}

fn finish(
    files: &dyn Files,
    prefix: &str,
    (code, model): (&Code, Option<&str>),
    label: String,
    origin: Origin,
    around: &FetchContext<'_>,
) -> Result<Fetched, Box<Diagnostic>> {
    let resolved = origin.resolved.clone();
    let mut run = tracked(files, prefix, code, model, label, origin)?;
    let siblings = if around.wanted.siblings { items(files, &run)? } else { Vec::new() };
    // Siblings and the whole run share a group: the stage that the siblings name.
    if let Some(stage) = siblings.first().and_then(|item| item.record.get("stage")?.as_written()) {
        run.text(&Keys::of(["stage"]), Some(stage), "dvc.yaml");
        run.is_whole = true;
    }
    Ok(Fetched { runs: vec![Ok(run)], siblings, resolved, exact: true, in_tree: false })
}

/// The files that record what was run.
const RECORDS: [&str; 4] = ["dvc.yaml", "dvc.lock", "metrics.json", "params.yaml"];

fn code_of_tree(place: &Place) -> Code {
    let Ok(git) = Git::open(&place.path) else { return Code::default() };
    let Ok(head) = git.commit("HEAD") else { return Code::default() };
    let is_record =
        |path: &str| path.strip_prefix(git.prefix()).is_some_and(|below| RECORDS.contains(&below));
    let differs = |file: &crate::git::Uncommitted| {
        file.path.starts_with(git.prefix()) && (!file.untracked || is_record(&file.path))
    };
    let dirty = git.uncommitted().ok().map(|files| files.iter().any(differs));
    // Uncommitted changes are not as old as the commit.
    let time = head.time.filter(|_| dirty == Some(false)).map(|time| time.to_string());
    Code { commit: Some(head.id), dirty, time }
}

/// The nearest existing folder, and the rest of the path: a folder of a commit may no longer exist.
fn nearest(folder: &str, around: &FetchContext<'_>) -> Result<(Place, String), Box<Diagnostic>> {
    let (mut above, mut below) = (folder.trim_end_matches('/'), String::new());
    loop {
        match around.place(above) {
            Ok(place) => return Ok((place, below)),
            Err(problem) => {
                let (outer, name) = above.rsplit_once('/').unwrap_or((".", above));
                if problem.code != NOT_THERE || matches!(name, "" | "." | "..") {
                    return Err(problem);
                }
                below = joined(name, &below);
                above = outer;
            }
        }
    }
}

fn at_revision(
    rest: &str,
    revision: &str,
    folder: &str,
    around: &FetchContext<'_>,
) -> Result<Fetched, Box<Diagnostic>> {
    let (place, below) = nearest(folder, around)?;
    let inner = Git::open(&place.path)?;
    let (name, commit) = commit(&inner, revision, around)?;
    if around.role == Role::Baseline {
        not_an_experiment(&inner, &name, &commit)?;
    }
    let date = commit.time.map(|time| format!(" of {}", time.strftime("%Y-%m-%d"))).unwrap_or_default();
    let through = if name == revision { String::new() } else { format!("{name}, ") };
    let resolved = Some(format!("{through}commit {}{date}", short(&commit.id)));
    let code = Code {
        commit: Some(commit.id.clone()),
        dirty: Some(false),
        time: commit.time.map(|time| time.to_string()),
    };
    let origin = Origin { tracker: "dvc".into(), reference: format!("dvc:{rest}"), resolved };
    let depth = Path::new(inner.prefix()).components().count();
    let git = Git::open(place.path.ancestors().nth(depth).unwrap_or(&place.path))?;
    let files = Committed {
        store: Revision::new(&git, &name, commit),
        below: joined(inner.prefix(), &below),
        cache: cache(&place.path, around),
    };
    let prefix = joined(&prefix(&place, around), &below);
    // A GTO name includes the model's name.
    let model = revision.split(['@', '#']).next().filter(|model| *model != revision);
    let model = model.map(|model| model.rsplit([':', '=']).next().unwrap_or(model));
    finish(&files, &prefix, (&code, model), format!("dvc:{rest}"), origin, around)
}

/// Refuses experiments: they are trials, and a baseline must be a commit.
fn not_an_experiment(git: &Git, revision: &str, commit: &Commit) -> Result<(), Box<Diagnostic>> {
    let is_experiment = |name: &str| name.starts_with("refs/exps/");
    let names = git.references_to(&commit.id)?;
    let only = !names.is_empty() && names.iter().all(|name| is_experiment(name));
    let is_ours =
        || git.commit("HEAD").and_then(|head| git.is_ancestor(&commit.id, &head.id)).unwrap_or_default();
    if !is_experiment(revision) && (!only || is_ours()) {
        return Ok(());
    }
    Err(Diagnostic::new(EXPERIMENT, format!("`{revision}` is a DVC experiment, which can't be a baseline"))
        .help("commit it to a branch: `dvc exp branch NAME BRANCH`")
        .boxed())
}

/// The commit of a revision, or of the version or stage that a GTO name means: `churn@v1.0.0`, `churn#prod`.
fn commit(git: &Git, revision: &str, around: &FetchContext<'_>) -> Result<(String, Commit), Box<Diagnostic>> {
    let is_gto = revision.contains(['@', '#']) && !revision.starts_with("refs/");
    let tags = if is_gto { git.tags("")? } else { Vec::new() };
    match current(&tags, revision) {
        None => match around.git.commit(git, revision, around.role) {
            Err(problem) if problem.code == UNKNOWN_REVISION => match experiment(git, revision)? {
                Some(name) => {
                    let commit = around.git.commit(git, &name, around.role)?;
                    Ok((name, commit))
                }
                None => Err(problem),
            },
            found => Ok((revision.to_owned(), found?)),
        },
        Some(Ok(tag)) => {
            let commit = git.commit(&format!("refs/tags/{}", tag.name))?;
            Ok((tag.name.clone(), commit))
        }
        Some(Err(why)) => Err(Diagnostic::new(NOT_THERE, why)
            .help("fetch the tags with `git fetch --tags`; `gto show` lists what they mean")
            .boxed()),
    }
}

/// The full name of an experiment: DVC keeps each one under the commit that it started from.
fn experiment(git: &Git, name: &str) -> Result<Option<String>, Box<Diagnostic>> {
    let mut found = git.references_below("refs/exps/")?;
    found.retain(|full| full.rsplit('/').next() == Some(name));
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            Err(Diagnostic::new(AMBIGUOUS, format!("{} DVC experiments are named `{name}`", several.len()))
                .help(format!("name one in full: {}", several.join(", ")))
                .boxed())
        }
    }
}

/// The cache of the project around a folder, if it may be read.
fn cache(folder: &Path, around: &FetchContext<'_>) -> Option<Cache> {
    let root = around.root.canonicalize().ok()?;
    let found = folder.ancestors().find(|above| above.join(".dvc").is_dir())?;
    Cache::of(if found.starts_with(&root) { found } else { folder }, around)
}
