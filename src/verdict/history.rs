//! A metric of one line of models over time, as plain data.

use serde::{Deserialize, Serialize};

use super::Exit;
use crate::document::Diagnostic;

/// A metric over the ledger, git and the working tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The format.
    pub schema: String,
    /// The line of models.
    pub model: String,
    /// The metric.
    pub metric: String,
    /// Every run that records the metric, the oldest first.
    pub points: Vec<HistoryPoint>,
    /// The newest run's limits under today's policy, or those of its promotion if it can't be judged again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<HistoryLimit>,
    /// Notes for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why there is no history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// The program's exit code: 0 with a history, 2 without.
    pub exit_code: Exit,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// When the run was made, RFC 3339; else when it was promoted or committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The metric's value as written.
    pub value: String,
    /// The run's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The code version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// Where it was read, such as `runs/churn.json` or `git:3f2a9c1:runs/churn.json`.
    pub source: String,
    /// Its promotions, such as `production 12` or `production 13 (rollback)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promoted: Vec<String>,
}

/// A limit, drawn as a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLimit {
    /// The rule.
    pub rule: String,
    /// The policy's word, such as `max_drop`.
    pub word: String,
    /// The limit as written.
    pub limit: String,
    /// The limit as a value of the metric.
    pub value: String,
    /// Whether it is a lower bound; otherwise it is an upper bound.
    pub is_lowest: bool,
}
