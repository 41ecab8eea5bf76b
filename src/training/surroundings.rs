//! The environment of a run, apart from its command: machine, interpreter, lockfile, variables, commit.

use std::path::Path;

use super::files::Files;
use super::hardware;
use super::observed::{Observer, Trained};
use super::place::Place;
use super::python;
use crate::document::Diagnostic;
use crate::git::{Git, NOT_A_REPOSITORY};
use crate::recording::{Environment, VARIABLES};

/// Files that pin package versions, the strictest first.
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

/// File extensions of code: an untracked file with one of them makes the tree dirty.
const CODE: [&str; 16] = [
    ".py", ".pyx", ".ipynb", ".r", ".jl", ".sh", ".rs", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".scala",
    ".sql", ".rmd",
];

/// What the user may specify about the environment.
#[derive(Debug, Default)]
pub(super) struct Said<'s> {
    pub(super) lockfile: Option<&'s Path>,
    pub(super) container: Option<String>,
}

/// Collects everything that does not depend on the command.
pub(super) fn look(said: &Said<'_>, place: &Place, files: &Files) -> Result<Environment, Box<Diagnostic>> {
    let mut environment = Environment { container: said.container.clone(), ..Environment::default() };
    hardware::describe(&mut environment);
    let lockfile = match said.lockfile {
        Some(path) => Some(place.inside(path)?),
        None => found(place, files),
    };
    environment.lockfile = lockfile.map(|path| files.measure(&path, "lockfile")).transpose()?;
    environment.variables =
        VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    Ok(environment)
}

/// Adds the Python that did the training: the one that the user named, else the one that the command ran, else the one
/// in its arguments. Returns a note if it is unknown.
pub(super) fn python(
    environment: &mut Environment,
    command: &[String],
    named: Option<&Path>,
    observer: &Observer,
    place: &Place,
) -> Option<String> {
    let ask = |named: Option<&Path>| python::ask(command, named, &place.folder, false);
    let python = match (named, observer.python(&place.root)) {
        (Some(named), _) => ask(Some(named)),
        (None, Trained::One(python)) => Some(python),
        (None, Trained::Several(names)) => {
            return Some(format!(
                "several Pythons ran files of the workspace ({}), so no packages were recorded: name the \
                 one used for training with --python",
                names.join(", ")
            ));
        }
        (None, Trained::Unknown) => ask(None),
    };
    let Some(python) = python else {
        return python::is_expected(command).then(|| {
            "it is not known which Python was used for training, so neither its version nor its packages were recorded: name it with \
             --python"
                .to_owned()
        });
    };
    environment.python = Some(python.version);
    environment.packages = python.packages;
    None
}

/// A lockfile in the folder that the command starts in, else at the top of the workspace.
fn found(place: &Place, files: &Files) -> Option<String> {
    let start = place.start();
    let folders = [if start.is_empty() { start } else { format!("{start}/") }, String::new()];
    let names = folders.iter().flat_map(|folder| LOCKFILES.iter().map(move |name| format!("{folder}{name}")));
    names.into_iter().find(|path| files.dir().metadata(path).is_ok_and(|meta| meta.is_file()))
}

/// The state of the code when a command starts.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    /// Tracked files with uncommitted changes, and untracked code files; `None` if unknown.
    changed: Option<Vec<String>>,
    /// The path of the workspace in the repository.
    prefix: String,
    /// Why git can't tell the commit, although there is a repository.
    pub(super) silent: Option<String>,
}

impl Code {
    /// Whether there is uncommitted code. `written` are files that the command wrote itself.
    pub(super) fn dirty(&self, written: &[String]) -> Option<bool> {
        let changed = self.changed.as_ref()?;
        let is_written = |path: &str| {
            path.strip_prefix(&self.prefix)
                .is_some_and(|path| written.iter().any(|written| is_at(path, written)))
        };
        Some(changed.iter().any(|path| !is_written(path)))
    }
}

/// Whether a path is that file, or is inside that folder.
fn is_at(path: &str, written: &str) -> bool {
    path.strip_prefix(written).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// Asks git for the commit, the branch and the changes.
pub(super) fn code(place: &Place) -> Code {
    let asked = Git::open(&place.root).and_then(|git| Ok((git.commit("HEAD")?, git)));
    let (head, git) = match asked {
        Ok(asked) => asked,
        Err(problem) => {
            let silent = (problem.code != NOT_A_REPOSITORY).then(|| match &problem.help {
                Some(help) => format!("{}: {help}", problem.message),
                None => problem.message.clone(),
            });
            return Code { silent, ..Code::default() };
        }
    };
    let prefix = git.prefix().to_owned();
    let changed = git.uncommitted().ok().map(|files| {
        let is_code = |path: &str| {
            let lower = path.to_ascii_lowercase();
            CODE.iter().any(|end| lower.ends_with(end))
        };
        files
            .into_iter()
            .filter(|file| !file.untracked || is_code(&file.path))
            .map(|file| file.path)
            .collect()
    });
    Code { commit: Some(head.id), branch: git.branch(), changed, prefix, silent: None }
}
