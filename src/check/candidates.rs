//! Chooses which records are judged: those that were named, or those that changed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::found::{Item, ReferenceOrigin, files};
use super::lookup::look_up;
use super::new_lines::{Before, only_new};
use super::seeds::together;
use super::tracker_runs::{self, PolicyRuns, Sorted};
use super::{NOTHING_NAMED, Request, Workspace, elsewhere};
use crate::document::{Diagnostic, FileKind};
use crate::git::{self, Commit, short};
use crate::parallel::in_order;
use crate::policy::{Policy, Runs};
use crate::run::{FieldMap, Run};
use crate::source::{self, BadRecord};
use crate::store::{Entry, NOTHING_MATCHED, Revision, Selector, Store, left_out};
use crate::tracker::OwnFiles;
use crate::verdict::Level;

/// The runs to judge.
pub(super) enum Candidates<'c> {
    /// These records.
    Chosen(Chosen<'c>),
    /// Nothing: records match the policy, but none of them changed.
    Unchanged {
        /// How many match.
        matched: usize,
        /// The base of the comparison, in words.
        since: String,
    },
}

/// Records that were chosen, and where to read each of them.
pub(super) struct Chosen<'c> {
    pub(super) items: Vec<Item<'c>>,
    runs: Option<&'c Runs>,
    /// Records that match the policy and did not change.
    pub(super) unchanged: usize,
    /// How they were found, for the report.
    pub(super) notes: Vec<String>,
}

impl Chosen<'_> {
    /// Whether the policy selects a run as a candidate; one that was named is always selected.
    pub(super) fn selects(&self, run: &Run, now: Timestamp) -> Result<bool, Box<Diagnostic>> {
        self.runs.map_or(Ok(true), |runs| runs.select(run, now))
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The records of one file.
    pub(super) fn read(&self, index: usize, fields: &FieldMap) -> Vec<Result<Run, Vec<Diagnostic>>> {
        let read = self.items[index].read(fields);
        read.into_iter().map(|read| read.map_err(|bad| bad.problems)).collect()
    }
}

/// Finds the candidates.
pub(super) fn choose<'c>(
    request: &Request,
    policy: &'c Policy,
    workspace: &'c Workspace,
    of_policy: &PolicyRuns<'c>,
) -> Result<Candidates<'c>, Box<Diagnostic>> {
    if request.runs.is_empty() {
        return discover(request, policy, workspace, of_policy);
    }
    named_runs(&request.runs, Some(policy), workspace).map(Candidates::Chosen)
}

/// Looks for signatures if a rule needs them.
fn with_signatures(items: &mut [Item<'_>], policy: &Policy) {
    let wanted =
        policy.rules.iter().any(|rule| rule.level != Level::Off && rule.requirement.reads_signatures());
    for item in items {
        if let Item::File { signed, .. } = item {
            *signed = wanted;
        }
    }
}

/// The records of the named runs, each once.
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
    Ok(Chosen { items, runs: None, unchanged: 0, notes: Vec::new() })
}

