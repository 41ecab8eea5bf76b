//! `gate explain`: which run, which data, why, what changed, and whether it can be reproduced.

mod answers;
mod model;
mod unpromoted;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ONE_RUN;
use super::records::{recalled, record};
use crate::check::open;
use crate::document::{Diagnostic, listed};
use crate::facts::hash_named;
use crate::ledger::{Entry, Ledger, StageHistory};
use crate::policy::Policy;
use crate::run::Reference;
use crate::verdict::{Exit, Explanation, ModelFacts, Step};
use answers::{Evidence, approved, changed, produced, reproducible, trained};
use unpromoted::unpromoted;

/// What to explain.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// A file, a digest, the id of a run, or `stage:NAME`.
    pub model: String,
    /// The model, if several match.
    pub line: Option<String>,
    /// The policy, which says where records are; `None` means the `gate.yaml` here or above.
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
        facts: None,
        answers: Vec::new(),
        chain: Vec::new(),
        elsewhere: Vec::new(),
        notes: Vec::new(),
        troubles: Vec::new(),
        exit_code: Exit::NoVerdict,
    };
    match fill(&mut answer, question, folder) {
        Ok(exit) => answer.exit_code = exit,
        Err(problems) => answer.troubles.clone_from(&problems),
    }
    answer
}

/// What the question is about.
enum Asked {
    Stage(String),
    /// The SHA-256 of a model, or its first digits; and the file, if one was named.
    Digest(String, Option<PathBuf>),
    RunId(String),
}

/// Minimum number of digits that identify a digest.
const ENOUGH: usize = 8;

fn asked(question: &Question, folder: &Path) -> Result<Asked, Box<Diagnostic>> {
    let text = &question.model;
    if let Ok(Reference::Stage(stage)) = Reference::parse(text) {
        return Ok(Asked::Stage(stage));
    }
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let said = text.get(..7).filter(|start| start.eq_ignore_ascii_case("sha256:")).map(|_| &text[7..]);
    match said {
        Some(digits) if is_hex(digits) && (ENOUGH..=64).contains(&digits.len()) => {
            return Ok(Asked::Digest(digits.to_ascii_lowercase(), None));
        }
        None if is_hex(text) && text.len() == 64 => {
            return Ok(Asked::Digest(text.to_ascii_lowercase(), None));
        }
        _ => {}
    }
    let path = folder.join(text);
    if path.exists() {
        return Ok(Asked::Digest(hash_named(&path, None)?.sha256, Some(path)));
    }
    Ok(Asked::RunId(text.clone()))
}

