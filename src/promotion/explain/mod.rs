//! `gate explain`: which run, which data, why, what changed, and whether it can be made again.

mod answers;

use std::path::{Path, PathBuf};

use super::artifact::hash_named;
use super::{NOT_FOUND, ONE_RUN};
use crate::check::{open, show};
use crate::document::{Problem, listed};
use crate::ledger::{Entry, Ledger, Line, Statement};
use crate::policy::Policy;
use crate::run::{FieldMap, LEDGER, Origin, Reference, Run};
use crate::source;
use crate::verdict::{Answer, Exit, Explanation, Step, Trouble};
use answers::{again, approved, changed, produced, reproducible, trained};

/// What to explain, as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// A file, a digest, the id of a run, or `stage:NAME`.
    pub model: String,
    /// The line of models, where several fit.
    pub line: Option<String>,
    /// The policy, for where records are; none means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
}

/// The questions.
const QUESTIONS: [&str; 5] = [
    "Which run produced it?",
    "What data trained it?",
    "Why was it approved?",
    "What changed from the version before?",
    "Can another engineer reproduce the run?",
];

/// Explains a model.
pub fn explain(question: &Question, folder: &Path) -> Explanation {
    let mut answer = Explanation {
        schema: "gate-explanation/v1",
        asked: question.model.clone(),
        what: String::new(),
        answers: Vec::new(),
        chain: Vec::new(),
        elsewhere: Vec::new(),
        notes: Vec::new(),
        troubles: Vec::new(),
        exit_code: Exit::NoVerdict,
    };
    match fill(&mut answer, question, folder) {
        Ok(true) => answer.exit_code = Exit::Pass,
        Ok(false) => answer.exit_code = Exit::Fail,
        Err(problems) => answer.troubles = problems.iter().map(Trouble::from).collect(),
    }
    answer
}

/// What was asked about.
enum Asked {
    Stage(String),
    Digest(String),
    RunId(String),
}

fn asked(question: &Question, folder: &Path) -> Result<Asked, Box<Problem>> {
    let text = &question.model;
    if let Ok(Reference::Stage(stage)) = Reference::parse(text) {
        return Ok(Asked::Stage(stage));
    }
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Asked::Digest(digits.to_ascii_lowercase()));
    }
    let path = folder.join(text);
    if path.exists() {
        return Ok(Asked::Digest(hash_named(&path)?.sha256));
    }
    Ok(Asked::RunId(text.clone()))
}

