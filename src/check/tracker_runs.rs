//! Tracker runs that a policy's `runs:` names, or that a revision contains: in the working tree, and as
//! committed.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::Workspace;
use super::found::{Found, Item, ReferenceOrigin, around, tracked};
use crate::document::Diagnostic;
use crate::git;
use crate::policy::Policy;
use crate::run::Reference;
use crate::source;
use crate::store::{Entry, Reach, Revision, Selector, Store};
use crate::tracker::{self, AMBIGUOUS, FetchContext};

/// Maximum size in bytes of a tracker's file that is compared with the base.
const MAX_COMPARED: usize = 1 << 30;

/// The paths of a `runs:` that match plain records, and the tracker runs at the others.
#[derive(Clone, Default)]
pub(super) struct Sorted<'c> {
    pub(super) plain: Vec<String>,
    pub(super) items: Vec<Item<'c>>,
}

/// The runs that a policy's `runs:` names, looked up on first use: both the candidates and the rules about the change
/// need them, and a tracker may be a server.
pub(super) struct PolicyRuns<'c> {
    policy: &'c Policy,
    workspace: &'c Workspace,
    sorted: OnceCell<Result<Sorted<'c>, Box<Diagnostic>>>,
}

impl<'c> PolicyRuns<'c> {
    pub(super) fn new(policy: &'c Policy, workspace: &'c Workspace) -> Self {
        Self { policy, workspace, sorted: OnceCell::new() }
    }

    /// The paths of plain records, and the runs of trackers.
    pub(super) fn sorted(&self) -> Result<&Sorted<'c>, Box<Diagnostic>> {
        let paths = self.policy.runs.as_ref().map(|runs| &*runs.paths).unwrap_or_default();
        let sorted = self.sorted.get_or_init(|| sort(paths, self.policy, self.workspace));
        sorted.as_ref().map_err(Clone::clone)
    }
}

/// Sorts the paths of a policy's `runs:`.
fn sort<'c>(
    paths: &[String],
    policy: &Policy,
    workspace: &'c Workspace,
) -> Result<Sorted<'c>, Box<Diagnostic>> {
    let around = FetchContext {
        folder: workspace.root(),
        reach: Reach::Inside,
        ..around(ReferenceOrigin::Typed, Some(policy), workspace)
    };
    let mut sorted = Sorted { plain: Vec::new(), items: Vec::new() };
    for path in paths {
        if let Ok(Reference::Tracker { tracker, rest }) = Reference::parse(path) {
            sorted.items.extend(tracked(tracker, &rest, path, &around, false)?.items);
            continue;
        }
        let found = tracker::runs_at(path, &around)?;
        if let (Some((name, found)), true) = (found.first(), workspace.revisions().is_some()) {
            let title = source::tracker(name).map_or(*name, |tracker| tracker.title);
            let message = format!(
                "`runs: {path}` contains runs of {title}, which the pull request may have put there instead of records"
            );
            return Err(Diagnostic::new(AMBIGUOUS, message)
                .help(format!("say in the policy what you mean: `runs: {name}:{found}`, or a glob such as `{path}/*.json`"))
                .boxed());
        }
        let is_whole = found.iter().any(|(_, found)| found == path.trim_end_matches('/'));
        for (name, found) in &found {
            let reference = format!("{name}:{found}");
            sorted.items.extend(tracked(name, found, &reference, &around, false)?.items);
        }
        // A folder that belongs to a tracker has no plain records of its own, and the files of a whole project are
        // not meant as records.
        let is_project = matches!(path.as_str(), "." | "./") && !found.is_empty();
        if !is_whole && !is_project {
            sorted.plain.push(path.clone());
        }
    }
    Ok(sorted)
}

