//! Compares two runs, given their names.

use std::path::Path;

use super::Workspace;
use super::show::{one_run, open};
use crate::document::Diagnostic;
use crate::engine;
use crate::git::{Found, Git, short};
use crate::run::Run;
use crate::verdict::{CommitLine, Commits, RunDiff};

/// Maximum number of commits to list.
const MOST: usize = 1_000;

/// What differs from the first run to the second.
pub fn diff(
    names: [&str; 2],
    policy: Option<&str>,
    ledger: Option<&Path>,
    folder: &Path,
) -> Result<RunDiff, Vec<Diagnostic>> {
    let (workspace, policy) = open(policy, ledger, folder)?;
    let read = |name: &str| one_run(name, policy.as_ref(), &workspace);
    let (a, b) = (read(names[0])?, read(names[1])?);
    let comparable = policy.as_ref().and_then(|policy| policy.comparable.as_deref());
    Ok(engine::diff(&a, &b, comparable, commits(&a, &b, &workspace)))
}

/// The commits between two runs, as far as this clone has them.
pub fn commits(a: &Run, b: &Run, workspace: &Workspace) -> Commits {
    let (Some(old), Some(new)) = (a.text("git_commit"), b.text("git_commit")) else {
        return Commits::Unknown("a record does not name its commit".into());
    };
    if old == new {
        return Commits::Same;
    }
    let git = match workspace.git() {
        Ok(git) => git,
        Err(problem) => return Commits::Unknown(problem.message.clone()),
    };
    let (old, new) = match (full(git, old), full(git, new)) {
        (Some(old), Some(new)) => (old, new),
        (None, _) => return Commits::Unknown(format!("the commit {} is not in this clone", short(old))),
        (_, None) => return Commits::Unknown(format!("the commit {} is not in this clone", short(new))),
    };
    if old == new {
        return Commits::Same;
    }
    match git.between(&old, &new, MOST + 1) {
        Ok(mut found) => {
            let more = found.len() > MOST;
            found.truncate(MOST);
            let of = |added: bool| {
                let one = found.iter().filter(|commit| commit.added == added);
                one.map(|commit| CommitLine { id: commit.id.clone(), subject: commit.subject.clone() })
                    .collect()
            };
            Commits::Between { added: of(true), gone: of(false), more: more || git.is_shallow() }
        }
        Err(problem) => Commits::Unknown(problem.message),
    }
}

fn full(git: &Git, id: &str) -> Option<String> {
    let is_hex = id.len() >= 7 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hex.then(|| git.commit_by_id(id))?.ok()? {
        Found::Object { id, .. } => Some(id),
        _ => None,
    }
}
