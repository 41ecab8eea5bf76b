//! `gate explain`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Terminal;
use super::answering::Answering;
use crate::promotion::{Question, explain};
use crate::render::{self, Style};
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
#[command(after_help = "Exit codes: 0 explained; 1 not found; 2 not decided.")]
pub(super) struct Arguments {
    /// A model file or folder, its digest, the id of a run, or `stage:NAME`
    #[arg(value_name = "MODEL")]
    model: String,
    /// The model, if several match
    #[arg(long = "model", value_name = "NAME")]
    line: Option<String>,
    /// The policy, which says where records are [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// The folder of promotions [default: the policy's, else ledger]
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    answering: Answering,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let question = Question {
        model: arguments.model.clone(),
        line: arguments.line.clone(),
        policy: arguments.policy.clone(),
        ledger: arguments.ledger.clone(),
    };
    let answer = explain(&question, folder);
    let human = |style: Style, to: &mut dyn Write| render::explanation_human(&answer, style, to);
    let json = |to: &mut dyn Write| render::json_of(&answer, to);
    arguments.answering.print(folder, terminal, answer.exit_code, &human, &json)
}
