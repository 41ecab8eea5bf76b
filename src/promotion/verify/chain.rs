//! Checks that each promotion names the one before it.

use jiff::Timestamp;

use super::super::VERIFY_SUPERSEDED;
use super::super::trust::TrustedKeys;
use super::{Candidate, Look, Stop, fails};
use crate::ledger::{Entry, Ledger, StageHistory};

/// Check 13: the promotion is the newest in its history, and every promotion names the one before it.
pub(super) fn newest(
    ledger: &Ledger<'_>,
    line: &StageHistory,
    candidate: &Candidate,
    trust: Option<&TrustedKeys>,
    now: Timestamp,
) -> Result<(), Stop> {
    let entries = ledger.entries(line)?;
    if let Some(broken) = broken_chain(&entries, line) {
        return fails(
            VERIFY_SUPERSEDED,
            broken,
            "restore the ledger from git; `gate audit` lists everything that is wrong",
        );
    }
    match entries.last() {
        Some(head) if Some(head.number) == candidate.number => Ok(()),
        Some(head) => {
            // Say who wrote it: an entry without a trusted signature should be removed, not deployed.
            if let Err(problem) = (Look { line, trust, now }).sound(head) {
                let message = format!(
                    "promotion {} of {line} follows, and it does not verify: {}",
                    head.number, problem.message
                );
                let help = format!(
                    "find out who wrote `{}`; if nobody knows it, remove it from the ledger",
                    head.label
                );
                return fails(VERIFY_SUPERSEDED, message, &help);
            }
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
        None => fails(VERIFY_SUPERSEDED, "the ledger no longer has a promotion", ""),
    }
}

/// The ledger's envelopes without a statement: they belong to a newer promotion, or to another one with this
/// number.
pub(super) fn unowned(
    ledger: &Ledger<'_>,
    line: &StageHistory,
    candidate: &Candidate,
) -> Result<Vec<String>, Stop> {
    let newest = candidate.number.unwrap_or_default();
    let envelopes = ledger.unowned(line)?.into_iter().filter(|file| file.is_envelope);
    Ok(envelopes
        .map(|file| {
            let (label, number) = (&file.label, file.number);
            if number > newest {
                return format!(
                    "`{label}` is the envelope of promotion {number}, whose statement is missing: it was \
                     removed, or that promotion was interrupted"
                );
            }
            format!("two promotions with the number {number} were signed: `{label}` belongs to the one whose statement is missing")
        })
        .collect())
}

/// What is wrong with a chain; `None` if it is intact.
pub(in crate::promotion) fn broken_chain(entries: &[Entry], line: &StageHistory) -> Option<String> {
    let mut before: Option<&Entry> = None;
    let mut ledger: Option<String> = None;
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
            return Some(format!("`{}` names another promotion inside", entry.label));
        }
        let expected = before.map(|before| (before.number, before.digest.as_str()));
        if statement.previous() != expected {
            return Some(match expected {
                Some((number, _)) => {
                    format!("promotion {number} of {line} was changed after the next one was made")
                }
                None => format!("the first promotion of {line} names an earlier one, which is missing"),
            });
        }
        match (&ledger, statement.own_text(&["ledger"])) {
            (Some(known), Some(id)) if known == id => {}
            (Some(known), other) => {
                let other = other.unwrap_or("none");
                return Some(format!(
                    "promotion {number} of {line} is from the ledger {other}, but the one before is from {known}"
                ));
            }
            (None, id) => ledger = id.map(str::to_owned),
        }
        before = Some(entry);
    }
    None
}
