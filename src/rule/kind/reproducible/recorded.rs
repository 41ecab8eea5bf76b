//! What every part of `reproducible` asks first: is it recorded at all.

use super::{CANNOT_TELL, NOT_RECORDED};
use crate::document::Diagnostic;
use crate::document::{Node, Path};
use crate::rule::presence::absent;
use crate::rule::{RuleInput, RuleResult};
use crate::run::FieldPath;
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

/// At least one of the paths is there, with everything that it leads to.
pub(super) fn recorded(judgement: &mut RuleResult, case: &RuleInput<'_>, what: &'static str, paths: &[&str]) {
    let mut first: Option<(String, Finding)> = None;
    for path in paths {
        let Ok(path) = FieldPath::parse(path) else { continue };
        let fields = case.candidate.find(&path);
        match fields.iter().find_map(|field| absent(case.candidate, field).map(|raised| (field, raised))) {
            None => {
                let value = match fields.as_slice() {
                    [field] => field.node.map(Node::brief).unwrap_or_default(),
                    many => format!("{} values", many.len()),
                };
                judgement
                    .compare(Comparison::exact(path.written(), "recorded", Outcome::Pass).candidate(value));
                return;
            }
            Some((field, raised)) => {
                first.get_or_insert((field.path.to_string(), raised));
            }
        }
    }
    let Some((subject, raised)) = first else { return };
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
}

/// The text at a field, and where it is.
pub(super) fn written<'c>(case: &RuleInput<'c>, path: &str) -> Option<(&'c str, Path)> {
    let path = FieldPath::parse(path).ok()?.to_path()?;
    Some((case.candidate.get(&path)?.as_written()?, path))
}

pub(super) fn cannot(why: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: CANNOT_TELL.into(), ..*why }.boxed()
}
