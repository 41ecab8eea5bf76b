//! The decision: which rules judge a candidate, its baselines, the result of every rule, and which findings waivers
//! cover.
//!
//! Pure. The same policy, runs, facts and clock give the same report to the byte. A candidate goes through it in this
//! order: `References` names what each rule compares with, `plan` says which rules judge, `Baselines` finds what
//! they ask for, `judge` decides, and `conclude` makes the one report of everything.

mod baselines;
mod change;
mod comparable;
mod conclude;
mod decision;
mod diff;
mod difference;
mod judge;
mod locate;
mod pair;
mod plan;
mod references;
mod rule_report;
mod runs;
mod status;
mod waive;
mod waivers;

pub use baselines::{BaselineSet, Baselines, ResolvedBaseline, not_found};
pub use change::judge_change;
pub use comparable::comparability;
pub use conclude::{Parts, Tally, conclude};
pub use decision::Decision;
pub use diff::diff;
pub use difference::differences;
pub(crate) use judge::summary;
pub use judge::{Judged, judge};
pub use pair::{Pairing, pair};
pub use plan::{PlannedRule, Task, plan};
pub use references::{Asked, BaselineReference, NamedBy, References, is_for_stage};
pub use runs::Runs;
pub use waive::WaiverUse;
pub use waivers::waiver_reports;

use crate::code::codes;

codes! {
    NO_BASELINE = "check/no-baseline": "Rules compare with a baseline, but none is named.";
    BASELINE_UNREADABLE = "check/baseline-unreadable": "The record of the baseline can't be read.";
    BASELINE_NOT_FINISHED = "baseline/not-finished": "The baseline failed, crashed, is still running, or is stale.";
    NOTHING_JUDGED = "check/nothing-judged": "No rule of the policy applied, so nothing was judged.";
    UNCLEAR_BASELINE = "check/unclear-baseline": "Several runs could be the baseline, and nothing determines which.";
    NO_MODEL = "check/no-model": "The run does not name its model, but the policy needs it.";
    UNKNOWN_MODEL = "check/unknown-model": "The run belongs to a model that the policy does not declare.";
    NOT_FINISHED = "status/not-finished": "The run did not finish, so its last values are meaningless.";
    WHEN_FAILED = "when/no-answer": "The `when` of a rule can't be evaluated, so the rule fails.";
}
