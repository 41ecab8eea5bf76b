//! A commit that is not in the history of what is released can't be read, reviewed or built again.

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Path, Value};
use crate::rule::presence::absent;
use crate::rule::{CommitFacts, Loading, RuleInput, RuleResult};
use crate::run::Field;
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    NOT_A_COMMIT = "code/not-a-commit": "The recorded code version is not the id of a commit.";
    UNKNOWN_COMMIT = "code/unknown-commit": "The recorded commit is not in the repository.";
    AMBIGUOUS_COMMIT = "code/ambiguous-commit": "More than one commit begins with the recorded id.";
    NOT_AN_ANCESTOR = "code/not-an-ancestor": "The recorded commit is not part of what is being released.";
    DIRTY = "code/dirty": "The tree had uncommitted changes when the run was made.";
    CANNOT_TELL = "code/cannot-tell": "The repository can't answer: it is shallow, or there is none.";
}

pub(super) const KIND: Kind = Kind {
    name: "code",
    says: "the commit exists, is an ancestor of what is being released, and the tree was clean",
    codes: CODES,
    load,
};

#[derive(Debug)]
struct Code {
    clean: bool,
    ancestor_of: String,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let mut code = Code { clean: true, ancestor_of: "HEAD".to_owned() };
    if matches!(body.value, Value::Bool(_)) {
        return loading.is_true(body, "code").then(|| Box::new(code) as Box<dyn RuleCheck>);
    }
    let map = loading.reader.map(body, "`code`, unless it is `true`,")?;
    loading.reader.only(map, "`code`", &["clean", "ancestor_of"]);
    if let Some(node) = map.get("clean") {
        code.clean = loading.reader.boolean(node, "`clean`")?;
    }
    if let Some(node) = map.get("ancestor_of") {
        loading.reader.text(node, "`ancestor_of`")?.clone_into(&mut code.ancestor_of);
    }
    Some(Box::new(code))
}

impl RuleCheck for Code {
    fn revision(&self) -> Option<&str> {
        Some(&self.ancestor_of)
    }

    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        self.commit(case, &mut judgement)?;
        if self.clean {
            clean(case, &mut judgement);
        }
        Ok(judgement)
    }
}

impl Code {
    fn commit(&self, case: &RuleInput<'_>, judgement: &mut RuleResult) -> Result<(), Box<Diagnostic>> {
        let path = Path::of(["git_commit"]);
        let field = Field { path: path.clone(), node: case.candidate.get(&path), none_matched: false };
        if let Some(raised) = absent(case.candidate, &field) {
            judgement.fail(Comparison::exact("git_commit", "exists", Outcome::Fail), raised);
            return Ok(());
        }
        let id = case.candidate.text("git_commit").unwrap_or_default();
        let mut wrong = |word: &'static str, raised: Finding, label: &str| {
            judgement.fail(
                Comparison::exact("git_commit", word, Outcome::Fail).candidate(id),
                raised.at(path.clone(), label),
            );
        };
        if !looks_like_a_commit(id) {
            let raised = Finding::new(NOT_A_COMMIT, format!("`{id}` is not the id of a commit")).help(
                "record the output of `git rev-parse HEAD`: 40 hexadecimal digits, or at least 7 of them",
            );
            wrong("exists", raised, "not a commit");
            return Ok(());
        }
        let whole = match case.facts.commit(id).map_err(cannot)? {
            CommitFacts::Known(whole) => whole,
            CommitFacts::Unknown => {
                let raised =
                    Finding::new(UNKNOWN_COMMIT, format!("there is no commit {id} in this repository")).help(
                        "push the commit that training ran on; one that was amended or rebased away is gone",
                    );
                wrong("exists", raised, "unknown");
                return Ok(());
            }
            CommitFacts::Ambiguous => {
                let raised = Finding::new(AMBIGUOUS_COMMIT, format!("more than one commit begins with {id}"))
                    .help("record all 40 digits");
                wrong("exists", raised, "ambiguous");
                return Ok(());
            }
        };
        if !case.facts.is_ancestor(&whole, &self.ancestor_of).map_err(cannot)? {
            let raised =
                Finding::new(NOT_AN_ANCESTOR, format!("commit {id} is not part of {}", self.ancestor_of))
                    .help("train on a commit that is being released, or merge the branch that it is on");
            wrong("ancestor_of", raised, "not in the history");
            return Ok(());
        }
        judgement.compare(
            Comparison::exact("git_commit", "ancestor_of", Outcome::Pass)
                .candidate(whole)
                .limit(self.ancestor_of.as_str()),
        );
        Ok(())
    }
}

fn clean(case: &RuleInput<'_>, judgement: &mut RuleResult) {
    let path = Path::of(["git_dirty"]);
    let node = case.candidate.get(&path);
    let field = Field { path: path.clone(), node, none_matched: false };
    if let Some(raised) = absent(case.candidate, &field) {
        judgement.fail(Comparison::exact("git_dirty", "clean", Outcome::Fail), raised);
    } else if matches!(node.map(|node| &node.value), Some(Value::Bool(false))) {
        judgement.compare(Comparison::exact("git_dirty", "clean", Outcome::Pass).candidate("false"));
    } else {
        let raised = Finding::new(DIRTY, "the tree had uncommitted changes")
            .at(path, "dirty")
            .help("commit first, then train");
        judgement.fail(Comparison::exact("git_dirty", "clean", Outcome::Fail).candidate("true"), raised);
    }
}

/// At least seven hexadecimal digits, and not more than SHA-256 has.
pub(super) fn looks_like_a_commit(id: &str) -> bool {
    (7..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn cannot(why: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: CANNOT_TELL.into(), ..*why }.boxed()
}
