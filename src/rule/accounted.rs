//! A record speaks of the files that were there when it was written. A change that replaces one of them, and leaves the
//! record as it is, swaps the model under its own numbers. So every file that a change touches and that records name as
//! an artifact or as predictions must be the file of one of these records.
//!
//! Every rule that looks at artifacts asks this of the change: `artifact`, `linked`, and `require` where it asks for
//! `artifact`, `artifacts` or `predictions`. `reproducible` reads what a record says of code, data and environment, and
//! no artifact.

use std::collections::BTreeMap;

use super::named_files::{NamedFiles, Undigested, listed, plain};
use super::{ChangeInput, ChangeRecords, Facts, RuleResult};
use crate::document::Diagnostic;
use crate::run::Run;

/// Holds the files that the change touches against the records that name them. Says nothing where the runs were named
/// one by one: then they are judged, and not the change.
pub(super) fn accounted(
    case: &ChangeInput<'_>,
    undigested: Undigested,
) -> Result<RuleResult, Box<Diagnostic>> {
    let mut judgement = RuleResult::default();
    if !case.records.whole {
        return Ok(judgement);
    }
    let named = NamedFiles::of(case.records, case.models);
    for (path, added) in touched(case.facts, &named)? {
        named.account(&mut judgement, case, &path, added, undigested);
    }
    Ok(judgement)
}

/// The named files and folders in which the change touches something; whether all that it touches is new.
fn touched(facts: &dyn Facts, named: &NamedFiles<'_>) -> Result<BTreeMap<String, bool>, Box<Diagnostic>> {
    let mut touched: BTreeMap<String, bool> = BTreeMap::new();
    facts.changes(&|path| named.covering(path).is_some(), &mut |file| {
        if let Some(path) = named.covering(&file.path) {
            let added = touched.entry(path.to_owned()).or_insert(true);
            *added = *added && file.added;
        }
    })?;
    Ok(touched)
}

/// What a person should know of the data files that the change touches and that records name.
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
    let mut notes = Vec::new();
    facts.changes(&|path| named.contains_key(path), &mut |file| {
        if let Some(runs) = named.get(&file.path) {
            let verb = if file.added { "adds" } else { "replaces" };
            notes.push(format!("the change {verb} `{}`, which {} names as data", file.path, listed(runs)));
        }
    })?;
    Ok(notes)
}
