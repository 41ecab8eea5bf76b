//! Finds the repository that a folder is in.
//!
//! Git takes the first thing above that looks like a repository, and a change can add a folder with `HEAD`, `objects`
//! and `refs`. So gate looks for `.git`, which git refuses to commit, and starts git right there.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::environment::command;
use super::{Git, NOT_A_REPOSITORY, not_started, refused};
use crate::document::Diagnostic;

/// A repository that was found.
pub(super) struct Discovered {
    /// Where git is started: the folder with the `.git`, or a bare repository.
    pub(super) top: PathBuf,
    /// The path from the top to the requested folder: empty, or ending in `/`.
    pub(super) prefix: String,
    pub(super) bare: bool,
    /// The repository is bare, and not inside a `.git`.
    pub(super) itself_bare: bool,
    pub(super) shallow: bool,
}

/// The repository that `folder` is in.
pub(super) fn discover(folder: &Path) -> Result<Discovered, Box<Diagnostic>> {
    let folder = physical(folder).map_err(|error| {
        Diagnostic::new(NOT_A_REPOSITORY, format!("{} can't be read: {error}", folder.display()))
            .help("name a folder that exists")
            .boxed()
    })?;
    for top in folder.ancestors().filter(|top| top.join(".git").symlink_metadata().is_ok()) {
        let output = ask(top, false)?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let mut lines = answer.lines();
        let (Some(bare), Some(shallow)) = (lines.next(), lines.next()) else {
            if is_no_repository(&output) {
                continue;
            }
            return Err(refused(&output));
        };
        let bare = bare == "true";
        // If this `.git` is broken, git searches further up, and answers for another folder.
        if bare || lines.next().is_some_and(|found| is_same(Path::new(found), top)) {
            return Ok(Discovered {
                top: top.to_owned(),
                prefix: prefix(&folder, top),
                bare,
                itself_bare: false,
                shallow: shallow == "true",
            });
        }
    }
    bare(&folder)?.ok_or_else(|| {
        Diagnostic::new(NOT_A_REPOSITORY, format!("{} is not in a git repository", folder.display()))
            .help("run it inside a clone, or name run records and a baseline as files")
            .boxed()
    })
}

/// A bare repository, as a server has it. Only the usual name `NAME.git` is accepted: a model folder that looks like a
/// repository is not one.
fn bare(folder: &Path) -> Result<Option<Discovered>, Box<Diagnostic>> {
    let named = |top: &&Path| top.extension().is_some_and(|extension| extension == "git");
    let Some(top) = folder.ancestors().find(named) else { return Ok(None) };
    let output = ask(top, true)?;
    let answer = String::from_utf8_lossy(&output.stdout);
    let mut lines = answer.lines();
    match (lines.next(), lines.next()) {
        (Some("true"), Some(shallow)) => Ok(Some(Discovered {
            top: top.to_owned(),
            prefix: String::new(),
            bare: true,
            itself_bare: true,
            shallow: shallow == "true",
        })),
        (Some(_), _) => Ok(None),
        (None, _) if is_no_repository(&output) => Ok(None),
        (None, _) => Err(refused(&output)),
    }
}

fn ask(top: &Path, bare: bool) -> Result<Output, Box<Diagnostic>> {
    let questions = ["--is-bare-repository", "--is-shallow-repository", "--show-toplevel"];
    command(top, bare).arg("rev-parse").args(questions).output().map_err(|error| not_started(&error))
}

fn is_no_repository(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    said.contains("not a git repository") || said.contains("cannot use bare repository")
}

/// A path without links. Windows rarely has links, and git does not start in a path in the form they resolve to there.
fn physical(folder: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) { std::path::absolute(folder) } else { folder.canonicalize() }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn prefix(folder: &Path, top: &Path) -> String {
    let below: Vec<_> = folder.strip_prefix(top).into_iter().flat_map(Path::components).collect();
    below.iter().map(|part| format!("{}/", part.as_os_str().to_string_lossy())).collect()
}

impl Git {
    /// The repository that `folder` is in: the nearest one with a `.git`, including worktrees and submodules.
    pub fn open(folder: &Path) -> Result<Self, Box<Diagnostic>> {
        discover(folder).map(Self::new)
    }
}
