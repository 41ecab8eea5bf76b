//! What a policy can require of a run.
//!
//! A rule has an id, a scope and a level, and exactly one requirement of one of the kinds in [`kind`]. To add a kind,
//! add a file there and a name to its list.

mod accounted;
mod advice;
mod aggregation;
mod baseline;
mod bite;
mod change;
mod compare;
mod condition;
mod covered;
mod dataset;
mod direction;
mod disjoint;
mod evidence;
mod facts;
mod files;
mod gaps;
mod implied;
mod in_memory;
mod input;
mod judgement;
pub mod kind;
mod limit;
mod loading;
mod model_files;
mod named_files;
mod newest_record;
mod no_cases;
mod notebook;
mod notebook_metrics;
mod portable;
mod presence;
mod requirements;
mod slices;

use jiff::civil::Date;

pub use accounted::touched_data;
pub(crate) use baseline::BASELINE_MISSING;
pub use baseline::Baseline;
pub use change::{AboutChange, ChangeInput, ChangeRecords, ChangedFile, FileChange};
pub use facts::{CommitFacts, Facts, FileFacts, FileFault};
pub(crate) use files::{DIGEST_DIFFERS, FILE_MISSING};
pub use implied::StatedLimit;
pub use in_memory::InMemoryFacts;
pub use input::RuleInput;
pub use judgement::RuleResult;
pub use kind::{KINDS, Kind, RuleCheck, measured_on_nothing};
pub use limit::{Amount, Limit, LimitCheck, NoAnswer, Units, read_amount};
pub use loading::{Loading, PolicyFiles};
pub use newest_record::{NEWEST_RECORD, RemovedRecords, removed_records};
pub use no_cases::NoCases;
pub(crate) use no_cases::OTHER_CASES;

pub(crate) use limit::check_together;

use crate::code::Code;
use crate::expression::Expression;
use crate::verdict::{Level, RuleKind};

/// The codes that rules can raise, and those that reading a rule can raise.
pub(crate) fn codes() -> impl Iterator<Item = &'static [Code]> {
    let shared = [
        baseline::CODES,
        bite::CODES,
        compare::CODES,
        condition::CODES,
        direction::CODES,
        disjoint::CODES,
        evidence::CODES,
        no_cases::CODES,
        files::CODES,
        gaps::CODES,
        limit::CODES,
        loading::CODES,
        model_files::CODES,
        named_files::CODES,
        newest_record::CODES,
        aggregation::CODES,
        presence::CODES,
        slices::CODES,
    ];
    shared.into_iter().chain(KINDS.iter().map(|kind| kind.codes))
}

/// One requirement, with an id.
#[derive(Debug)]
pub struct Rule {
    /// Its name for a person; unique in the policy.
    pub id: String,
    /// What its failure means.
    pub level: Level,
    /// The first day on which a rule of level `error` blocks; before it, it warns.
    pub from: Option<Date>,
    /// The stages that it is for; empty means all.
    pub stages: Vec<Pattern>,
    /// The models that it is for; empty means all.
    pub models: Vec<Pattern>,
    /// A condition on the candidate.
    pub when: Option<Expression>,
    /// A baseline other than the policy's.
    pub baseline: Option<String>,
    /// Shown with a failure.
    pub message: Option<String>,
    /// A link, shown with a failure.
    pub docs: Option<String>,
    /// The kind's name.
    pub kind: RuleKind,
    /// What it requires.
    pub requirement: Box<dyn RuleCheck>,
    /// Where it is written, as `file:line`.
    pub place: String,
}

/// A name in which `*` matches any characters, including `.` and `/`; no other character is special.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Takes the text as it is.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The pattern as written.
    pub fn written(&self) -> &str {
        &self.0
    }

    /// Whether it can match several names.
    pub fn is_glob(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether it matches a whole name. Linear in the lengths' product, with no blow-up for many stars.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut p, mut n) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while n < name.len() {
            if p < pattern.len() && pattern[p] == b'*' {
                star = Some((p, n));
                p += 1;
            } else if p < pattern.len() && pattern[p] == name[n] {
                p += 1;
                n += 1;
            } else if let Some((star_at, matched)) = star {
                p = star_at + 1;
                n = matched + 1;
                star = Some((star_at, n));
            } else {
                return false;
            }
        }
        pattern[p..].iter().all(|&byte| byte == b'*')
    }
}
