//! A metric on a different validation split is a different metric. `same` requires that what must not change
//! did not.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Path};
use crate::rule::evidence::{Lack, same_cases};
use crate::rule::no_cases::LABELS_CHANGED;
use crate::rule::presence::absent;
use crate::rule::{Baseline, Loading, RuleInput, RuleResult};
use crate::run::{FieldPath, Run, Sameness, same_value};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    DIFFERENT = "same/different": "A field that must be the same in both runs differs.";
    NOT_COMPARABLE = "same/not-comparable": "The two values can't be compared, such as digests of different algorithms.";
    NOT_IN_BASELINE = "same/not-in-baseline": "A field that must be the same in both runs is not in the baseline.";
    NO_CASES = "same/no-cases": "Cases must be the same in both runs, but one of them records no predictions.";
    NOT_IN_CANDIDATE = "same/not-in-candidate": "The baseline has more elements of a list that must be the same than the candidate has.";
}

pub(super) const KIND: Kind =
    Kind { name: "same", says: "these fields are present in both runs, and equal", codes: CODES, load };

#[derive(Debug)]
struct Same {
    paths: Vec<FieldPath>,
    /// Paths that are about the cases of both runs.
    cases: Vec<&'static str>,
}

/// What can be asked of cases, as if it were a field.
const CASES: [&str; 2] = ["cases.ids", "cases.labels"];

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let (mut paths, mut cases) = (Vec::new(), Vec::new());
    for (path, _) in loading.paths(body, "`same`") {
        match CASES.iter().find(|name| path.to_string() == **name) {
            Some(name) => cases.push(*name),
            None => paths.push(path),
        }
    }
    let same = Same { paths, cases };
    (!same.paths.is_empty() || !same.cases.is_empty()).then(|| Box::new(same) as Box<dyn RuleCheck>)
}

impl RuleCheck for Same {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let Some(baseline) = Baseline::run_of(case, &mut judgement)? else { return Ok(judgement) };
        if !self.cases.is_empty() {
            self.judge_cases(&mut judgement, case, baseline);
        }
        for path in &self.paths {
            // `data[role=train]` can be at another index in each run, so matches are paired in order.
            let matched = baseline.find(path);
            let ours = case.candidate.find(path);
            let only_theirs: Vec<_> =
                matched.iter().skip(ours.len()).filter(|field| field.node.is_some()).collect();
            for (at, field) in ours.into_iter().enumerate() {
                let name = field.path.to_string();
                let theirs = matched.get(at).and_then(|field| field.node);
                let mut comparison = Comparison::exact(name.as_str(), "same", Outcome::Fail);
                comparison.candidate = field.node.map(|node| node.in_full().into());
                comparison.baseline = theirs.map(|node| node.in_full().into());
                let raised = match (absent(case.candidate, &field), field.node, theirs) {
                    (Some(raised), ..) => raised,
                    (None, Some(ours), Some(theirs)) => match same_value(&field.path, ours, theirs) {
                        Sameness::Same => {
                            comparison.outcome = Outcome::Pass;
                            judgement.compare(comparison);
                            continue;
                        }
                        Sameness::Different => Finding::new(
                            DIFFERENT,
                            format!(
                                "`{name}` is {} here and {} in the baseline",
                                ours.brief(),
                                theirs.brief()
                            ),
                        )
                        .at(field.path, format!("the baseline has {}", theirs.brief()))
                        .help(format!(
                            "measure both runs with the same `{name}`, or name the baseline that has it"
                        )),
                        Sameness::NotComparable(why) => {
                            Finding::new(NOT_COMPARABLE, format!("`{name}` can't be compared: {why}"))
                                .at(field.path, format!("the baseline has {}", theirs.brief()))
                                .help("record both with the same algorithm, preferably sha256")
                        }
                    },
                    (None, _, _) => Finding::new(
                        NOT_IN_BASELINE,
                        format!("`{name}` is not in the baseline ({})", baseline.label()),
                    )
                    .at(field.path, "nothing in the baseline to compare with")
                    .help(
                        "measure the baseline again with today's training script, so that its record has it",
                    ),
                };
                judgement.fail(comparison, raised.subject(name));
            }
            for field in only_theirs {
                let name = field.path.to_string();
                let mut comparison = Comparison::exact(name.as_str(), "same", Outcome::Fail);
                comparison.baseline = field.node.map(|node| node.in_full().into());
                let raised = Finding::new(
                    NOT_IN_CANDIDATE,
                    format!("`{name}` is in the baseline, but has no counterpart here"),
                )
                .at(field.path.clone(), "one fewer than in the baseline")
                .help("record everything that the run read, or name the baseline that read the same")
                .subject(name);
                judgement.fail(comparison, raised);
            }
        }
        Ok(judgement)
    }

    fn compares(&self) -> bool {
        true
    }
}

impl Same {
    /// Requires the same set of ids and, if labels are asked for, the same labels, weights and clusters.
    fn judge_cases(&self, judgement: &mut RuleResult, case: &RuleInput<'_>, baseline: &Run) {
        let found = same_cases(case, baseline);
        for name in &self.cases {
            let mut comparison = Comparison::exact(*name, "same", Outcome::Fail);
            let raised = match &found {
                Ok(rows) => {
                    comparison.outcome = Outcome::Pass;
                    judgement.compare(comparison.candidate(format!("{rows} cases")));
                    continue;
                }
                // The ids are the same if only their labels, weights or clusters differ.
                Err(Lack::Wrong(raised))
                    if *name == "cases.ids" && raised.diagnostic.code == LABELS_CHANGED =>
                {
                    comparison.outcome = Outcome::Pass;
                    judgement.compare(comparison);
                    continue;
                }
                Err(Lack::Wrong(raised)) => (**raised).clone(),
                Err(Lack::NotRecorded(lack)) => {
                    Finding::new(NO_CASES, format!("`{name}` can't be compared: {lack}"))
                        .at(Path::of(["predictions"]), "no predictions here")
                        .help(lack.help().unwrap_or("record the file of predictions of both runs"))
                }
            };
            if judgement.findings.iter().any(|known| known.diagnostic.message == raised.diagnostic.message) {
                judgement.compare(comparison);
            } else {
                judgement.fail(comparison, raised.subject(*name));
            }
        }
    }
}
