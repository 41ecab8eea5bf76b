//! Runs training commands and records them, or runs them again and compares the results.
//!
//! This module gathers facts from files, git, the interpreter and the machine; [`crate::recording`] decides
//! what to make of them.

mod files;
mod finish;
mod hardware;
mod kept;
mod mlflow;
mod observed;
mod place;
mod progress;
mod python;
mod ranks;
mod record;
mod reproduce;
mod rerun;
mod restored;
mod sources;
mod start;
mod surroundings;
mod write;

pub use observed::LINES;
pub use progress::{Progress, Reading};
pub use record::{Recorded, record};
pub use reproduce::{Again, reproduce};
pub use start::Order;

use crate::code::codes;

codes! {
    OUTSIDE = "recording/outside": "A file for the record is not inside the workspace.";
    FILE_MISSING = "recording/file-missing": "A promised file for the record does not exist.";
    UNREADABLE = "recording/unreadable": "A file for the record can't be read, or is not a regular file.";
    NOT_WRITTEN = "recording/not-written": "The command did not write a promised file: the existing one is older, or it is empty.";
    CHANGED = "recording/changed": "A file that the run depends on changed while the command ran.";
    NOT_STARTED = "recording/not-started": "The command could not be started.";
    CANT_WRITE = "recording/cant-write": "The run record can't be written.";
    BAD_RUN_ID = "recording/bad-run-id": "A run id can't be used as the name of a file, or another run already has it.";
    STOPPED = "recording/stopped": "A signal stopped the recording before the record was written.";
    RANKS = "recording/several-ranks": "Several ranks of a distributed training run wrote the same file, or different values of the same field.";
    MLFLOW_RUNS = "recording/mlflow-runs": "The command must log exactly one run to MLflow, but logged none or several.";
    MLFLOW_TAGS = "recording/mlflow-tags": "Tags of the MLflow run were requested, but could not be set.";
    NOT_AN_OBJECT = "recording/not-an-object": "A file of parameters or metrics is not an object with keys.";
    ONE_RUN = "reproduce/one-run": "The reference to reproduce must name exactly one run.";
    NO_COMMIT = "reproduce/no-commit": "The record does not name the commit of the run, or this repository does not have it.";
    NO_COMMAND = "reproduce/no-command": "The command of the run is not recorded, or can't be run as it is recorded.";
    NO_WORKSHOP = "reproduce/no-folder": "The temporary folder for the rerun can't be created.";
    NO_SEED_OPTION = "reproduce/no-seed-option": "The recorded command does not have the option for the seed.";
    TOO_FEW = "reproduce/too-few": "Too few reruns with other seeds were requested.";
    CANT_KEEP = "reproduce/cant-keep": "The answer can't be written into the record.";
    DATA_DIFFERS = "reproduce/data-differs": "The data differs from what the run read, or the rerun changed it.";
    RERUN_FAILED = "reproduce/failed": "The recorded command could not be started, failed, or took too long.";
    NOTHING_TO_COMPARE = "reproduce/nothing-to-compare": "The record has no metric and no digest of a file to compare a rerun with.";
}
