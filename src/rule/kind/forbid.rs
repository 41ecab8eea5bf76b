//! Some things must not be in a record: a customer's name among the tags, a path on someone's own machine.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::Node;
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::run::FieldPath;
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    FORBIDDEN = "forbid/there": "A forbidden field is present.";
}

pub(super) const KIND: Kind = Kind { name: "forbid", says: "these fields are absent", codes: CODES, load };

#[derive(Debug)]
struct Forbid(Vec<FieldPath>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let paths: Vec<FieldPath> = loading.paths(body, "`forbid`").into_iter().map(|(path, _)| path).collect();
    (!paths.is_empty()).then(|| Box::new(Forbid(paths)) as Box<dyn RuleCheck>)
}

impl RuleCheck for Forbid {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        for path in &self.0 {
            let found = case.candidate.find_anywhere(path);
            if found.is_empty() {
                judgement.compare(Comparison::exact(path.written(), "absent", Outcome::Pass));
            }
            for field in found {
                let Some(node) = field.node else { continue };
                let name = field.path.to_string();
                let comparison =
                    Comparison::exact(name.as_str(), "absent", Outcome::Fail).candidate(node.in_full());
                let raised = Finding::new(FORBIDDEN, format!("`{name}` must not be in the record"))
                    .at(field.path, "must not be here")
                    .subject(name)
                    .help("remove it where training writes the record");
                judgement.fail(comparison, raised);
            }
        }
        Ok(judgement)
    }
}
