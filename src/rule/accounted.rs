//! A record describes the files that existed when it was written. A change that replaces one of them, but not the
//! record, swaps the model under its own numbers. So every file that a change touches and that records name as
//! an artifact or as predictions must be the file of one of these records.
//!
//! Every rule about artifacts makes this check: `artifact`, `linked`, and `require` if it requires
//! `artifact`, `artifacts` or `predictions`. `reproducible` does not: it is about a record's code, data and
//! environment.

use std::collections::BTreeMap;

use super::named_files::{NamedFiles, Undigested, listed, plain};
use super::{ChangeInput, ChangeRecords, Facts, RuleResult};
use crate::document::Diagnostic;
use crate::run::Run;

/// Compares the files that the change touches with the records that name them. Does nothing if runs were
/// named one by one: then they are judged, and not the change.
pub(super) fn accounted(
    case: &ChangeInput<'_>,
    undigested: Undigested,
) -> Result<RuleResult, Box<Diagnostic>> {
    let mut judgement = RuleResult::default();
    if !case.records.whole {
        return Ok(judgement);
    }
    let named = NamedFiles::of(case.records, case.models);
    for file in case.facts.named_changes(&named.paths())? {
        named.account(&mut judgement, case, &file, undigested);
    }
    Ok(judgement)
}

/// Notes about data files that the change touches and that records name.
pub fn touched_data(records: &ChangeRecords, facts: &dyn Facts) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut named: BTreeMap<String, Vec<&Run>> = BTreeMap::new();
    for run in &records.head {
        for path in run.data().iter().filter_map(|file| plain(file.path?)) {
            named.entry(path).or_default().push(run);
        }
    }
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<&str> = named.keys().map(String::as_str).collect();
    let notes = facts.named_changes(&paths)?.into_iter().map(|file| {
        format!(
            "the change {} `{}`, which {} names as data",
            file.change.verb(),
            file.path,
            listed(&named[&file.path])
        )
    });
    Ok(notes.collect())
}
