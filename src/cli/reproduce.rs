//! `gate reproduce`

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::Terminal;
use super::answering::Answering;
use crate::recording::Tolerance;
use crate::render::{self, Style};
use crate::training::{self, Again};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "This runs the command that the record names, with your permissions. Reproduce only runs \
     of people whose code you would run.\n\nExit codes: 0 identical, same predictions or within tolerance; 1 differs; 2 could not run."
)]
pub(super) struct Arguments {
    /// The run: a file, or `git:REV:PATH`
    #[arg(value_name = "RUN")]
    run: String,
    /// How far a metric may differ, such as f1=0.002 or f1=1%; `*` means every metric [default: not at all]
    #[arg(long = "tolerance", value_name = "METRIC=AMOUNT", value_parser = Tolerance::parse)]
    tolerances: Vec<Tolerance>,
    /// How long a rerun may take, such as 90s, 30m, 12h
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    timeout: Duration,
    /// Run it several times, and report whether the recorded values are in the range of the reruns
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    times: u16,
    /// Give this option of the command another seed each time, to find out whether the recorded seed was picked for
    /// its result
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    vary_seed: Option<String>,
    /// Write the answer into the record, as `reproduced`, so that a policy can require it
    #[arg(long)]
    write: bool,
    /// A variable of this shell to pass to the command, in addition to the recorded ones
    #[arg(long = "env", value_name = "NAME")]
    environment: Vec<String>,
    /// The policy whose `fields:` map reads records of another shape [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    #[command(flatten)]
    answering: Answering,
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
        write: arguments.write,
        environment: arguments.environment.clone(),
    };
    let answer = training::reproduce(&order, folder);
    let human = |style: Style, to: &mut dyn Write| render::reproduction_human(&answer, style, to);
    let json = |to: &mut dyn Write| render::json_of(&answer, to);
    arguments.answering.print(folder, terminal, answer.answer.exit(), &human, &json)
}
