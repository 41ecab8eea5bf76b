//! `gate retire`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Terminal;
use super::answering::Answering;
use super::promote::reason;
use crate::promotion::{Retire, TrustOrder, retire};
use crate::render::{self, Style};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Afterwards nothing verifies for the stage until a model is promoted to it again. The \
     history stays, and `gate audit` accepts it.\n\nExit codes: 0 retired; 1 there is nothing to retire; 2 \
      not decided. With 1 and 2, nothing was written."
)]
pub(super) struct Arguments {
    /// The stage
    #[arg(long, short, value_name = "STAGE")]
    stage: String,
    /// The model, if the stage has several
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Why: every audit will show it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[arg(long = "key", value_name = "FILE")]
    #[arg(help = "A private key to sign the entry with [default: GATE_SIGNING_KEY]")]
    keys: Vec<PathBuf>,
    /// A public key that must have signed the current promotion [default: the signing keys]
    #[arg(long = "trusted-key", value_name = "FILE")]
    trusted: Vec<PathBuf>,
    /// A file of public keys, with what each is trusted for
    #[arg(long, value_name = "FILE", conflicts_with = "trusted")]
    trust: Option<PathBuf>,
    /// Build on a current promotion that no trusted key signed; the new entry says so
    #[arg(long)]
    accept_untrusted: bool,
    /// Say what would be retired, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    answering: Answering,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = Retire {
        stage: arguments.stage.clone(),
        model: arguments.model.clone(),
        reason: arguments.reason.clone(),
        ledger: arguments.ledger.clone(),
        keys: arguments.keys.clone(),
        trust: TrustOrder { keys: arguments.trusted.clone(), file: arguments.trust.clone() },
        accept_untrusted: arguments.accept_untrusted,
        dry_run: arguments.dry_run,
    };
    let outcome = retire(&order, folder);
    let human = |style: Style, to: &mut dyn Write| render::promotion_human(&outcome, style, to);
    let json = |to: &mut dyn Write| render::promotion_json(&outcome, to);
    let (exit, written) = (outcome.exit(), outcome.written());
    arguments.answering.print_after(folder, terminal, exit, written, &human, &json)
}
