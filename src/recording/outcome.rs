//! The result of running a recorded command again, as plain data.

use serde::Serialize;

use crate::document::Diagnostic;
use crate::verdict::{Exit, RunSummary};

/// The answer, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Answer {
    /// Every artifact has the recorded digest, and no metric differs.
    #[serde(rename = "identical")]
    Identical,
    /// The predictions have the recorded digest, and no metric differs.
    #[serde(rename = "same predictions")]
    SamePredictions,
    /// Every metric is within its tolerance, which is zero by default.
    #[serde(rename = "within tolerance")]
    WithinTolerance,
    /// A metric is outside its tolerance, or missing.
    #[serde(rename = "differs")]
    Differs,
    /// There is nothing to compare.
    #[serde(rename = "could not run")]
    CouldNotRun,
}

impl Answer {
    /// The answer in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::SamePredictions => "same predictions",
            Self::WithinTolerance => "within tolerance",
            Self::Differs => "differs",
            Self::CouldNotRun => "could not run",
        }
    }

    /// The exit code.
    pub fn exit(self) -> Exit {
        match self {
            Self::Identical | Self::SamePredictions | Self::WithinTolerance => Exit::Pass,
            Self::Differs => Exit::Fail,
            Self::CouldNotRun => Exit::NoVerdict,
        }
    }
}

/// The full result of a reproduction.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduction {
    /// `gate-reproduction/v1`.
    pub schema: &'static str,
    /// The version of the program.
    pub gate: &'static str,
    /// When it was done, in RFC 3339.
    pub at: String,
    /// The run.
    pub run: RunSummary,
    /// The answer.
    pub answer: Answer,
    /// The command that was run.
    pub command: Vec<String>,
    /// How often it ran to completion.
    pub times: usize,
    /// The option that got a different seed each time, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub varied: Option<String>,
    /// Each recorded metric, including slices.
    pub metrics: Vec<MetricRow>,
    /// Each recorded file that has a digest.
    pub files: Vec<FileRow>,
    /// What could not be restored, and so may explain a difference.
    pub not_restored: Vec<String>,
    /// Why it could not be run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
}

/// One metric: recorded, and from the reruns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricRow {
    /// Its name.
    pub name: String,
    /// The recorded value, as written.
    pub recorded: String,
    /// The value from each rerun, as written; `None` if missing.
    pub reruns: Vec<Option<String>>,
    /// The largest difference, signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// How far it may differ, as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<String>,
    /// Whether every rerun is within the tolerance.
    pub holds: bool,
    /// The range of several reruns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// The range of several reruns, and whether it contains the recorded value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Their mean.
    pub mean: String,
    /// Their standard deviation.
    pub deviation: String,
    /// The prediction interval for one more run: 95 %, for all metrics together.
    pub interval: [String; 2],
    /// Whether the interval contains the recorded value.
    pub inside: bool,
}

/// One file: its recorded digest, and those from the reruns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRow {
    /// `artifact` or `predictions`.
    pub what: String,
    /// Its path.
    pub path: String,
    /// The recorded digest.
    pub recorded: String,
    /// The digest after each rerun; `None` if there was no such file.
    pub reruns: Vec<Option<String>>,
    /// Whether all match the recorded one.
    pub same: bool,
}
