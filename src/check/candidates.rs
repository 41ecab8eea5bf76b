//! Which records are judged: those that were named, or those that changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::lookup::{Item, ReferenceOrigin, files, look_up};
use super::seeds::together;
use super::tracker_runs::{self, Sorted};
use super::{NOTHING_NAMED, Request, Workspace};
use crate::document::Diagnostic;
use crate::expression::{Bindings, Expression};
use crate::git::{self, short};
use crate::policy::Policy;
use crate::run::{FieldMap, Run};
use crate::source;
use crate::store::{Entry, NOTHING_MATCHED, Revision, Selector, Store};
use crate::tracker::OwnFiles;
use crate::verdict::Level;

/// What is to be judged.
pub(super) enum Candidates<'c> {
    /// These records.
    Chosen(Chosen<'c>),
    /// None: records match the policy, and none changed.
    Unchanged {
        /// How many match.
        matched: usize,
        /// Since what, in words.
        since: String,
    },
}

/// Records that were chosen, and where each is read.
pub(super) struct Chosen<'c> {
    pub(super) items: Vec<Item<'c>>,
    filter: Option<&'c Expression>,
    /// Records that match the policy and did not change.
    pub(super) unchanged: usize,
    /// How they were found, for the report.
    pub(super) notes: Vec<String>,
}

impl Chosen<'_> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The records of one file.
    pub(super) fn read(&self, index: usize, fields: &FieldMap) -> Vec<Result<Run, Vec<Diagnostic>>> {
        let read = self.items[index].read(fields);
        read.into_iter().map(|read| read.map_err(|bad| bad.problems)).collect()
    }

    /// Whether the policy's `where` takes a run for a candidate; one that was named always is.
    pub(super) fn selects(&self, run: &Run, now: Timestamp) -> Result<bool, Box<Diagnostic>> {
        let Some(filter) = self.filter else { return Ok(true) };
        let bindings = Bindings { candidate: run, baseline: None, stage: None, now };
        filter.holds(&bindings).or_else(|error| {
            // A record without the field is simply not marked.
            if error.message.starts_with("there is no") {
                return Ok(false);
            }
            let message =
                format!("{}: `where` has no answer at `{}`: {}", run.label(), error.part, error.message);
            Err(Diagnostic::new(super::NONE_SELECTED, message).boxed())
        })
    }
}

/// Finds the candidates.
pub(super) fn choose<'c>(
    request: &Request,
    policy: &'c Policy,
    workspace: &'c Workspace,
) -> Result<Candidates<'c>, Box<Diagnostic>> {
    if request.runs.is_empty() {
        return discover(request, policy, workspace);
    }
    named_runs(&request.runs, Some(policy), workspace).map(Candidates::Chosen)
}

/// Signatures are looked for where a rule asks for them.
fn with_signatures(items: &mut [Item<'_>], policy: &Policy) {
    let wanted =
        policy.rules.iter().any(|rule| rule.level != Level::Off && rule.requirement.reads_signatures());
    for item in items {
        if let Item::File { signed, .. } = item {
            *signed = wanted;
        }
    }
}

/// The records of the runs that are named, each once.
pub(super) fn named_runs<'c>(
    names: &[String],
    policy: Option<&Policy>,
    workspace: &'c Workspace,
) -> Result<Chosen<'c>, Box<Diagnostic>> {
    let mut items: Vec<Item<'c>> = Vec::new();
    let mut siblings = Vec::new();
    for name in names {
        let found = look_up(name, ReferenceOrigin::Typed, policy, workspace)?;
        items.extend(found.items);
        siblings.extend(found.siblings);
    }
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.label()));
    if let Some(policy) = policy {
        with_signatures(&mut items, policy);
    }
    if let Some((policy, by)) = policy.and_then(|policy| Some((policy, policy.seeds.as_ref()?))) {
        siblings.retain(|sibling| seen.insert(sibling.label.clone()));
        items = together(&items, siblings, by, &policy.fields, |_| true);
    }
    Ok(Chosen { items, filter: None, unchanged: 0, notes: Vec::new() })
}

