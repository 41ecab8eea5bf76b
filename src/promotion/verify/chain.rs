//! Promotions one after the other, each naming the one before it.

use std::path::Path;

use jiff::Timestamp;

use super::super::trust::Trust;
use super::super::{VERIFY_MALFORMED, VERIFY_SUPERSEDED};
use super::checks::payload;
use super::{Candidate, Failure, Stop, VerifyOrder, Verifying, fails};
use crate::document::Problem;
use crate::ledger::{Entry, Ledger, Line};

/// 13: it is the newest of its line, and every promotion names the one before it.
pub(super) fn newest(ledger: &Ledger<'_>, line: &Line, candidate: &Candidate) -> Result<(), Stop> {
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

/// That an entry is signed by the keys that its stage needs, and that its statement is what they signed; nothing where
/// no key is trusted.
pub(in crate::promotion) fn signed(
    entry: &Entry,
    trust: Option<&Trust>,
    stage: &str,
    now: Timestamp,
) -> Result<(), Box<Problem>> {
    let order = VerifyOrder { stage: stage.to_owned(), ..VerifyOrder::default() };
    let verifying = Verifying { order: &order, folder: Path::new(""), now };
    let candidate = Candidate {
        line: Some(Line { model: String::new(), stage: stage.to_owned() }),
        number: Some(entry.number),
        label: entry.label.clone(),
        statement: Some(entry.bytes.clone()),
        envelope: entry.envelope.clone(),
    };
    let result = Verifying::well_formed(&candidate).and_then(|envelope| {
        verifying.signatures(&candidate, envelope.as_ref(), trust)?;
        payload(&candidate, envelope.as_ref())
    });
    match result {
        Ok(_) => Ok(()),
        Err(Stop::Fails(Failure(problem))) => Err(problem),
        Err(Stop::Unclear(problems)) => Err(problems
            .into_iter()
            .next()
            .map_or_else(|| Problem::new(VERIFY_MALFORMED, "it can't be read").boxed(), Problem::boxed)),
    }
}

/// What is wrong with a chain, if anything is.
pub(in crate::promotion) fn broken_chain(entries: &[Entry], line: &Line) -> Option<String> {
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