/// For each run, whether all of its files are unchanged since the base.
pub(super) fn unchanged(
    items: &[Item<'_>],
    here: &dyn Store,
    base: &Revision<'_>,
) -> Result<Vec<bool>, Box<Diagnostic>> {
    items.iter().map(|item| item.files().map_or(Ok(false), |path| is_same(path, here, base))).collect()
}

fn is_same(path: &str, here: &dyn Store, base: &Revision<'_>) -> Result<bool, Box<Diagnostic>> {
    let escaped = globset::escape(path);
    let mut there: HashMap<String, String> = HashMap::new();
    let mut now: HashMap<String, Entry> = HashMap::new();
    for pattern in [escaped.clone(), format!("{escaped}/**")] {
        let selector = Selector::new(&pattern)?;
        there.extend(base.select(&selector)?.into_iter().filter_map(|entry| Some((entry.path, entry.blob?))));
        now.extend(here.select(&selector)?.into_iter().map(|entry| (entry.path.clone(), entry)));
    }
    if now.len() != there.len() {
        return Ok(false);
    }
    Ok(now.values().all(|entry| {
        there.get(&entry.path).is_some_and(|blob| match &entry.blob {
            Some(ours) => ours == blob,
            None => here.read(entry, MAX_COMPARED).is_ok_and(|bytes| git::is_blob(blob, &bytes)),
        })
    }))
}

/// The tracker runs that a policy's `runs:` named at the base, with their names in the working tree. A
/// project or a card is one run: it can change, but not be removed.
pub(super) fn at_base<'c>(
    policy: &Policy,
    plain: &[String],
    base: &Revision<'_>,
    workspace: &'c Workspace,
) -> Vec<Item<'c>> {
    let paths = policy.runs.as_ref().map(|runs| &*runs.paths).unwrap_or_default();
    let mut items = Vec::new();
    let is_one_run =
        |path: &str| matches!(path, "." | "./") || path.starts_with("dvc:") || path.starts_with("hf:");
    for path in paths.iter().filter(|path| !plain.contains(path) && !is_one_run(path)) {
        let id = base.commit().id.clone();
        let named = (ReferenceOrigin::Typed, Some(policy));
        // A run that could not be read there can't be lost.
        if let Ok(Some(found)) = at_revision(path, &id, path, base, named, workspace) {
            items.extend(found.items.into_iter().filter_map(|item| item.called_as_here(&id)));
        }
    }
    items
}

/// The tracker run at a path of a revision, read as on the disk.
pub(super) fn at_revision<'c>(
    reference: &str,
    revision: &str,
    path: &str,
    store: &Revision<'_>,
    (by, policy): (ReferenceOrigin, Option<&Policy>),
    workspace: &'c Workspace,
) -> Result<Option<Found<'c>>, Box<Diagnostic>> {
    let around = around(by, policy, workspace);
    let (explicit, path) = match Reference::parse(path) {
        Ok(Reference::Tracker { tracker, rest }) => (Some(tracker), rest),
        _ => (None, path.to_owned()),
    };
    let Some(copy) = tracker::export(store, &path)? else { return Ok(None) };
    let inner = FetchContext {
        folder: copy.path(),
        started_in: copy.path(),
        root: copy.path(),
        reach: Reach::Inside,
        ..around
    };
    let found = match explicit {
        Some(tracker) => vec![(tracker, path.clone())],
        None => tracker::runs_at(&path, &inner)?,
    };
    if found.is_empty() {
        return Ok(None);
    }
    let mut whole = Found {
        items: Vec::new(),
        resolved: None,
        exact: found.len() == 1,
        siblings: Vec::new(),
        broken: Vec::new(),
        commit: None,
        notes: Vec::new(),
    };
    for (name, path) in found {
        // These readers support revisions themselves.
        let mut found = if matches!(name, "dvc" | "hf") {
            let file = path.strip_suffix("/dvc.yaml").or(path.strip_suffix("/dvc.lock")).unwrap_or(&path);
            let file = if matches!(file, "dvc.yaml" | "dvc.lock") { "." } else { file };
            tracked(name, &format!("{file}@{revision}"), reference, &around, false)?
        } else {
            tracked(name, &path, reference, &inner, false)?
        };
        for item in &mut found.items {
            item.came_from(revision, reference);
        }
        whole.exact &= found.exact;
        whole.items.append(&mut found.items);
        whole.siblings.append(&mut found.siblings);
    }
    Ok(Some(whole))
}
