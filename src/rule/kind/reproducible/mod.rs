//! Checks that another engineer can reproduce the run: everything that it depended on must be recorded.

mod code;
mod data;
mod recorded;
mod surroundings;

use self::code::{at_commit, clean_tree, commit, full_commit, pinned};
use self::data::{data_version, digests};
use self::recorded::recorded;
use self::surroundings::{command, container, portable, variables};
use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Value};
use crate::rule::{Loading, RuleInput, RuleResult};

codes! {
    NOT_RECORDED = "reproducible/not-recorded": "Something that the run depended on was not recorded.";
    NOT_AT_COMMIT = "reproducible/not-at-commit": "The recorded commit does not have a file that the run depended on, or has another version of it.";
    NOT_PORTABLE = "reproducible/not-portable": "The command names something that exists on one machine only.";
    NOT_PINNED = "reproducible/not-pinned": "The container image is named by a tag, which can change, and not by its digest.";
    CANNOT_TELL = "reproducible/cannot-tell": "The repository can't answer whether the commit exists, or which files it has.";
    NOT_A_COMMIT = "reproducible/not-a-commit": "The recorded commit is not a commit id, or no such commit exists.";
    NOT_A_COMMAND = "reproducible/not-a-command": "The recorded command does not begin with the name of a program.";
    NOT_A_DIGEST = "reproducible/not-a-digest": "A recorded digest is incomplete, or is not a digest.";
    OPEN_VERSIONS = "reproducible/open-versions": "The list of packages does not pin every version.";
    DATA_MOVED = "reproducible/data-moved": "The data has the same version as the baseline's, but another digest.";
    NOT_CLEAN = "reproducible/not-clean": "The run used code that is not in any commit.";
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
    FullCommit,
    CleanTree,
    Command,
    Seed,
    Lockfile,
    Data,
    Script,
    Rows,
    DataVersion,
    LockfileAtCommit,
    PinnedPackages,
    Portable,
    Environment,
    Hardware,
    Variables,
    Container,
}

/// The parts that `true` requires, then those that must be named, since not every project can have them.
const PARTS: [(&str, Part); 17] = [
    ("commit", Part::Commit),
    ("clean-tree", Part::CleanTree),
    ("command", Part::Command),
    ("seed", Part::Seed),
    ("lockfile", Part::Lockfile),
    ("data", Part::Data),
    ("full-commit", Part::FullCommit),
    ("rows", Part::Rows),
    ("data-version", Part::DataVersion),
    ("script", Part::Script),
    ("lockfile-at-commit", Part::LockfileAtCommit),
    ("pinned-packages", Part::PinnedPackages),
    ("portable-command", Part::Portable),
    ("environment", Part::Environment),
    ("hardware", Part::Hardware),
    ("variables", Part::Variables),
    ("container", Part::Container),
];
const BY_DEFAULT: usize = 6;

/// The names of all parts.
pub(super) fn parts() -> Vec<&'static str> {
    PARTS.iter().map(|(name, _)| *name).collect()
}

/// Where scripts keep their seed.
const SEEDS: [&str; 4] = ["seed", "params.seed", "params.random_state", "params.random_seed"];

#[derive(Debug)]
struct Reproducible(Vec<Part>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    if matches!(body.value, Value::Bool(_)) {
        let all = PARTS.iter().take(BY_DEFAULT).map(|(_, part)| *part).collect();
        return loading
            .is_true(body, "reproducible")
            .then(|| Box::new(Reproducible(all)) as Box<dyn RuleCheck>);
    }
    let items = loading.reader.list(body, "`reproducible`, unless it is `true`,")?;
    if items.is_empty() {
        loading.reader.wrong_sort(body, "`reproducible`", "`true`, or a list with at least one entry");
    }
    let parts: Vec<Part> = items
        .iter()
        .filter_map(|item| loading.reader.word(item, "what `reproducible` asks for", &PARTS))
        .collect();
    (!parts.is_empty()).then(|| Box::new(Reproducible(parts)) as Box<dyn RuleCheck>)
}

impl RuleCheck for Reproducible {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        for part in &self.0 {
            match part {
                Part::Commit => commit(&mut judgement, case),
                Part::FullCommit => full_commit(&mut judgement, case)?,
                Part::Command => command(&mut judgement, case),
                Part::Seed => recorded(&mut judgement, case, "seed", &SEEDS),
                Part::Lockfile => digests(&mut judgement, case, "lockfile", "environment.lockfile.digest"),
                Part::Data => digests(&mut judgement, case, "data", "data[].digest"),
                Part::Rows => recorded(&mut judgement, case, "number of rows", &["data[].rows"]),
                Part::DataVersion => data_version(&mut judgement, case)?,
                Part::CleanTree => clean_tree(&mut judgement, case),
                Part::Script => at_commit(&mut judgement, case, "source", None)?,
                Part::LockfileAtCommit => {
                    let digest = Some("environment.lockfile.digest");
                    at_commit(&mut judgement, case, "environment.lockfile.path", digest)?;
                }
                Part::PinnedPackages => pinned(&mut judgement, case)?,
                Part::Portable => portable(&mut judgement, case),
                Part::Environment => {
                    recorded(&mut judgement, case, "interpreter", &["environment.python"]);
                    recorded(&mut judgement, case, "list of packages", &["environment.packages"]);
                }
                Part::Hardware => recorded(&mut judgement, case, "hardware", &["environment.hardware"]),
                Part::Variables => variables(&mut judgement, case),
                Part::Container => container(&mut judgement, case),
            }
        }
        Ok(judgement)
    }

    fn compares(&self) -> bool {
        self.0.contains(&Part::DataVersion)
    }
}
