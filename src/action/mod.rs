//! The GitHub Action, called by its `action.yml`: inputs from the environment, a check, and all reporting. The verdict
//! is the exit code; everything else only displays it.

mod decide;
mod history;
mod inputs;
mod merge_queue;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::atomic;
use crate::check::read_report;
use crate::code::codes;
use crate::document::Diagnostic;
use crate::engine::{Parts, conclude};
use crate::github::{Context, Event, Outputs, Posting, Scope, no_payload, post};
use crate::render::markdown::{Page, SUMMARY, markdown, page_of};
use crate::render::{self, Neutral, Style};
use crate::verdict::{Exit, Level, Report, Verdict};

use decide::{Decided, decide};
pub use inputs::Inputs;

codes! {
    BAD_INPUT = "action/bad-input": "An input of the action has a value that it can't have.";
}

/// Maximum size in bytes of an event's payload.
const EVENT: u64 = 32 << 20;

/// The environment of the action.
pub struct Runner<'r> {
    /// The environment variables.
    pub variable: &'r dyn Fn(&str) -> Option<String>,
    /// The folder that it was started in.
    pub folder: PathBuf,
    /// The time.
    pub clock: Timestamp,
    /// How the log is styled.
    pub style: Style,
}

/// Runs the action; all output goes to `out`.
pub fn run(runner: &Runner<'_>, out: &mut dyn Write) -> Exit {
    let variable = runner.variable;
    let payload = payload(variable);
    let context = Context::new(variable, payload.as_ref().unwrap_or(&Value::Null));
    let inputs = match Inputs::read(variable) {
        Ok(inputs) => inputs,
        Err(problems) => {
            let report = failed(runner, &problems);
            return tell(runner, &context, None, &Decided { report, commit: None }, out);
        }
    };
    let decided = match &inputs.from {
        Some(path) => {
            let report = read_report(&runner.folder.join(path));
            let report = report.unwrap_or_else(|problem| failed(runner, &[*problem]));
            Decided { report, commit: None }
        }
        None => {
            let git_ref = variable("GITHUB_REF");
            let event = payload.and_then(|payload| Event::new(&context.event, &payload, git_ref.as_deref()));
            match event {
                Ok(event) => decide(runner, &context, &event, &inputs),
                Err(problem) => Decided { report: failed(runner, &[*problem]), commit: None },
            }
        }
    };
    tell(runner, &context, Some(&inputs), &decided, out)
}

/// The event payload that the runner wrote.
fn payload(variable: &dyn Fn(&str) -> Option<String>) -> Result<Value, Box<Diagnostic>> {
    let unreadable = |why: &str| no_payload(&variable("GITHUB_EVENT_NAME").unwrap_or_default(), why);
    let path = variable("GITHUB_EVENT_PATH").ok_or_else(|| unreadable("GITHUB_EVENT_PATH is not set"))?;
    let length = fs::metadata(&path).map_err(|error| unreadable(&error.to_string()))?.len();
    if length > EVENT {
        return Err(unreadable(&format!("it has {length} bytes, and at most {EVENT} are read")));
    }
    let bytes = fs::read(&path).map_err(|error| unreadable(&error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error.to_string()))
}

/// A report that says why there is no verdict.
fn failed(runner: &Runner<'_>, problems: &[Diagnostic]) -> Report {
    let parts = Parts { now: runner.clock, troubles: problems.to_vec(), ..Parts::default() };
    let mut report = conclude(parts);
    report.gate = env!("CARGO_PKG_VERSION").into();
    report
}

/// Reports everywhere, and returns the exit code.
fn tell(
    runner: &Runner<'_>,
    context: &Context,
    inputs: Option<&Inputs>,
    decided: &Decided,
    out: &mut dyn Write,
) -> Exit {
    let report = &decided.report;
    let below = below(runner.variable, &runner.folder);
    let scope = Scope {
        folder: below.clone(),
        policy: inputs.and_then(|inputs| inputs.policy.clone()),
        stage: inputs.and_then(|inputs| inputs.stage.clone()),
        key: inputs.map(|inputs| inputs.comment_key.clone()).unwrap_or_default(),
    };
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
        scope: scope.title(),
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
            check_run: inputs.check_run.clone(),
            scope: scope.clone(),
            judged: decided.commit.clone(),
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
    outputs.set("verdict", verdict(report.verdict));
    outputs.set("exit-code", &u8::from(exit).to_string());
    outputs.set("failed", &blocking_rules(report).to_string());
    outputs.set("report", &json.display().to_string());
    outputs.set("report-md", &text.display().to_string());
    outputs.set("comment-url", posted.comment_url.as_deref().unwrap_or_default());
    outputs.set("check-url", posted.check_url.as_deref().unwrap_or_default());
    outputs.set("reporting", reporting);
    if let Some(path) = (runner.variable)("GITHUB_OUTPUT").filter(|path| !path.is_empty())
        && append(Path::new(&path), outputs.text()).is_err()
    {
        // Readers of the outputs must not mistake an older value for this one.
        return Exit::NoVerdict;
    }
    exit
}

/// The number of failing rules of level error, for a candidate or for the change as a whole.
fn blocking_rules(report: &Report) -> usize {
    let of_change = report.change.iter().flat_map(|change| &change.rules);
    let of_candidates = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
    of_change.chain(of_candidates).filter(|rule| rule.level == Level::Error && rule.outcome.blocks()).count()
}

/// The value of the output `verdict`.
fn verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Fail) => "fail",
        None => "none",
    }
}

/// A folder's path from the top of the repository that the runner checked out: empty, or ending in `/`.
pub fn below(variable: &dyn Fn(&str) -> Option<String>, folder: &Path) -> String {
    variable("GITHUB_WORKSPACE").and_then(|top| path_below(Path::new(&top), folder)).unwrap_or_default()
}

/// A folder's path from another above it: empty, or ending in `/`; `None` if it is not below.
pub fn path_below(top: &Path, folder: &Path) -> Option<String> {
    let (top, folder) = (top.canonicalize().ok()?, folder.canonicalize().ok()?);
    let below = folder.strip_prefix(top).ok()?.to_str()?.replace('\\', "/");
    Some(if below.is_empty() { below } else { format!("{below}/") })
}

/// The paths of the two reports for later steps.
fn files(runner: &Runner<'_>) -> (PathBuf, PathBuf) {
    let folder = (runner.variable)("RUNNER_TEMP")
        .filter(|folder| !folder.is_empty())
        .map_or_else(std::env::temp_dir, PathBuf::from);
    // One job may run several gates.
    let id = (runner.variable)("GITHUB_ACTION").unwrap_or_default();
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect();
    let name = if id.is_empty() { "gate-report".into() } else { format!("gate-report-{id}") };
    (folder.join(format!("{name}.json")), folder.join(format!("{name}.md")))
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}