/// The records that the policy matches and that differ from the base.
fn discover<'c>(
    request: &Request,
    policy: &'c Policy,
    workspace: &'c Workspace,
) -> Result<Candidates<'c>, Box<Diagnostic>> {
    let Some(runs) = &policy.runs else {
        return Err(Diagnostic::new(NOTHING_NAMED, "no run was named, and the policy has no `runs:`")
            .help("name a run: gate check runs/churn.json; or add `runs: runs/*.json` to the policy")
            .boxed());
    };
    let store: Arc<dyn Store + Send + 'c> = match workspace.revisions() {
        Some(revisions) => Arc::new(
            Revision::shown_plainly(workspace.git()?, revisions.head.clone()).shown_behind(&workspace.up()),
        ),
        None => Arc::new(workspace.found()),
    };
    let Sorted { plain, items: mut of_trackers } = tracker_runs::sort(&runs.paths, policy, workspace)?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = HashSet::new();
    let mut own = OwnFiles::default();
    for path in &plain {
        let selector = Selector::of_records(path)?;
        let is_record = |entry: &Entry| {
            seen.insert(entry.path.clone())
                && (entry.path == selector.written() || !own.has(workspace.root(), &entry.path))
        };
        entries.extend(store.select(&selector)?.into_iter().filter(is_record));
    }
    if entries.is_empty() && of_trackers.is_empty() {
        return Err(Diagnostic::new(
            NOTHING_MATCHED,
            format!("`runs: {}` matches no file", runs.paths.join(", ")),
        )
        .help("train, or correct the pattern; it is relative to the policy")
        .boxed());
    }
    let matched = entries.len() + of_trackers.len();
    // One seed that changed changes what it is a seed of.
    let all = policy.seeds.as_ref().map(|_| entries.clone());
    let mut notes = Vec::new();
    if !request.all {
        let (changed, since) = changed(request, workspace, &*store, &plain, (entries, &mut of_trackers))?;
        if changed.is_empty() && of_trackers.is_empty() {
            return Ok(Candidates::Unchanged { matched, since });
        }
        let number = changed.len() + of_trackers.len();
        notes.push(format!("{number} of {matched} records changed since {since}"));
        entries = changed;
    }
    let unchanged = matched - entries.len() - of_trackers.len();
    let mut items = files(&store, entries, &runs.paths.join(", "), None);
    with_signatures(&mut items, policy);
    if let (Some(by), Some(all)) = (&policy.seeds, all) {
        let changed: HashSet<String> = items.iter().map(Item::label).collect();
        let mut all = files(&store, all, &runs.paths.join(", "), None);
        with_signatures(&mut all, policy);
        items = together(&all, Vec::new(), by, &policy.fields, |item| changed.contains(&item.label()));
    }
    items.append(&mut of_trackers);
    Ok(Candidates::Chosen(Chosen { items, filter: runs.filter.as_ref(), unchanged, notes }))
}

/// Of the files in the working tree, those that are not at the base as they are here, uncommitted ones included.
fn changed(
    request: &Request,
    workspace: &Workspace,
    store: &dyn Store,
    patterns: &[String],
    (entries, of_trackers): (Vec<Entry>, &mut Vec<Item<'_>>),
) -> Result<(Vec<Entry>, String), Box<Diagnostic>> {
    let how = |problem: Box<Diagnostic>| {
        let help = problem.help.clone().unwrap_or_default();
        problem.help(format!("{help}; or name the runs to check, or check all of them with --all")).boxed()
    };
    let git = workspace.git().map_err(how)?;
    let (name, base, head) = match (workspace.revisions(), &request.base) {
        (Some(revisions), _) => {
            let name = revisions.names.get(1).unwrap_or(&revisions.names[0]);
            (name.clone(), revisions.base.clone(), revisions.head.clone())
        }
        (None, Some(name)) => (name.clone(), git.commit(name)?, git.commit("HEAD").map_err(how)?),
        (None, None) => {
            let (name, base) = git.default_branch().map_err(how)?;
            (name, base, git.commit("HEAD").map_err(how)?)
        }
    };
    let base = git.merge_bases(&head, &base)?.remove(0);
    let since = format!("{name} ({})", short(&base.id));
    let there = Revision::new(git, &name, base);
    tracker_runs::leave_out_unchanged(of_trackers, store, &there)?;
    let mut blobs: HashMap<String, String> = HashMap::new();
    for pattern in patterns {
        for entry in there.select(&Selector::of_records(pattern)?)? {
            blobs.extend(entry.blob.map(|blob| (entry.path, blob)));
        }
    }
    let differs = |entry: &Entry| {
        let Some(blob) = blobs.get(&entry.path) else { return true };
        if let Some(here) = &entry.blob {
            return here != blob;
        }
        // What can't be read differs, so that it is judged, and says why it can't be.
        store.read(entry, source::most(&entry.path)).map_or(true, |bytes| !git::is_blob(blob, &bytes))
    };
    let changed = entries.into_par_iter().filter(differs).collect();
    Ok((changed, since))
}
