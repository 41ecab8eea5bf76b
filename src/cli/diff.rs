//! `gate diff`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Terminal;
use super::answering::write_to;
use crate::check;
use crate::render::{self, Style};
use crate::verdict::{Exit, RunDiff};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The older run: a file, `git:REV:PATH`, `stage:NAME`
    #[arg(value_name = "A")]
    a: String,
    /// The newer run
    #[arg(value_name = "B")]
    b: String,
    /// List everything that differs, without a limit
    #[arg(long)]
    all: bool,
    /// The policy, for `fields:`, `comparable:` and the ledger [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// The folder of promotions, where `stage:NAME` is looked up [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// How to print it; JSON always has everything
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write it to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a difference is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// For a page or a comment.
    Markdown,
    /// As JSON.
    Json,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let names = [arguments.a.as_str(), arguments.b.as_str()];
    let diff = match check::diff(names, arguments.policy.as_deref(), arguments.ledger.as_deref(), folder) {
        Ok(diff) => diff,
        Err(troubles) => {
            for trouble in &troubles {
                terminal.trouble(trouble);
            }
            return Exit::NoVerdict;
        }
    };
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let written = write_to(arguments.output.as_deref(), folder, guard, terminal, &|style, to| {
        write(&diff, arguments, style, to)
    });
    if let Err(error) = written {
        terminal.tell(&format!("the difference can't be written: {error}"));
        return Exit::NoVerdict;
    }
    Exit::Pass
}

fn write(diff: &RunDiff, arguments: &Arguments, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match arguments.format {
        Format::Human => render::diff_human(diff, arguments.all, style, to),
        Format::Markdown => render::diff_markdown(diff, arguments.all, to),
        Format::Json => render::json_of(diff, to),
    }
}
