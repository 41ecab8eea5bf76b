//! `gate check`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Terminal;
use super::terminal::Guard;
use crate::check::{CandidateSink, Prepared, PullRequestBase, Request, check, check_into};
use crate::render::markdown::{Page, SUMMARY};
use crate::render::{self, JsonStream};
use crate::run::Moment;
use crate::verdict::{CandidateReport, Exit, Report};
use crate::{action, atomic};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// Runs to judge: files, globs, folders, `git:REV:PATH`; without any, the records that changed since the base
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// The policy: a file, or a shipped pack such as gate:checklist [default: gate.yaml here or above]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// What to compare with, instead of the policy's baseline
    #[arg(long, short, value_name = "RUN")]
    baseline: Option<String>,
    /// The stage that the model would be promoted to
    #[arg(long, short, value_name = "STAGE")]
    stage: Option<String>,
    /// The folder of promotions, where `stage:NAME` is looked up [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR", conflicts_with = "trust")]
    ledger: Option<PathBuf>,
    /// The branch against which changed records are found [default: the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Decide as for a pull request: policy, waivers and baseline come from this revision, candidates from --head
    #[arg(long, value_name = "REV", conflicts_with = "base")]
    trust: Option<String>,
    /// What is judged with --trust [default: HEAD]
    #[arg(long, value_name = "REV", requires = "trust")]
    head: Option<String>,
    /// With --trust: give no verdict if the base has no policy
    #[arg(long, requires = "trust")]
    require_base_policy: bool,
    /// Judge every record that the policy matches, changed or not
    #[arg(long, conflicts_with_all = ["runs", "base"])]
    all: bool,
    /// Give no verdict if there is nothing to judge
    #[arg(long)]
    require_candidates: bool,
    /// Accept that there is no baseline: this is the first model
    #[arg(long)]
    first: bool,
    /// Judge as if there were no waivers
    #[arg(long)]
    no_waivers: bool,
    /// The time of the decision, RFC 3339. It decides which rules apply already, which waivers have ended, and how
    /// old a run is
    #[arg(long, value_name = "TIME", value_parser = clock)]
    now: Option<Timestamp>,
    #[command(flatten)]
    printing: Printing,
}

/// How a report is printed, and where to.
#[derive(Debug, Args)]
pub(super) struct Printing {
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// The whole report as JSON.
    Json,
    /// For a page or a comment.
    Markdown,
    /// As commands of GitHub Actions: annotations at the lines of files.
    Github,
}

/// A time, with the zone that a clock must have.
pub(super) fn clock(text: &str) -> Result<Timestamp, String> {
    match Moment::parse(text) {
        Ok(moment) if !moment.zone_assumed => Ok(moment.at),
        Ok(_) => Err("a time needs a zone: 2026-06-01T00:00:00Z".into()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let request = Request {
        runs: arguments.runs.clone(),
        policy: arguments.policy.clone(),
        baseline: arguments.baseline.clone(),
        stage: arguments.stage.clone(),
        ledger: arguments.ledger.clone(),
        base: arguments.base.clone(),
        all: arguments.all,
        require_candidates: arguments.require_candidates,
        first: arguments.first,
        no_waivers: arguments.no_waivers,
        now: arguments.now,
        brief: arguments.printing.is_brief(),
        trust: arguments.trust.as_ref().map(|base| PullRequestBase {
            base: base.clone(),
            head: arguments.head.clone(),
            branch: None,
            require_policy: arguments.require_base_policy,
        }),
        ..Request::default()
    };
    let now = Timestamp::now();
    if arguments.printing.format == Format::Json {
        return arguments.printing.print_json(&request, folder, now, terminal);
    }
    arguments.printing.print(&check(&request, folder, now), folder, terminal)
}

impl CandidateSink for JsonStream<'_> {
    fn preparation(&self) -> fn(CandidateReport) -> Prepared {
        |report| match serde_json::to_vec(&report) {
            Ok(line) => Prepared::Written(line),
            // Writing it says what is wrong.
            Err(_) => Prepared::Report(Box::new(report)),
        }
    }

    fn candidate(&mut self, prepared: Prepared) {
        match prepared {
            Prepared::Report(report) => Self::candidate(self, &report),
            Prepared::Written(line) => self.line(&line),
        }
    }
}

impl Printing {
    /// Whether what is printed shows of many candidates that passed only that they did.
    fn is_brief(&self) -> bool {
        matches!(self.format, Format::Human | Format::Github | Format::Markdown)
    }

    /// Checks, and writes the report as it is made, so that memory does not grow with the candidates.
    fn print_json(&self, request: &Request, folder: &Path, now: Timestamp, terminal: &Terminal) -> Exit {
        let mut exit = Exit::NoVerdict;
        let mut write = |to: &mut dyn Write| {
            let mut stream = JsonStream::new(to);
            let report = check_into(request, folder, now, &mut stream);
            exit = report.exit_code;
            stream.finish(&report)
        };
        let written = match &self.output {
            None => Terminal::print(terminal.guarded_json(), &mut write),
            Some(path) => atomic::write(&folder.join(path), &mut write),
        };
        self.exit_code(written, exit, terminal)
    }

    /// Prints a report; the exit code is the report's, unless it could not be printed.
    pub(super) fn print(&self, report: &Report, folder: &Path, terminal: &Terminal) -> Exit {
        let guard = match self.format {
            // Its lines are commands, or were made safe beside them.
            Format::Github => Guard::None,
            Format::Json => terminal.guarded_json(),
            Format::Human | Format::Markdown => terminal.guarded(),
        };
        let written = match &self.output {
            None => Terminal::print(guard, |to| self.format.write(report, folder, terminal.out(), to)),
            Some(path) => {
                let style = render::Style { color: false, ..terminal.out() };
                atomic::write(&folder.join(path), |to| self.format.write(report, folder, style, to))
            }
        };
        self.exit_code(written, report.exit_code, terminal)
    }

    /// The exit code of the report, unless it could not be written.
    fn exit_code(&self, written: io::Result<()>, exit: Exit, terminal: &Terminal) -> Exit {
        if let Err(error) = written {
            let target = self
                .output
                .as_ref()
                .map_or_else(|| "standard output".into(), |path| path.display().to_string());
            terminal.tell(&format!("the report can't be written to {target}: {error}"));
            return Exit::NoVerdict;
        }
        exit
    }
}

impl Format {
    fn write(
        self,
        report: &Report,
        folder: &Path,
        style: render::Style,
        to: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Human => render::human(report, style, to),
            Self::Json => render::json(report, to),
            Self::Markdown => {
                let page = Page { most: SUMMARY, ..Page::default() };
                render::markdown::markdown(report, &page, to)
            }
            Self::Github => {
                let below = action::below(&|name| std::env::var(name).ok(), folder);
                render::github(report, &below, to)
            }
        }
    }
}
