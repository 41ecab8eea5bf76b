//! `gate rollback`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Terminal;
use super::answering::Answering;
use super::promote::reason;
use crate::promotion::{Back, TrustOrder, rollback};
use crate::render::{self, Style};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The target must still verify: the chain, the signature if --trusted-key or --trust is \
     given, the files, and the end. The metrics are not judged again.\n\nExit codes: 0 rolled back; 1 there \
      is no valid promotion to go back to; 2 not decided. With 1 and 2, nothing was written, unless the \
      message says that only the answer could not be written."
)]
pub(super) struct Arguments {
    /// The stage
    #[arg(long, short, value_name = "STAGE")]
    stage: String,
    /// The number of the promotion to go back to [default: the newest earlier one with another file]
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// Why: every audit will show it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// The model, if the stage has several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The file to go back to, if it is not at the path from which it was promoted
    #[arg(long = "artifact", value_name = "FILE")]
    artifacts: Vec<PathBuf>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[arg(long = "key", value_name = "FILE")]
    #[arg(help = "A private key to sign the new entry with [default: GATE_SIGNING_KEY]")]
    keys: Vec<PathBuf>,
    /// A public key that must have signed the promotions that this one builds on [default: the signing keys]
    #[arg(long = "trusted-key", value_name = "FILE")]
    trusted: Vec<PathBuf>,
    /// A file of public keys, with what each is trusted for
    #[arg(long, value_name = "FILE", conflicts_with = "trusted")]
    trust: Option<PathBuf>,
    /// Build on a current promotion that no trusted key signed; the new entry says so
    #[arg(long)]
    accept_untrusted: bool,
    /// Say what would be promoted, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    answering: Answering,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = Back {
        stage: arguments.stage.clone(),
        model: arguments.model.clone(),
        to: arguments.to,
        reason: arguments.reason.clone(),
        ledger: arguments.ledger.clone(),
        artifacts: arguments.artifacts.clone(),
        keys: arguments.keys.clone(),
        accept_untrusted: arguments.accept_untrusted,
        trust: TrustOrder { keys: arguments.trusted.clone(), file: arguments.trust.clone() },
        dry_run: arguments.dry_run,
    };
    let outcome = rollback(&order, folder);
    let human = |style: Style, to: &mut dyn Write| render::promotion_human(&outcome, style, to);
    let json = |to: &mut dyn Write| render::promotion_json(&outcome, to);
    let (exit, written) = (outcome.exit(), outcome.written());
    arguments.answering.print_after(folder, terminal, exit, written, &human, &json)
}
