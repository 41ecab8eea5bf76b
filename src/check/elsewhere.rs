//! Finds where a repository keeps its runs, for messages about a name or a `runs:` that matches none.

use super::Workspace;
use super::autodetect::{glob, is_run};
use crate::document::FileKind;
use crate::policy::Policy;
use crate::run::{Origin, Run};
use crate::source;
use crate::store::{Entry, Selector};

/// Maximum number of files to read.
const MAX_FILES: usize = 500;

/// A file that shows that a project uses a tracker, the reference of its run, and the `runs:` for it.
const TRACKERS: [(&str, &str, &str); 3] =
    [("dvc.yaml", "dvc:.", "."), ("mlruns", "mlruns", "mlruns"), ("wandb", "wandb/latest-run", "wandb")];

/// What to do if the policy has no `runs:`.
pub(super) fn without_runs(policy: &Policy, workspace: &Workspace) -> String {
    let tracker = || TRACKERS.iter().find(|(mark, ..)| workspace.root().join(mark).exists());
    let (run, runs) = match first(policy, workspace, &is_run) {
        Some(record) => (record.clone(), pattern(&record)),
        None => tracker().map_or_else(
            || ("runs/churn.json".to_owned(), "runs/*.json".to_owned()),
            |(_, run, runs)| ((*run).to_owned(), (*runs).to_owned()),
        ),
    };
    format!("name a run: gate check {run}; or add `runs: {runs}` to the policy")
}

/// What to do if `runs:` matches no file.
pub(super) fn without_match(policy: &Policy, workspace: &Workspace) -> String {
    match first(policy, workspace, &is_run) {
        Some(record) => {
            format!("there are records elsewhere, such as `{record}`: write `runs: {}`", pattern(&record))
        }
        None => "record a run, or correct the pattern; it is relative to the policy".to_owned(),
    }
}

/// What to do if a named file is not a record but the artifact of one.
pub(super) fn of_artifact(named: &str, policy: &Policy, workspace: &Workspace) -> Option<String> {
    let file = workspace.folder().join(named);
    if FileKind::of(named).is_some() || !file.is_file() {
        return None;
    }
    let path = file.strip_prefix(workspace.root()).ok()?.to_str()?.replace('\\', "/");
    let names_it = |run: &Run| run.artifacts().iter().any(|artifact| artifact.path == Some(path.as_str()));
    let record = format!("{}{}", workspace.up(), first(policy, workspace, &names_it)?);
    Some(format!("the record `{record}` names this file as its artifact: gate check {record}"))
}

/// The `runs:` pattern for a record. At the top level, other files may have the same ending.
fn pattern(record: &str) -> String {
    if record.contains('/') { glob(record) } else { record.to_owned() }
}

/// The first record of the workspace that `wanted` accepts, relative to the policy.
fn first(policy: &Policy, workspace: &Workspace, wanted: &dyn Fn(&Run) -> bool) -> Option<String> {
    let store = workspace.head().ok()?;
    let entries = store.select(&Selector::of_records("**/*.json").ok()?).ok()?;
    let ledger = workspace.ledger_folder(Some(policy));
    let is_wanted = |entry: &&Entry| {
        if workspace.root().join(&entry.path).starts_with(&ledger) {
            return false;
        }
        let bytes = store.read(entry, source::most(&entry.path)).unwrap_or_default();
        let runs = source::read(&entry.path, bytes, &policy.fields, &Origin::default());
        runs.iter().flatten().any(wanted)
    };
    entries.iter().take(MAX_FILES).find(is_wanted).map(|entry| entry.path.clone())
}
