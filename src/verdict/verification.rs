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

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// Nothing was given to check it against; what it says is why.
    NotChecked,
    /// An earlier one failed.
    NotReached,
}

/// One of the fourteen.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it came to.
    pub state: CheckState,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// Whether a file is what is promoted to a stage, and what shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The format.
    pub schema: &'static str,
    /// Whether all hold.
    pub verified: bool,
    /// What the program leaves with.
    pub exit_code: Exit,
    /// The file or folder.
    pub file: String,
    /// Its SHA-256; of a folder that of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The stage.
    pub stage: String,
    /// What was trusted, in words.
    pub trusted: String,
    /// The promotion, as far as it was read; believed only where all hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<FoundPromotion>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The check that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Diagnostic>,
    /// Why it could not be decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// What a person should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A promotion that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundPromotion {
    /// The line of models.
    pub model: String,
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
    /// All of them, before any was made.
    pub fn all() -> Vec<Self> {
        NAMES.iter().map(|name| Self { name, state: CheckState::NotReached, says: None }).collect()
    }
}
