//! What a run runs in, as far as it is the same for every command: machine, interpreter, lockfile, variables, commit.

use std::path::Path;

use super::files::Files;
use super::hardware;
use super::place::Place;
use super::python;
use crate::document::Problem;
use crate::git::Git;
use crate::recording::{Environment, VARIABLES};

/// Files that fix the versions of packages, the stricter first.
const LOCKFILES: [&str; 9] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pixi.lock",
    "conda-lock.yml",
    "renv.lock",
    "requirements.lock",
    "requirements.txt",
];

/// Endings of files that are code: one that git does not know makes the tree dirty.
const CODE: [&str; 16] = [
    ".py", ".pyx", ".ipynb", ".r", ".jl", ".sh", ".rs", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".scala",
    ".sql", ".rmd",
];

/// What a person may say about the surroundings.
#[derive(Debug, Default)]
pub(super) struct Said<'s> {
    pub(super) python: Option<&'s Path>,
    pub(super) lockfile: Option<&'s Path>,
    pub(super) container: Option<String>,
}

/// Looks at everything that does not depend on what the command does.
pub(super) fn look(
    command: &[String],
    said: &Said<'_>,
    place: &Place,
    files: &Files,
) -> Result<Environment, Box<Problem>> {
    let mut environment = Environment { container: said.container.clone(), ..Environment::default() };
    hardware::describe(&mut environment);
    if let Some(python) = python::ask(command, said.python, &place.folder, false) {
        environment.python = Some(python.version);
        environment.packages = python.packages;
    }
    let lockfile = match said.lockfile {
        Some(path) => Some(place.inside(path)?),
        None => found(place, files),
    };
    environment.lockfile = lockfile.map(|path| files.measure(&path, "lockfile")).transpose()?;
    environment.variables =
        VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    Ok(environment)
}

/// A lockfile where the command is started, else at the top of the workspace.
fn found(place: &Place, files: &Files) -> Option<String> {
    let start = place.start();
    let folders = [if start.is_empty() { start } else { format!("{start}/") }, String::new()];
    let names = folders.iter().flat_map(|folder| LOCKFILES.iter().map(move |name| format!("{folder}{name}")));
    names.into_iter().find(|path| files.dir().metadata(path).is_ok_and(|meta| meta.is_file()))
}

/// The code that a command is started with.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) dirty: Option<bool>,
}

/// Asks git. `written` are files that the command itself writes: that they differ says nothing about the code.
pub(super) fn code(place: &Place, written: &[String]) -> Code {
    let Ok(git) = Git::open(&place.root) else { return Code::default() };
    let Ok(head) = git.commit("HEAD") else { return Code::default() };
    let written: Vec<String> = written.iter().map(|path| format!("{}{path}", git.prefix())).collect();
    let dirty = git.uncommitted().ok().map(|files| {
        files.iter().any(|file| {
            let lower = file.path.to_ascii_lowercase();
            !written.contains(&file.path) && (!file.untracked || CODE.iter().any(|end| lower.ends_with(end)))
        })
    });
    Code { commit: Some(head.id), branch: git.branch(), dirty }
}
