//! Can another engineer reproduce the run? Only if what it depended on was written down.

use super::{Kind, Requirement};
use crate::code::codes;
use crate::document::{Node, Path, Value};
use crate::rule::presence::absent;
use crate::rule::{CannotJudge, Case, Judgement, Loading, Raised};
use crate::run::{Field, FieldPath};
use crate::verdict::{Comparison, Outcome};

codes! {
    NOT_RECORDED = "reproducible/not-recorded": "Something that the run depended on was not recorded.";
    NOT_CLEAN = "reproducible/not-clean": "The run was made from code that no commit holds.";
}

pub(super) const KIND: Kind = Kind {
    name: "reproducible",
    says: "commit, clean tree, command, seed, lockfile and data digests are recorded",
    codes: CODES,
    load,
};

/// One thing that a run can be asked to have recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Commit,
    CleanTree,
    Command,
    Seed,
    Lockfile,
    Data,
}

const PARTS: [(&str, Part); 6] = [
    ("commit", Part::Commit),
    ("clean-tree", Part::CleanTree),
    ("command", Part::Command),
    ("seed", Part::Seed),
    ("lockfile", Part::Lockfile),
    ("data", Part::Data),
];

/// Where scripts keep their seed.
const SEEDS: [&str; 4] = ["seed", "params.seed", "params.random_state", "params.random_seed"];

#[derive(Debug)]
struct Reproducible(Vec<Part>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn Requirement>> {
    if matches!(body.value, Value::Bool(_)) {
        let all = PARTS.iter().map(|(_, part)| *part).collect();
        return loading
            .is_true(body, "reproducible")
            .then(|| Box::new(Reproducible(all)) as Box<dyn Requirement>);
    }
    let items = loading.reader.list(body, "`reproducible`, unless it is `true`,")?;
    if items.is_empty() {
        loading.reader.wrong_sort(body, "`reproducible`", "`true`, or a list with at least one entry");
    }
    let parts: Vec<Part> = items
        .iter()
        .filter_map(|item| loading.reader.word(item, "what `reproducible` asks for", &PARTS))
        .collect();
    (!parts.is_empty()).then(|| Box::new(Reproducible(parts)) as Box<dyn Requirement>)
}

impl Requirement for Reproducible {
    fn judge(&self, case: &Case<'_>) -> Result<Judgement, CannotJudge> {
        let mut judgement = Judgement::default();
        for part in &self.0 {
            match part {
                Part::Commit => recorded(&mut judgement, case, "commit", &["git_commit"]),
                Part::Command => recorded(&mut judgement, case, "command", &["command"]),
                Part::Seed => recorded(&mut judgement, case, "seed", &SEEDS),
                Part::Lockfile => {
                    recorded(&mut judgement, case, "lockfile", &["environment.lockfile.digest"]);
                }
                Part::Data => recorded(&mut judgement, case, "data", &["data[].digest"]),
                Part::CleanTree => clean_tree(&mut judgement, case),
            }
        }
        Ok(judgement)
    }
}

/// At least one of the paths is there, with everything that it leads to.
fn recorded(judgement: &mut Judgement, case: &Case<'_>, what: &'static str, paths: &[&str]) {
    let mut first: Option<(String, Raised)> = None;
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
    let raised = Raised {
        code: NOT_RECORDED,
        message: format!("the {what} is not recorded: {}", raised.message),
        ..raised
    };
    judgement.fail(Comparison::exact(subject, "recorded", Outcome::Fail), raised);
}

fn clean_tree(judgement: &mut Judgement, case: &Case<'_>) {
    let path = Path::of(["git_dirty"]);
    let node = case.candidate.get(&path);
    if let Some(Value::Bool(false)) = node.map(|node| &node.value) {
        judgement.compare(Comparison::exact("git_dirty", "false", Outcome::Pass).candidate("false"));
        return;
    }
    let field = Field { path: path.clone(), node, none_matched: false };
    let raised = match absent(case.candidate, &field) {
        Some(raised) => Raised {
            code: NOT_RECORDED,
            message: format!("whether the tree was clean is not recorded: {}", raised.message),
            ..raised
        },
        None => Raised::new(NOT_CLEAN, "the run was made from code that no commit holds")
            .at(path, "dirty")
            .help("commit first, then train"),
    };
    judgement.fail(Comparison::exact("git_dirty", "false", Outcome::Fail), raised);
}