/// The records that the policy matches and that differ from the base.
fn discover<'c>(
    request: &Request,
    policy: &'c Policy,
    workspace: &'c Workspace,
    of_policy: &PolicyRuns<'c>,
) -> Result<Candidates<'c>, Box<Diagnostic>> {
    let Some(runs) = &policy.runs else {
        return Err(Diagnostic::new(NOTHING_NAMED, "no run was named, and the policy has no `runs:`")
            .help(elsewhere::without_runs(policy, workspace))
            .boxed());
    };
    let store = workspace.head()?;
    let Sorted { plain, items: mut of_trackers } = of_policy.sorted()?.clone();
    let selectors = plain.iter().map(|path| Selector::of_records(path)).collect::<Result<Vec<_>, _>>()?;
    if let (None, Ok(git)) = (workspace.revisions(), workspace.git())
        && let Some(problem) = left_out(git, &selectors)?
    {
        return Err(problem);
    }
    let mut entries = record_files(&*store, &selectors, workspace)?;
    if entries.is_empty() && of_trackers.is_empty() {
        return Err(Diagnostic::new(
            NOTHING_MATCHED,
            format!("`runs: {}` matches no file", runs.paths.join(", ")),
        )
        .help(elsewhere::without_match(policy, workspace))
        .boxed());
    }
    let matched = entries.len() + of_trackers.len();
    // If one seed changed, the combined run changed.
    let all = policy.seeds.as_ref().map(|_| entries.clone());
    let mut notes = Vec::new();
    let mut before = HashMap::new();
    if !request.all {
        let changed = changed(request, workspace, &*store, &selectors, (entries, of_trackers))?;
        of_trackers = changed.of_trackers;
        let number = changed.entries.len() + of_trackers.len();
        if number == 0 {
            return Ok(Candidates::Unchanged { matched, since: changed.since });
        }
        notes.push(format!("{number} of {matched} records changed since {}", changed.since));
        entries = changed.entries;
        before = changed.before;
    }
    let unchanged = matched - entries.len() - of_trackers.len();
    let mut items = files(&store, entries, &runs.paths.join(", "), None);
    for item in &mut items {
        if let Item::File { entry, before: known, .. } = item {
            *known = before.remove(&entry.path);
        }
    }
    with_signatures(&mut items, policy);
    if let (Some(by), Some(all)) = (&policy.seeds, all) {
        let in_change = |run: &Result<Run, BadRecord>| match run {
            Ok(run) => run.document.label(),
            Err(bad) => bad.label.clone(),
        };
        let changed: HashSet<String> =
            items.iter().flat_map(|item| item.read(&policy.fields)).map(|run| in_change(&run)).collect();
        let mut all = files(&store, all, &runs.paths.join(", "), None);
        with_signatures(&mut all, policy);
        items = together(&all, Vec::new(), by, &policy.fields, |run| changed.contains(&in_change(run)));
    }
    items.append(&mut of_trackers);
    Ok(Candidates::Chosen(Chosen { items, runs: Some(runs), unchanged, notes }))
}

/// The files of run records that the selectors match, each once. A tracker's other files are not records
/// unless they are named.
pub(super) fn record_files(
    store: &dyn Store,
    selectors: &[Selector],
    workspace: &Workspace,
) -> Result<Vec<Entry>, Box<Diagnostic>> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    let mut own = OwnFiles::default();
    for selector in selectors {
        let mut is_record = |entry: &Entry| {
            (entry.path == selector.written() || !own.has(workspace.root(), &entry.path))
                && seen.insert(entry.path.clone())
        };
        entries.extend(store.select(selector)?.into_iter().filter(|entry| is_record(entry)));
    }
    Ok(entries)
}

/// The commits that a change is compared with.
pub(super) struct Compared {
    /// The name of the base, for messages.
    pub(super) name: String,
    /// The merge bases: several if branches were merged into each other.
    pub(super) bases: Vec<Commit>,
}

impl Compared {
    /// The base in words: `main (19a2155624)`.
    pub(super) fn words(&self) -> String {
        let ids: Vec<&str> = self.bases.iter().map(|base| short(&base.id)).collect();
        format!("{} ({})", self.name, ids.join(", "))
    }
}

/// The last commits that the change has in common with the base branch.
pub(super) fn compared(request: &Request, workspace: &Workspace) -> Result<Compared, Box<Diagnostic>> {
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
    // A push replaces the previous state of the branch, even if it does not descend from it.
    let bases = if request.pushed.is_some() { vec![base] } else { git.merge_bases(&head, &base)? };
    Ok(Compared { name, bases })
}

/// The files that differ from the base.
#[derive(Default)]
struct Changed<'c> {
    entries: Vec<Entry>,
    of_trackers: Vec<Item<'c>>,
    /// The base's versions of files with many records.
    before: HashMap<String, Before>,
    /// The base of the comparison, in words.
    since: String,
}

