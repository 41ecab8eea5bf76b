//! The command line: a file for each command, which parses arguments, calls the library, and prints.

mod action;
mod answering;
mod audit;
mod cases;
mod check;
mod diff;
mod explain;
mod explain_code;
mod format;
mod history;
mod init;
mod key;
mod mistakes;
mod policy;
mod power;
mod printing;
mod progress;
mod promote;
mod record;
mod report;
mod reproduce;
mod retire;
mod rollback;
mod rules;
mod shell;
mod show;
mod terminal;
mod verify;

use std::path::PathBuf;

use clap::error::ContextKind;
use clap::{Parser, Subcommand, ValueEnum};

use crate::render::{self, Detail};
use crate::verdict::Exit;
use terminal::Terminal;

/// The heading of options that all commands share.
const GLOBAL: &str = "Options of every command";

/// A promotion gate for ML models: judges run records against a policy, and blocks models that fail it.
#[derive(Debug, Parser)]
#[command(
    name = "gate",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 pass, 1 fail, 2 no verdict."
)]
struct Arguments {
    /// Start in this folder instead of the current one
    #[arg(short = 'C', value_name = "DIR", global = true, help_heading = GLOBAL)]
    directory: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", global = true, help_heading = GLOBAL)]
    #[arg(help = "When to use colour; NO_COLOR and CLICOLOR_FORCE are respected")]
    color: Color,
    /// Show everything: rules that pass, full commits and digests
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = GLOBAL)]
    verbose: bool,
    /// Print the verdict alone
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first policy and a CI job that fit this repository
    Init(init::Arguments),
    /// Decide whether the candidates may be promoted
    Check(check::Arguments),
    /// Run a training command and write its run record
    Record(Box<record::Arguments>),
    /// Run a recorded command again at its commit, and compare the results
    Reproduce(Box<reproduce::Arguments>),
    /// Show what differs between two runs: metrics, params, data, code, environment
    Diff(diff::Arguments),
    /// Judge a run for a stage and, if the policy allows it, write the promotion to the ledger
    Promote(Box<promote::Arguments>),
    /// Go back to an earlier promotion of a stage
    Rollback(Box<rollback::Arguments>),
    /// Take a model out of service at a stage, as a new entry with a reason
    Retire(Box<retire::Arguments>),
    /// Verify that a file is the one promoted to a stage, before you deploy it
    Verify(Box<verify::Arguments>),
    /// Explain a model: which run produced it, with which data, why it was approved, what changed, and whether it can
    /// be reproduced
    Explain(explain::Arguments),
    /// Check what is promoted against today's policy, and verify the ledger's integrity
    Audit(Box<audit::Arguments>),
    /// A metric of one line of models over time: promotions, versions in git, and records that are here
    History(history::Arguments),
    /// Make a signing key, or show the public key of a file
    #[command(subcommand)]
    Key(key::Command),
    /// Print the canonical record of a run, and where each field came from
    Show(show::Arguments),
    /// Show which margins a validation split can show, or how many cases a margin needs
    Power(power::Arguments),
    /// Count cases where they are: the SQL for a warehouse, or the same aggregates from files
    #[command(subcommand)]
    Cases(cases::Command),
    /// Check or print a policy, or print the schema of the language
    #[command(subcommand)]
    Policy(policy::Command),
    /// List the kinds of rules, or print the page of one
    Rules(rules::Arguments),
    /// Explain a code such as limit/drop
    ExplainCode(explain_code::Arguments),
    /// Render a saved report again, or post it to GitHub
    Report(report::Arguments),
    /// Print the completions of a shell
    Completions(shell::Completions),
    /// Write the man pages to a folder
    #[command(hide = true)]
    Man(shell::Man),
    /// Run as the GitHub Action: take inputs from the environment, check, and report the result
    #[command(hide = true)]
    Action,
}

/// Runs the program with these arguments; returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let words: Vec<std::ffi::OsString> = arguments.into_iter().collect();
    let verbose = words.iter().any(|word| word == "--verbose" || word == "-v");
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(mut error) => {
            if error.kind() == clap::error::ErrorKind::DisplayVersion && verbose {
                let text = shell::long_version();
                let _ = Terminal::print(terminal::Guard::None, |to| to.write_all(text.as_bytes()));
                return 0;
            }
            // Help and version were requested; anything else is a usage error, and so no verdict.
            if !error.use_stderr() {
                let _ = error.print();
                return 0;
            }
            let terminal = Terminal::new(Color::Auto);
            let hint = mistakes::hint(&error, &words);
            // Our hint knows what the word means in other programs; clap's similar word would only confuse.
            if hint.is_some() {
                for tip in
                    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::Suggested]
                {
                    error.remove(tip);
                }
            }
            let text = error.render();
            terminal.error(&if terminal.err_color() { text.ansi().to_string() } else { text.to_string() });
            if let Some(hint) = hint {
                terminal.tell(&render::clean(&hint));
            }
            return Exit::NoVerdict.into();
        }
    };
    let folder = match folder(arguments.directory.as_deref()) {
        Ok(folder) => folder,
        Err(message) => {
            Terminal::new(arguments.color).tell(&message);
            return Exit::NoVerdict.into();
        }
    };
    let detail = match (arguments.verbose, arguments.quiet) {
        (true, _) => Detail::Full,
        (_, true) => Detail::Quiet,
        _ => Detail::Normal,
    };
    let terminal = Terminal::new(arguments.color).with_detail(detail);
    let exit = match &arguments.command {
        Command::Init(arguments) => init::run(arguments, &folder, &terminal),
        Command::Check(arguments) => check::run(arguments, &folder, &terminal),
        // Its exit code is that of the command it ran.
        Command::Record(arguments) => return record::run(arguments, &folder, &terminal),
        Command::Reproduce(arguments) => reproduce::run(arguments, &folder, &terminal),
        Command::Diff(arguments) => diff::run(arguments, &folder, &terminal),
        Command::Promote(arguments) => promote::run(arguments, &folder, &terminal),
        Command::Rollback(arguments) => rollback::run(arguments, &folder, &terminal),
        Command::Retire(arguments) => retire::run(arguments, &folder, &terminal),
        Command::Verify(arguments) => verify::run(arguments, &folder, &terminal),
        Command::Explain(arguments) => explain::run(arguments, &folder, &terminal),
        Command::Audit(arguments) => audit::run(arguments, &folder, &terminal),
        Command::History(arguments) => history::run(arguments, &folder, &terminal),
        Command::Key(command) => key::run(command, &folder, &terminal),
        Command::Show(arguments) => show::run(arguments, &folder, &terminal),
        Command::Power(arguments) => power::run(arguments, &folder, &terminal),
        Command::Cases(command) => cases::run(command, &folder, &terminal),
        Command::Policy(command) => policy::run(command, &folder, &terminal),
        Command::Rules(arguments) => rules::run(arguments, &terminal),
        Command::ExplainCode(arguments) => explain_code::run(arguments, &terminal),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Man(arguments) => shell::man(arguments, &folder, &terminal),
        Command::Report(arguments) => report::run(arguments, &folder, &terminal),
        Command::Action => action::run(&folder, &terminal),
    };
    exit.into()
}

fn folder(named: Option<&std::path::Path>) -> Result<PathBuf, String> {
    let current =
        std::env::current_dir().map_err(|error| format!("the current folder can't be read: {error}"))?;
    let Some(named) = named else { return Ok(current) };
    let folder = current.join(named);
    if folder.is_dir() { Ok(folder) } else { Err(format!("-C {}: there is no such folder", named.display())) }
}
