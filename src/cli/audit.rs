//! `gate audit`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::Terminal;
use super::answering::write_to;
use super::check::clock;
use super::verify::age;
use crate::promotion::{AuditOrder, TrustOrder, audit, rank};
use crate::render::{self, Style};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit codes: 0 everything is in order; 1 something is wrong; 2 not decided. With --margins: 0 there is a ranking; 2 there is none."
)]
pub(super) struct Arguments {
    /// The stage [default: all]
    #[arg(long, short, value_name = "STAGE")]
    stage: Option<String>,
    /// The model [default: all]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The policy [default: gate.yaml here or above]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// A public key that must have signed every promotion
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// A file of public keys, with what each is trusted for
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    trust: Option<PathBuf>,
    /// How old the model may be that new ones are compared with: 30d, 26w
    #[arg(long, value_name = "TIME", default_value = "180d", value_parser = age)]
    stale: SignedDuration,
    /// Treat warnings as failures
    #[arg(long)]
    strict: bool,
    /// Rank the policy's rules instead: how often each failed over the promotions and records that are here, and how
    /// close it came
    #[arg(long, conflicts_with_all = ["keys", "trust", "strict", "stale"])]
    margins: bool,
    /// The current time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = clock)]
    now: Option<Timestamp>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the answer to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an audit is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// The whole answer as JSON.
    Json,
    /// As one page for a browser.
    Html,
    /// For a page or a comment; only with --margins.
    Markdown,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = AuditOrder {
        stage: arguments.stage.clone(),
        model: arguments.model.clone(),
        policy: arguments.policy.clone(),
        ledger: arguments.ledger.clone(),
        trust: TrustOrder { keys: arguments.keys.clone(), file: arguments.trust.clone() },
        stale: arguments.stale,
        strict: arguments.strict,
        now: arguments.now,
    };
    if arguments.margins {
        return margins(arguments, &order, folder, terminal);
    }
    if arguments.format == Format::Markdown {
        terminal.tell(
            "an audit has no Markdown: use --format human, json or html; or rank the rules with --margins",
        );
        return Exit::NoVerdict;
    }
    let answer = audit(&order, folder, Timestamp::now());
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let write = |style: Style, to: &mut dyn Write| match arguments.format {
        Format::Human => render::audit_human(&answer, style, to),
        Format::Json => render::json_of(&answer, to),
        Format::Html => render::audit_html(&answer, to),
        Format::Markdown => Ok(()),
    };
    if let Err(error) = write_to(arguments.output.as_deref(), folder, guard, terminal, &write) {
        terminal.tell(&format!("the answer can't be written: {error}"));
        return Exit::NoVerdict;
    }
    answer.exit_code
}

/// Ranks the rules over history, instead of auditing today's promotions.
fn margins(arguments: &Arguments, order: &AuditOrder, folder: &Path, terminal: &Terminal) -> Exit {
    let answer = rank(order, folder, Timestamp::now());
    if arguments.format != Format::Json && !answer.troubles.is_empty() {
        for trouble in &answer.troubles {
            terminal.trouble(trouble);
        }
        return answer.exit_code;
    }
    let guard = if arguments.format == Format::Json { terminal.guarded_json() } else { terminal.guarded() };
    let write = |style: Style, to: &mut dyn Write| match arguments.format {
        Format::Human => render::ranking_human(&answer, style, to),
        Format::Json => render::json_of(&answer, to),
        Format::Html => render::ranking_html(&answer, to),
        Format::Markdown => render::ranking_markdown(&answer, to),
    };
    if let Err(error) = write_to(arguments.output.as_deref(), folder, guard, terminal, &write) {
        terminal.tell(&format!("the ranking can't be written: {error}"));
        return Exit::NoVerdict;
    }
    answer.exit_code
}
