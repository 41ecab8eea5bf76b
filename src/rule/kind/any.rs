//! Sometimes one of several things is enough: better by a clear margin, or at least not slower.

use super::{Kind, RuleCheck, named};
use crate::aggregates::CaseNeeds;
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, listed};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::verdict::Finding;
use crate::verdict::Outcome;

codes! {
    NONE_HOLDS = "any/none-holds": "None of the alternatives holds.";
    NOT_AN_ARM = "policy/not-an-arm": "An alternative of `any` is not exactly one `metrics` or `require` body.";
}

pub(super) const KIND: Kind = Kind { name: "any", says: "at least one of these holds", codes: CODES, load };

/// The kinds that an alternative may have.
const ARMS: [&str; 2] = ["metrics", "require"];

#[derive(Debug)]
struct Any(Vec<Box<dyn RuleCheck>>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let items = loading.reader.list(body, "`any`")?;
    if items.len() < 2 {
        loading
            .reader
            .problem(EMPTY_BODY, body.span, "`any` needs at least two alternatives", "too few")
            .help = Some("for a single one, write it as the rule itself".into());
    }
    let arms: Vec<_> = items.iter().filter_map(|item| arm(loading, item)).collect();
    (arms.len() == items.len() && !arms.is_empty()).then(|| Box::new(Any(arms)) as Box<dyn RuleCheck>)
}

fn arm(loading: &mut Loading<'_>, item: &Node) -> Option<Box<dyn RuleCheck>> {
    let map = loading.reader.map(item, "an alternative of `any`")?;
    let arm = map.iter().next().filter(|(name, _)| map.len() == 1 && ARMS.contains(name));
    let Some((kind, body)) = arm else {
        let message = format!("an alternative of `any` has exactly one of {}", listed(&ARMS));
        loading.reader.problem(NOT_AN_ARM, item.span, message, "not one of them");
        return None;
    };
    (named(kind)?.load)(loading, body)
}

impl RuleCheck for Any {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut arms = Vec::new();
        for arm in &self.0 {
            arms.push(arm.judge(case)?);
        }
        let holds = arms.iter().any(|arm| arm.outcome() == Outcome::Pass);
        let judged = arms.iter().any(|arm| arm.outcome() != Outcome::Skipped);
        let mut whole = RuleResult::default();
        for (number, mut arm) in arms.into_iter().enumerate() {
            let label = format!("alternative {}: {}", number + 1, arm.outcome());
            for comparison in &mut arm.comparisons {
                // A failed alternative is not a failure if another one holds.
                if holds && comparison.outcome == Outcome::Fail {
                    comparison.outcome = Outcome::Skipped;
                }
                let note =
                    comparison.note.take().map_or_else(|| label.clone(), |note| format!("{label}; {note}"));
                comparison.note = Some(note.into());
            }
            if holds {
                whole.notes.extend(
                    arm.findings.drain(..).map(|finding| format!("{label}: {}", finding.diagnostic.message)),
                );
            }
            // A waiver covers the choice, not one limit of it.
            for finding in &mut arm.findings {
                finding.breach = None;
            }
            whole.absorb(arm);
        }
        if !holds && judged {
            let number = self.0.len();
            whole
                .findings
                .insert(0, Finding::new(NONE_HOLDS, format!("none of the {number} alternatives holds")));
        }
        Ok(whole)
    }

    fn compares(&self) -> bool {
        self.0.iter().any(|arm| arm.compares())
    }

    fn case_needs(&self, needs: &mut CaseNeeds) {
        for arm in &self.0 {
            arm.case_needs(needs);
        }
    }

    fn notices_baseline(&self) -> bool {
        self.0.iter().any(|arm| arm.notices_baseline())
    }
}
