//! DVC: a project's pipeline, its last run, and the files it wrote; also DVCLive's files and GTO's tags.
//!
//! Everything is plain text, so DVC need not be installed. The reader gets the files of a folder by path, from the
//! working tree or from a commit.

mod data;
mod expand;
mod gto;
mod hash;
mod ignored;
mod items;
mod live;
mod lock;
mod metrics;
mod outputs;
mod paths;
mod pipeline;
mod project;
mod python;
mod record;
mod stale;
mod state;
mod template;
mod values;

pub use gto::current;
pub use hash::{Hash, folder_md5};
pub use items::items;
pub use outputs::{names_outputs, outputs};
pub use paths::{joined, relative};
pub use record::{Code, model_names, tracked};

use super::Tracker;
use crate::code::codes;
use crate::document::Diagnostic;

codes! {
    BROKEN = "dvc/broken": "A file of a DVC project does not have the format that DVC writes, or its content does not match its digest.";
    NOT_SEEDS = "dvc/not-seeds": "The policy treats the items of a stage as seeds, but they differ in more than the seed.";
    NO_PROJECT = "dvc/no-project": "A folder contains neither a DVC project nor DVCLive files.";
}

/// Access to the files of a folder, and to those around it.
pub trait Files {
    /// The path from the top to the folder: empty, or without a trailing `/`. Nothing above the top is read.
    fn below(&self) -> &str;
    /// The bytes of a file; `None` if it does not exist.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>>;
    /// The MD5 of a file of any size.
    fn md5(&self, path: &str) -> Result<Sum, Box<Diagnostic>>;
    /// The paths of the files that a glob matches, in order.
    fn matching(&self, glob: &str) -> Result<Vec<String>, Box<Diagnostic>>;
    /// A file in the cache, by its MD5; only a project on disk has a cache. A file with another MD5 is an
    /// error.
    fn cached(&self, hash: Hash, md5: &str) -> Result<Option<Vec<u8>>, Box<Diagnostic>>;
    /// The name of a file in messages.
    fn label(&self, path: &str) -> String;
}

/// The result of hashing a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sum {
    /// Hexadecimal digits.
    Of(String),
    /// The file does not exist.
    NotThere,
    /// The file was not hashed; the reason is worded as the end of a sentence.
    NotLookedAt(&'static str),
}

/// How to record what DVC leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "dvc",
    title: "DVC",
    advice: &[
        ("model", "in dvc.yaml: `artifacts: { churn: { path: models/churn.pkl, type: model } }`"),
        ("params", "in dvc.yaml: `params: [train]` in the stage that trains"),
        (
            "metrics",
            "in dvc.yaml: `metrics: [{ metrics.json: { cache: false } }]` in the stage that evaluates",
        ),
        ("data_version", "in the policy: `fields: { data_version: params.data.version }`"),
        ("data", "in dvc.yaml: `deps: [data/train.csv]` in the stage that trains"),
        (
            "validation",
            "in dvc.yaml: make the split a file of its own: `deps: [data/test.csv]` in the stage that evaluates",
        ),
        ("seed", "in params.yaml: `seed: 0`, and `params: [seed]` in the stage that trains"),
        ("artifact", "in dvc.yaml: `outs: [models/churn.pkl]` in the stage that trains"),
        ("environment.lockfile", "in dvc.yaml: `deps: [uv.lock]` in the stage that trains"),
        ("created_at", "commit what the run left: the time is that of the commit"),
    ],
};

#[cfg(test)]
mod tests;
