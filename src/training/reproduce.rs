//! `gate reproduce`: a recorded command, run again at its commit.
//!
//! This is the only place that runs what a record says. The commit, the command and the data are checked before that.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::kept::Keeper;
use super::place::Place;
use super::rerun::{Bench, Recipe};
use super::{NO_COMMAND, NO_COMMIT, NO_SEED_OPTION, NO_WORKSHOP, ONE_RUN, RERUN_FAILED, TOO_FEW, restored};
use crate::check::{show, workspace_root};
use crate::document::{Diagnostic, Node};
use crate::engine::summary;
use crate::git::{Found, Git, LOCK};
use crate::process::StopSignal;
use crate::recording::{Answer, Reproduction, Rerun, Tolerance, Unusable, compare, with_seed, words};
use crate::run::Run;
use crate::verdict::RunSummary;

/// What to run again.
#[derive(Debug, Clone)]
pub struct Again {
    /// The run reference.
    pub run: String,
    /// The policy whose `fields:` map reads records of another shape.
    pub policy: Option<String>,
    /// How far metrics may differ.
    pub tolerances: Vec<Tolerance>,
    /// How long each rerun may take.
    pub timeout: Duration,
    /// How many times to run it.
    pub times: usize,
    /// The command-line option that gets a different seed each time.
    pub vary_seed: Option<String>,
    /// Whether the result is written into the record.
    pub write: bool,
    /// Environment variables of this shell that the command gets in addition to the recorded ones.
    pub environment: Vec<String>,
}

/// Minimum number of reruns with varied seeds: with only two, any value would be inside their range.
const FEWEST: usize = 3;
/// The prefix of the folders that reruns use.
const PREFIX: &str = "gate-reproduce-";

/// Runs a recorded command again, and compares its results with the record.
pub fn reproduce(order: &Again, folder: &Path) -> Reproduction {
    let mut answer = Reproduction {
        schema: "gate-reproduction/v1",
        gate: env!("CARGO_PKG_VERSION"),
        at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        run: RunSummary { source: order.run.clone(), ..RunSummary::default() },
        answer: Answer::CouldNotRun,
        command: Vec::new(),
        times: 0,
        varied: order.vary_seed.clone(),
        metrics: Vec::new(),
        files: Vec::new(),
        not_restored: Vec::new(),
        troubles: Vec::new(),
    };
    let run = match the_run(order, folder) {
        Ok(run) => run,
        Err(troubles) => {
            answer.troubles = troubles;
            return answer;
        }
    };
    answer.run = summary(&run);
    let keeper = if order.write { Keeper::of(&order.run, folder).map(Some) } else { Ok(None) };
    let done = keeper.map_err(|problem| vec![*problem]).and_then(|keeper| {
        fill(&mut answer, order, folder, &run)?;
        keeper.map_or(Ok(()), |keeper| keeper.keep(&answer))
    });
    if let Err(problems) = done {
        answer.answer = Answer::CouldNotRun;
        answer.troubles.extend(problems.iter().cloned());
    }
    answer
}

fn the_run(order: &Again, folder: &Path) -> Result<Run, Vec<Diagnostic>> {
    let (mut runs, mut troubles) = show(std::slice::from_ref(&order.run), order.policy.as_deref(), folder);
    if troubles.is_empty() && runs.len() != 1 {
        let problem = Diagnostic::new(ONE_RUN, format!("`{}` names {} runs", order.run, runs.len()))
            .help("name one: gate reproduce runs/churn.json");
        troubles.push(problem);
    }
    match runs.pop() {
        Some(run) if troubles.is_empty() => Ok(run),
        _ => Err(troubles),
    }
}

