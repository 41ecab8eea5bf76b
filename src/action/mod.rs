//! The GitHub Action, behind its `action.yml`: inputs from the environment, a check, and everything that is told of
//! it. The verdict is the exit code; all the rest is a view of it, and none of it decides.

mod history;
mod inputs;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::atomic;
use crate::check::{PullRequestBase, Request, check, read_report};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::engine::{Parts, conclude};
use crate::git::{Credentials, Git};
use crate::github::{Context, Outputs, Posting, post};
use crate::render::markdown::{Page, SUMMARY, markdown, page_of};
use crate::render::{self, Neutral, Style};
use crate::verdict::{Exit, Level, Outcome, Report, Verdict};

pub use inputs::Inputs;

codes! {
    BAD_INPUT = "action/bad-input": "An input of the action can't be read.";
    NOT_WRITTEN = "action/not-written": "A file that the runner asked for could not be written.";
}

/// Bytes of an event's payload that are read.
const EVENT: u64 = 32 << 20;

/// What surrounds the action.
pub struct Runner<'r> {
    /// The environment.
    pub variable: &'r dyn Fn(&str) -> Option<String>,
    /// The folder that it was started in.
    pub folder: PathBuf,
    /// The time.
    pub clock: Timestamp,
    /// How the log is dressed.
    pub style: Style,
}

/// Runs the action; everything that it prints goes to `out`.
pub fn run(runner: &Runner<'_>, out: &mut dyn Write) -> Exit {
    let variable = runner.variable;
    let event = event(variable);
    let context = Context::new(variable, &event);
    let inputs = match Inputs::read(variable) {
        Ok(inputs) => inputs,
        Err(problems) => {
            let mut report = failed(runner, &problems);
            report.stage = None;
            return tell(runner, &context, None, &report, out);
        }
    };
    let report = match &inputs.from {
        Some(path) => match read_report(&runner.folder.join(path)) {
            Ok(report) => report,
            Err(problem) => failed(runner, &[*problem]),
        },
        None => decide(runner, &context, &event, &inputs),
    };
    tell(runner, &context, Some(&inputs), &report, out)
}

fn event(variable: &dyn Fn(&str) -> Option<String>) -> Value {
    let read = || -> Option<Value> {
        let path = variable("GITHUB_EVENT_PATH")?;
        (fs::metadata(&path).ok()?.len() <= EVENT).then_some(())?;
        serde_json::from_slice(&fs::read(&path).ok()?).ok()
    };
    read().unwrap_or(Value::Null)
}

/// A report that says why nothing could be decided.
fn failed(runner: &Runner<'_>, problems: &[Diagnostic]) -> Report {
    let parts = Parts { now: runner.clock, troubles: problems.to_vec(), ..Parts::default() };
    let mut report = conclude(parts);
    report.gate = env!("CARGO_PKG_VERSION").into();
    report
}

fn decide(runner: &Runner<'_>, context: &Context, event: &Value, inputs: &Inputs) -> Report {
    let mut request = Request {
        runs: inputs.runs.clone(),
        policy: inputs.policy.clone(),
        baseline: inputs.baseline.clone(),
        stage: inputs.stage.clone(),
        require_candidates: inputs.require_candidates,
        ..Request::default()
    };
    let credentials = (runner.variable)("GATE_TOKEN")
        .filter(|token| !token.is_empty())
        .map(|token| Credentials { server_url: context.server_url.clone(), token });
    match (&context.base, &context.head_sha) {
        (Some(base), Some(head)) => {
            let trust = Git::open(&runner.folder).and_then(|git| {
                history::of_change(&git, base, head, context.pull_request, credentials.as_ref())
            });
            match trust {
                Ok(trust) => {
                    request.trust =
                        Some(PullRequestBase { require_policy: inputs.require_base_policy, ..trust });
                }
                Err(problem) => return failed(runner, &[*problem]),
            }
        }
        _ if context.event == "push" && inputs.runs.is_empty() => {
            let before = event.pointer("/before").and_then(Value::as_str).unwrap_or_default();
            let git = Git::open(&runner.folder).ok();
            request.base = git.and_then(|git| history::before_push(&git, before, credentials.as_ref()));
        }
        _ => {}
    }
    check(&request, &runner.folder, runner.clock)
}

