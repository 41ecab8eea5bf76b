//! The outcome of a promotion or a rollback.

use super::{Exit, Report};
use crate::code::Code;
use crate::document::Diagnostic;

/// The outcome of a promotion or a rollback.
#[derive(Debug)]
pub struct PromotionOutcome {
    /// The report of the check; absent if no check ran.
    pub report: Option<Report>,
    /// The promotion; absent if nothing was promoted.
    pub promoted: Option<Promoted>,
    /// Why the promotion is refused even if the policy passes: a fail.
    pub refused: Vec<Diagnostic>,
    /// Why it could not be decided, or not be written.
    pub troubles: Vec<Diagnostic>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// A promotion that was written, or that a dry run would have written.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Promoted {
    /// `promote` or `rollback`.
    pub action: &'static str,
    /// The line of models.
    pub model: String,
    /// The stage.
    pub stage: String,
    /// Its number.
    pub sequence: u64,
    /// The file of the statement; absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// The statement's SHA-256.
    pub digest: String,
    /// `PASSED`, or `FAILED` for an override.
    pub result: String,
    /// The files with their SHA-256.
    pub subjects: Vec<(String, String)>,
    /// The digest of the policy that decided, as `gate verify --policy-digest` takes it.
    pub policy: String,
    /// The fingerprints of the keys that signed it.
    pub signed_by: Vec<String>,
    /// What weakened the verdict.
    pub weakened: Vec<serde_json::Value>,
    /// The predicate, for a signer that makes the statement itself.
    #[serde(skip)]
    pub predicate: String,
}

impl PromotionOutcome {
    /// An outcome with nothing but the reasons why it could not be decided.
    pub fn of_problems(problems: &[Diagnostic]) -> Self {
        Self {
            report: None,
            promoted: None,
            refused: Vec::new(),
            troubles: problems.to_vec(),
            notes: Vec::new(),
        }
    }

    /// An outcome without a promotion: refused if every reason is one of `refusals`, else undecided.
    pub fn refused_or_undecided(problems: &[Diagnostic], refusals: &[Code]) -> Self {
        let mut outcome = Self::of_problems(problems);
        if problems.iter().all(|problem| problem.code.is_any_of(refusals)) {
            outcome.refused = std::mem::take(&mut outcome.troubles);
        }
        outcome
    }

    /// Says what the ledger now contains, in case the answer itself can't be written.
    pub fn written(&self) -> Option<String> {
        let promoted = self.promoted.as_ref()?;
        let path = promoted.statement.as_ref()?;
        Some(format!(
            "promotion {} of {} to {} is in the ledger, {path}; only this answer is not written",
            promoted.sequence, promoted.model, promoted.stage
        ))
    }

    /// 0 if it was promoted, 1 if it was refused, 2 if that could not be decided.
    pub fn exit(&self) -> Exit {
        if self.promoted.is_some() {
            // The promotion is done, but a later step may have failed.
            return if self.troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict };
        }
        let verdict = self.report.as_ref().map(|report| report.exit_code);
        match verdict {
            _ if !self.troubles.is_empty() => Exit::NoVerdict,
            Some(Exit::NoVerdict) => Exit::NoVerdict,
            None if self.refused.is_empty() => Exit::NoVerdict,
            _ => Exit::Fail,
        }
    }
}
