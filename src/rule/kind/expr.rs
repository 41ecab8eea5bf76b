//! Requirements that no other kind can express, in the Common Expression Language.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::Node;
use crate::expression::{Bindings, EvaluationError, Expression, Scope};
use crate::rule::{Baseline, Loading, RuleInput, RuleResult};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    DOES_NOT_HOLD = "expr/does-not-hold": "An expression is false.";
    NO_ANSWER = "expr/no-answer": "An expression could not be evaluated, so the rule fails.";
}

pub(super) const KIND: Kind = Kind { name: "expr", says: "this expression is true", codes: CODES, load };

#[derive(Debug)]
struct Expr(Expression);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    loading
        .expression(body, "`expr`", Scope::Rule)
        .map(|expression| Box::new(Expr(expression)) as Box<dyn RuleCheck>)
}

impl RuleCheck for Expr {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let mut baseline = None;
        if self.0.reads_baseline() {
            baseline = Baseline::measured(case, &mut judgement)?;
            if baseline.is_none() {
                return Ok(judgement);
            }
        }
        let bindings = Bindings { candidate: case.candidate, baseline, stage: case.stage, now: case.now };
        let comparison = |outcome| Comparison::exact(self.0.source(), "true", outcome);
        match self.0.holds(&bindings) {
            Ok(true) => {
                judgement.compare(comparison(Outcome::Pass).candidate("true"));
            }
            Ok(false) => judgement.fail(
                comparison(Outcome::Fail).candidate("false"),
                Finding::new(DOES_NOT_HOLD, format!("`{}` is false", self.0.source())),
            ),
            Err(error) => judgement.fail(comparison(Outcome::Fail), no_answer(self.0.source(), &error)),
        }
        Ok(judgement)
    }

    fn compares(&self) -> bool {
        self.0.reads_baseline()
    }
}

fn no_answer(source: &str, error: &EvaluationError) -> Finding {
    let at = if error.part.is_empty() || error.part == source {
        String::new()
    } else {
        format!(" at `{}`", error.part)
    };
    Finding::new(NO_ANSWER, format!("`{source}` can't be evaluated{at}: {}", error.message)).help(
        "use `has(…)` to test whether a field is present; `get(candidate, \"a.b\")` is null if it is not",
    )
}
