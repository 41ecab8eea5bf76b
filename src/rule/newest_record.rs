//! The newest record of a model is what the next change is compared with. A change that removes it, or makes another
//! record the newest, lowers the bar for the next change without being judged itself.

use std::collections::{BTreeMap, HashSet};

use super::change::text;
use super::{ChangeRecords, RuleResult};
use crate::code::codes;
use crate::run::Run;
use crate::verdict::{Comparison, Finding, Outcome};

codes! {
    REMOVED = "change/newest-record-removed": "The change removes the newest record of a model, which is the baseline of the next change.";
}

/// The id, for waivers, of the rule that applies to every change.
pub const NEWEST_RECORD: &str = "gate:newest-record";

/// How the change affects existing records.
#[derive(Debug, Default)]
pub struct RemovedRecords {
    /// Each model whose newest record is gone, so that the newest is now an older, unchanged one, or none.
    pub result: RuleResult,
    /// Notes: the removed records.
    pub notes: Vec<String>,
}

/// Compares the records of the base with the current ones. A record that moved to another file is the same
/// record. `is_bar` selects the records among which a model's newest is what a change is compared with.
pub fn removed_records(records: &ChangeRecords, is_bar: &dyn Fn(&Run) -> bool) -> RemovedRecords {
    let mut removed = RemovedRecords::default();
    let now: HashSet<String> = records.head.iter().map(text).collect();
    let gone: Vec<&Run> = records.base.iter().filter(|run| !now.contains(&text(run))).collect();
    if gone.is_empty() {
        return removed;
    }
    let base_texts = records.base_texts();
    let files: HashSet<&str> =
        records.head.iter().filter(|run| run.document.line.is_none()).map(Run::label).collect();
    let ids: HashSet<&str> = records.head.iter().filter_map(|run| run.text("run_id")).collect();
    // A record of the same file or id is the same record, edited: it is a candidate.
    let is_edited =
        |run: &Run| files.contains(run.label()) || run.text("run_id").is_some_and(|id| ids.contains(id));
    // A file that became unreadable is a candidate, which says why. In a file with many records, only new
    // lines are candidates.
    let is_unreadable =
        |run: &Run| run.document.line.is_none() && records.unreadable.iter().any(|bad| bad == run.label());
    for run in gone.iter().filter(|run| !is_edited(run) && !is_unreadable(run)) {
        removed.notes.push(format!("the change deletes the record `{}`", run.document.label()));
    }
    let mut models: BTreeMap<Option<&str>, Vec<&Run>> = BTreeMap::new();
    for run in records.base.iter().filter(|run| is_bar(run)) {
        models.entry(run.model()).or_default().push(run);
    }
    for (model, before) in models {
        let lost = newest(&before).into_iter().find(|run| !now.contains(&text(run)));
        let Some(lost) = lost.filter(|run| !is_unreadable(run) && (model.is_some() || !is_edited(run)))
        else {
            continue;
        };
        let after: Vec<&Run> =
            records.head.iter().filter(|run| run.model() == model && is_bar(run)).collect();
        let newest_now = newest(&after);
        // A record of this change is judged against the one that it replaces.
        if newest_now.iter().any(|run| !base_texts.contains(&text(run))) {
            continue;
        }
        let label = lost.document.label();
        let of_model = model.map_or_else(String::new, |model| format!(" of `{model}`"));
        let next = match newest_now.first() {
            Some(run) => {
                format!("the next change would be compared with the older `{}`", run.document.label())
            }
            None => "the next change would have no baseline".to_owned(),
        };
        let (what, help) = renamed(lost, &records.head).unwrap_or_else(|| {
            let what = format!("the change removes `{label}`, the newest record{of_model}");
            let help = format!(
                "keep the record, or replace it with a newer one, which is then judged; if it must be removed, \
                 waive `{NEWEST_RECORD}` with `for: {{ path: {label} }}`"
            );
            (what, help)
        });
        let raised = Finding::new(REMOVED, format!("{what}: {next}")).help(help).subject(label.clone());
        let now = newest_now.first().map_or_else(|| "none".to_owned(), |run| run.document.label());
        let comparison = Comparison::exact(format!("newest record{of_model}"), "kept", Outcome::Fail)
            .candidate(now)
            .limit(label);
        removed.result.fail(comparison, raised);
    }
    removed
}

/// What happened to a record whose file is still there but no longer names its model, and what to do.
fn renamed(lost: &Run, head: &[Run]) -> Option<(String, String)> {
    let before = lost.model()?;
    let is_file = |run: &Run| run.document.line.is_none() && run.label() == lost.label();
    let now = head.iter().find(|run| is_file(run) && lost.document.line.is_none())?;
    let label = lost.label();
    let name_it = format!("write `\"model\": \"{before}\"` into it");
    match now.model() {
        None => Some((format!("`{label}` no longer names its model (`{before}` on the base)"), name_it)),
        Some(model) if model != before => Some((
            format!("`{label}` names the model `{model}` now, on the base it is `{before}`"),
            format!("{name_it}, or give `{model}` a record file of its own and keep this one"),
        )),
        Some(_) => None,
    }
}

/// The newest records: the last by date, and every one without a date, which may be newer.
pub(super) fn newest<'r>(runs: &[&'r Run]) -> Vec<&'r Run> {
    let when = |run: &Run| run.created_at().map(|moment| moment.at);
    let last = runs.iter().filter_map(|run| when(run)).max();
    runs.iter().copied().filter(|run| when(run).is_none() || when(run) == last).collect()
}
