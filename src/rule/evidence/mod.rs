//! Evidence. A limit with `confidence` asks whether the examples show that it is met. There are three answers: shown,
//! refuted, and inconclusive.
//!
//! The best evidence that both runs have is used: the same cases, else seeds or folds, else standard errors.

mod cases;
mod confidence;
mod hold;
mod ladder;
mod rounding;

pub(super) use cases::{CaseEvidence, Lack, same_cases};
pub(super) use confidence::Settings;
pub(super) use hold::{Slice, hold_shown};
pub(super) use ladder::{
    Found, HowScored, find_absolute, find_recorded, find_relative, how_scored, mismatch,
};
pub(super) use rounding::decimal;

use crate::code::codes;

codes! {
    NOT_A_CONFIDENCE = "policy/not-a-confidence": "A confidence is not between 50 % and 100 %.";
    AMBIGUOUS_METRIC = "metrics/ambiguous": "A metric's name could mean several metrics for these labels.";
    OTHER_CASES = "cases/other-ids": "The two runs do not have the same cases.";
    LABELS_CHANGED = "cases/labels-changed": "Labels, weights or clusters of the same cases differ between the two runs.";
    UNSCORED = "cases/unscored": "Some cases have no prediction: they failed, timed out, or were left out.";
    NOT_RECOMPUTED = "cases/not-recomputed": "A reported value differs from the one computed from the predictions.";
    INCONCLUSIVE = "evidence/inconclusive": "The data can't show whether a limit holds.";
    NO_EVIDENCE = "evidence/none": "A rule has `confidence`, but nothing in the records shows how certain a value is.";
}
