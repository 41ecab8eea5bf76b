//! The differences between two runs, in the groups that people ask for.

use serde::Serialize;

use super::{Comparability, RunSummary};

/// Everything that differs between two runs. In each pair, the older run comes first.
#[derive(Debug, Clone, Serialize)]
pub struct RunDiff {
    /// The format.
    pub schema: &'static str,
    /// The first run.
    pub a: RunSummary,
    /// The second run.
    pub b: RunSummary,
    /// Every metric that either run has.
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
    /// The second run's value.
    pub b: Option<String>,
    /// The second minus the first, exact and signed.
    pub change: Option<String>,
    /// The change in percent of the first value, rounded; absent if that value is zero.
    pub percent: Option<String>,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffGroup {
    /// The group's name, such as `params`.
    pub name: &'static str,
    /// Every field in the group that differs.
    pub fields: Vec<FieldDiff>,
}

/// A field that only one of two runs has, or whose values differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Its path.
    pub field: String,
    /// The first run's value in full; a list or an object as JSON on one line.
    pub a: Option<String>,
    /// The second run's value.
    pub b: Option<String>,
    /// Why it can't be told whether the two differ, such as digests of different algorithms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_comparable: Option<String>,
}

/// The commits between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Commits {
    /// Both runs are from the same commit.
    Same,
    /// Commits that only one of the runs contains, newest first.
    Between {
        /// Commits that only the second run's code has.
        added: Vec<CommitLine>,
        /// Commits that only the first run's code has.
        gone: Vec<CommitLine>,
        /// There are more commits than listed.
        more: bool,
    },
    /// Why they can't be listed.
    Unknown(String),
}

/// A commit, on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommitLine {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
}
