//! A policy: what must be true before a model may be promoted.
//!
//! Loading turns YAML into a valid [`Policy`]. It rejects unknown keys and ids, limits that can never hold
//! and expressions over names that no record has, and sets expired waivers aside, so nothing downstream
//! checks again. It does no I/O: files come in through [`crate::rule::PolicyFiles`].

mod cases;
mod effective;
mod extends;
mod implied;
mod layer;
mod load;
mod merge;
mod pack;
mod parameters;
mod rules;
mod schema;
mod settings;
mod waiver;

use indexmap::IndexMap;
use jiff::Timestamp;

pub use implied::ImpliedLimit;
pub use load::{Loaded, load};
pub use pack::{PACKS, Pack};
pub use schema::schema;
pub use waiver::{Narrowing, Waiver};

use crate::cases::CaseColumns;
use crate::code::codes;
use crate::document::Diagnostic;
use crate::expression::{Bindings, Expression, Fault};
use crate::rule::{Pattern, Rule};
use crate::run::{FieldMap, FieldPath, Run};
use crate::verdict::PackUse;

codes! {
    WHERE_FAILED = "check/where-failed": "The policy's `where` could not be evaluated for a record, so whether it is a candidate is unknown.";
    VERSION = "policy/version": "The policy does not name the version of its language, or names an unknown one.";
    NO_RULES = "policy/no-rules": "The policy has no rule, so nothing would be judged.";
    NO_KIND = "policy/no-kind": "A rule has no kind, so it requires nothing.";
    TWO_KINDS = "policy/two-kinds": "A rule with more than one kind.";
    BAD_ID = "policy/bad-id": "The id of a rule has a character that is not allowed.";
    UNKNOWN_RULE = "policy/unknown-rule": "An override or a waiver names a rule that the policy does not have.";
    UNKNOWN_STAGE = "policy/unknown-stage": "A stage that the policy does not declare.";
    STAGE_RING = "policy/stage-ring": "The `after` keys of the stages form a cycle.";
    UNKNOWN_MODEL = "policy/unknown-model": "A model that the policy does not declare.";
    UNKNOWN_FIELD = "policy/unknown-field": "`fields` maps something that is not a field of a run record, or maps a field twice.";
    BAD_REFERENCE = "policy/bad-reference": "A run reference can't be read, or `runs` or `ledger` names something outside the policy's folder.";
    BAD_DATE = "policy/bad-date": "A date that is not written as 2026-07-01.";
    BAD_MESSAGE = "policy/bad-message": "A message that looks like a template; messages are plain text.";
    UNKNOWN_PACK = "policy/unknown-pack": "An entry of `extends` names an unknown pack, or does not have exactly one of `pack` and `path`.";
    EXTENDS_RING = "policy/extends-ring": "Policies that extend each other in a cycle.";
    SAME_RULE_TWICE = "policy/same-rule-twice": "Two extended policies define the same rule, and this file does not say which one to use.";
    KIND_CHANGED = "policy/kind-changed": "An override tries to change the kind of an extended rule.";
    NOTHING_TO_OVERRIDE = "policy/nothing-to-override": "A dotted key refers to a part that the extended rule does not have.";
    UNKNOWN_PARAMETER = "policy/unknown-parameter": "A parameter is given or used but not declared, or declared but not used.";
    MISSING_PARAMETER = "policy/missing-parameter": "A parameter without a default that was not given.";
    BAD_PARAMETER = "policy/bad-parameter": "A value that does not have the parameter's type.";
    PARAMETER_COLLIDES = "policy/parameter-collides": "With its value filled in, a parameter used as a key repeats a key of the same object.";
    SAME_KEY_TWICE = "policy/same-key-twice": "Two extended policies give a top-level key different values, \
     and this file does not say which one to use.";
    WAIVER_WITHOUT_LIMIT = "policy/waiver-without-limit": "A waiver of a limit that does not say which limit replaces it.";
    WAIVER_OTHER_LIMIT = "policy/waiver-other-limit": "A waiver replaces a limit that the rule does not have.";
    BAD_SEEDS = "policy/bad-seeds": "The value of `seeds` is not the path of a field.";
    BAD_CASES = "policy/bad-cases": "`cases.labels` does not contain the label that `cases.positive` names.";
    FILE_OUTSIDE = "policy/file-outside": "A policy names a file outside its repository (without a repository, outside its folder).";
    FILE_UNREADABLE = "policy/file-unreadable": "A file of the policy can't be read.";
}

