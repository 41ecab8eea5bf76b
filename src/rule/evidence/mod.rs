//! Evidence. A limit with `confidence` asks whether the examples show that it is met. There are three answers: shown,
//! refuted, and inconclusive.
//!
//! gate uses the best evidence that both runs have: the same cases, else aggregates of them, else seeds or
//! folds, else standard errors.

mod aggregated;
mod basis;
mod cases;
mod coarse;
mod confidence;
mod hold;
mod lack;
mod ladder;
mod mismatch;
mod needed;
mod rounding;
mod tied;

pub(super) use aggregated::find_in_aggregates;
pub(super) use basis::{Found, HowScored, how_scored};
pub(super) use cases::{CaseEvidence, PairedCases, same_cases};
pub(super) use coarse::{TOO_COARSE_HELP, too_coarse};
pub(super) use confidence::Settings;
pub(super) use hold::{Slice, hold_shown};
pub(super) use lack::Lack;
pub(super) use ladder::{find_absolute, find_recorded, find_relative};
pub(super) use mismatch::mismatch;
pub(super) use rounding::decimal;

use crate::code::codes;

codes! {
    NOT_A_CONFIDENCE = "policy/not-a-confidence": "A confidence is not between 50 % and 100 %.";
    AMBIGUOUS_METRIC = "metrics/ambiguous": "With these labels, a metric's name could mean several metrics.";
    NOT_RECOMPUTED = "cases/not-recomputed": "A reported value differs from the one computed from the predictions.";
    OTHER_BASELINE = "aggregates/other-baseline": "A file of aggregates compares the candidate with another model than the baseline.";
    INCONCLUSIVE = "evidence/inconclusive": "The data can't show whether a limit holds.";
    NO_EVIDENCE = "evidence/none": "A rule has `confidence`, but nothing in the records shows how certain a value is.";
}
