//! Records that a change adds next to those that `runs:` matches, but that `runs:` does not match. They are not
//! judged, so the report mentions them.

use std::collections::HashSet;

use super::Workspace;
use crate::document::FileKind;
use crate::engine::Decision;
use crate::rule::ChangeRecords;
use crate::run::{Origin, Run};
use crate::source;
use crate::store::Selector;

/// Maximum number of files to name.
const LISTED: usize = 10;

/// Notes that name the records in the change that can't be candidates.
pub(super) fn unmatched_records(
    decision: &Decision<'_>,
    workspace: &Workspace,
    records: &ChangeRecords,
) -> Vec<String> {
    let runs = decision.policy.runs.as_ref();
    let selectors: Vec<Selector> =
        runs.iter().flat_map(|runs| &runs.paths).filter_map(|path| Selector::new(path).ok()).collect();
    let up = workspace.up();
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let beside: HashSet<String> =
        records.head.iter().map(|run| folder(run.label().strip_prefix(&up).unwrap_or(run.label()))).collect();
    let ledger = workspace.ledger_folder(Some(decision.policy));
    let is_near = |path: &str| {
        let below = |selector: &Selector| {
            !selector.folder().is_empty() && path.starts_with(&format!("{}/", selector.folder()))
        };
        FileKind::is_record(path)
            && !selectors.iter().any(|selector| selector.names(path))
            && (beside.contains(&folder(path)) || selectors.iter().any(below))
            && !workspace.root().join(path).starts_with(&ledger)
    };
    let mut near = Vec::new();
    let known = decision.facts.changes(&is_near, &mut |file| near.push(file.path));
    let (Ok(_), Ok(store)) = (known, workspace.head()) else { return Vec::new() };
    // A file of numbers alone is a record only if others are such files too: any settings file has some
    // numbers.
    let are_flat = records.head.iter().any(Run::is_flat);
    let is_record = |path: &&String| {
        let entries = Selector::new(path).and_then(|selector| store.select(&selector)).unwrap_or_default();
        entries.iter().any(|entry| {
            let bytes = store.read(entry, source::most(path)).unwrap_or_default();
            let runs = source::read(path, bytes, &decision.policy.fields, &Origin::default());
            runs.iter().flatten().any(|run| run.metrics().next().is_some() && (are_flat || !run.is_flat()))
        })
    };
    let named: Vec<&String> = near.iter().filter(is_record).collect();
    let more = named.len().saturating_sub(LISTED);
    let note = |path: &&String| {
        format!(
            "`{path}` looks like a run record of this change, but `runs:` does not match it, so it was not judged"
        )
    };
    let mut notes: Vec<String> = named.iter().take(LISTED).map(note).collect();
    if more > 0 {
        notes.push(format!("{more} more such files were not judged"));
    }
    notes
}
