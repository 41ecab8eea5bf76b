//! What every step of the engine is given.

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
    /// There are more candidates than anybody reads one by one: of one that passed without a warning, what differs beside the
    /// metrics is left out.
    pub many: bool,
    /// The world outside the records.
    pub facts: &'d dyn Facts,
}

impl Decision<'_> {
    /// Whether a candidate without a baseline is the first of its model, and not a fault.
    pub fn accepts_missing(&self) -> bool {
        self.first || self.policy.on_missing_baseline == OnMissing::Pass
    }
}
