//! Slices in the records, for runs without cases.

use std::collections::BTreeMap;

use super::{NO_SLICES, SLICE_VANISHED, SliceEntry, Slices, absorb, closest, wrong};
use crate::document::{Node, Path};
use crate::rule::compare::{Subject, hold};
use crate::rule::evidence::{Found, Slice, find_recorded, hold_shown};
use crate::rule::{RuleInput, RuleResult};
use crate::run::{Metric, Run};
use crate::verdict::{Comparison, Finding, Outcome};

impl Slices {
    /// Checks the limits of one metric on every slice of the records.
    pub(super) fn judge_recorded(
        &self,
        judgement: &mut RuleResult,
        case: &RuleInput<'_>,
        baseline: Option<&Run>,
        entry: &SliceEntry<'_>,
    ) {
        fn metrics<'r>(slices: &Slices, run: &'r Run, name: &str) -> BTreeMap<&'r str, Metric<'r>> {
            run.slice_metrics()
                .filter(|(slice, metric)| metric.name == name && slices.covers(slice))
                .collect()
        }
        let ours = metrics(self, case.candidate, entry.name);
        let theirs = baseline.map(|run| metrics(self, run, entry.name)).unwrap_or_default();
        if ours.is_empty() && theirs.is_empty() {
            let message = format!("nothing has `{}` by {}", entry.name, self.by.join(", "));
            let raised = Finding::new(NO_SLICES, message).subject(entry.name).help(
                "record the file of predictions with that column, or the metric in `slices: { region=EU: … }`",
            );
            return wrong(judgement, entry.name, &raised);
        }
        for slice in theirs.keys().filter(|slice| !ours.contains_key(*slice)) {
            let message = format!("the slice {slice} is in the baseline, but not here");
            let raised = Finding::new(SLICE_VANISHED, message).subject(entry.name).help("measure it");
            let mut comparison = Comparison::exact(entry.name, "present", Outcome::Fail);
            comparison.slice = Some((*slice).into());
            judgement.fail(comparison, raised);
        }
        let mut each = Vec::new();
        for (slice, metric) in &ours {
            let mut one = RuleResult::default();
            let rows =
                case.candidate.record().get("slices").and_then(|slices| slices.get(slice)?.get("rows"));
            let rows = rows.and_then(Node::as_written).and_then(|rows| rows.parse().ok());
            if rows.is_some_and(|rows| self.is_small(&mut one, entry.name, slice, rows)) {
                each.push((f64::INFINITY, one));
                continue;
            }
            let path = Path::of(["slices", slice, "metrics", entry.name]);
            let (value, their_value) =
                (metric.value().ok(), theirs.get(slice).and_then(|it| it.value().ok()));
            let Some(value) = value else {
                let message = format!("`{}` of {slice} is not a number", entry.name);
                wrong(&mut one, entry.name, &Finding::new(NO_SLICES, message).at(path, "not a number"));
                each.push((f64::NEG_INFINITY, one));
                continue;
            };
            for limit in entry.limits {
                let is_new = limit.word.is_relative() && their_value.is_none();
                if entry.evidence.confidence.is_some() && !is_new {
                    let subject = Slice {
                        name: entry.name,
                        slice: Some(slice),
                        path: path.clone(),
                        reported: [Some(&value), their_value.as_ref()],
                    };
                    let their_metric = theirs.get(slice).filter(|_| limit.word.is_relative());
                    match find_recorded(metric, their_metric, case.candidate) {
                        Found::Basis(basis) => {
                            hold_shown(&mut one, &subject, limit, entry.evidence, Ok(&basis));
                        }
                        Found::Nothing(why) => {
                            hold_shown(&mut one, &subject, limit, entry.evidence, Err(&why));
                        }
                        Found::Wrong(raised) => wrong(&mut one, entry.name, &raised),
                    }
                    continue;
                }
                let said = format!("`{}` [{slice}]", entry.name);
                let subject = Subject {
                    name: entry.name,
                    said: &said,
                    path: path.clone(),
                    candidate: &value,
                    baseline: their_value.as_ref(),
                    of: None,
                    slice: Some(slice),
                };
                if !is_new {
                    hold(&mut one, &subject, limit);
                } else if baseline.is_some() {
                    one.notes
                        .push(format!("the slice {slice} is new: nothing in the baseline to compare with"));
                }
            }
            each.push((closest(&one), one));
        }
        absorb(judgement, each);
    }
}
