//! `gate show`

use std::path::Path;

use clap::{Args, ValueEnum};

use super::Terminal;
use crate::check;
use crate::render;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The runs: files, globs, folders, `git:REV:PATH`
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// The policy whose `fields:` map reads records of another shape [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// Show the metrics that the run's predictions give, on all cases and on each slice
    #[arg(long)]
    cases: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How a record is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person: each field, its value, and where it stood.
    Human,
    /// As JSON.
    Json,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    if arguments.cases {
        return run_cases(arguments, folder, terminal);
    }
    let (runs, troubles) = check::show(&arguments.runs, arguments.policy.as_deref(), folder);
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let printed = Terminal::print(guard, |to| match arguments.format {
        Format::Json => render::show_json(&runs, to),
        Format::Human => render::show_human(&runs, terminal.out(), to),
    });
    for trouble in &troubles {
        terminal.trouble(trouble);
    }
    if let Err(error) = printed {
        terminal.tell(&error.to_string());
        return Exit::NoVerdict;
    }
    if troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict }
}

fn run_cases(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let (summaries, troubles) = check::show_cases(&arguments.runs, arguments.policy.as_deref(), folder);
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let printed = Terminal::print(guard, |to| match arguments.format {
        Format::Json => render::cases_json(&summaries, to),
        Format::Human => render::cases_human(&summaries, to),
    });
    for trouble in &troubles {
        terminal.trouble(trouble);
    }
    if let Err(error) = printed {
        terminal.tell(&error.to_string());
        return Exit::NoVerdict;
    }
    if troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict }
}