/// Exit code 0 if something matches, 1 if nothing does, 2 if that is unclear.
fn fill(answer: &mut Explanation, question: &Question, folder: &Path) -> Result<Exit, Vec<Diagnostic>> {
    let asked = asked(question, folder)?;
    let (workspace, policy) = open(question.policy.as_deref(), question.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    let mut found = promotions(&asked, question, &ledger)?;
    if let (Asked::Stage(stage), true) = (&asked, found.len() > 1) {
        let models: Vec<&str> = found.iter().map(|(line, _, _)| line.model.as_str()).collect();
        let message = format!("the stage `{stage}` has promotions of {}", listed(&models));
        return Err(vec![Diagnostic::new(ONE_RUN, message).help("name one: --model NAME")]);
    }
    // Current promotions come first, then those at the latest stage, then the most recent.
    found.sort_by_key(|(line, entry, current)| {
        (*current, stages_before(&line.stage, policy.as_ref()), time(entry))
    });
    let Some((line, entry, current)) = found.pop() else {
        return unpromoted(answer, &asked, policy.as_ref(), question, &workspace);
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
    let superseded = (!current).then(|| format!("superseded by promotion {}", entries.len()));
    answer.what = format!(
        "{} in {}: promotion {}, {}",
        line.model,
        line.stage,
        entry.number,
        superseded.as_deref().unwrap_or("the current one")
    );
    let run = match record(&ledger, &line, &statement) {
        Ok(run) => run,
        Err(problem) => {
            answer.notes.push(format!(
                "{}; facts about the run come from its promotion, so 'not recorded' may mean lost",
                problem.message
            ));
            recalled(&entry.label, &statement)?
        }
    };
    let before = entries.iter().rev().find(|other| other.number + 1 == entry.number);
    let evidence = Evidence { ledger: &ledger, line: &line };
    answer.answers = vec![
        produced(&run, Some((&statement, &evidence)), &workspace),
        trained(&run),
        approved(&evidence, &entry, &statement),
        changed(&run, before, &line, &ledger, &workspace, policy.as_ref()),
        reproducible(&run, &statement),
    ];
    answer.facts = Some(ModelFacts {
        promotion: Some(model::decided(&evidence, &entries, (&entry, &statement), superseded)),
        ..model::facts(&run)
    });
    answer.chain = entries.iter().rev().filter_map(|other| step(other, entry.number)).collect();
    if let Some(broken) = super::verify::broken_chain(&entries, &line) {
        answer.notes.push(format!("the chain is broken: {broken}"));
    }
    answer.notes.push("read from the local ledger; `gate verify --key` shows who signed it".into());
    Ok(Exit::Pass)
}

/// How many stages a model has passed to reach this one.
fn stages_before(stage: &str, policy: Option<&Policy>) -> usize {
    let Some(stages) = policy.map(|policy| &policy.stages) else { return 0 };
    let before = |stage: &&str| stages.get(*stage)?.after.as_deref();
    // A cycle ends here too: a policy has no more stages than it declares.
    std::iter::successors(Some(stage), before).take(stages.len()).count()
}

fn time(entry: &Entry) -> String {
    entry
        .statement()
        .ok()
        .and_then(|it| it.predicate(&["timeVerified"]).map(str::to_owned))
        .unwrap_or_default()
}

/// The newest matching promotion of each stage history, and whether it is current. An unreadable promotion
/// may be the one asked about, so finding nothing then proves nothing.
fn promotions(
    asked: &Asked,
    question: &Question,
    ledger: &Ledger<'_>,
) -> Result<Vec<(StageHistory, Entry, bool)>, Box<Diagnostic>> {
    let mut found = Vec::new();
    let mut unreadable = None;
    let mut digests: BTreeSet<String> = BTreeSet::new();
    for line in ledger.lines()? {
        if question.line.as_ref().is_some_and(|model| *model != line.model) {
            continue;
        }
        if let Asked::Stage(stage) = asked
            && line.stage != *stage
        {
            continue;
        }
        let entries = ledger.entries(&line)?;
        let newest = entries.last().map(|entry| entry.number);
        let mut fitting = None;
        for entry in entries {
            let statement = match entry.statement() {
                Ok(statement) => statement,
                Err(problem) => {
                    unreadable = Some(problem);
                    continue;
                }
            };
            let fits = match asked {
                Asked::Stage(_) => Some(entry.number) == newest,
                Asked::Digest(start, _) => {
                    let subjects = statement.subjects();
                    let mut meant = subjects.iter().filter_map(|subject| subject.sha256);
                    let digest = meant.find(|digest| digest.starts_with(start.as_str()));
                    digests.extend(digest.map(str::to_owned));
                    digest.is_some()
                }
                Asked::RunId(id) => statement.own_text(&["run", "runId"]) == Some(id),
            };
            if fits {
                fitting = Some(entry);
            }
        }
        if let Some(entry) = fitting {
            let current = Some(entry.number) == newest;
            found.push((line, entry, current));
        }
    }
    if digests.len() > 1 {
        let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
        let message = format!("several models begin with that digest: {}", listed(&digests));
        return Err(Diagnostic::new(ONE_RUN, message).help("write more digits").boxed());
    }
    match unreadable {
        Some(problem) if found.is_empty() => Err(problem),
        _ => Ok(found),
    }
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
