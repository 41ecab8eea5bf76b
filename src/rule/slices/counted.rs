//! Slices from aggregates.

use super::{NO_SLICES, SliceEntry, Slices, absorb, wrong};
use crate::aggregates::{Aggregates, Part};
use crate::document::Path;
use crate::rule::evidence::{CaseEvidence, find_in_aggregates};
use crate::rule::{RuleInput, RuleResult};
use crate::run::Run;
use crate::verdict::Finding;

impl Slices {
    /// Judges slices of cases that were counted elsewhere.
    pub(super) fn judge_counted(
        &self,
        judgement: &mut RuleResult,
        (case, baseline): (&RuleInput<'_>, Option<&Run>),
        evidence: &CaseEvidence<'_>,
        entry: &SliceEntry<'_>,
        counted: &Aggregates,
    ) {
        if case.candidate.metric(entry.name).is_none() {
            return;
        }
        let has_theirs = baseline.is_some_and(|run| run.metric(entry.name).is_some());
        let slices = match self.counted(counted) {
            Ok(slices) => slices,
            Err(raised) => return wrong(judgement, entry.name, &raised),
        };
        let mut each = Vec::new();
        for (columns, slice, part) in slices {
            each.push(self.judge_slice(entry, (slice, part.cases()), &|is_relative| {
                let metric = (entry.name, entry.as_name);
                (has_theirs || !is_relative)
                    .then(|| find_in_aggregates(evidence, metric, Some((columns, slice)), is_relative))
                    .flatten()
            }));
        }
        absorb(judgement, each);
    }

    /// The slices of aggregates that the rule wants, each with its columns, its key, and its counts.
    pub(in crate::rule) fn counted<'a>(
        &self,
        counted: &'a Aggregates,
    ) -> Result<Vec<(&'a str, &'a str, Part<'a>)>, Box<Finding>> {
        let mut found = Vec::new();
        for by in self.slicings() {
            let columns = by.join(", ");
            let Some((columns, slices)) = counted.slices.get_key_value(&columns) else {
                let others: Vec<String> =
                    counted.slices.keys().map(|columns| format!("`{columns}`")).collect();
                let others = if others.is_empty() {
                    String::new()
                } else {
                    format!(", only by {}", others.join(" and by "))
                };
                let message = format!("the aggregates have no slices by `{columns}`{others}");
                let raised = Finding::new(NO_SLICES, message)
                    .at(Path::of(["predictions"]), "these aggregates")
                    .help("print the SQL with this policy, and count again");
                return Err(Box::new(raised));
            };
            let wanted = slices.keys().filter(|slice| self.wants(slice));
            found.extend(
                wanted.filter_map(|slice| {
                    Some((columns.as_str(), slice.as_str(), counted.part(columns, slice)?))
                }),
            );
        }
        Ok(found)
    }
}
