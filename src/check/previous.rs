//! The version of a record before the candidate. A candidate that is judged on the branch of its baseline, such as
//! `main`, finds itself there; then the version that it replaced is used.

use std::sync::Arc;

use super::Workspace;
use crate::document::Diagnostic;
use crate::engine::BaselineSet;
use crate::git::{Commit, short};
use crate::policy::Policy;
use crate::run::{Origin, Run};
use crate::source;
use crate::store::{Revision, Selector, Store as _};

/// Maximum number of versions of a file to look at: a record that never changed within them has no previous
/// version.
const MAX_VERSIONS: usize = 50;

/// An earlier version of a record.
pub(super) struct Before {
    /// The runs in it.
    pub(super) set: BaselineSet,
    /// The commit that made it.
    pub(super) commit: Commit,
    /// Where it is at that commit.
    pub(super) path: String,
}

/// The runs of the newest version that differs from the candidate, if any. `path` is the candidate's path at
/// the commit.
pub(super) fn version_before(
    candidate: &Run,
    set: &BaselineSet,
    path: &str,
    commit: &Commit,
    policy: &Policy,
    workspace: &Workspace,
) -> Option<Before> {
    // If the history can't be read, the candidate has no baseline; it must not become its own.
    older(candidate, set, path, commit, policy, workspace).ok().flatten()
}

fn older(
    candidate: &Run,
    set: &BaselineSet,
    path: &str,
    commit: &Commit,
    policy: &Policy,
    workspace: &Workspace,
) -> Result<Option<Before>, Box<Diagnostic>> {
    let git = workspace.git()?;
    for id in git.versions(commit, path, MAX_VERSIONS)? {
        let version = git.commit(&id)?;
        let date = version.time.map(|time| format!(" of {}", time.strftime("%Y-%m-%d"))).unwrap_or_default();
        let resolved = format!("commit {}{date}, the version before the candidate", short(&id));
        let store = Revision::new(git, short(&id), version.clone());
        let Some(entry) = store.select(&Selector::new(path)?)?.into_iter().find(|entry| entry.path == path)
        else {
            continue;
        };
        let label = store.label(path);
        let bytes = store.read(&entry, source::most(&label))?;
        let origin = Origin {
            tracker: "plain".into(),
            reference: set.reference.clone(),
            resolved: Some(resolved.clone()),
        };
        let (runs, bad): (Vec<_>, Vec<_>) =
            source::read(&label, bytes, &policy.fields, &origin).into_iter().partition(Result::is_ok);
        let runs: Vec<Arc<Run>> = runs
            .into_iter()
            .flatten()
            .filter(|run| run.document.text != candidate.document.text && run.model() == candidate.model())
            .map(Arc::new)
            .collect();
        if runs.is_empty() && bad.is_empty() {
            continue;
        }
        let set = BaselineSet {
            reference: set.reference.clone(),
            resolved: Some(resolved),
            runs,
            bad: bad.into_iter().filter_map(Result::err).map(|bad| (None, bad)).collect(),
            exact: false,
        };
        return Ok(Some(Before { set, commit: version, path: path.to_owned() }));
    }
    Ok(None)
}
