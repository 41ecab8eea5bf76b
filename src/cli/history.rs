//! `gate history`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Terminal;
use super::answering::write_to;
use super::check::clock;
use crate::promotion::{HistoryOrder, history};
use crate::render::{self, Style};
use crate::verdict::{Exit, History};

#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 there is a history; 2 there is none.")]
pub(super) struct Arguments {
    /// The line of models, as records and promotions name it
    #[arg(value_name = "MODEL")]
    model: String,
    /// The metric
    #[arg(long, short, value_name = "NAME")]
    metric: String,
    /// Only what was promoted to this stage
    #[arg(long, short, value_name = "STAGE")]
    stage: Option<String>,
    /// The policy, for where records are and for the limits [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// The clock of the limits, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = clock)]
    now: Option<Timestamp>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write it to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a history is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// For a page or a comment.
    Markdown,
    /// As one page for a browser, with a chart.
    Html,
    /// As JSON.
    Json,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = HistoryOrder {
        model: arguments.model.clone(),
        metric: arguments.metric.clone(),
        stage: arguments.stage.clone(),
        policy: arguments.policy.clone(),
        ledger: arguments.ledger.clone(),
        now: arguments.now,
    };
    let answer = history(&order, folder, Timestamp::now());
    if arguments.format != Format::Json {
        for trouble in &answer.troubles {
            terminal.trouble(trouble);
        }
        if !answer.troubles.is_empty() {
            return answer.exit_code;
        }
    }
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let written = write_to(arguments.output.as_deref(), folder, guard, terminal, &|style, to| {
        write(&answer, arguments.format, style, to)
    });
    if let Err(error) = written {
        terminal.tell(&format!("the history can't be written: {error}"));
        return Exit::NoVerdict;
    }
    answer.exit_code
}

fn write(history: &History, format: Format, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => render::history_human(history, style, to),
        Format::Markdown => render::history_markdown(history, to),
        Format::Html => render::history_html(history, to),
        Format::Json => render::json_of(history, to),
    }
}
