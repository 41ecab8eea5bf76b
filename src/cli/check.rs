//! `gate check`

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::Terminal;
use super::printing::Printing;
use crate::check::{PullRequestBase, Request};
use crate::run::Moment;
use crate::verdict::Exit;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// Runs to judge: files, globs, folders, `git:REV:PATH`; without any, the records that changed since the base
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// The policy: a file, or a shipped pack such as gate:checklist [default: gate.yaml here or above]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// What to compare with, instead of the policy's baseline
    #[arg(long, short, value_name = "RUN")]
    baseline: Option<String>,
    /// The stage that the model would be promoted to
    #[arg(long, short, value_name = "STAGE")]
    stage: Option<String>,
    /// The folder of promotions, where `stage:NAME` is looked up [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR", conflicts_with = "trust")]
    ledger: Option<PathBuf>,
    /// The branch against which changed records are found [default: the default branch]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Decide as for a pull request: policy, waivers and baseline come from this revision, candidates from --head
    #[arg(long, value_name = "REV", conflicts_with = "base")]
    trust: Option<String>,
    /// What is judged with --trust [default: HEAD]
    #[arg(long, value_name = "REV", requires = "trust")]
    head: Option<String>,
    /// With --trust: give no verdict if the base has no policy
    #[arg(long, requires = "trust")]
    require_base_policy: bool,
    /// Judge every record that the policy matches, changed or not
    #[arg(long, conflicts_with_all = ["runs", "base"])]
    all: bool,
    /// Give no verdict if there is nothing to judge
    #[arg(long)]
    require_candidates: bool,
    /// Accept that there is no baseline: this is the first model
    #[arg(long)]
    first: bool,
    /// Judge as if there were no waivers
    #[arg(long)]
    no_waivers: bool,
    /// The time of the decision, RFC 3339. It decides which rules apply already, which waivers have ended, and how
    /// old a run is
    #[arg(long, value_name = "TIME", value_parser = clock)]
    now: Option<Timestamp>,
    #[command(flatten)]
    printing: Printing,
}

/// Parses a time; a clock needs a time zone.
pub(super) fn clock(text: &str) -> Result<Timestamp, String> {
    match Moment::parse(text) {
        Ok(moment) if !moment.zone_assumed => Ok(moment.at),
        Ok(_) => Err("a time needs a zone: 2026-06-01T00:00:00Z".into()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let request = Request {
        runs: arguments.runs.clone(),
        policy: arguments.policy.clone(),
        baseline: arguments.baseline.clone(),
        stage: arguments.stage.clone(),
        ledger: arguments.ledger.clone(),
        base: arguments.base.clone(),
        all: arguments.all,
        require_candidates: arguments.require_candidates,
        first: arguments.first,
        no_waivers: arguments.no_waivers,
        now: arguments.now,
        trust: arguments.trust.as_ref().map(|base| PullRequestBase {
            base: base.clone(),
            head: arguments.head.clone(),
            branch: None,
            require_policy: arguments.require_base_policy,
        }),
        ..Request::default()
    };
    arguments.printing.check(request, folder, Timestamp::now(), terminal)
}