/// Whether anything leads to it.
fn fill(answer: &mut Explanation, question: &Question, folder: &Path) -> Result<bool, Vec<Problem>> {
    let asked = asked(question, folder)?;
    let (workspace, policy) = open(question.policy.as_deref(), question.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    let mut found = promotions(&asked, question, &ledger)?;
    if let (Asked::Stage(stage), true) = (&asked, found.len() > 1) {
        let models: Vec<&str> = found.iter().map(|(line, _, _)| line.model.as_str()).collect();
        let message = format!("the stage `{stage}` has promotions of {}", listed(&models));
        return Err(vec![Problem::new(ONE_RUN, message).help("say which is meant: --model NAME")]);
    }
    // What is current somewhere comes first, then what has come furthest, then what was decided last.
    found.sort_by_key(|(line, entry, current)| {
        (*current, stages_before(&line.stage, policy.as_ref()), time(entry))
    });
    let Some((line, entry, current)) = found.pop() else {
        return Ok(unpromoted(answer, &asked, policy.as_ref(), question, folder));
    };
    answer.elsewhere = found
        .iter()
        .rev()
        .map(|(line, entry, current)| {
            format!("promotion {} of {line}{}", entry.number, if *current { ", current" } else { "" })
        })
        .collect();
    let statement = entry.statement()?;
    let entries = ledger.entries(&line)?;
    answer.what = format!(
        "{} in {}: promotion {}{}",
        line.model,
        line.stage,
        entry.number,
        if current {
            ", the current one".to_owned()
        } else {
            format!(", superseded by promotion {}", entries.len())
        }
    );
    let run = record(&ledger, &line, &statement)?;
    let before = entries.iter().rev().find(|other| other.number + 1 == entry.number);
    answer.answers = vec![
        produced(&run, Some(&statement)),
        trained(&run),
        approved(&line, &entry, &statement),
        changed(&run, before, &line, &ledger, &workspace, policy.as_ref()),
        reproducible(&run, &statement),
    ];
    answer.chain = entries.iter().rev().filter_map(|other| step(other, entry.number)).collect();
    if let Some(broken) = super::verify::broken_chain(&entries, &line) {
        answer.notes.push(format!("the chain is broken: {broken}"));
    }
    answer.notes.push("read from the ledger as it lies here; `gate verify --key` shows who signed it".into());
    Ok(true)
}

/// How many stages a model has behind it at this one.
fn stages_before(stage: &str, policy: Option<&Policy>) -> usize {
    let Some(stages) = policy.map(|policy| &policy.stages) else { return 0 };
    let before = |stage: &&str| stages.get(*stage)?.after.as_deref();
    // A ring can't be built, and a policy has no more stages than it declares.
    std::iter::successors(Some(stage), before).take(stages.len()).count()
}

fn time(entry: &Entry) -> String {
    entry
        .statement()
        .ok()
        .and_then(|it| it.predicate(&["timeVerified"]).map(str::to_owned))
        .unwrap_or_default()
}

/// Of each line the newest promotion that fits, and whether it is the current one.
fn promotions(
    asked: &Asked,
    question: &Question,
    ledger: &Ledger<'_>,
) -> Result<Vec<(Line, Entry, bool)>, Box<Problem>> {
    let mut found = Vec::new();
    for line in ledger.lines()? {
        if question.line.as_ref().is_some_and(|model| *model != line.model) {
            continue;
        }
        let entries = ledger.entries(&line)?;
        let newest = entries.last().map(|entry| entry.number);
        let fits = |entry: &Entry| {
            let Ok(statement) = entry.statement() else { return false };
            match asked {
                Asked::Stage(stage) => line.stage == *stage && Some(entry.number) == newest,
                Asked::Digest(digest) => statement.is_for(digest),
                Asked::RunId(id) => statement.own_text(&["run", "runId"]) == Some(id),
            }
        };
        if let Some(entry) = entries.into_iter().rev().find(fits) {
            let current = Some(entry.number) == newest;
            found.push((line, entry, current));
        }
    }
    Ok(found)
}

/// The record that a promotion keeps.
pub(super) fn record(ledger: &Ledger<'_>, line: &Line, statement: &Statement) -> Result<Run, Box<Problem>> {
    let uri = statement.own_text(&["record", "uri"]).unwrap_or_default();
    let digest = statement.own_text(&["record", "digest", "sha256"]).unwrap_or_default();
    let bytes = ledger.by_digest(line, uri, digest)?;
    let origin = Origin { tracker: LEDGER.into(), reference: line.to_string(), resolved: None };
    let label = ledger.label(&format!("{}/{uri}", line.folder()));
    let mut runs = source::read(&label, bytes, &FieldMap::default(), &origin).into_iter();
    match runs.next() {
        Some(Ok(run)) => Ok(run),
        Some(Err(bad)) => Err(bad.problems.into_iter().next().map_or_else(|| unread(&label), Problem::boxed)),
        None => Err(unread(&label)),
    }
}

fn unread(label: &str) -> Box<Problem> {
    Problem::new(crate::ledger::BROKEN, format!("`{label}` holds no record"))
        .help("restore it from git")
        .boxed()
}

/// What a record alone tells, where nothing was promoted.
fn unpromoted(
    answer: &mut Explanation,
    asked: &Asked,
    policy: Option<&Policy>,
    question: &Question,
    folder: &Path,
) -> bool {
    let what = match asked {
        Asked::Stage(stage) => {
            let message = format!("nothing is promoted to the stage `{stage}`");
            let help = "a ledger elsewhere is named with --ledger DIR";
            answer.troubles.push(Trouble::from(&Problem::new(NOT_FOUND, message).help(help)));
            return false;
        }
        Asked::Digest(digest) => format!("sha256:{digest}"),
        Asked::RunId(id) => id.clone(),
    };
    let paths: Vec<String> =
        policy.and_then(|policy| policy.runs.as_ref()).map(|runs| runs.paths.clone()).unwrap_or_default();
    let root = crate::check::workspace_root(folder);
    let (runs, _) = if paths.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        show(&paths, question.policy.as_deref(), &root)
    };
    let fits = |run: &&Run| match asked {
        Asked::RunId(id) => run.text("run_id") == Some(id),
        Asked::Digest(digest) => run.artifacts().iter().any(|artifact| {
            artifact
                .digest
                .as_ref()
                .is_some_and(|found| &*found.algorithm == "sha256" && *found.value == **digest)
        }),
        Asked::Stage(_) => false,
    };
    let Some(run) = runs.iter().find(fits) else {
        let message = format!("no promotion, and no run record, leads to `{what}`");
        let help = if paths.is_empty() {
            "a policy with `runs:` says where the records are; a ledger elsewhere is named with --ledger DIR"
        } else {
            "a model file without the run that produced it is a file of unknown origin"
        };
        answer.troubles.push(Trouble::from(&Problem::new(NOT_FOUND, message).help(help)));
        return false;
    };
    answer.what = format!(
        "{}, not promoted",
        run.model().map_or_else(|| run.label().to_owned(), |model| format!("a run of {model}"))
    );
    let silent = |index: usize, why: &str| Answer {
        question: QUESTIONS[index],
        facts: Vec::new(),
        evidence: Vec::new(),
        not_recorded: vec![why.to_owned()],
    };
    answer.answers = vec![
        produced(run, None),
        trained(run),
        silent(2, "it was not promoted: no entry of the ledger is for it"),
        silent(
            3,
            "nothing was promoted, so there is no version before: `gate diff A B` compares any two runs",
        ),
        again(run),
    ];
    true
}

fn step(entry: &Entry, asked: u64) -> Option<Step> {
    let statement = entry.statement().ok()?;
    let own = |path: &[&str]| statement.own_text(path).unwrap_or_default().to_owned();
    let action = if own(&["verdict"]) == "overridden" { "override".to_owned() } else { own(&["action"]) };
    let run = statement.own_text(&["run", "runId"]).map_or_else(|| own(&["run", "uri"]), str::to_owned);
    let sha256 =
        statement.subjects().first().and_then(|subject| subject.sha256).unwrap_or_default().to_owned();
    let at = statement.predicate(&["timeVerified"]).unwrap_or_default().to_owned();
    Some(Step { sequence: entry.number, at, action, run, sha256, asked: entry.number == asked })
}
