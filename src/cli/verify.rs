//! `gate verify`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::Terminal;
use super::answering::Answering;
use super::check::clock;
use crate::promotion::{TrustOrder, VerifyOrder, policy_digest, verify};
use crate::render::{self, Style};
use crate::run::parse_duration;
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "You decide whom to trust, with --key or --trust; the ledger never does. Without either, \
     the ledger itself is trusted, and the answer says so.\n\nExit codes: 0 every check passes; 1 not \
      promoted, tampered with, superseded, ended, or not found; 2 not decided."
)]
pub(super) struct Arguments {
    /// The file or folder to deploy
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The stage to deploy it to
    #[arg(long, short, value_name = "STAGE")]
    stage: String,
    /// The model, if several have this file
    #[arg(long = "model", value_name = "NAME")]
    line: Option<String>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR", conflicts_with = "attestation")]
    ledger: Option<PathBuf>,
    /// A single envelope instead of a ledger; needs --key or --trust
    #[arg(long, value_name = "FILE")]
    attestation: Option<PathBuf>,
    /// The identity of the ledger, as in its file `id`, if one key is used for several repositories
    #[arg(long, value_name = "ID", value_parser = ledger_id)]
    ledger_id: Option<String>,
    /// Also require every other file of the promotion, at the same relative path as when it was promoted
    #[arg(long)]
    all: bool,
    /// A trusted public key
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// A file of public keys, with what each is trusted for
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    trust: Option<PathBuf>,
    /// The digest of the policy that must have decided, as `gate promote` and `gate verify` show it; may be repeated
    #[arg(long = "policy-digest", value_name = "sha256:…", value_parser = policy_digest)]
    policies: Vec<String>,
    /// The lowest number that the promotion may have, so that an outdated ledger does not pass
    #[arg(long, value_name = "N")]
    at_least: Option<u64>,
    /// How old the promotion may be: 12h, 30d, 4w
    #[arg(long, value_name = "TIME", value_parser = age)]
    max_age: Option<SignedDuration>,
    /// What to do if a waiver has ended since
    #[arg(long, value_enum, default_value_t = Waivers::Fail, value_name = "WORD")]
    waivers: Waivers,
    /// Accept a promotion by an override
    #[arg(long)]
    accept_overridden: bool,
    /// The current time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = clock)]
    now: Option<Timestamp>,
    #[command(flatten)]
    answering: Answering,
}

/// What a waiver means that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Waivers {
    /// The model is not approved any more.
    Fail,
    /// Only warn.
    Warn,
}

fn ledger_id(text: &str) -> Result<String, String> {
    if crate::ledger::is_id(text) {
        return Ok(text.to_owned());
    }
    Err("an identity is 32 hexadecimal digits, as the file `id` of the ledger has them".into())
}

pub(super) fn age(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text).map_err(|_| "a whole number of hours, days or weeks: 12h, 30d, 4w".into())
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = VerifyOrder {
        model: arguments.model.clone(),
        stage: arguments.stage.clone(),
        line: arguments.line.clone(),
        ledger: arguments.ledger.clone(),
        attestation: arguments.attestation.clone(),
        whole_set: arguments.all,
        ledger_id: arguments.ledger_id.clone(),
        trust: TrustOrder { keys: arguments.keys.clone(), file: arguments.trust.clone() },
        policies: arguments.policies.clone(),
        at_least: arguments.at_least,
        max_age: arguments.max_age,
        waivers_warn: arguments.waivers == Waivers::Warn,
        accept_overridden: arguments.accept_overridden,
        now: arguments.now,
    };
    let answer = verify(&order, folder, Timestamp::now());
    let human = |style: Style, to: &mut dyn Write| render::verification_human(&answer, style, to);
    let json = |to: &mut dyn Write| render::json_of(&answer, to);
    arguments.answering.print(folder, terminal, answer.exit_code, &human, &json)
}
