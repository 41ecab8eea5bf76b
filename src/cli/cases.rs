//! `gate cases`

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::Terminal;
use super::answering::write_to;
use super::progress::counting;
use crate::aggregates::{Plan, Task};
use crate::check::{self, CountedFiles, Statements};
use crate::render;
use crate::sql::{DIALECTS, Dialect, Source};
use crate::verdict::Exit;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the SQL that counts the cases of this policy in a warehouse: guards first, then the aggregates
    Sql(SqlArguments),
    /// Count the cases of files into the same aggregates, byte for byte
    Aggregate(AggregateArguments),
}

#[derive(Debug, Args)]
pub(super) struct SqlArguments {
    /// The engine whose SQL it is
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(DIALECTS.map(Dialect::name)))]
    engine: String,
    /// The table of the candidate's predictions
    #[arg(long, value_name = "TABLE", required_unless_present = "joined")]
    candidate: Option<String>,
    /// The table of the baseline's predictions [default: none, the candidate is counted alone]
    #[arg(long, value_name = "TABLE", requires = "candidate")]
    baseline: Option<String>,
    /// One table with the predictions of both: `y_pred_baseline`, `y_pred_candidate`
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["candidate", "baseline"])]
    joined: Option<String>,
    #[command(flatten)]
    about: About,
    /// How to print the statements
    #[arg(long, value_enum, default_value_t = SqlFormat::Sql)]
    format: SqlFormat,
}

#[derive(Debug, Args)]
pub(super) struct AggregateArguments {
    /// The candidate's predictions: CSV, TSV, JSON Lines or Parquet, optionally .gz or .zst
    #[arg(value_name = "FILE")]
    candidate: String,
    /// The baseline's predictions [default: none, the candidate is counted alone]
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,
    #[command(flatten)]
    about: About,
    /// Write the aggregates to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What says how cases are counted.
#[derive(Debug, Args)]
struct About {
    /// The policy whose metrics, slices and `cases:` say what is counted [default: gate.yaml here or above, if any]
    #[arg(long, short, value_name = "FILE")]
    policy: Option<String>,
    /// Whether labels are classes or numbers [default: what the policy's metrics are of]
    #[arg(long, value_enum)]
    task: Option<TaskName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TaskName {
    /// Labels and predictions are classes.
    Classification,
    /// Labels and predictions are numbers.
    Regression,
}

impl From<TaskName> for Task {
    fn from(name: TaskName) -> Self {
        match name {
            TaskName::Classification => Self::Classification,
            TaskName::Regression => Self::Regression,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SqlFormat {
    /// One file of SQL.
    Sql,
    /// JSON, for a program that runs them.
    Json,
}

pub(super) fn run(command: &Command, folder: &Path, terminal: &Terminal) -> Exit {
    match command {
        Command::Sql(arguments) => sql(arguments, folder, terminal),
        Command::Aggregate(arguments) => aggregate(arguments, folder, terminal),
    }
}

fn sql(arguments: &SqlArguments, folder: &Path, terminal: &Terminal) -> Exit {
    let source = match (&arguments.joined, &arguments.candidate, &arguments.baseline) {
        (Some(table), ..) => Source::Joined(table.clone()),
        (None, Some(candidate), Some(baseline)) => {
            Source::Tables { candidate: candidate.clone(), baseline: baseline.clone() }
        }
        (None, candidate, _) => Source::Candidate(candidate.clone().unwrap_or_default()),
    };
    let dialect = DIALECTS.into_iter().find(|dialect| dialect.name() == arguments.engine);
    let Some(dialect) = dialect else { return Exit::NoVerdict };
    let (task, policy) = (arguments.about.task.map(Task::from), arguments.about.policy.as_deref());
    let found = match check::case_statements(&source, dialect, task, policy, folder) {
        Ok(found) => found,
        Err(wrong) => {
            for one in &wrong {
                terminal.trouble(one);
            }
            return Exit::NoVerdict;
        }
    };
    tell_left_out(&found.plan, terminal);
    let printed = match arguments.format {
        SqlFormat::Sql => Terminal::print(terminal.guarded(), |to| to.write_all(text(&found).as_bytes())),
        SqlFormat::Json => {
            Terminal::print(terminal.guarded_json(), |to| writeln!(to, "{:#}", as_json(&found, dialect)))
        }
    };
    if printed.is_ok() { Exit::Pass } else { Exit::NoVerdict }
}

fn aggregate(arguments: &AggregateArguments, folder: &Path, terminal: &Terminal) -> Exit {
    let (task, policy) = (arguments.about.task.map(Task::from), arguments.about.policy.as_deref());
    let files =
        CountedFiles { folder, candidate: &arguments.candidate, baseline: arguments.baseline.as_deref() };
    let counted = check::count_cases(files, task, policy, &*counting());
    let (mut table, plan, wrong) = match counted {
        Ok(found) => found,
        Err(wrong) => {
            for one in &wrong {
                terminal.trouble(one);
            }
            return Exit::NoVerdict;
        }
    };
    tell_left_out(&plan, terminal);
    let csv = table.to_csv();
    let written = write_to(arguments.output.as_deref(), folder, terminal.guarded(), terminal, &|_, to| {
        to.write_all(&csv)
    });
    if let Err(error) = written {
        terminal.tell(&format!("the aggregates can't be written: {error}"));
        return Exit::NoVerdict;
    }
    match wrong {
        None => Exit::Pass,
        Some(wrong) => {
            terminal.trouble(&wrong);
            Exit::NoVerdict
        }
    }
}

fn tell_left_out(plan: &Plan, terminal: &Terminal) {
    if !plan.left_out.is_empty() {
        let names: Vec<String> = plan.left_out.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "{} can't be computed from aggregates; record the files of predictions for these metrics",
            names.join(", ")
        );
        terminal.tell(&render::clean(&message));
    }
}

fn text(found: &Statements) -> String {
    let parts: Vec<String> = found
        .statements
        .iter()
        .enumerate()
        .map(|(index, statement)| format!("-- {}. {}\n{};\n", index + 1, statement.says, statement.sql))
        .collect();
    parts.join("\n")
}

fn as_json(found: &Statements, dialect: Dialect) -> serde_json::Value {
    let statements: Vec<serde_json::Value> = found
        .statements
        .iter()
        .map(|statement| json!({ "name": statement.name, "sql": statement.sql }))
        .collect();
    json!({
        "version": 1,
        "engine": dialect.name(),
        "task": found.plan.task.name(),
        "columns": found.columns,
        "statements": statements,
    })
}
