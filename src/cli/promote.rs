//! `gate promote`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::Terminal;
use super::answering::Answering;
use crate::promotion::{Order, TrustOrder, promote};
use crate::render::{self, Style};
use crate::run::{Moment, parse_duration};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The run is judged as by `gate check --stage STAGE`, and compared with what is promoted to \
     the stage now, unless the policy names a file as baseline, or the stage has its own.\n\nExit codes: 0 \
      promoted; 1 not allowed, nothing was written; 2 not decided, nothing was written. The exit code is \
      also 2 if it was promoted but the alias or this answer could not be written; the message then says \
      so."
)]
pub(super) struct Arguments {
    /// The run: a file, `git:REV:PATH`, or a run of a tracker
    #[arg(value_name = "RUN")]
    run: String,
    /// The stage to promote it to; the policy must declare it
    #[arg(long, short, value_name = "STAGE")]
    stage: String,
    /// The policy: a file, or a shipped pack such as gate:production [default: gate.yaml here or above]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// What to compare with, instead of what the policy or the ledger names
    #[arg(long, short, value_name = "RUN")]
    baseline: Option<String>,
    /// Accept that there is no baseline: this is the first model
    #[arg(long)]
    first: bool,
    /// The model, if the record does not name one
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The local file of an artifact that the record names by an address; its digest must match the recorded one
    #[arg(long = "artifact", value_name = "FILE")]
    artifacts: Vec<PathBuf>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[arg(long = "key", value_name = "FILE")]
    #[arg(
        help = "A private key to sign with; repeat it to sign with several keys [default: GATE_SIGNING_KEY, a key in PEM or the path of one]"
    )]
    keys: Vec<PathBuf>,
    /// A public key that must have signed the promotions that this one builds on [default: the signing keys]
    #[arg(long = "trusted-key", value_name = "FILE")]
    trusted: Vec<PathBuf>,
    /// A file of public keys, with what each is trusted for
    #[arg(long, value_name = "FILE", conflicts_with = "trusted")]
    trust: Option<PathBuf>,
    /// Build on promotions that no trusted key signed; the new entry records this, and every verification shows it
    #[arg(long)]
    accept_untrusted: bool,
    /// An alias in MLflow's registry to point to the promoted version; `gate audit` reports if it points elsewhere
    #[arg(long, value_name = "ALIAS", value_parser = crate::tracker::mlflow::alias_name)]
    mlflow_alias: Option<String>,
    /// When the promotion ends: a time, or 180d, 12h, 4w from now
    #[arg(long, value_name = "TIME", value_parser = end)]
    expires: Option<Timestamp>,
    /// Promote although the policy does not allow it, for example in an incident; every audit will show the reason
    #[arg(long = "override", value_name = "REASON", value_parser = reason)]
    overridden: Option<String>,
    /// Say what would be promoted, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Judge, print the predicate for a keyless signer, and write nothing
    #[arg(long, conflicts_with_all = ["keys", "format", "overridden"])]
    predicate_only: bool,
    #[command(flatten)]
    answering: Answering,
}

/// Parses a future time, or a duration from now.
fn end(text: &str) -> Result<Timestamp, String> {
    if let Ok(duration) = parse_duration(text) {
        return Timestamp::now().checked_add(duration).map_err(|error| error.to_string());
    }
    match Moment::parse(text) {
        Ok(moment) if !moment.zone_assumed => Ok(moment.at),
        Ok(_) => Err("the time needs a zone: 2027-01-01T00:00:00Z".into()),
        Err(error) => Err(format!("{error}; or a duration such as 180d")),
    }
}

/// Parses a reason, which must have between 3 and 1000 characters.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0..3 => Err("the reason is too short: an auditor will read it, so explain why".into()),
        3..=1_000 => Ok(text.to_owned()),
        _ => Err("a reason has at most 1000 characters".into()),
    }
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let order = Order {
        run: arguments.run.clone(),
        stage: arguments.stage.clone(),
        policy: arguments.policy.clone(),
        baseline: arguments.baseline.clone(),
        first: arguments.first,
        model: arguments.model.clone(),
        artifacts: arguments.artifacts.clone(),
        ledger: arguments.ledger.clone(),
        keys: arguments.keys.clone(),
        accept_untrusted: arguments.accept_untrusted,
        overridden: arguments.overridden.clone(),
        mlflow_alias: arguments.mlflow_alias.clone(),
        expires: arguments.expires,
        dry_run: arguments.dry_run,
        predicate_only: arguments.predicate_only,
        trust: TrustOrder { keys: arguments.trusted.clone(), file: arguments.trust.clone() },
    };
    let outcome = promote(&order, folder);
    let exit = outcome.exit();
    if let (true, Some(promoted)) = (arguments.predicate_only, &outcome.promoted) {
        let predicate = |to: &mut dyn Write| to.write_all(promoted.predicate.as_bytes());
        return arguments.answering.print(folder, terminal, exit, &|_, to| predicate(to), &predicate);
    }
    let human = |style: Style, to: &mut dyn Write| render::promotion_human(&outcome, style, to);
    let json = |to: &mut dyn Write| render::promotion_json(&outcome, to);
    if arguments.predicate_only {
        // Standard output is reserved for the predicate, and there is none.
        let mut text = Vec::new();
        let _ = human(Style { color: false, ..terminal.out() }, &mut text);
        terminal.error(&String::from_utf8_lossy(&text));
        return exit;
    }
    arguments.answering.print_after(folder, terminal, exit, outcome.written(), &human, &json)
}