fn fill(answer: &mut Reproduction, order: &Again, folder: &Path, run: &Run) -> Result<(), Vec<Diagnostic>> {
    if order.vary_seed.is_some() && order.times < FEWEST {
        let message =
            format!("--times {} is too few to estimate the range of runs with other seeds", order.times);
        return Err(vec![
            Diagnostic::new(TOO_FEW, message)
                .help(format!("run it at least {FEWEST} times; 5 or more are useful: --times 5")),
        ]);
    }
    let told = StopSignal::listen().map_err(|error| {
        vec![Diagnostic::new(RERUN_FAILED, format!("signals can't be listened to: {error}"))]
    })?;
    let go_on = || match told.stop() {
        None => Ok(()),
        Some(_) => Err(vec![Diagnostic::new(RERUN_FAILED, "this was interrupted")]),
    };
    let place = Place { root: workspace_root(folder), folder: folder.to_owned() };
    let command = command(run)?;
    answer.command.clone_from(&command);
    let git = Git::open(&place.root)?;
    let commit = commit(run, &git)?;
    git.remove_abandoned(PREFIX);
    let recipe = Recipe {
        run,
        place: &place,
        record: own_path(run, &place),
        variables: recorded_variables(run),
        environment: &order.environment,
        limit: order.timeout,
    };
    let mut reruns: Vec<Rerun> = Vec::new();
    for number in 1..=order.times {
        let words = match &order.vary_seed {
            None => command.clone(),
            Some(option) => seeded(&command, option, run, number)?,
        };
        let (folder, _lock) = workshop().map_err(|error| {
            vec![Diagnostic::new(NO_WORKSHOP, format!("no folder for the rerun can be made: {error}"))]
        })?;
        go_on()?;
        let checkout = git.checkout(&commit, folder.path())?;
        go_on()?;
        let bench = Bench::prepare(&recipe, &checkout.path().join(git.prefix()), folder.path())?;
        if number == 1 {
            answer.not_restored = restored::missing(run, &command, &bench);
        }
        go_on()?;
        reruns.push(bench.run(&words)?);
        answer.times = number;
    }
    go_on()?;
    (answer.answer, answer.metrics, answer.files) =
        compare(run, &reruns, &order.tolerances, order.vary_seed.is_some());
    if answer.answer == Answer::CouldNotRun {
        return Err(vec![
            Diagnostic::new(
                super::NOTHING_TO_COMPARE,
                "the record has neither a metric nor the digest of a file",
            )
            .help("there is nothing to compare a rerun with: record the run with `gate record`"),
        ]);
    }
    Ok(())
}

/// A temporary folder that is deleted after the rerun, and a lock that marks it as in use.
fn workshop() -> std::io::Result<(tempfile::TempDir, File)> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
    let lock = File::create(folder.path().join(LOCK))?;
    lock.lock()?;
    Ok((folder, lock))
}

fn command(run: &Run) -> Result<Vec<String>, Box<Diagnostic>> {
    words(run.record().get("command")).map_err(|why| {
        let (message, help) = match why {
            Unusable::Missing => (
                "the record does not name the command".to_owned(),
                "record the run with `gate record -- CMD…`".to_owned(),
            ),
            Unusable::Shell(line) => (
                format!("the recorded command needs a shell: {line}"),
                "record it as a list of words; if a shell is needed, as [\"sh\", \"-c\", \"…\"]".to_owned(),
            ),
            Unusable::Masked(word) => (
                format!("a part of the command was not recorded, because it looks like a secret: {word}"),
                "let training take secrets from the environment, and pass them with --env NAME".to_owned(),
            ),
        };
        Diagnostic::new(NO_COMMAND, message).help(help).boxed()
    })
}

/// The full id of the recorded commit. Only hexadecimal digits are accepted, so that no branch can pass as one.
fn commit(run: &Run, git: &Git) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String, help: &str| Err(Diagnostic::new(NO_COMMIT, message).help(help).boxed());
    let Some(id) = run.text("git_commit") else {
        return wrong(
            "the record does not name its commit".into(),
            "record the run in a git repository with `gate record`",
        );
    };
    if !(7..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return wrong(
            format!("`{id}` is not the id of a commit"),
            "record the output of `git rev-parse HEAD`",
        );
    }
    match git.commit_by_id(id)? {
        Found::Object { id, .. } | Found::TooLarge { id, .. } => Ok(id),
        Found::Ambiguous => wrong(format!("more than one commit begins with {id}"), "record all its digits"),
        Found::Missing => wrong(
            format!("there is no commit {id} in this repository"),
            "fetch it: git fetch origin, or `fetch-depth: 0` in actions/checkout; a commit that was amended away is gone",
        ),
    }
}

/// The path of the record in the workspace: training may write it there again.
fn own_path(run: &Run, place: &Place) -> Option<String> {
    match run.label().strip_prefix("git:") {
        Some(rest) => rest.split_once(':').map(|(_, path)| path.to_owned()),
        None => place.inside(Path::new(run.label())).ok(),
    }
}

fn recorded_variables(run: &Run) -> Vec<(String, String)> {
    let variables = run.record().get("environment").and_then(|node| node.get("variables"));
    let entries = variables.and_then(Node::as_map).into_iter().flat_map(crate::document::Map::iter);
    entries
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_written()?.to_owned())))
        // A record is only a claim, so it may set only variables that `gate record` would record.
        .filter(|(name, _)| crate::recording::VARIABLES.contains(&name.as_str()))
        .collect()
}

fn seeded(
    command: &[String],
    option: &str,
    run: &Run,
    number: usize,
) -> Result<Vec<String>, Box<Diagnostic>> {
    let first = run.text("seed").and_then(|seed| seed.parse::<u32>().ok()).unwrap_or(0);
    let seed = u64::from(first) + number as u64;
    with_seed(command, option, &seed.to_string()).ok_or_else(|| {
        Diagnostic::new(NO_SEED_OPTION, format!("the recorded command has no `{option}` with a value"))
            .help("name the option with which the command takes its seed, such as --vary-seed --seed")
            .boxed()
    })
}
