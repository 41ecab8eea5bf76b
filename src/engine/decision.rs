//! The inputs of every step of the engine.

use jiff::Timestamp;

use crate::policy::{OnMissing, Policy};
use crate::rule::Facts;

/// The inputs of a decision, except the runs.
#[derive(Clone, Copy)]
pub struct Decision<'d> {
    /// The policy.
    pub policy: &'d Policy,
    /// The stage that was asked for.
    pub stage: Option<&'d str>,
    /// The decision's clock.
    pub now: Timestamp,
    /// Waivers are not applied.
    pub no_waivers: bool,
    /// A missing baseline is accepted: this is the first model.
    pub first: bool,
    /// There are too many candidates to read one by one. For those that passed without a warning, the report
    /// omits differences other than metrics.
    pub many: bool,
    /// Facts from outside the records.
    pub facts: &'d dyn Facts,
}

impl Decision<'_> {
    /// Whether a candidate without a baseline is accepted as the first of its model.
    pub fn accepts_missing(&self) -> bool {
        self.first || self.policy.on_missing_baseline == OnMissing::Pass
    }
}
