//! The change as a whole: the records that can account for its files, and what the rules about it say.

use std::collections::HashSet;
use std::sync::Arc;

use super::candidates::named_runs;
use super::lookup::{Item, files};
use super::{Request, Workspace};
use crate::document::Diagnostic;
use crate::engine::{self, Decision, Judged};
use crate::run::Run;
use crate::store::{Revision, Selector, Store};
use crate::verdict::ChangeReport;

/// Judges the change, where a rule is about it. Also gives what a person should know.
pub(super) fn judge_change(
    decision: &Decision<'_>,
    request: &Request,
    workspace: &Workspace,
) -> (Option<Judged<ChangeReport>>, Vec<String>) {
    let is_about = decision.policy.rules.iter().any(|rule| rule.requirement.about_change());
    if request.without_change || !is_about {
        return (None, Vec::new());
    }
    let (records, unreadable) = records(decision, request, workspace);
    let judged = engine::judge_change(decision, &records);
    let notes = (judged.is_some() && unreadable > 0)
        .then(|| format!("{unreadable} of the records can't be read, so they account for no file"));
    (judged, notes.into_iter().collect())
}

/// Every record that the policy matches, changed or not, and those that were named; and how many can't be read.
fn records(decision: &Decision<'_>, request: &Request, workspace: &Workspace) -> (Vec<Run>, usize) {
    let fields = &decision.policy.fields;
    // What can't be looked up is told where candidates are looked for.
    let mut items = matching(decision, workspace).unwrap_or_default();
    if let Ok(chosen) = named_runs(&request.runs, Some(decision.policy), workspace) {
        items.extend(chosen.items);
    }
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.label()));
    let (runs, unreadable): (Vec<_>, Vec<_>) =
        items.iter().flat_map(|item| item.read(fields)).partition(Result::is_ok);
    (runs.into_iter().flatten().collect(), unreadable.len())
}

fn matching<'w>(decision: &Decision<'_>, workspace: &'w Workspace) -> Result<Vec<Item<'w>>, Box<Diagnostic>> {
    let store: Arc<dyn Store + Send + 'w> = match workspace.revisions() {
        Some(revisions) => Arc::new(
            Revision::shown_plainly(workspace.git()?, revisions.head.clone()).shown_behind(&workspace.up()),
        ),
        None => Arc::new(workspace.found()),
    };
    let mut items = Vec::new();
    for pattern in decision.policy.runs.iter().flat_map(|runs| &runs.paths) {
        items.extend(files(&store, store.select(&Selector::new(pattern)?)?, pattern, None));
    }
    Ok(items)
}
