//! What was decided, as plain data.
//!
//! Everything here is written to the JSON report and can be read back from it, so that a saved report renders
//! again without the files that it was made from. Nothing here computes a verdict: the engine does.

mod audit;
mod comparison;
mod diff;
mod explanation;
mod finding;
mod history;
mod limit_kind;
mod margin;
mod method;
mod model_facts;
mod promotion;
mod ranking;
mod report;
mod rule_kind;
mod verification;

pub use audit::{Audit, AuditFinding, AuditLine, Severity};
pub use comparison::Comparison;
pub use diff::{CommitLine, Commits, DiffGroup, FieldDiff, MetricDiff, RunDiff};
pub use explanation::{Answer, Explanation, Step};
pub use finding::{Breach, Finding};
pub use history::{History, HistoryLimit, HistoryPoint};
pub use limit_kind::{LIMIT_KINDS, LimitKind};
pub use margin::{ClosestMargin, NearLimit, closest, margins, near_limits, percent, share_left};
pub use method::Method;
pub use model_facts::{FileFact, LimitFact, MetricFact, ModelFacts, PromotionFact, RuleFact, WaiverFact};
pub use promotion::{Promoted, PromotionOutcome};
pub use ranking::{Implied, Nearest, RankedLimit, RankedRule, Ranking};
pub use report::{
    BaselineReport, CandidateReport, ChangeReport, Comparability, Difference, MANY, PackUse, PolicyReport,
    Proposed, Report, RuleReport, RunSummary, SCHEMA, Summary, THE_CHANGE, WaiverReport, WaiverState,
};
pub use rule_kind::RuleKind;
pub use verification::{Check, CheckState, FoundPromotion, Verification};

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of a rule for one candidate, or of one of its comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A comparison was made, and it passed.
    Pass,
    /// It failed, or something that it needs is missing.
    Fail,
    /// The data can't show whether it holds.
    Inconclusive,
    /// It failed, and an agreed exception covers the failure.
    Waived,
    /// The rule did not apply to this candidate; never counted as a pass.
    Skipped,
}

impl Outcome {
    /// Whether it keeps a candidate from being promoted, at level `error`.
    pub fn blocks(self) -> bool {
        matches!(self, Self::Fail | Self::Inconclusive)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Waived => "waived",
            Self::Skipped => "skipped",
        })
    }
}

/// What a rule's failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It blocks.
    Error,
    /// It is shown.
    Warning,
    /// It is judged and recorded, and never annotates anything.
    Shadow,
    /// It is not judged.
    Off,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Shadow => "shadow",
            Self::Off => "off",
        })
    }
}

/// The result of the whole check. No verdict, the third case, is the absence of this value.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every rule of level `error` that applied holds.
    Pass,
    /// At least one failed.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        })
    }
}

/// The exit code of the program: 0 pass, 1 fail, 2 no verdict.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Exit {
    /// Candidates were judged, and all passed; or the records are unchanged, and the report says so.
    Pass,
    /// The verdict is fail.
    Fail,
    /// No verdict could be reached.
    NoVerdict,
}

impl Exit {
    /// Over several candidates the worst counts: no verdict, then fail, then pass.
    pub fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Pass) => Self::Pass,
            Some(Verdict::Fail) => Self::Fail,
            None => Self::NoVerdict,
        }
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Pass => 0,
            Exit::Fail => 1,
            Exit::NoVerdict => 2,
        }
    }
}

impl TryFrom<u8> for Exit {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Pass),
            1 => Ok(Self::Fail),
            2 => Ok(Self::NoVerdict),
            _ => Err(format!("{code} is not an exit code of gate")),
        }
    }
}
