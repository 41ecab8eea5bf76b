//! For teams that already have a JSON Schema for their records.
//!
//! The schema is checked against the canonical record, as `gate show --format json` prints it. The evaluator is our
//! own: numbers are exact decimals, and every schema takes a limited number of steps and little memory. References
//! can point to files beside the policy, never to the network.

mod evaluate;
mod format;
mod keywords;
mod pattern;
mod resources;
#[cfg(test)]
mod tests;

use self::keywords::Schemas;
use self::resources::Refusal;
use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::{Diagnostic, Node, Value};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::verdict::{Comparison, Finding, Outcome};

codes! {
    DOES_NOT_FIT = "schema/does-not-fit": "The record does not fit the JSON Schema.";
    COSTS_TOO_MUCH = "schema/costs-too-much": "Checking a record against the JSON Schema takes more steps than gate allows.";
    BAD_SCHEMA = "policy/bad-schema": "A JSON Schema can't be read, or refers to a file that is not beside the policy.";
}

pub(super) const KIND: Kind =
    Kind { name: "schema", says: "the record fits a JSON Schema", codes: CODES, load };

#[derive(Debug)]
struct Schema {
    path: String,
    schemas: Schemas,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let path = loading.reader.text(body, "`schema`")?.to_owned();
    let mut read = |path: &str| {
        // What is wrong with the file itself is reported where it is read.
        let document = loading.file(body, path).ok_or(Refusal::Reported)?;
        document
            .parse()
            .map_err(|problem| Refusal::new(format!("`{}` can't be read: {problem}", document.name), ""))
    };
    let (code, message, help) = match keywords::compile(&mut read, &path) {
        Ok(schemas) => return Some(Box::new(Schema { path, schemas })),
        Err(Refusal::Reported) => return None,
        Err(Refusal::Empty(message)) => (
            EMPTY_BODY,
            message,
            "write a keyword that requires something, such as `required` or `type`".into(),
        ),
        Err(Refusal::Bad { message, help }) => (BAD_SCHEMA, message, help),
    };
    let problem = loading.reader.problem(code, body.span, message, "named here");
    problem.help = Some(help).filter(|help| !help.is_empty());
    None
}

impl RuleCheck for Schema {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let record = Node::made(Value::Map(case.candidate.record().clone()));
        let (faults, count) = evaluate::evaluate(&self.schemas, &record).map_err(|exceeded| {
            let record = case.candidate.label();
            Diagnostic::new(
                COSTS_TOO_MUCH,
                format!("{record} can't be held against `{}`: {}", self.path, exceeded.0),
            )
            .help("simplify the schema: alternatives within alternatives multiply")
            .boxed()
        })?;
        let outcome = if count == 0 { Outcome::Pass } else { Outcome::Fail };
        judgement.compare(Comparison::exact(self.path.as_str(), "fits", outcome));
        let shown = faults.len();
        for fault in faults {
            let is_root = fault.path.segments().is_empty();
            let at = if is_root { "the record".to_owned() } else { format!("`{}`", fault.path) };
            let message = format!("{at} does not fit `{}`: {}", self.path, fault.message);
            let mut raised = Finding::new(DOES_NOT_FIT, message);
            raised.comparison = Some(0);
            judgement.raise(raised.at(fault.path, "does not fit"));
        }
        if count > shown {
            judgement.notes.push(format!("and {} more places that do not fit", count - shown));
        }
        if !self.schemas.ignored.is_empty() {
            let ignored: Vec<&str> = self.schemas.ignored.iter().map(String::as_str).collect();
            judgement.notes.push(format!(
                "`{}` has what gate does not check: {}",
                self.path,
                ignored.join(", ")
            ));
        }
        Ok(judgement)
    }
}
