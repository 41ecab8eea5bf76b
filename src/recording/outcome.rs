//! What running a recorded command again showed, as plain data.

use serde::Serialize;

use crate::document::Diagnostic;
use crate::verdict::{Exit, RunSummary};

/// The answer, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Answer {
    /// Every artifact has the recorded digest, and no metric differs.
    #[serde(rename = "identical")]
    Identical,
    /// The predictions have the recorded digest, and no metric differs.
    #[serde(rename = "same predictions")]
    SamePredictions,
    /// Every metric is within its tolerance, which is none unless one was asked for.
    #[serde(rename = "within tolerance")]
    WithinTolerance,
    /// A metric is not, or is missing.
    #[serde(rename = "differs")]
    Differs,
    /// There is nothing that could be compared.
    #[serde(rename = "could not run")]
    CouldNotRun,
}

impl Answer {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::SamePredictions => "same predictions",
            Self::WithinTolerance => "within tolerance",
            Self::Differs => "differs",
            Self::CouldNotRun => "could not run",
        }
    }

    /// What the program leaves with.
    pub fn exit(self) -> Exit {
        match self {
            Self::Identical | Self::SamePredictions | Self::WithinTolerance => Exit::Pass,
            Self::Differs => Exit::Fail,
            Self::CouldNotRun => Exit::NoVerdict,
        }
    }
}

/// Everything that a reproduction showed.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduction {
    /// `gate-reproduction/v1`.
    pub schema: &'static str,
    /// The version of the program.
    pub gate: &'static str,
    /// When it was done, RFC 3339.
    pub at: String,
    /// The run.
    pub run: RunSummary,
    /// The answer.
    pub answer: Answer,
    /// The command that was run.
    pub command: Vec<String>,
    /// How often it was run to its end.
    pub times: usize,
    /// The option that was given another seed each time, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub varied: Option<String>,
    /// Each recorded metric, those of slices included.
    pub metrics: Vec<MetricRow>,
    /// Each recorded file that a digest is known of.
    pub files: Vec<FileRow>,
    /// What could not be brought back, and so may be why something differs.
    pub not_restored: Vec<String>,
    /// Why it could not be run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
}

/// One metric: recorded, and as it came out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricRow {
    /// Its name.
    pub name: String,
    /// The recorded value, as written.
    pub recorded: String,
    /// What each rerun left, as written; `None` where it left nothing.
    pub reruns: Vec<Option<String>>,
    /// The largest difference, signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// How far it may differ, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<String>,
    /// Whether every rerun is within that.
    pub holds: bool,
    /// Where several reruns lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// Where the values of several reruns lie, and whether the recorded one lies there too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Their mean.
    pub mean: String,
    /// Their standard deviation.
    pub deviation: String,
    /// The interval in which one more run lies in 95 of 100 cases, those of all metrics together.
    pub interval: [String; 2],
    /// Whether the recorded value lies in it.
    pub inside: bool,
}

/// One file: its recorded digest, and those that came out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRow {
    /// `artifact` or `predictions`.
    pub what: String,
    /// Its path.
    pub path: String,
    /// The recorded digest.
    pub recorded: String,
    /// The digest after each rerun; `None` where it left no such file.
    pub reruns: Vec<Option<String>>,
    /// Whether all are the recorded one.
    pub same: bool,
}
