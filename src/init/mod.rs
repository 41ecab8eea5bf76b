//! `gate init`: inspects a repository, and proposes a policy and a CI job that fit.
//!
//! Limits come from the existing runs, and a field is required only if every run has it, so that `gate check` passes on
//! the repository as it is. Existing files are not changed, except for lines added to `.gitattributes`.

mod ci;
mod limits;
mod look;
mod margins;
mod mlflow;
mod policy;
mod runs;

use std::path::{Path, PathBuf};

use crate::atomic;
use crate::check;
use crate::code::codes;
use crate::document::Diagnostic;

use look::Repository;
use margins::Margins;

codes! {
    CANT_WRITE = "init/cant-write": "`gate init` could not write a file.";
    NO_RUNS = "init/no-runs": "None of the runs that `gate init` was told to take limits from could be read.";
}

/// Where a project keeps its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// JSON records in the repository.
    Plain,
    /// An MLflow store or server.
    Mlflow,
    /// A DVC project.
    Dvc,
}

/// The options of `gate init`.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Where runs are; detected if absent.
    pub layout: Option<Layout>,
    /// Runs to take limits from, instead of those found.
    pub runs: Vec<String>,
    /// Also write a pre-push hook.
    pub hook: bool,
    /// Write no workflow.
    pub no_workflow: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the root of the plan.
    pub path: String,
    /// Its content, or the text to append.
    pub text: String,
    /// What to do with it.
    pub action: Action,
    /// Whether it is executable.
    pub executable: bool,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create it; it does not exist yet.
    Create,
    /// Append lines.
    Append,
    /// Leave the existing file as it is.
    Keep,
}

/// What `gate init` found, and what it would write.
#[derive(Debug)]
pub struct Plan {
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// What was found, one line each.
    pub found: Vec<String>,
    /// The files.
    pub files: Vec<File>,
    /// The next steps, one line each.
    pub next: Vec<String>,
}

/// Inspects a folder, and makes a plan for it. Writes nothing.
pub fn plan(request: &Request, folder: &Path) -> Result<Plan, Vec<Diagnostic>> {
    let repository = Repository::look(folder);
    let layout = request.layout.unwrap_or(repository.layout());
    let mut references = request.runs.clone();
    if references.is_empty() {
        references = repository.references(layout);
    }
    let (runs, problems) =
        if references.is_empty() { (Vec::new(), Vec::new()) } else { check::show(&references, None, folder) };
    if !request.runs.is_empty() && runs.is_empty() {
        let mut problems = problems;
        problems.push(Diagnostic::new(NO_RUNS, "`--run` names no readable run"));
        return Err(problems);
    }
    let summary = runs::Summary::of(&runs);
    let margins = Margins::of(&runs, folder);
    let mut found = repository.found(layout, summary.runs);
    found.extend(problems.iter().map(|problem| format!("not read: {}", problem.message)));
    let mut files =
        vec![file(folder, "gate.yaml", policy::text(&repository, layout, &summary, &margins), false)];
    let workflow = !request.no_workflow && repository.on_github && repository.ci_can_read(layout);
    if workflow {
        files.push(file(folder, ".github/workflows/gate.yml", ci::workflow(&repository, layout), false));
    }
    if request.hook
        && let Some(hooks) = &repository.hooks
    {
        files.push(file(folder, &format!("{hooks}/pre-push"), ci::HOOK.into(), true));
    }
    files.push(attributes(folder));
    let next = ci::next_steps(&repository, layout, &summary, workflow);
    Ok(Plan { root: folder.to_owned(), found, files, next })
}

/// Writes the files of a plan; returns their paths.
pub fn write(plan: &Plan) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut written = Vec::new();
    for file in plan.files.iter().filter(|file| file.action != Action::Keep) {
        let path = plan.root.join(&file.path);
        let old = match file.action {
            Action::Append => std::fs::read_to_string(&path).unwrap_or_default(),
            _ => String::new(),
        };
        let line_end = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        let text = format!("{old}{line_end}{}", file.text);
        let folder = path.parent().unwrap_or(&plan.root);
        std::fs::create_dir_all(folder)
            .and_then(|()| atomic::write(&path, |to| to.write_all(text.as_bytes())))
            .and_then(|()| if file.executable { make_executable(&path) } else { Ok(()) })
            .map_err(|error| {
                let message = format!("{} can't be written: {error}", file.path);
                Diagnostic::new(CANT_WRITE, message).help("check that you may write to that folder").boxed()
            })?;
        written.push(file.path.clone());
    }
    Ok(written)
}

fn file(folder: &Path, path: &str, text: String, executable: bool) -> File {
    // A policy with the other extension counts too.
    let exists = [path, &path.replace(".yaml", ".yml")].iter().any(|path| folder.join(path).exists());
    let action = if exists { Action::Keep } else { Action::Create };
    File { path: path.into(), text, action, executable }
}

/// The `.gitattributes` lines for the ledger, if they are missing.
fn attributes(folder: &Path) -> File {
    let path = ".gitattributes";
    let old = std::fs::read_to_string(folder.join(path)).unwrap_or_default();
    let action = match () {
        () if old.lines().any(|line| line.starts_with("ledger/")) => Action::Keep,
        () if old.is_empty() => Action::Create,
        () => Action::Append,
    };
    File { path: path.into(), text: ci::ATTRIBUTES.into(), action, executable: false }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
