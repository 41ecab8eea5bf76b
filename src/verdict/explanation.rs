//! Five questions about a model, each with its answer or a plain "not recorded".

use serde::Serialize;

use super::{Exit, ModelFacts};
use crate::document::Diagnostic;

/// What is known of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The format.
    pub schema: &'static str,
    /// What was asked about.
    pub asked: String,
    /// What it is, in words.
    pub what: String,
    /// The recorded facts, field by field, for documents such as a model card; absent if nothing was found.
    #[serde(skip)]
    pub facts: Option<ModelFacts>,
    /// The answers.
    pub answers: Vec<Answer>,
    /// The promotions of the same line, the newest first.
    pub chain: Vec<Step>,
    /// Where else the same model is promoted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// Notes for the reader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it could not be explained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// The program's exit code: 0 explained, 1 nothing found, 2 could not find out.
    pub exit_code: Exit,
}

/// One of the five questions, with its answer.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The question.
    pub question: &'static str,
    /// The answer, one fact per line; empty if nothing is recorded.
    pub facts: Vec<String>,
    /// The evidence: files with their digests.
    pub evidence: Vec<String>,
    /// What was not recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_recorded: Vec<String>,
}

/// A promotion of the line.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Its number.
    pub sequence: u64,
    /// When it was decided.
    pub at: String,
    /// `promote`, `rollback` or `override`.
    pub action: String,
    /// The run.
    pub run: String,
    /// The model's SHA-256.
    pub sha256: String,
    /// Whether this is the promotion that was asked about.
    pub asked: bool,
}
