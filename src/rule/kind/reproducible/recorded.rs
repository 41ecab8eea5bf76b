//! What every part of `reproducible` checks first: whether it is recorded at all.

use super::{CANNOT_TELL, NOT_RECORDED};
use crate::document::Diagnostic;
use crate::document::{Node, Path};
use crate::rule::presence::absent;
use crate::rule::{RuleInput, RuleResult};
use crate::run::{Field, FieldPath};
use crate::verdict::{Comparison, Outcome};

/// Requires that at least one of the paths is present, with all of its values.
pub(super) fn recorded(judgement: &mut RuleResult, case: &RuleInput<'_>, what: &'static str, paths: &[&str]) {
    let mut first = None;
    for path in paths {
        let Ok(path) = FieldPath::parse(path) else { continue };
        let fields = case.candidate.find(&path);
        // Explain why a field is absent only if no other path is present.
        let is_there = |field: &Field<'_>| field.node.is_some() && absent(case.candidate, field).is_none();
        if fields.iter().all(is_there) {
            judgement.compare(shown(path.written(), &fields));
            return;
        }
        first.get_or_insert(fields);
    }
    if let Some(fields) = first {
        not_recorded(judgement, case, what, &fields);
    }
}

/// The comparison for recorded values.
pub(super) fn shown(path: &str, fields: &[Field<'_>]) -> Comparison {
    let value = match fields {
        [field] => field.node.map(Node::brief).unwrap_or_default(),
        many => format!("{} values", many.len()),
    };
    Comparison::exact(path, "recorded", Outcome::Pass).candidate(value)
}

/// Fails for the first field that is absent; `false` if none is.
pub(super) fn not_recorded(
    judgement: &mut RuleResult,
    case: &RuleInput<'_>,
    what: &'static str,
    fields: &[Field<'_>],
) -> bool {
    let why = fields.iter().find_map(|field| Some((field, absent(case.candidate, field)?)));
    let Some((field, raised)) = why else { return false };
    let subject = field.path.to_string();
    let option = match what {
        "seed" => " --seed SEED",
        "data" | "number of rows" => " --data ROLE=FILE",
        "data version" => " --data-version VERSION",
        "lockfile" => " --lockfile FILE",
        "container image" => " --container IMAGE",
        _ => "",
    };
    let verb = if what.ends_with("variables") { "are" } else { "is" };
    let mut finding =
        raised.instead(NOT_RECORDED, |message| format!("the {what} {verb} not recorded: {message}"));
    if let Some(help) = &mut finding.diagnostic.help {
        help.push_str(&format!("; `gate record{option} -- CMD…` records it"));
    }
    judgement.fail(Comparison::exact(subject, "recorded", Outcome::Fail), finding);
    true
}

/// The text at a field, and where it is.
pub(super) fn written<'c>(case: &RuleInput<'c>, path: &str) -> Option<(&'c str, Path)> {
    let path = FieldPath::parse(path).ok()?.to_path()?;
    Some((case.candidate.get(&path)?.as_written()?, path))
}

pub(super) fn cannot(why: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: CANNOT_TELL.into(), ..*why }.boxed()
}
