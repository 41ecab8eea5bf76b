//! The rules of a policy over past runs, as plain data: how often each was judged, how often it failed, and
//! how close any run came to failing it.

use serde::Serialize;
use smol_str::SmolStr;

use super::{Exit, Level};
use crate::document::Diagnostic;

/// Every rule of a policy, ranked by what it did over history.
#[derive(Debug, Clone, Serialize)]
pub struct Ranking {
    /// The format.
    pub schema: &'static str,
    /// The time that counts as now.
    pub now: String,
    /// The stage; absent if all stages are included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The model; absent if all models are included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Promotions that were judged again.
    pub promotions: usize,
    /// Records that were judged, and were not promoted.
    pub records: usize,
    /// The rules: most failures first, then those that came closest to failing, then those never applied.
    pub rules: Vec<RankedRule>,
    /// Limits that can never fail alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied: Vec<Implied>,
    /// Notes for the reader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why there is no ranking.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Diagnostic>,
    /// The program's exit code: 0 with a ranking, 2 without.
    pub exit_code: Exit,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct RankedRule {
    /// Its id.
    pub id: String,
    /// What its failure means.
    pub level: Level,
    /// Where it is written, as `file:line`.
    pub place: String,
    /// How many runs it judged.
    pub judged: usize,
    /// How many of them failed, inconclusive ones included.
    pub failed: usize,
    /// How many would have failed without a waiver.
    #[serde(skip_serializing_if = "is_zero")]
    pub waived: usize,
    /// Its limits, in the same order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<RankedLimit>,
}

/// One limit of a rule on one metric.
#[derive(Debug, Clone, Serialize)]
pub struct RankedLimit {
    /// The metric, with the aggregation if it has several numbers.
    pub subject: String,
    /// The policy's word, such as `max_drop`.
    pub word: String,
    /// The limit as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<SmolStr>,
    /// How many runs were compared with it.
    pub judged: usize,
    /// How many of them failed, inconclusive ones included.
    pub failed: usize,
    /// The passing value that was nearest to the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closest: Option<Nearest>,
}

/// How near a value came to a limit without breaking it.
#[derive(Debug, Clone, Serialize)]
pub struct Nearest {
    /// How much was left, in the metric's own units.
    pub margin: SmolStr,
    /// The margin in percent of the value; absent if the value is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// The slice; absent for the whole validation split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<SmolStr>,
    /// Where the run was read.
    pub run: String,
    /// The margin as a share of the value, which orders limits in different units.
    #[serde(skip)]
    pub share: f64,
}

/// A limit that another limit implies.
#[derive(Debug, Clone, Serialize)]
pub struct Implied {
    /// The rule of the weaker limit.
    pub rule: String,
    /// The metric, or the pattern of names.
    pub metric: String,
    /// The weaker limit as written, such as `max_drop 0.05`.
    pub limit: String,
    /// The rule of the stricter limit.
    pub by_rule: String,
    /// The stricter limit.
    pub by_limit: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Ranking {
    /// The rules that are not off and judged no run.
    pub fn never_applied(&self) -> impl Iterator<Item = &RankedRule> {
        self.rules.iter().filter(|rule| rule.judged == 0 && rule.level != Level::Off)
    }

    /// The rules that judged runs and let every one pass.
    pub fn never_failed(&self) -> impl Iterator<Item = &RankedRule> {
        self.rules.iter().filter(|rule| rule.judged > 0 && rule.failed == 0 && rule.waived == 0)
    }
}

impl RankedRule {
    /// The closest that any of its limits came to failing.
    pub fn closest(&self) -> Option<&Nearest> {
        self.limits
            .iter()
            .filter_map(|limit| limit.closest.as_ref())
            .min_by(|one, other| one.share.total_cmp(&other.share))
    }
}

impl Nearest {
    /// `0.001 left (0.12% of its value)`.
    pub fn in_words(&self) -> String {
        let percent = self.percent.as_ref().map(|percent| format!(" ({percent} of its value)"));
        let slice = self.slice.as_ref().map(|slice| format!(" on [{slice}]"));
        format!("{} left{}{}", self.margin, percent.unwrap_or_default(), slice.unwrap_or_default())
    }
}

impl Implied {
    /// The sentence that a person reads.
    pub fn in_words(&self) -> String {
        let Self { rule, metric, limit, by_rule, by_limit } = self;
        format!("`{rule}` {metric} {limit} can't fail alone: `{by_rule}` asks for {by_limit}")
    }
}
