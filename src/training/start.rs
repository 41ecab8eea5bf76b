//! What to record, and everything that was captured before the command started.

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;

use super::files::{DataStamp, Files, Stamp, Tick};
use super::place::Place;
use super::surroundings::Code;
use crate::recording::{Environment, FileFact};

/// What to record. Paths are relative to the folder that the command is started in.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "each is the option of that name")]
pub struct Order {
    pub command: Vec<OsString>,
    pub output: Option<PathBuf>,
    pub model: Option<String>,
    pub run_id: Option<String>,
    pub data_version: Option<String>,
    pub seed: Option<String>,
    pub source: Option<PathBuf>,
    pub data: Vec<(String, PathBuf)>,
    pub validation: Option<PathBuf>,
    pub split: Option<String>,
    pub params: Vec<PathBuf>,
    pub metrics: Vec<PathBuf>,
    pub promised: Vec<String>,
    pub no_metrics: bool,
    pub artifacts: Vec<PathBuf>,
    pub no_artifact: bool,
    pub predictions: Option<PathBuf>,
    pub lockfile: Option<PathBuf>,
    pub python: Option<PathBuf>,
    pub container: Option<String>,
    pub mlflow_tags: bool,
    pub sign: bool,
    pub keys: Vec<PathBuf>,
}

/// Everything that was captured before the command started.
pub(super) struct Start<'o> {
    pub(super) order: &'o Order,
    pub(super) place: Place,
    pub(super) files: Files,
    pub(super) command: Vec<String>,
    pub(super) source: Option<String>,
    pub(super) params: Vec<(String, Option<Vec<u8>>)>,
    pub(super) metrics: Vec<(String, Option<Stamp>)>,
    pub(super) artifacts: Vec<(String, Option<Stamp>)>,
    pub(super) predictions: Option<(String, Option<Stamp>)>,
    pub(super) data: Vec<Data>,
    pub(super) validation: Option<Data>,
    pub(super) code: Code,
    /// Files that the command is expected to write.
    pub(super) written: Vec<String>,
    pub(super) environment: Environment,
    pub(super) created_at: Timestamp,
    /// A stop signal arrived while the command ran.
    pub(super) interrupted: bool,
    /// When the command was started, on the workspace's file system clock.
    pub(super) tick: Tick,
}

impl Start<'_> {
    /// The paths of the files that the command is expected to write, without the record itself.
    pub(super) fn promised(&self) -> impl Iterator<Item = &str> {
        let written = self.metrics.iter().chain(&self.artifacts).chain(&self.predictions);
        written.map(|(path, _)| path.as_str())
    }
}

/// A data file or folder, and its state before the command, if it existed.
pub(super) struct Data {
    pub(super) role: String,
    pub(super) path: String,
    pub(super) before: Option<(Option<DataStamp>, FileFact)>,
}
