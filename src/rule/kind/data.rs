//! A dataset's version is only a name, and the data behind it can change. `data` requires the files that the
//! run recorded.

use super::{Kind, RuleCheck};
use crate::document::Diagnostic;
use crate::document::{Node, Path};
use crate::rule::disjoint::{self, Disjoint};
use crate::rule::files::{Recorded, check, no_digest, no_path};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::presence::absent;
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::run::Field;
use crate::verdict::{Comparison, Outcome};

pub(super) const KIND: Kind = Kind {
    name: "data",
    says: "the data files have the recorded digests, and splits share nothing",
    codes: &[],
    load,
};

#[derive(Debug)]
struct Data {
    digests: bool,
    disjoint: Option<Disjoint>,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let map = loading.reader.map(body, "`data`")?;
    let known: Vec<&str> = ["digests"].into_iter().chain(disjoint::KEYS).collect();
    loading.reader.only(map, "`data`", &known);
    let disjoint = Disjoint::load(loading.reader, map);
    let digests = match map.get("digests") {
        Some(node) => loading.reader.boolean(node, "`digests`")?,
        None => false,
    };
    if digests || disjoint.is_some() {
        return Some(Box::new(Data { digests, disjoint }));
    }
    let is_empty = map.iter().all(|(key, _)| key == "digests");
    if is_empty {
        loading.reader.problem(EMPTY_BODY, body.span, "`data` requires nothing", "nothing").help =
            Some("write `data: { digests: true }`, or `data: { disjoint: [train, validation] }`".into());
    }
    None
}

impl RuleCheck for Data {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        if let Some(disjoint) = &self.disjoint {
            disjoint.judge(&mut judgement, case);
        }
        if !self.digests {
            return Ok(judgement);
        }
        let files = case.candidate.data();
        if files.is_empty() {
            let field = Field { path: Path::of(["data"]), node: None, none_matched: false };
            if let Some(raised) = absent(case.candidate, &field) {
                judgement.fail(Comparison::exact("data", "recorded", Outcome::Fail), raised);
            }
        }
        for file in &files {
            let what = file.name.map_or_else(|| "data".to_owned(), |name| format!("data {name}"));
            match (file.path, &file.digest) {
                (None, _) => no_path(&mut judgement, &what, &file.at, None),
                (_, None) => no_digest(&mut judgement, case, &what, &file.at),
                (Some(path), Some(digest)) => {
                    let file =
                        Recorded { what, at: file.at.clone(), path, digest: Some(digest), list: file.files };
                    check(&mut judgement, case.facts, &file);
                }
            }
        }
        Ok(judgement)
    }
}
