//! Promotions one after the other, each naming the one before it.

use super::super::VERIFY_SUPERSEDED;
use super::{Candidate, Stop, fails};
use crate::ledger::{Entry, Ledger, StageHistory};

/// 13: it is the newest of its line, and every promotion names the one before it.
pub(super) fn newest(ledger: &Ledger<'_>, line: &StageHistory, candidate: &Candidate) -> Result<(), Stop> {
    let entries = ledger.entries(line)?;
    if let Some(broken) = broken_chain(&entries, line) {
        return fails(
            VERIFY_SUPERSEDED,
            broken,
            "restore the ledger from git; `gate audit` names all that is wrong",
        );
    }
    match entries.last() {
        Some(head) if Some(head.number) == candidate.number => Ok(()),
        Some(head) => {
            let message = format!(
                "promotion {} was superseded by promotion {}, which is for another file",
                candidate.number.unwrap_or_default(),
                head.number
            );
            fails(
                VERIFY_SUPERSEDED,
                message,
                "deploy what is promoted now, or roll back: gate rollback --stage STAGE",
            )
        }
        None => fails(VERIFY_SUPERSEDED, "the ledger has no promotion any more", ""),
    }
}

/// What is wrong with a chain, if anything is.
pub(in crate::promotion) fn broken_chain(entries: &[Entry], line: &StageHistory) -> Option<String> {
    let mut before: Option<&Entry> = None;
    for (entry, number) in entries.iter().zip(1..) {
        if entry.number != number {
            return Some(format!("promotion {number} of {line} is missing"));
        }
        let statement = match entry.statement() {
            Ok(statement) => statement,
            Err(problem) => return Some(format!("promotion {number} of {line} can't be read: {problem}")),
        };
        if statement.sequence() != Some(number) || statement.predicate(&["resourceUri"]) != Some(&line.uri())
        {
            return Some(format!("`{}` says that it is another promotion", entry.label));
        }
        let expected = before.map(|before| (before.number, before.digest.as_str()));
        if statement.previous() != expected {
            return Some(match expected {
                Some((number, _)) => {
                    format!("promotion {number} of {line} was changed after the next one was made")
                }
                None => format!("the first promotion of {line} names one before it, which is not there"),
            });
        }
        before = Some(entry);
    }
    None
}
