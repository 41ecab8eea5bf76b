//! `gate explain`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Terminal;
use super::answering::write_to;
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
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the answer to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an explanation is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Human,
    /// The whole answer as JSON.
    Json,
    /// What is recorded, as a model card for Hugging Face.
    ModelCard,
    /// What is recorded, as a bill of materials in CycloneDX 1.6.
    MlBom,
    /// What is recorded, as the part on validation and performance of a technical documentation (EU AI Act, Annex IV).
    TechnicalDocumentation,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let question = Question {
        model: arguments.model.clone(),
        line: arguments.line.clone(),
        policy: arguments.policy.clone(),
        ledger: arguments.ledger.clone(),
    };
    let answer = explain(&question, folder);
    // An empty document would look like that of a model without records.
    if !matches!(arguments.format, Format::Human | Format::Json) && answer.facts.is_none() {
        for trouble in &answer.troubles {
            terminal.trouble(trouble);
        }
        return answer.exit_code;
    }
    let facts = answer.facts.clone().unwrap_or_default();
    let guard = match arguments.format {
        Format::Human | Format::ModelCard | Format::TechnicalDocumentation => terminal.guarded(),
        Format::Json | Format::MlBom => terminal.guarded_json(),
    };
    let write = |style: Style, to: &mut dyn Write| match arguments.format {
        Format::Human => render::explanation_human(&answer, style, to),
        Format::Json => render::json_of(&answer, to),
        Format::ModelCard => render::model_card(&facts, to),
        Format::MlBom => render::ml_bom(&facts, to),
        Format::TechnicalDocumentation => render::technical_documentation(&answer, &facts, to),
    };
    let written = write_to(arguments.output.as_deref(), folder, guard, terminal, &write);
    if let Err(error) = written {
        terminal.tell(&format!("the answer can't be written: {error}"));
        return Exit::NoVerdict;
    }
    answer.exit_code
}
