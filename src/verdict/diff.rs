//! What differs between two runs, in the groups in which a person asks for it.

use serde::Serialize;

use super::{Comparability, RunSummary};

/// Everything that differs between two runs. Of each pair, the first is the older.
#[derive(Debug, Clone, Serialize)]
pub struct RunDiff {
    /// The format.
    pub schema: &'static str,
    /// The first run.
    pub a: RunSummary,
    /// The second run.
    pub b: RunSummary,
    /// Every metric that one of them has.
    pub metrics: Vec<MetricDiff>,
    /// Whether the two were measured on the same validation split, so that their metrics may be compared.
    pub comparability: Comparability,
    /// What else differs, in groups.
    pub groups: Vec<DiffGroup>,
    /// The commits between the two.
    pub commits: Commits,
}

/// A metric of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricDiff {
    /// Its name.
    pub name: String,
    /// The first run's value as written; absent where it has none.
    pub a: Option<String>,
    /// The second run's.
    pub b: Option<String>,
    /// The second minus the first, exact and signed.
    pub change: Option<String>,
    /// The change in percent of the first, rounded; absent where that is zero.
    pub percent: Option<String>,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffGroup {
    /// Such as `params`.
    pub name: &'static str,
    /// Every field of it that differs.
    pub fields: Vec<FieldDiff>,
}

/// A field that only one of two runs has, or whose values differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Its path.
    pub field: String,
    /// The first run's value in full; a list or an object as JSON on one line.
    pub a: Option<String>,
    /// The second run's.
    pub b: Option<String>,
    /// Why it can't be told whether the two differ, such as digests of different algorithms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_comparable: Option<String>,
}

/// The commits between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Commits {
    /// Both are of the same commit.
    Same,
    /// What one has and the other has not, the newest first.
    Between {
        /// Commits that only the second run's code has.
        added: Vec<CommitLine>,
        /// Commits that only the first run's code has.
        gone: Vec<CommitLine>,
        /// There are more than are listed.
        more: bool,
    },
    /// Why they can't be listed.
    Unknown(String),
}

/// A commit in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitLine {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
}
