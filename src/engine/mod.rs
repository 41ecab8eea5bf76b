//! The decision: which baseline belongs to a candidate, what every rule says, what waivers cover.
//!
//! Pure. The same policy, runs, evidence and clock give the same report to the byte.

mod change;
mod comparable;
mod diff;
mod difference;
mod judge;
mod locate;
mod pair;
mod waive;

pub use change::judge_change;
pub use comparable::comparability;
pub use diff::diff;
pub use difference::differences;
pub(crate) use judge::summary;
pub use judge::{Decision, ResolvedBaseline, judge};
pub use pair::{Pairing, pair};

use crate::code::codes;

codes! {
    NOTHING_JUDGED = "check/nothing-judged": "No rule of the policy applied, so nothing was judged.";
    UNCLEAR_BASELINE = "check/unclear-baseline": "Several runs could be the baseline, and nothing says which.";
    NO_MODEL = "check/no-model": "The run does not say which line of models it belongs to, and the policy needs that.";
    UNKNOWN_MODEL = "check/unknown-model": "The run belongs to a line of models that the policy does not declare.";
    NOT_FINISHED = "status/not-finished": "The run did not finish, so its last values mean nothing.";
    WHEN_FAILED = "when/no-answer": "The `when` of a rule could not be evaluated, so the rule fails.";
}
