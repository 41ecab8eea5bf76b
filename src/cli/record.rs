//! `gate record`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Terminal;
use super::progress::progress;
use crate::render;
use crate::training::{self, Order};

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "The command can write lines such as `metrics.f1=0.84`, `params.c=1.0`, `data.train=data/train.csv` \
or `artifact=models/churn.pkl` into the file that $GATE_RECORD_FILE names.\n\nExit codes: the command's own; 1 where it \
ended well and left less than was promised; 2 where nothing was run."
)]
pub(super) struct Arguments {
    /// Where to write the record [default: `runs/RUN_ID.json` beside the policy]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The model that the run belongs to, such as churn
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// A unique name for the run [default: the output's or the model's, with the time]
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// A file of metrics, JSON or YAML, that the command must write; every number in it must be finite
    #[arg(long, value_name = "FILE")]
    metrics: Vec<PathBuf>,
    /// A metric that must exist at the end
    #[arg(long = "metric", value_name = "NAME")]
    promised: Vec<String>,
    /// The command measures nothing
    #[arg(long, conflicts_with_all = ["metrics", "promised"])]
    no_metrics: bool,
    /// A file that the command must save
    #[arg(long = "artifact", value_name = "FILE")]
    artifacts: Vec<PathBuf>,
    /// The command saves nothing
    #[arg(long, conflicts_with = "artifacts")]
    no_artifact: bool,
    /// A file of parameters that the command reads, JSON or YAML
    #[arg(long, value_name = "FILE")]
    params: Vec<PathBuf>,
    /// The seed [default: that of the parameters]
    #[arg(long, value_name = "SEED")]
    seed: Option<String>,
    /// A file or folder of data, with its role, such as train=data/train.csv
    #[arg(long, value_name = "ROLE=PATH", value_parser = role)]
    data: Vec<(String, PathBuf)>,
    /// The dataset version, a name such as a date or a tag
    #[arg(long, value_name = "VERSION")]
    data_version: Option<String>,
    /// The file or the folder that the metrics are measured on
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,
    /// The name of the validation split [default: the name of its file]
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// A file of predictions on the validation split that the command writes
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// The script or notebook [default: the one that the command names]
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// The lockfile [default: uv.lock, poetry.lock, requirements.txt, … where there is one]
    #[arg(long, value_name = "FILE")]
    lockfile: Option<PathBuf>,
    /// The Python whose version and packages to record [default: the one that the command names]
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// The container image that this runs in, with its digest
    #[arg(long, value_name = "IMAGE")]
    container: Option<String>,
    /// Write what MLflow does not record (command, data, lockfile, split, …) to the run that the command logs, as tags
    #[arg(long)]
    mlflow_tags: bool,
    #[arg(long, help = "Sign the record, into RECORD.json.dsse beside it, with --key or GATE_SIGNING_KEY")]
    sign: bool,
    /// A private key to sign the record with
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// The command and its arguments; it is started without a shell
    #[arg(required = true, last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

fn role(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((role, path)) if !role.is_empty() && !path.is_empty() => Ok((role.into(), path.into())),
        _ => Err("write the data file with its role, such as train=data/train.csv".into()),
    }
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> u8 {
    let arguments = (*arguments).clone();
    let order = Order {
        command: arguments.command,
        output: arguments.output,
        model: arguments.model,
        run_id: arguments.run_id,
        data_version: arguments.data_version,
        seed: arguments.seed,
        source: arguments.source,
        data: arguments.data,
        validation: arguments.validation,
        split: arguments.split,
        params: arguments.params,
        metrics: arguments.metrics,
        promised: arguments.promised,
        no_metrics: arguments.no_metrics,
        artifacts: arguments.artifacts,
        no_artifact: arguments.no_artifact,
        predictions: arguments.predictions,
        lockfile: arguments.lockfile,
        python: arguments.python,
        container: arguments.container,
        mlflow_tags: arguments.mlflow_tags,
        sign: arguments.sign || !arguments.keys.is_empty(),
        keys: arguments.keys,
    };
    let recorded = training::record(&order, folder, &progress());
    // Standard output belongs to the command, so gate's messages must not mix with it.
    for problem in &recorded.problems {
        terminal.trouble(problem);
    }
    if !recorded.problems.is_empty() && recorded.code == 1 {
        terminal.tell("no record was written");
    }
    for note in &recorded.notes {
        terminal.tell(&render::clean(note));
    }
    recorded.code
}
