//! What a rule is given to judge.

use jiff::Timestamp;

use super::{Baseline, Facts};
use crate::run::Run;

/// One candidate before one rule.
#[derive(Clone, Copy)]
pub struct RuleInput<'c> {
    /// The run being judged.
    pub candidate: &'c Run,
    /// What it is compared with; absent where the rule compares with nothing.
    pub baseline: Option<&'c Baseline>,
    /// The stage that was asked for.
    pub stage: Option<&'c str>,
    /// The decision's clock.
    pub now: Timestamp,
    /// The world outside the records.
    pub facts: &'c dyn Facts,
}
