//! The input of a rule.

use jiff::Timestamp;

use super::{Baseline, Facts};
use crate::cases::CaseColumns;
use crate::run::Run;

/// The input of a rule about one candidate.
#[derive(Clone, Copy)]
pub struct RuleInput<'c> {
    /// The run being judged.
    pub candidate: &'c Run,
    /// The baseline; absent if the rule does not compare.
    pub baseline: Option<&'c Baseline>,
    /// The stage that was asked for.
    pub stage: Option<&'c str>,
    /// The decision's clock.
    pub now: Timestamp,
    /// The meaning of columns in tables of cases.
    pub cases: &'c CaseColumns,
    /// Facts from outside the records.
    pub facts: &'c dyn Facts,
}
