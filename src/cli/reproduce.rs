//! `gate reproduce`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Terminal;
use crate::atomic;
use crate::recording::{Reproduction, Tolerance};
use crate::render::{self, Style};
use crate::training::{self, Again};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "This runs the command that the record names, with your rights: reproduce only runs of people whose \
code you would run.\n\nExit codes: 0 identical, same predictions or within tolerance; 1 differs; 2 could not run."
)]
pub(super) struct Arguments {
    /// The run: a file, or `git:REV:PATH`
    #[arg(value_name = "RUN")]
    run: String,
    /// How far a metric may differ, such as f1=0.002 or f1=1%; `*` is every metric [default: not at all]
    #[arg(long = "tolerance", value_name = "METRIC=AMOUNT", value_parser = Tolerance::parse)]
    tolerances: Vec<Tolerance>,
    /// How long a rerun may take, such as 90s, 30m, 12h
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    timeout: Duration,
    /// Run it several times, and say whether the recorded values lie where the reruns do
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    times: u16,
    /// Give this option of the command another seed each time: a value that only its own seed gives was picked
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    vary_seed: Option<String>,
    /// A variable of this shell that the command gets beside the recorded ones
    #[arg(long = "env", value_name = "NAME")]
    environment: Vec<String>,
    /// The policy whose `fields:` map reads records of another shape [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the answer to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// The whole answer as JSON.
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time looks like 90s, 30m, 12h or 2d".to_owned();
    let seconds = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    if number == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = Again {
        run: arguments.run.clone(),
        policy: arguments.policy.clone(),
        tolerances: arguments.tolerances.clone(),
        timeout: arguments.timeout,
        times: usize::from(arguments.times),
        vary_seed: arguments.vary_seed.clone(),
        environment: arguments.environment.clone(),
    };
    let answer = training::reproduce(&order, folder);
    let guard = match arguments.format {
        Format::Human => terminal.guarded(),
        Format::Json => terminal.guarded_json(),
    };
    let written = match &arguments.output {
        None => Terminal::print(guard, |to| print(&answer, arguments.format, terminal.out(), to)),
        Some(path) => {
            let style = Style { color: false, ..terminal.out() };
            atomic::write(&folder.join(path), |to| print(&answer, arguments.format, style, to))
        }
    };
    if let Err(error) = written {
        terminal.tell(&format!("the answer can't be written: {error}"));
        return Exit::NoVerdict;
    }
    answer.answer.exit()
}

fn print(answer: &Reproduction, format: Format, style: Style, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => render::reproduction_human(answer, style, to),
        Format::Json => render::reproduction_json(answer, to),
    }
}