/// The changed files that differ from the merge base, including uncommitted ones. With several merge bases,
/// those that differ from any: a record of one base may be what another base replaced.
fn changed<'c>(
    request: &Request,
    workspace: &Workspace,
    store: &dyn Store,
    selectors: &[Selector],
    (entries, of_trackers): (Vec<Entry>, Vec<Item<'c>>),
) -> Result<Changed<'c>, Box<Diagnostic>> {
    let compared = compared(request, workspace)?;
    let since = compared.words();
    let mut changed = Changed { since, ..Changed::default() };
    let mut differing = HashSet::new();
    let mut same_everywhere = vec![true; of_trackers.len()];
    for base in &compared.bases {
        let there = Revision::new(workspace.git()?, &compared.name, base.clone());
        for (path, before) in differs_from(&there, store, selectors, &entries)? {
            if let Some(before) = before {
                changed.before.entry(path.clone()).or_default().push(before);
            }
            differing.insert(path);
        }
        if !of_trackers.is_empty() {
            let same = tracker_runs::unchanged(&of_trackers, store, &there)?;
            same_everywhere = same_everywhere.iter().zip(same).map(|(all, one)| *all && one).collect();
        }
    }
    changed.entries = entries.into_iter().filter(|entry| differing.contains(&entry.path)).collect();
    let of_trackers = of_trackers.into_iter().zip(same_everywhere);
    changed.of_trackers = of_trackers.filter(|(_, same)| !same).map(|(item, _)| item).collect();
    Ok(changed)
}

/// The path of a file that differs. For a file with many records, also the lines of such files at the base.
type Differing = (String, Option<Arc<[u8]>>);

fn has_lines(path: &str) -> bool {
    FileKind::of(path) == Some(FileKind::JsonLines)
}

/// The files that differ from at least one base. A file that only moved is the same record. A file with many
/// records differs if a line is new; then the base's version is included.
fn differs_from(
    there: &Revision<'_>,
    store: &dyn Store,
    selectors: &[Selector],
    entries: &[Entry],
) -> Result<Vec<Differing>, Box<Diagnostic>> {
    let mut blobs: HashMap<String, Entry> = HashMap::new();
    for selector in selectors {
        blobs.extend(there.select(selector)?.into_iter().map(|entry| (entry.path.clone(), entry)));
    }
    let here: HashSet<&str> = entries.iter().map(|entry| &*entry.path).collect();
    let gone = blobs.values().filter(|entry| !here.contains(&*entry.path));
    let moved: HashSet<&str> = gone.filter_map(|entry| entry.blob.as_deref()).collect();
    // An unreadable file counts as different, so that judging it reports why it can't be read.
    let bytes = |entry: &Entry| store.read(entry, source::most(&entry.path)).ok();
    let is_moved = |entry: &Entry| match (&entry.blob, moved.iter().next()) {
        (_, None) => false,
        (Some(here), _) => moved.contains(here.as_str()),
        (None, Some(one)) => bytes(entry).is_some_and(|bytes| {
            git::blob_ids(one.len(), &bytes).iter().any(|id| moved.contains(id.as_str()))
        }),
    };
    let is_same = |entry: &Entry, blob: &str| match &entry.blob {
        Some(here) => here == blob,
        None => bytes(entry).is_some_and(|bytes| git::is_blob(blob, &bytes)),
    };
    // A line may come from another file that was renamed or split.
    let old_lines: OnceLock<Arc<[u8]>> = OnceLock::new();
    let old_lines = || {
        let lines = || {
            let mut known: Vec<&Entry> = blobs.values().filter(|entry| has_lines(&entry.path)).collect();
            known.sort_unstable_by(|one, other| one.path.cmp(&other.path));
            let read = |entry: &&Entry| there.read(entry, source::most(&entry.path)).ok();
            known.iter().filter_map(read).collect::<Vec<_>>().join(&b'\n').into()
        };
        Arc::clone(old_lines.get_or_init(lines))
    };
    let differs = |entry: &Entry| -> Option<Option<Arc<[u8]>>> {
        match blobs.get(&entry.path) {
            None if is_moved(entry) => return None,
            Some(Entry { blob: None, .. }) => return Some(None),
            Some(Entry { blob: Some(blob), .. }) if is_same(entry, blob) => return None,
            None | Some(_) => {}
        }
        if !has_lines(&entry.path) {
            return Some(None);
        }
        let Some(bytes) = bytes(entry) else { return Some(None) };
        let before = old_lines();
        only_new(&bytes, std::slice::from_ref(&before)).map(|_| Some(before))
    };
    let compared = in_order(entries, |entry| Some((entry.path.clone(), differs(entry)?)));
    Ok(compared.into_iter().flatten().collect())
}
