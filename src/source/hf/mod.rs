//! Hugging Face: model cards, `.eval_results`, and the Trainer's output.

mod card;
mod eval_results;
mod trainer;

pub use card::{Card, front_matter, has_results, tracked as of_card};
pub use eval_results::tracked as of_eval_results;
pub use trainer::{Output, tracked as of_trainer};

use super::Tracker;
use crate::code::codes;

codes! {
    NO_CARD = "hf/no-card": "A model card has no readable metadata, although it seems to have some.";
    TWICE = "hf/metric-twice": "A model card has two values for the same metric on the same dataset.";
    BROKEN = "hf/broken": "A Hugging Face file doesn't have the format that the Hub requires.";
}

/// How to record what Hugging Face's files leave out.
pub const TRACKER: Tracker = Tracker {
    name: "hf",
    title: "Hugging Face",
    advice: &[
        (
            "params",
            "gate record -- python train.py: a card and the Trainer's JSON hold none (`training_args.bin` is never opened)",
        ),
        (
            "git_commit",
            "gate record -- python train.py: a card at a revision has the commit of its own repository, in `revision`",
        ),
        ("data_version", "gate record --data-version 2026-05-30 -- python train.py"),
        ("validation.split", "in the card, at `dataset`: split: test"),
        ("validation.digest", "in the card, at `dataset`: revision: <commit of the dataset>"),
        ("seed", "gate record -- python train.py"),
        ("artifact", "gate record --artifact model.safetensors -- python train.py"),
        (
            "created_at",
            "name the card at a revision, `hf:.@main`: the time of its commit; in .eval_results/*.yaml: date: '2026-05-30T12:00:00Z'",
        ),
        ("environment", "gate record -- python train.py"),
    ],
};

#[cfg(test)]
mod tests;
