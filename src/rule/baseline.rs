//! The other side of a comparison.

use std::sync::Arc;

use super::{RuleInput, RuleResult};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::Path;
use crate::run::{Digest, Run};
use crate::verdict::Comparability;
use crate::verdict::Finding;

codes! {
    BASELINE_MISSING = "baseline/missing": "There is no baseline to compare with.";
    NOT_COMPARABLE = "baseline/not-comparable": "The two runs were measured on different validation splits.";
}

/// What a candidate is compared with.
#[derive(Debug, Clone)]
pub enum Baseline {
    /// A run, and whether the two were measured on the same split.
    Run {
        /// The run.
        run: Arc<Run>,
        /// Whether the numbers of the two can be compared.
        comparability: Comparability,
    },
    /// There is no baseline, and that was accepted.
    First,
    /// There is no baseline.
    Missing(Diagnostic),
    /// It is unclear which run it is, or its record can't be read: rules that compare with it get no verdict.
    Unclear(Diagnostic),
}

impl Baseline {
    /// The baseline's run, for a rule that compares fields whatever the split. If there is none, `judgement`
    /// gets the reason.
    pub fn run_of<'c>(
        case: &RuleInput<'c>,
        judgement: &mut RuleResult,
    ) -> Result<Option<&'c Run>, Box<Diagnostic>> {
        match case.baseline {
            Some(Baseline::Run { run, .. }) => Ok(Some(run)),
            Some(Baseline::First) => {
                judgement.first = true;
                Ok(None)
            }
            Some(Baseline::Unclear(why)) => Err(why.clone().boxed()),
            Some(Baseline::Missing(why)) => {
                judgement.raise(why.clone().into());
                Ok(None)
            }
            None => {
                judgement.raise(
                    Finding::new(BASELINE_MISSING, "the policy names no baseline")
                        .help("add `baseline: git:main` to the policy, or pass --baseline"),
                );
                Ok(None)
            }
        }
    }

    /// The baseline's run, for a rule that compares measurements: that requires the same validation split.
    pub fn measured<'c>(
        case: &RuleInput<'c>,
        judgement: &mut RuleResult,
    ) -> Result<Option<&'c Run>, Box<Diagnostic>> {
        let Some(run) = Self::run_of(case, judgement)? else { return Ok(None) };
        let Some(Baseline::Run { comparability: Comparability::Different { fields }, .. }) = case.baseline
        else {
            return Ok(Some(run));
        };
        let differ: Vec<String> = fields
            .iter()
            .map(|(field, candidate, baseline)| {
                format!("`{field}` is {candidate} here and {baseline} in the baseline")
            })
            .collect();
        let first = fields.first().map(|(field, _, _)| field.as_str()).unwrap_or_default();
        let path = crate::run::FieldPath::parse(first).ok().and_then(|path| path.to_path());
        judgement.raise(
            Finding::new(NOT_COMPARABLE, format!("not comparable: {}", differ.join("; ")))
                .at(path.unwrap_or_else(|| Path::of(["validation"])), "measured on another split")
                .help(if only_weak(fields) {
                    "this digest also differs between versions of pandas, and with a different index; to be \
                     certain, use `mlflow.set_tag(\"validation.digest\", \"sha256:\" + sha256_of_the_ids)` in both training runs"
                } else {
                    "measure both runs on the same split; if the split changes by design, name the fields \
                     that decide instead with `comparable:` at the top of the policy"
                }),
        );
        Ok(None)
    }
}

/// Whether only digests differ, and only ones that prove nothing by differing.
fn only_weak(fields: &[(String, String, String)]) -> bool {
    fields.iter().all(|(field, ours, theirs)| {
        field.ends_with(".digest") && [ours, theirs].iter().all(|digest| Digest::parse(digest).is_weak())
    })
}
