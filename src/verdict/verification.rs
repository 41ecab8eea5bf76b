//! Whether a file is what is promoted to a stage, check by check.

use serde::Serialize;

use super::Exit;
use crate::document::Diagnostic;

/// The names of the checks, in their order.
const NAMES: [&str; 14] = [
    "hashed",
    "found",
    "well-formed",
    "signatures",
    "statement",
    "types",
    "subject",
    "verifier",
    "resource",
    "passed",
    "policy",
    "time",
    "newest",
    "waivers",
];

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// The check passed.
    Holds,
    /// The check failed.
    Fails,
    /// Nothing was given to check it against; `says` gives the reason.
    NotChecked,
    /// An earlier check failed.
    NotReached,
}

/// One of the fourteen checks.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Its result.
    pub state: CheckState,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// Whether a file is what is promoted to a stage, with the evidence.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The format.
    pub schema: &'static str,
    /// Whether all checks passed.
    pub verified: bool,
    /// The program's exit code.
    pub exit_code: Exit,
    /// The file or folder.
    pub file: String,
    /// Its SHA-256; for a folder, that of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The stage.
    pub stage: String,
    /// What was trusted, in words.
    pub trusted: String,
    /// The promotion, as far as it was read; trust it only if all checks passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<FoundPromotion>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The check that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
    /// Why it could not be decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// Notes for the reader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A promotion that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundPromotion {
    /// The line of models.
    pub model: String,
    /// The path under which the file at hand was promoted.
    pub artifact: String,
    /// How many files the promotion is for.
    pub artifacts: usize,
    /// The identity of the ledger; promotions of older versions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Its number.
    pub sequence: u64,
    /// Where it was read.
    pub source: String,
    /// When it was decided.
    pub at: String,
    /// `promote` or `rollback`.
    pub action: String,
    /// The run.
    pub run: String,
    /// The policy, with its digest.
    pub policy: String,
    /// The fingerprints of the trusted keys that signed it.
    pub signed_by: Vec<String>,
}

impl Check {
    /// All checks, before any of them has run.
    pub fn all() -> Vec<Self> {
        NAMES.iter().map(|name| Self { name, state: CheckState::NotReached, says: None }).collect()
    }
}
