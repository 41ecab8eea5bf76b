//! The result of an audit: what is promoted, checked against what applies today.

use serde::Serialize;

use super::Exit;
use crate::document::Diagnostic;

/// The result of an audit.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// The format.
    pub schema: &'static str,
    /// The stage; absent if all stages were audited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The time that counts as now.
    pub now: String,
    /// What was trusted, in words.
    pub trusted: String,
    /// Each model at each stage.
    pub lines: Vec<AuditLine>,
    /// Notes about the ledger as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why a part could not be audited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// The program's exit code.
    pub exit_code: Exit,
}

/// A model at a stage.
#[derive(Debug, Clone, Serialize)]
pub struct AuditLine {
    /// The line of models.
    pub model: String,
    /// The stage.
    pub stage: String,
    /// How many promotions there are.
    pub promotions: usize,
    /// What is promoted now, in words.
    pub current: String,
    /// What was found.
    pub findings: Vec<AuditFinding>,
    /// The checks that passed.
    pub holds: Vec<String>,
    /// What could not be checked, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something is wrong: the audit fails.
    Error,
    /// A person should look.
    Warning,
}

/// One thing that an audit found.
#[derive(Debug, Clone, Serialize)]
pub struct AuditFinding {
    /// Its stable name.
    pub code: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// What was found.
    pub message: String,
}
