//! Weights & Biases: the binary log of a run, which has everything about it, and the files that are used if the log is
//! missing.

mod files;
mod fold;
mod log;
mod record;

pub use files::from_files;
pub use fold::{Logged, fold};
pub use log::LogError;
pub use record::tracked;

use super::Tracker;
use crate::code::codes;

codes! {
    METRIC_TWICE = "wandb/metric-twice": "Two metrics of a W&B run have the same name.";
}

/// How to record what W&B leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "wandb",
    title: "Weights & Biases",
    advice: &[
        (
            "model",
            "wandb.init(config={\"model_name\": \"churn\"}), and `fields: { model: params.model_name }` in the policy",
        ),
        ("git_commit", "wandb.init(...) inside the repository; WANDB_DISABLE_GIT must not be set"),
        ("git_dirty", "wandb.config.update({\"git_dirty\": dirty})"),
        ("data_version", "wandb.config.update({\"data_version\": version})"),
        ("data", "run.log_artifact(artifact) of an artifact of type \"dataset\", which works offline too"),
        (
            "validation",
            "wandb.config.update({\"validation\": {\"split\": \"test\", \"digest\": d, \"rows\": n}})",
        ),
        ("seed", "wandb.config.update({\"seed\": seed})"),
        ("artifact", "run.log_model(path, name=\"churn\")"),
        (
            "environment.lockfile",
            "wandb.config.update({\"lockfile\": {\"path\": \"uv.lock\", \"digest\": d}})",
        ),
    ],
};

#[cfg(test)]
mod tests;
