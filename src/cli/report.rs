//! `gate report`

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::Terminal;
use super::printing::Printing;
use crate::check::read_report;
use crate::github::{Comment, Context, Posting, Scope, post};
use crate::render;
use crate::verdict::Exit;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// A report that `gate check --format json` wrote
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    #[command(flatten)]
    printing: Printing,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Post a report to GitHub, from a job that another workflow started
    Github(Github),
}

#[derive(Debug, Args)]
struct Github {
    /// A report that `gate check --format json` wrote
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// When to comment on the pull request
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    comment: When,
    /// Tells several gates of one job apart
    #[arg(long, default_value = "", value_name = "KEY")]
    comment_key: String,
    /// Also write a check run of this name
    #[arg(long, value_name = "NAME")]
    check_run: Option<String>,
    /// What could not be posted is exit code 2
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    /// When there is a pull request and the token can write.
    Auto,
    /// The same, and that it can't be is said as a failure.
    Always,
    /// Only when the verdict is not pass.
    OnFailure,
    /// Never.
    Never,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let path = match (&arguments.command, &arguments.file) {
        (Some(Command::Github(github)), _) => &github.from,
        (None, Some(file)) => file,
        (None, None) => return Exit::NoVerdict,
    };
    let report = match read_report(&folder.join(path)) {
        Ok(report) => report,
        Err(problem) => {
            terminal.trouble(&problem);
            return Exit::NoVerdict;
        }
    };
    match &arguments.command {
        Some(Command::Github(github)) => post_it(&report, github, terminal),
        None => arguments.printing.print(&report, folder, terminal),
    }
}

/// Reporting does not decide: the exit code is 0 if everything possible was done, whatever the verdict.
fn post_it(report: &crate::verdict::Report, github: &Github, terminal: &Terminal) -> Exit {
    let variable = |name: &str| std::env::var(name).ok();
    let event = variable("GITHUB_EVENT_PATH")
        .and_then(|path| std::fs::read(path).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(serde_json::Value::Null);
    let context = Context::new(variable, &event);
    let posting = Posting {
        comment: match github.comment {
            When::Auto => Comment::Auto,
            When::Always => Comment::Always,
            When::OnFailure => Comment::OnFailure,
            When::Never => Comment::Never,
        },
        scope: Scope { key: github.comment_key.clone(), ..Scope::default() },
        check_run: github.check_run.clone(),
        judged: None,
        token: variable("GATE_TOKEN").or_else(|| variable("GITHUB_TOKEN")),
        below: String::new(),
        claimed: true,
        pause: None,
    };
    let posted = post(report, &context, &posting);
    let written = Terminal::print(terminal.guarded(), |to| {
        for (what, url) in [("comment", &posted.comment_url), ("check run", &posted.check_url)] {
            if let Some(url) = url {
                writeln!(to, "{what}: {}", render::clean(url))?;
            }
        }
        for note in &posted.notes {
            writeln!(to, "{}", render::clean(note))?;
        }
        io::Result::Ok(())
    });
    for problem in &posted.degraded {
        terminal.trouble(problem);
    }
    if written.is_err() || github.strict && !posted.degraded.is_empty() {
        Exit::NoVerdict
    } else {
        Exit::Pass
    }
}