/// A policy that was read and checked.
#[derive(Debug)]
pub struct Policy {
    /// Which files are run records, and which of them are candidates.
    pub runs: Option<Runs>,
    /// The baseline, unless the stage or a rule has its own.
    pub baseline: Option<String>,
    /// What to do when there is no baseline.
    pub on_missing_baseline: OnMissing,
    /// Where models are promoted to.
    pub stages: IndexMap<String, Stage>,
    /// The folder of promotions, relative to the policy.
    pub ledger: Option<String>,
    /// Whether a rule may read the best of a metric's history, or how many values it has.
    pub reads_history: bool,
    /// The field that the seeds of one run share.
    pub seeds: Option<FieldPath>,
    /// The known models; `None` if any model is allowed.
    pub models: Option<Vec<Pattern>>,
    /// The fields that decide, instead of `validation`, whether two runs are comparable.
    pub comparable: Option<Vec<FieldPath>>,
    /// Where records of another shape keep the canonical fields.
    pub fields: FieldMap,
    /// What the columns of case tables mean.
    pub cases: CaseColumns,
    /// The rules in written order, including those that are off.
    pub rules: Vec<Rule>,
    /// The agreed exceptions that are in force.
    pub waivers: Vec<Waiver>,
    /// Expired waivers; never applied.
    pub expired: Vec<Waiver>,
    /// The packs and files that it extends.
    pub packs: Vec<PackUse>,
    /// The other files that it names, such as schemas and keys.
    pub files: Vec<PackUse>,
}

/// Which files are run records.
#[derive(Debug)]
pub struct Runs {
    /// Files, globs and folders, relative to the policy.
    pub paths: Vec<String>,
    /// Which of them are candidates.
    pub filter: Option<Expression>,
    /// How to split a file that has several records.
    pub each: Option<crate::run::Each>,
}

/// What to do when there is no baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissing {
    /// Rules that need one fail.
    Fail,
    /// The candidate counts as the first of its model; the report says so.
    Pass,
}

/// A place to which models are promoted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// The baseline for candidates of this stage.
    pub baseline: Option<String>,
    /// The stage that a run must reach first.
    pub after: Option<String>,
}

impl Runs {
    /// Whether `where` selects a run.
    ///
    /// # Errors
    ///
    /// `check/where-failed` if the expression can't be evaluated, for example because a field is absent.
    pub fn select(&self, run: &Run, now: Timestamp) -> Result<bool, Box<Diagnostic>> {
        let Some(filter) = &self.filter else { return Ok(true) };
        let bindings = Bindings { candidate: run, baseline: None, stage: None, now };
        filter.holds(&bindings).map_err(|error| {
            let message =
                format!("{}: `where` can't be evaluated at `{}`: {}", run.label(), error.part, error.message);
            let help = match error.fault {
                Fault::Absent => {
                    "use `has(…)` to test whether a field is present, such as `has(tags.promote) && …`"
                }
                Fault::Other => "correct the expression, or the record",
            };
            Diagnostic::new(WHERE_FAILED, message).help(help).boxed()
        })
    }
}

impl Policy {
    /// Whether any rule is for some models only, so that a run without a model can't be judged.
    pub fn scopes_by_model(&self) -> bool {
        self.rules.iter().any(|rule| !rule.models.is_empty())
    }
}
