//! Can another engineer reproduce the run? Only if what it depended on was written down.

use sha2::{Digest as _, Sha256};

use super::code::looks_like_a_commit;
use super::{Kind, Requirement};
use crate::code::codes;
use crate::document::{Node, Path, Value, hex};
use crate::rule::presence::absent;
use crate::rule::{CannotJudge, CannotTell, Case, Judgement, Loading, Raised};
use crate::run::{Digest, Field, FieldPath};
use crate::verdict::{Comparison, Outcome};

codes! {
    NOT_RECORDED = "reproducible/not-recorded": "Something that the run depended on was not recorded.";
    NOT_AT_COMMIT = "reproducible/not-at-commit": "A file that the run depended on is not at its commit as it was recorded.";
    NOT_PORTABLE = "reproducible/not-portable": "The command names something that only one machine has.";
    NOT_PINNED = "reproducible/not-pinned": "The container image is named by a tag, which moves, and not by its digest.";
    CANNOT_TELL = "reproducible/cannot-tell": "The repository can't answer what the commit holds.";
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
    Script,
    LockfileAtCommit,
    Portable,
    Environment,
    Hardware,
    Variables,
    Container,
}

/// What `true` asks for, then what is asked for by name only: not every project can have it.
const PARTS: [(&str, Part); 13] = [
    ("commit", Part::Commit),
    ("clean-tree", Part::CleanTree),
    ("command", Part::Command),
    ("seed", Part::Seed),
    ("lockfile", Part::Lockfile),
    ("data", Part::Data),
    ("script", Part::Script),
    ("lockfile-at-commit", Part::LockfileAtCommit),
    ("portable-command", Part::Portable),
    ("environment", Part::Environment),
    ("hardware", Part::Hardware),
    ("variables", Part::Variables),
    ("container", Part::Container),
];
const BY_DEFAULT: usize = 6;

/// Where scripts keep their seed.
const SEEDS: [&str; 4] = ["seed", "params.seed", "params.random_state", "params.random_seed"];

