//! Identifies a file that can't be a record, by its first bytes.

use super::NO_RECORD;
use crate::document::{Diagnostic, FileKind};

/// The magic bytes of formats, their names, and what to do about them.
const KNOWN: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive, as `torch.save` and Keras write models", MODEL),
    (b"\x89PNG", "a picture", RECORD),
    (b"\xFF\xD8\xFF", "a picture", RECORD),
    (b"%PDF", "a PDF", RECORD),
    (b"\x89HDF", "an HDF5 file, as Keras writes models", MODEL),
    (b"PAR1", "a Parquet file", "name it in the record as `predictions`, or as `data`"),
    (
        b"SQLite format 3",
        "a SQLite database",
        "MLflow's is read as `mlflow:runs:/ID`, with MLFLOW_TRACKING_URI=sqlite:///mlflow.db",
    ),
    (b"\x1F\x8B", "a gzip archive", "unpack it first"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive", "unpack it first"),
    (b":W&B", "the log of a W&B run", "name its folder: `wandb:wandb/run-…`"),
    (b"\x93NUMPY", "an array of NumPy", RECORD),
    (b"version https://git-lfs", "a Git LFS pointer without the file itself", "fetch it: `git lfs pull`"),
    (b"<!DOCTYPE", "an HTML page", RECORD),
    (b"<html", "an HTML page", RECORD),
];

const RECORD: &str =
    "write the metrics as JSON: `{\"metrics\": {\"f1\": 0.84}}`; docs/trackers lists the supported formats";
const MODEL: &str = "a model file contains no metrics: name the record of the run that made it, or write one with `gate record`";

/// Says what a file is if it can't be a record. Pickles are never opened, because they could run any code.
pub(super) fn not_a_record(label: &str, bytes: &[u8]) -> Option<Diagnostic> {
    let refuse = |what: &str, help: &str| {
        Diagnostic::new(NO_RECORD, format!("`{label}` is {what}, not a record")).help(help)
    };
    if let Some((_, what, help)) = KNOWN.iter().find(|(start, ..)| bytes.starts_with(start)) {
        return Some(refuse(what, help));
    }
    let name = label.rsplit('/').next().unwrap_or(label);
    if name.contains("tfevents") {
        return Some(refuse(
            "a TensorBoard event file",
            "name the folder that it is in: `tensorboard:runs/churn`",
        ));
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4 << 10)]);
    if FileKind::of(name) == Some(FileKind::JsonLines)
        && start.contains("\"evaluation_id\"")
        && start.contains("\"sample_id\"")
    {
        return Some(refuse(
            "a file of the samples of an evaluation (Every Eval Ever)",
            "name the JSON beside it, which has the results of the evaluation",
        ));
    }
    let is_pickle = matches!(bytes, [0x80, 2..=5, ..]);
    if is_pickle {
        return Some(refuse("a Python pickle, which gate never opens", MODEL));
    }
    let start = &bytes[..bytes.len().min(512)];
    let is_utf16 = start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]);
    let is_known = FileKind::of(label).is_some();
    (start.contains(&0) && !is_utf16 && !is_known).then(|| refuse("a binary file", RECORD))
}
