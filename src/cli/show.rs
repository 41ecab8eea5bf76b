//! `gate show`

use std::path::Path;

use clap::Args;

use super::Terminal;
use super::answering::Format;
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
    /// Show the metrics computed from the run's predictions, on all cases and on each slice
    #[arg(long)]
    cases: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let (asked, policy, format) = (&arguments.runs, arguments.policy.as_deref(), arguments.format);
    if arguments.cases {
        let (summaries, troubles) = check::show_cases(asked, policy, folder);
        return format.print(terminal, &troubles, &|_, to| render::cases_human(&summaries, to), &|to| {
            render::cases_json(&summaries, to)
        });
    }
    let (runs, troubles) = check::show(asked, policy, folder);
    format.print(terminal, &troubles, &|style, to| render::show_human(&runs, style, to), &|to| {
        render::show_json(&runs, to)
    })
}
