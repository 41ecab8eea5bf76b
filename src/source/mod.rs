//! Turns bytes into runs: one file or folder for each tracker format.
//!
//! Readers are pure: they turn a document's name and bytes, or rows, into runs or diagnostics. Fetching the
//! bytes is the job of [`crate::store`] and of `tracker`.

mod cases;
pub mod catboost;
pub mod deepeval;
pub mod dvc;
pub mod every_eval_ever;
pub mod hf;
pub mod inspect;
pub mod lightning;
pub mod lm_eval;
pub mod mlflow;
mod plain;
pub mod promptfoo;
pub mod sacred;
mod secrets;
mod sniff;
mod table;
pub mod tensorboard;
mod tracked;
mod trackers;
pub mod ultralytics;
pub mod wandb;
mod wire;

pub(crate) use plain::most;
pub use plain::{BadRecord, read};
pub use secrets::mask_values;
pub(crate) use table::CODES as TABLE_CODES;
pub use tracked::{Tracked, Tracker};
pub use trackers::{TRACKERS, advice, tracker};

use crate::code::codes;

codes! {
    NO_RECORD = "record/not-read": "The file is not in a format that `gate` can read as a run record.";
    NOT_EACH = "record/not-each": "The policy says that a file contains several records, but it does not.";
}
