//! Which records are judged: those that were named, or those that changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::lookup::{Item, ReferenceOrigin, files, look_up};
use super::seeds::together;
use super::{NOTHING_NAMED, Request, Workspace};
use crate::document::Diagnostic;
use crate::expression::{Bindings, Expression, Fault};
use crate::git::{self, short};
use crate::policy::Policy;
use crate::run::{FieldMap, Run};
use crate::source;
use crate::store::{Entry, NOTHING_MATCHED, Revision, Selector, Store};
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
        filter.holds(&bindings).map_err(|error| {
            let message =
                format!("{}: `where` has no answer at `{}`: {}", run.label(), error.part, error.message);
            let help = match error.fault {
                Fault::Absent => "`has(…)` asks whether a field is there, such as `has(tags.promote) && …`",
                Fault::Other => "correct the expression, or the record",
            };
            Diagnostic::new(super::WHERE_FAILED, message).help(help).boxed()
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
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = HashSet::new();
    for path in &runs.paths {
        let selected = store.select(&Selector::new(path)?)?;
        entries.extend(selected.into_iter().filter(|entry| seen.insert(entry.path.clone())));
    }
    if entries.is_empty() {
        return Err(Diagnostic::new(
            NOTHING_MATCHED,
            format!("`runs: {}` matches no file", runs.paths.join(", ")),
        )
        .help("train, or correct the pattern; it is relative to the policy")
        .boxed());
    }
    let matched = entries.len();
    // One seed that changed changes what it is a seed of.
    let all = policy.seeds.as_ref().map(|_| entries.clone());
    let mut notes = Vec::new();
    if !request.all {
        let (changed, since) = changed(request, workspace, &*store, &runs.paths, entries)?;
        if changed.is_empty() {
            return Ok(Candidates::Unchanged { matched, since });
        }
        notes.push(format!("{} of {matched} records changed since {since}", changed.len()));
        entries = changed;
    }
    let unchanged = matched - entries.len();
    let mut items = files(&store, entries, &runs.paths.join(", "), None);
    with_signatures(&mut items, policy);
    if let (Some(by), Some(all)) = (&policy.seeds, all) {
        let changed: HashSet<String> = items.iter().map(Item::label).collect();
        let mut all = files(&store, all, &runs.paths.join(", "), None);
        with_signatures(&mut all, policy);
        items = together(&all, Vec::new(), by, &policy.fields, |item| changed.contains(&item.label()));
    }
    Ok(Candidates::Chosen(Chosen { items, filter: runs.filter.as_ref(), unchanged, notes }))
}

/// Of the files in the working tree, those that differ from the merge base, uncommitted ones included; of several merge
/// bases from any, since a record that one of them has may be what another replaced.
fn changed(
    request: &Request,
    workspace: &Workspace,
    store: &dyn Store,
    patterns: &[String],
    entries: Vec<Entry>,
) -> Result<(Vec<Entry>, String), Box<Diagnostic>> {
    let how = |problem: Box<Diagnostic>| {
        let help = problem.help.clone().unwrap_or_default();
        problem.help(format!("{help}; or name the runs to check, or check all of them with --all")).boxed()
    };
    let git = workspace.git().map_err(how)?;
    let (name, base, head) = if let Some(revisions) = workspace.revisions() {
        let name = revisions.names.get(1).unwrap_or(&revisions.names[0]);
        (name.clone(), revisions.base.clone(), revisions.head.clone())
    } else {
        let base = git.base(request.base.as_deref()).map_err(how)?;
        let shown = request.pushed.as_ref().map(|pushed| format!("{} before this push", pushed.branch));
        (shown.unwrap_or_else(|| base.name().to_owned()), base.commit, git.commit("HEAD").map_err(how)?)
    };
    // A push replaces what the branch was, even where it does not grow from it.
    let bases = if request.pushed.is_some() { vec![base] } else { git.merge_bases(&head, &base)? };
    let ids: Vec<&str> = bases.iter().map(|base| short(&base.id)).collect();
    let since = format!("{name} ({})", ids.join(", "));
    // The blobs of a record at the bases; fewer where it is not at all of them.
    let mut blobs: HashMap<String, Vec<String>> = HashMap::new();
    let count = bases.len();
    for base in bases {
        let there = Revision::new(git, &name, base);
        let mut seen = HashSet::new();
        for pattern in patterns {
            for entry in there.select(&Selector::new(pattern)?)? {
                if let Some(blob) = entry.blob.filter(|_| seen.insert(entry.path.clone())) {
                    blobs.entry(entry.path).or_default().push(blob);
                }
            }
        }
    }
    let differs = |entry: &Entry| {
        let Some(blobs) = blobs.get(&entry.path).filter(|blobs| blobs.len() == count) else { return true };
        if let Some(here) = &entry.blob {
            return blobs.iter().any(|blob| here != blob);
        }
        // What can't be read differs, so that it is judged, and says why it can't be.
        store
            .read(entry, source::most(&entry.path))
            .map_or(true, |bytes| blobs.iter().any(|blob| !git::is_blob(blob, &bytes)))
    };
    let changed = entries.into_par_iter().filter(differs).collect();
    Ok((changed, since))
}
