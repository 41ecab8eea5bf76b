//! The change as a whole: the records on both sides, and the results of the rules about the change.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::beside::unmatched_records;
use super::candidates::{compared, named_runs, record_files};
use super::found::{Item, files, read_all};
use super::tracker_runs::{self, PolicyRuns, Sorted};
use super::{Request, Workspace};
use crate::document::Diagnostic;
use crate::engine::{self, Decision, Judged, References};
use crate::policy::Policy;
use crate::rule::{AboutChange, ChangeRecords, removed_records, touched_data};
use crate::run::{Reference, Run};
use crate::source::dvc;
use crate::store::{Entry, Revision, Selector, Store};
use crate::verdict::{ChangeReport, Level, RuleKind};

/// Maximum number of bytes to read from a DVC file.
const DVC_BYTES: usize = 16 << 20;

/// The result of judging a change.
#[derive(Default)]
pub(super) struct JudgedChange {
    /// The results of the rules about it; absent if there are none.
    pub(super) judged: Option<Judged<ChangeReport>>,
    /// Notes for the reader.
    pub(super) notes: Vec<String>,
    /// Why it could not be judged.
    pub(super) trouble: Option<Diagnostic>,
}

/// Judges the change, if the request is about one.
pub(super) fn judge_change(
    decision: &Decision<'_>,
    references: &References,
    request: &Request,
    workspace: &Workspace,
    of_policy: &PolicyRuns<'_>,
) -> JudgedChange {
    let mut change = JudgedChange::default();
    let rules = || decision.policy.rules.iter().filter(|rule| rule.level != Level::Off);
    // A pull request is one change, no matter which of its runs are named.
    let whole = workspace.revisions().is_some() || request.runs.is_empty() && !request.all;
    let always = || rules().any(|rule| rule.requirement.about_change() == AboutChange::Always);
    if request.without_change || !whole && !always() {
        return change;
    }
    // Lookup errors are reported by `candidates`.
    let Sorted { plain, items: of_trackers } = of_policy.sorted().cloned().unwrap_or_default();
    let (mut records, unreadable) = records(decision, request, workspace, (&plain, of_trackers));
    records.whole = whole;
    if whole {
        match base_records(decision.policy, request, workspace, &plain) {
            Ok(base) => records.base = base,
            // `candidates` asks the same question, and reports the error.
            Err(_) if request.runs.is_empty() => {}
            Err(why) => change.trouble = Some(*why),
        }
    }
    if rules().any(|rule| rule.kind == RuleKind::Linked) {
        records.dvc_outputs = dvc_outputs(workspace).unwrap_or_default();
    }
    let removed = {
        let bars = Bars::of(decision.policy, references);
        removed_records(&records, &|run| bars.include(run, decision.policy, decision.now))
    };
    change.notes.extend(removed.notes);
    if whole {
        // Lookup errors are reported by `candidates`.
        change.notes.extend(touched_data(&records, decision.facts).unwrap_or_default());
        change.notes.extend(unmatched_records(decision, workspace, &records));
    }
    change.judged = engine::judge_change(decision, &records, removed.result);
    if change.judged.is_some() && unreadable > 0 {
        change.notes.push(format!(
            "{unreadable} of the records can't be read, so the files that they name look unrecorded"
        ));
    }
    change
}

/// The records of the base that rules compare a change with; the newest ones are used.
struct Bars {
    /// Whether a rule names a revision without a path: it means the records that `runs:` matches.
    of_policy: bool,
    /// Folders and globs that rules name.
    selectors: Vec<Selector>,
}

impl Bars {
    fn of(policy: &Policy, references: &References) -> Self {
        let rules = policy.rules.iter().enumerate();
        let mut bars = Self { of_policy: false, selectors: Vec::new() };
        let of_rules = rules
            .filter(|(_, rule)| rule.level != Level::Off && rule.requirement.compares())
            .filter_map(|(index, _)| references.list().get(references.of_rule(index)?));
        for reference in of_rules {
            match Reference::parse(&reference.text) {
                Ok(Reference::Git { path: None, .. }) => bars.of_policy = true,
                Ok(Reference::Git { path: Some(path), .. }) => {
                    bars.selectors.extend(Selector::of_records(&path).ok());
                }
                _ => {}
            }
        }
        bars
    }

    fn include(&self, run: &Run, policy: &Policy, now: Timestamp) -> bool {
        let selected = || policy.runs.as_ref().is_none_or(|runs| runs.select(run, now).unwrap_or(true));
        self.of_policy && selected() || self.selectors.iter().any(|selector| selector.matches(run.label()))
    }
}

/// Every record that the policy matches, changed or not, and the named ones; also returns how many can't be
/// read.
fn records<'w>(
    decision: &Decision<'_>,
    request: &Request,
    workspace: &'w Workspace,
    (plain, of_trackers): (&[String], Vec<Item<'w>>),
) -> (ChangeRecords, usize) {
    let mut items = workspace.head().and_then(|store| matching(&store, plain, workspace)).unwrap_or_default();
    items.extend(of_trackers);
    let mut named = HashSet::new();
    if let Ok(chosen) = named_runs(&request.runs, Some(decision.policy), workspace) {
        named.extend(chosen.items.iter().map(Item::label));
        items.extend(chosen.items);
    }
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.label()));
    let (head, bad) = read_all(&items, &decision.policy.fields);
    let number = bad.len();
    // If runs are named, other records are not candidates, and errors in them don't affect the verdict.
    let is_candidate = |label: &String| request.runs.is_empty() || named.contains(label);
    let unreadable = bad.into_iter().map(|bad| bad.label).filter(is_candidate).collect();
    (ChangeRecords { head, unreadable, ..ChangeRecords::default() }, number)
}

/// The records that the policy matches at the base.
fn base_records(
    policy: &Policy,
    request: &Request,
    workspace: &Workspace,
    plain: &[String],
) -> Result<Vec<Run>, Box<Diagnostic>> {
    let compared = compared(request, workspace)?;
    let mut items = Vec::new();
    for base in compared.bases {
        let base = Revision::shown_plainly(workspace.git()?, base).shown_behind(&workspace.up());
        items.extend(tracker_runs::at_base(policy, plain, &base, workspace));
        let store: Arc<dyn Store + Send + '_> = Arc::new(base);
        items.extend(matching(&store, plain, workspace)?);
    }
    Ok(read_all(&items, &policy.fields).0)
}

fn matching<'w>(
    store: &Arc<dyn Store + Send + 'w>,
    plain: &[String],
    workspace: &Workspace,
) -> Result<Vec<Item<'w>>, Box<Diagnostic>> {
    let selectors = plain.iter().map(|path| Selector::of_records(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(files(store, record_files(&**store, &selectors, workspace)?, &plain.join(", "), None))
}

/// The outputs that DVC's files name.
fn dvc_outputs(workspace: &Workspace) -> Result<Vec<String>, Box<Diagnostic>> {
    let store = workspace.head()?;
    let entries: Vec<Entry> = match workspace.revisions() {
        Some(_) => {
            let mut entries = store.select(&Selector::new("**/*.dvc")?)?;
            entries.extend(store.select(&Selector::new("**/dvc.lock")?)?);
            entries
        }
        None => {
            let files = workspace.git()?.files(&dvc::names_outputs)?;
            files.into_iter().map(|path| Entry { path, blob: None }).collect()
        }
    };
    let outputs = entries.iter().filter_map(|entry| {
        let bytes = store.read(entry, DVC_BYTES).ok()?;
        Some(dvc::outputs(&entry.path, bytes))
    });
    Ok(outputs.flatten().collect())
}