/// Tells everyone, and gives the exit code.
fn tell(
    runner: &Runner<'_>,
    context: &Context,
    inputs: Option<&Inputs>,
    report: &Report,
    out: &mut dyn Write,
) -> Exit {
    let below = below(runner.variable, &runner.folder);
    let mut outputs = Outputs::default();
    let mut degraded: Vec<String> = Vec::new();
    let mut note = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            degraded.push(format!("{what} could not be written: {error}"));
        }
    };
    {
        let mut log = Neutral::new(out, false);
        note("the log", render::human(report, runner.style, &mut log).and_then(|()| log.flush()));
    }
    if inputs.is_none_or(|inputs| inputs.annotations) {
        let all = render::annotations(report, &below);
        note("the annotations", render::workflow_commands(&all, out));
    }
    let page = Page {
        most: SUMMARY,
        files: context.files_url(),
        below: below.clone(),
        run: context.run_url(),
        charts: true,
        ..Page::default()
    };
    if inputs.is_none_or(|inputs| inputs.summary)
        && let Some(path) = (runner.variable)("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
    {
        note("the summary of the job", append(Path::new(&path), &page_of(report, &page)));
    }
    let (json, text) = files(runner);
    note("the JSON report", atomic::write(&json, |to| render::json(report, to)));
    note("the Markdown report", atomic::write(&text, |to| markdown(report, &page, to)));
    let posted = inputs.map(|inputs| {
        let posting = Posting {
            comment: inputs.comment,
            comment_key: inputs.comment_key.clone(),
            check_run: inputs.check_run.clone(),
            token: (runner.variable)("GATE_TOKEN"),
            below: below.clone(),
            claimed: inputs.from.is_some(),
            pause: None,
        };
        post(report, context, &posting)
    });
    let posted = posted.unwrap_or_default();
    degraded.extend(posted.degraded.iter().map(|problem| {
        let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}{help}", problem.message)
    }));
    for line in
        posted.notes.iter().map(|text| ("notice", text)).chain(degraded.iter().map(|text| ("warning", text)))
    {
        let _ = render::workflow_message(line.0, "gate", line.1, out);
    }
    let strict = inputs.is_some_and(|inputs| inputs.strict_reporting) && !degraded.is_empty();
    let exit = if strict { Exit::NoVerdict } else { report.exit_code };
    let reporting = if degraded.is_empty() { "complete" } else { "degraded" };
    let failed = report
        .candidates
        .iter()
        .flat_map(|candidate| &candidate.rules)
        .filter(|rule| {
            rule.level == Level::Error && matches!(rule.outcome, Outcome::Fail | Outcome::Inconclusive)
        })
        .count();
    outputs.set("verdict", verdict(report.verdict));
    outputs.set("exit-code", &u8::from(exit).to_string());
    outputs.set("failed", &failed.to_string());
    outputs.set("report", &json.display().to_string());
    outputs.set("report-md", &text.display().to_string());
    outputs.set("comment-url", posted.comment_url.as_deref().unwrap_or_default());
    outputs.set("check-url", posted.check_url.as_deref().unwrap_or_default());
    outputs.set("reporting", reporting);
    if let Some(path) = (runner.variable)("GITHUB_OUTPUT").filter(|path| !path.is_empty())
        && append(Path::new(&path), outputs.text()).is_err()
    {
        // Whoever reads the outputs must not take an older value for this one.
        return Exit::NoVerdict;
    }
    exit
}

/// The word of the output `verdict`.
fn verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Fail) => "fail",
        None => "none",
    }
}

/// A folder, from the top of the repository that the runner checked out: empty, or ending in `/`.
pub fn below(variable: &dyn Fn(&str) -> Option<String>, folder: &Path) -> String {
    variable("GITHUB_WORKSPACE")
        .map(PathBuf::from)
        .and_then(|top| Some((top.canonicalize().ok()?, folder.canonicalize().ok()?)))
        .and_then(|(top, folder)| Some(folder.strip_prefix(top).ok()?.to_str()?.replace('\\', "/")))
        .filter(|below| !below.is_empty())
        .map(|below| format!("{below}/"))
        .unwrap_or_default()
}

/// Where the two reports are left for later steps.
fn files(runner: &Runner<'_>) -> (PathBuf, PathBuf) {
    let folder = (runner.variable)("RUNNER_TEMP")
        .filter(|folder| !folder.is_empty())
        .map_or_else(std::env::temp_dir, PathBuf::from);
    // Several gates may run in one job.
    let id = (runner.variable)("GITHUB_ACTION").unwrap_or_default();
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
    let name = if id.is_empty() { "gate-report".into() } else { format!("gate-report-{id}") };
    (folder.join(format!("{name}.json")), folder.join(format!("{name}.md")))
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}
