//! The kinds of rules, one file each.
//!
//! To add a kind, write its file and put its name into the list below. The file says what the kind is called, how
//! its body is read, which codes it can raise, and how it judges; everything else, from "exactly one kind" to the
//! documentation's index, is made from this list.

use std::fmt::Debug;

use super::{AboutChange, ChangeInput, Loading, RuleInput, RuleResult, StatedLimit};
use crate::aggregates::CaseNeeds;
use crate::code::Code;
use crate::document::Diagnostic;
use crate::document::Node;
use crate::verdict::LimitKind;

macro_rules! kinds {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*
        /// Every kind, in the order in which the documentation lists them.
        pub const KINDS: &[Kind] = &[$($file::KIND),*];
        /// The page of each kind in the documentation, in the same order.
        pub(crate) const PAGES: &[&str] = &[
            $(include_str!(concat!("../../../docs/rules/", stringify!($file), ".md"))),*
        ];
    };
}

pub use metrics::measured_on_nothing;

kinds![
    require,
    forbid,
    same,
    metrics,
    churn,
    consistent,
    any,
    schema,
    artifact,
    code,
    data,
    fresh,
    reproducible,
    linked,
    signed,
    expr,
];

/// Kinds that the language reserves and this version does not have.
pub const RESERVED: &[&str] = &["preregistered"];

/// Keys that may be next to `metrics`, and apply to all of its entries.
pub const BESIDE_METRICS: &[&str] = &["confidence", "on_inconclusive", "slices"];

/// A kind of rule.
#[derive(Debug)]
pub struct Kind {
    /// The key in a policy.
    pub name: &'static str,
    /// What it requires, in one sentence.
    pub says: &'static str,
    /// Every code that it can raise.
    pub codes: &'static [Code],
    /// Reads its body; `None` if that is wrong, with the problems noted.
    pub load: fn(&mut Loading<'_>, &Node) -> Option<Box<dyn RuleCheck>>,
}

/// The requirement of a rule: a function from an input to a result.
pub trait RuleCheck: Debug + Send + Sync {
    /// Judges one candidate.
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>>;

    /// Whether it also says something about the change that the candidates are in.
    fn about_change(&self) -> AboutChange {
        AboutChange::Never
    }

    /// Judges the change: once for all candidates, and also if there are none.
    fn judge_change(&self, _case: &ChangeInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        Ok(RuleResult::default())
    }

    /// Whether it needs the signature beside the record.
    fn reads_signatures(&self) -> bool {
        false
    }

    /// Whether it needs a baseline.
    fn compares(&self) -> bool {
        false
    }

    /// The revision of the repository that it asks about, such as the branch that a commit must be part of.
    fn revision(&self) -> Option<&str> {
        None
    }

    /// Whether it uses a baseline if the policy names one, but also works without one.
    fn notices_baseline(&self) -> bool {
        false
    }

    /// Its limits on numbers, to find out whether one implies another.
    fn stated_limits(&self) -> Vec<StatedLimit<'_>> {
        Vec::new()
    }

    /// Notes what it needs from cases, so that they can be counted where they are stored.
    fn case_needs(&self, _needs: &mut CaseNeeds) {}

    /// The words whose limits a waiver can replace.
    fn words(&self) -> Vec<LimitKind> {
        Vec::new()
    }

    /// Whether a waiver must replace a limit, since there is nothing else in the rule to waive.
    fn limits_only(&self) -> bool {
        false
    }
}

/// What `reproducible` can ask for.
pub(crate) fn reproducible_parts() -> Vec<&'static str> {
    reproducible::parts()
}

/// Finds a kind by its name.
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
