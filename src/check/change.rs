//! The change as a whole: the records that can account for its files, and what the rules about it say.

use std::collections::HashSet;

use super::candidates::{existing, named_runs};
use super::{Request, Workspace};
use crate::engine::{Decision, judge_change};
use crate::run::{Origin, Run};
use crate::source;
use crate::store::{Selector, Store};
use crate::verdict::Report;

/// Judges the change, if a rule is about it; gives whether that blocks, and the waivers that were used.
pub(super) fn judge(
    report: &mut Report,
    decision: &Decision<'_>,
    request: &Request,
    workspace: &Workspace,
) -> (bool, Vec<usize>) {
    if !decision.policy.rules.iter().any(|rule| rule.requirement.about_change()) {
        return (false, Vec::new());
    }
    let (records, unreadable) = records(decision, request, workspace);
    let Some((change, used)) = judge_change(decision, &records) else { return (false, Vec::new()) };
    if unreadable > 0 {
        report.notes.push(format!("{unreadable} of the records can't be read, so they account for no file"));
    }
    let blocks = change.blocks();
    report.change = Some(change);
    (blocks, used)
}

/// Every record that the policy matches, changed or not, and those that were named; and how many can't be read.
fn records(decision: &Decision<'_>, request: &Request, workspace: &Workspace) -> (Vec<Run>, usize) {
    let fields = &decision.policy.fields;
    let mut read = Vec::new();
    let store = workspace.found();
    let patterns = decision.policy.runs.as_ref().map(|runs| runs.paths.as_slice()).unwrap_or_default();
    for pattern in patterns {
        // A pattern that can't be read, or matches nothing, is told where candidates are looked for.
        let entries = Selector::new(pattern).and_then(|_| existing(&store, pattern)).unwrap_or_default();
        for entry in entries {
            let label = store.label(&entry.path);
            match store.read(&entry, source::most(&label)) {
                Ok(bytes) => read.extend(
                    source::read(&label, bytes, fields, &Origin::default())
                        .into_iter()
                        .map(|run| run.map_err(|_| ())),
                ),
                Err(_) => read.push(Err(())),
            }
        }
    }
    if let Ok(chosen) = named_runs(&request.runs, Some(decision.policy), workspace) {
        let named = (0..chosen.len()).flat_map(|index| chosen.read(index, fields));
        read.extend(named.map(|run| run.map_err(|_| ())));
    }
    let unreadable = read.iter().filter(|run| run.is_err()).count();
    let mut seen = HashSet::new();
    let runs = read.into_iter().flatten().filter(|run| seen.insert(run.document.label())).collect();
    (runs, unreadable)
}
