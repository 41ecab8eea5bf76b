//! A field that is not recorded can't be asked about later: which data trained this model, which code?
//!
//! `require` says which fields must be present and, as a map, which conditions they must meet.

use super::linked::cannot;
use super::{Kind, RuleCheck};
use crate::document::Diagnostic;
use crate::document::{Node, Value};
use crate::rule::accounted::accounted;
use crate::rule::condition::Conditions;
use crate::rule::loading::EMPTY_BODY;
use crate::rule::named_files::Undigested;
use crate::rule::presence::{absent, present};
use crate::rule::{AboutChange, ChangeInput, Loading, RuleInput, RuleResult};
use crate::run::FieldPath;
use crate::verdict::LimitKind;
use crate::verdict::{Comparison, Outcome};

pub(super) const KIND: Kind = Kind {
    name: "require",
    says: "these fields are present: not null, not empty, and finite if a number; and they meet their conditions",
    codes: &[],
    load,
};

#[derive(Debug)]
struct Require(Vec<(FieldPath, Conditions)>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let fields: Vec<(FieldPath, Conditions)> = match &body.value {
        Value::Map(map) => {
            let entries: Vec<_> = map.entries().collect();
            entries
                .into_iter()
                .filter_map(|(text, entry)| {
                    let path = loading.path(text, entry.key);
                    let conditions = Conditions::load(loading, &entry.node, text);
                    Some((path?, conditions?))
                })
                .collect()
        }
        _ => loading
            .paths(body, "`require`")
            .into_iter()
            .map(|(path, _)| (path, Conditions::default()))
            .collect(),
    };
    if matches!(&body.value, Value::Map(map) if map.is_empty()) {
        loading.reader.problem(EMPTY_BODY, body.span, "`require` names no field", "empty");
    }
    (!fields.is_empty()).then(|| Box::new(Require(fields)) as Box<dyn RuleCheck>)
}

/// The fields that name files which a run made.
const MADE: [&str; 3] = ["artifact", "artifacts", "predictions"];

impl RuleCheck for Require {
    fn about_change(&self) -> AboutChange {
        let about_files = self.0.iter().any(|(path, _)| MADE.contains(&path.first_key()));
        if about_files { AboutChange::WhenFound } else { AboutChange::Never }
    }

    /// Checks that no file of an older record was replaced.
    fn judge_change(&self, case: &ChangeInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        accounted(case, Undigested::IsNoted).map_err(cannot)
    }

    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        for (path, conditions) in &self.0 {
            let fields = case.candidate.find(path);
            for field in &fields {
                match (absent(case.candidate, field), field.node) {
                    (Some(raised), node) => {
                        let mut comparison =
                            Comparison::exact(field.path.to_string(), "present", Outcome::Fail);
                        comparison.candidate = node.map(|node| node.in_full().into());
                        judgement.fail(comparison, raised);
                    }
                    (None, Some(node)) if conditions.is_empty() => {
                        judgement.compare(present(&field.path, node));
                    }
                    (None, Some(node)) => conditions.hold(&mut judgement, &field.path, node),
                    (None, None) => {}
                }
            }
            conditions.hold_together(&mut judgement, path.written(), &fields);
        }
        Ok(judgement)
    }

    fn words(&self) -> Vec<LimitKind> {
        self.0.iter().flat_map(|(_, conditions)| &conditions.limits).map(|limit| limit.word).collect()
    }
}
