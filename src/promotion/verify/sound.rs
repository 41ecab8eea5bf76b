//! Checks a promotion that others build on: one at the stage before, the target of a rollback, and each audited one.
//! These are the checks of `gate verify`, without a file.

use std::path::Path;

use jiff::Timestamp;

use super::super::trust::TrustedKeys;
use super::super::{VERIFY_MALFORMED, VERIFY_SUBJECT};
use super::checks::{payload, types, verifier};
use super::{Candidate, Failure, Stop, VerifyOrder, Verifying, blank, fails};
use crate::document::Diagnostic;
use crate::ledger::{Entry, StageHistory, Statement};

/// An entry, checked at a given time, with given trusted keys.
#[derive(Debug, Clone, Copy)]
pub(in crate::promotion) struct Look<'l> {
    pub(in crate::promotion) line: &'l StageHistory,
    pub(in crate::promotion) trust: Option<&'l TrustedKeys>,
    pub(in crate::promotion) now: Timestamp,
}

impl Look<'_> {
    /// Checks 3 to 9: an entry is a promotion in its history, signed by the keys that its stage requires, and its
    /// statement is what they signed.
    pub(in crate::promotion) fn sound(self, entry: &Entry) -> Result<Statement, Box<Diagnostic>> {
        self.ask(|verifying| {
            let candidate = Candidate {
                line: Some(self.line.clone()),
                number: Some(entry.number),
                label: entry.label.clone(),
                statement: Some(entry.bytes.clone()),
                envelope: entry.envelope.clone(),
            };
            let envelope = Verifying::well_formed(&candidate)?;
            let signers = verifying.signatures(&candidate, envelope.as_ref(), self.trust)?;
            let statement = payload(&candidate, envelope.as_ref())?;
            types(envelope.as_ref(), &statement)?;
            if statement.subjects().iter().all(|subject| subject.sha256.is_none()) {
                return fails(VERIFY_SUBJECT, format!("`{}` is for no file", entry.label), "");
            }
            verifier(&statement, &signers, self.trust, &self.line.stage)?;
            verifying.resource(&candidate, &statement)?;
            Ok(statement)
        })
    }

    /// Checks 10 and 11: the promotion passed, by an expected policy.
    pub(in crate::promotion) fn passed(self, statement: &Statement) -> Result<(), Box<Diagnostic>> {
        self.ask(|verifying| {
            verifying.passed(&mut blank(), statement)?;
            verifying.policy(&mut blank(), statement, self.trust)
        })
    }

    /// Check 12: the promotion is neither dated in the future nor expired.
    pub(in crate::promotion) fn in_time(self, statement: &Statement) -> Result<(), Box<Diagnostic>> {
        self.ask(|verifying| verifying.time(statement).map(|_| ()))
    }

    /// Checks that `gate verify` would accept what it covers, if it were the newest: all that can be checked without a
    /// file.
    pub(in crate::promotion) fn in_force(self, entry: &Entry) -> Result<Statement, Box<Diagnostic>> {
        let statement = self.sound(entry)?;
        self.passed(&statement)?;
        self.in_time(&statement)?;
        self.ask(|verifying| verifying.waivers(&mut blank(), &statement))?;
        Ok(statement)
    }

    fn ask<T>(self, checks: impl FnOnce(&Verifying<'_>) -> Result<T, Stop>) -> Result<T, Box<Diagnostic>> {
        let order = VerifyOrder { stage: self.line.stage.clone(), ..VerifyOrder::default() };
        let verifying = Verifying { order: &order, folder: Path::new(""), now: self.now };
        checks(&verifying).map_err(|stop| match stop {
            Stop::Fails(Failure(problem)) => problem,
            Stop::Unclear(problems) => problems.into_iter().next().map_or_else(
                || Diagnostic::new(VERIFY_MALFORMED, "it can't be read").boxed(),
                Diagnostic::boxed,
            ),
        })
    }
}
