//! Which promotion new models are compared with: the newest one that passed on its own merits.
//!
//! An override or a waiver puts a model into service without lowering the bar, and so does promoting the same files
//! again.

use super::{Entry, Ledger, StageHistory, Statement};
use crate::document::Diagnostic;

/// What is promoted to a stage.
#[derive(Debug)]
pub struct Standing {
    /// The newest entry.
    pub newest: Entry,
    /// The newest entry that passed on its own merits: the baseline of new models.
    pub baseline: Option<Entry>,
}

impl Ledger<'_> {
    /// What is promoted to a stage; `None` if nothing is. It is an error if the newest entry can't be read.
    pub fn standing(&self, line: &StageHistory) -> Result<Option<Standing>, Box<Diagnostic>> {
        let mut entries = self.entries(line)?;
        let Some(newest) = entries.last() else { return Ok(None) };
        newest.statement()?;
        let baseline = passed_by_themselves(&entries).iter().rposition(|passed| *passed);
        let baseline = baseline.map(|at| entries[at].clone());
        Ok(entries.pop().map(|newest| Standing { newest, baseline }))
    }
}

/// Whether each entry passed on its own merits: without an override or a waiver. An entry that promotes the same files
/// again, or that was compared with a baseline from the command line, is only as clean as the one before it; a rollback
/// is as clean as its target. An unreadable entry is not clean.
pub fn passed_by_themselves(entries: &[Entry]) -> Vec<bool> {
    let statements: Vec<Option<Statement>> = entries.iter().map(|entry| entry.statement().ok()).collect();
    let mut passed: Vec<bool> = Vec::new();
    // The index of the previous entry that put files there: one that retires a model does not.
    let mut before: Option<usize> = None;
    for (at, statement) in statements.iter().enumerate() {
        let clean = statement.as_ref().is_some_and(|statement| {
            let by_itself = statement.passed() && !statement.retires() && !statement.waived();
            by_itself
                && inherited(statement, before.map(|at| (&statements[at], passed[at])), entries, &passed)
        });
        passed.push(clean);
        if statement.as_ref().is_none_or(|statement| !statement.retires()) {
            before = Some(at);
        }
    }
    passed
}

/// Whether an entry that passed also counts as clean, given what came before it.
fn inherited(
    statement: &Statement,
    before: Option<(&Option<Statement>, bool)>,
    entries: &[Entry],
    passed: &[bool],
) -> bool {
    if statement.own_text(&["action"]) == Some("rollback") {
        let target = statement.own(&["target", "sequence"]).and_then(|node| node.as_written()?.parse().ok());
        let at = entries.iter().position(|entry| Some(entry.number) == target);
        return at.and_then(|at| passed.get(at)).copied().unwrap_or(false);
    }
    let Some((before, clean)) = before else { return true };
    let same_files = before.as_ref().is_none_or(|before| before.files() == statement.files());
    let chosen = statement.weakened().iter().any(|(what, _)| what == "baseline");
    clean || !(same_files || chosen)
}