#[derive(Debug)]
struct Reproducible(Vec<Part>);

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn Requirement>> {
    if matches!(body.value, Value::Bool(_)) {
        let all = PARTS.iter().take(BY_DEFAULT).map(|(_, part)| *part).collect();
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
                Part::Script => at_commit(&mut judgement, case, "source", None)?,
                Part::LockfileAtCommit => {
                    let digest = Some("environment.lockfile.digest");
                    at_commit(&mut judgement, case, "environment.lockfile.path", digest)?;
                }
                Part::Portable => portable(&mut judgement, case),
                Part::Environment => {
                    recorded(&mut judgement, case, "interpreter", &["environment.python"]);
                    recorded(&mut judgement, case, "list of packages", &["environment.packages"]);
                }
                Part::Hardware => recorded(&mut judgement, case, "hardware", &["environment.hardware"]),
                Part::Variables => {
                    recorded(&mut judgement, case, "environment variables", &["environment.variables"]);
                }
                Part::Container => container(&mut judgement, case),
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
    let option = match what {
        "seed" => " --seed SEED",
        "data" => " --data ROLE=FILE",
        "container image" => " --container IMAGE",
        _ => "",
    };
    let raised = Raised {
        code: NOT_RECORDED,
        message: format!("the {what} is not recorded: {}", raised.message),
        help: raised.help.as_ref().map(|help| format!("{help}; `gate record{option} -- CMD…` records it")),
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

/// The file that a field names is at the recorded commit, with the recorded digest where there is one.
fn at_commit(
    judgement: &mut Judgement,
    case: &Case<'_>,
    field: &'static str,
    digest: Option<&str>,
) -> Result<(), CannotJudge> {
    let text = |path: &str| {
        let path = FieldPath::parse(path).ok()?.to_path()?;
        Some((case.candidate.get(&path)?.as_written()?.to_owned(), path))
    };
    for needed in [Some(field), Some("git_commit"), digest].into_iter().flatten() {
        if text(needed).is_none() {
            recorded(
                judgement,
                case,
                "file at the commit",
                match needed {
                    "git_commit" => &["git_commit"],
                    "source" => &["source"],
                    "environment.lockfile.path" => &["environment.lockfile.path"],
                    _ => &["environment.lockfile.digest"],
                },
            );
            return Ok(());
        }
    }
    let (Some((file, at)), Some((id, _))) = (text(field), text("git_commit")) else { return Ok(()) };
    let subject = format!("{field} at the commit");
    let mut wrong = |message: String, help: &str| {
        let raised = Raised::new(NOT_AT_COMMIT, message).at(at.clone(), "named here").help(help);
        judgement.fail(
            Comparison::exact(subject.as_str(), "there", Outcome::Fail).candidate(file.as_str()),
            raised,
        );
    };
    if !looks_like_a_commit(&id) {
        wrong(format!("`{id}` is not the id of a commit"), "record the output of `git rev-parse HEAD`");
        return Ok(());
    }
    let committed = case.evidence.committed(&id, &file).map_err(|why: CannotTell| CannotJudge {
        code: CANNOT_TELL,
        message: why.message,
        help: why.help,
    })?;
    let Some(bytes) = committed else {
        wrong(
            format!("`{file}` is not at commit {id}"),
            "commit it before training, and record its path from the workspace",
        );
        return Ok(());
    };
    let there = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
    if let Some((said, _)) = digest.and_then(text)
        && Digest::parse(&said) != Digest::parse(&there)
    {
        wrong(
            format!("`{file}` has {there} at the commit, and {said} in the record"),
            "it was edited after the commit: commit it first, then train; and record its digest as sha256",
        );
        return Ok(());
    }
    judgement.compare(Comparison::exact(subject, "there", Outcome::Pass).candidate(file));
    Ok(())
}

/// Where the homes of people are, by the systems that they use.
const HOMES: [&str; 4] = ["/home/", "/Users/", "/root/", "C:\\Users\\"];

/// No word of the command is a path of somebody's home, or was left for a shell to fill in.
fn portable(judgement: &mut Judgement, case: &Case<'_>) {
    let path = Path::of(["command"]);
    let Some(node) = case.candidate.get(&path) else {
        return recorded(judgement, case, "command", &["command"]);
    };
    let words: Vec<&str> = match node.as_list() {
        Some(items) => items.iter().filter_map(Node::as_written).collect(),
        None => node.as_written().into_iter().flat_map(str::split_whitespace).collect(),
    };
    let bound = |word: &&&str| {
        let value = word.split_once('=').map_or(**word, |(_, value)| value);
        HOMES.iter().any(|home| value.starts_with(home)) || value.starts_with('~') || value.contains('$')
    };
    match words.iter().find(bound) {
        None => {
            judgement
                .compare(Comparison::exact("command", "portable", Outcome::Pass).candidate(words.join(" ")));
        }
        Some(word) => {
            let raised = Raised::new(
                NOT_PORTABLE,
                format!("the command names `{word}`, which another machine does not have"),
            )
            .at(path, "here")
            .help(
                "start training with paths relative to the workspace, and with values instead of variables",
            );
            judgement.fail(Comparison::exact("command", "portable", Outcome::Fail).candidate(*word), raised);
        }
    }
}

fn container(judgement: &mut Judgement, case: &Case<'_>) {
    let path = Path::of(["environment", "container"]);
    let Some(image) =
        case.candidate.get(&path).and_then(Node::as_written).filter(|image| !image.contains('@'))
    else {
        return recorded(judgement, case, "container image", &["environment.container"]);
    };
    let raised =
        Raised::new(NOT_PINNED, format!("the container image `{image}` is named by a tag, which moves"))
            .at(path, "no digest")
            .help("record it with its digest: gate record --container IMAGE@sha256:…");
    judgement
        .fail(Comparison::exact("environment.container", "pinned", Outcome::Fail).candidate(image), raised);
}
