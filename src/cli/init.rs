//! `gate init`

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::Terminal;
use crate::check;
use crate::init::{Action, Layout, Plan, Request, plan, write};
use crate::render;
use crate::verdict::Exit;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the project keeps its runs [default: found by looking]
    #[arg(long = "for", value_enum, value_name = "LAYOUT")]
    layout: Option<Kept>,
    /// Take limits from these runs instead of those that are found
    #[arg(long = "run", value_name = "RUN")]
    runs: Vec<String>,
    /// Also write a hook that runs `gate check` before `git push`
    #[arg(long)]
    hook: bool,
    /// Write no GitHub workflow
    #[arg(long)]
    no_workflow: bool,
    /// Write the files without asking
    #[arg(long, short, conflicts_with = "dry_run")]
    yes: bool,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Where a project keeps its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// JSON records in the repository.
    Plain,
    /// An MLflow store or server.
    Mlflow,
    /// A DVC project.
    Dvc,
}

pub(super) fn run(arguments: &Arguments, folder: &Path, terminal: &Terminal) -> Exit {
    let request = Request {
        layout: arguments.layout.map(|layout| match layout {
            Kept::Plain => Layout::Plain,
            Kept::Mlflow => Layout::Mlflow,
            Kept::Dvc => Layout::Dvc,
        }),
        runs: arguments.runs.clone(),
        hook: arguments.hook,
        no_workflow: arguments.no_workflow,
    };
    let plan = match plan(&request, folder) {
        Ok(plan) => plan,
        Err(problems) => {
            for problem in &problems {
                terminal.trouble(problem);
            }
            return Exit::NoVerdict;
        }
    };
    let ask = !arguments.yes && !arguments.dry_run;
    let show = Terminal::print(terminal.guarded(), |to| show(&plan, !arguments.yes, to));
    if show.is_err() {
        return Exit::NoVerdict;
    }
    if arguments.dry_run || (ask && !agreed(terminal)) {
        terminal.tell("nothing was written; `gate init --yes` writes the files");
        return Exit::Pass;
    }
    let written = match write(&plan) {
        Ok(written) => written,
        Err(problem) => {
            terminal.trouble(&problem);
            return Exit::NoVerdict;
        }
    };
    let checked = policy_is_sound(&plan, terminal);
    let printed = Terminal::print(terminal.guarded(), |to| {
        match written.as_slice() {
            [] => writeln!(to, "everything already exists; nothing was written")?,
            written => writeln!(to, "wrote {}", written.join(", "))?,
        }
        writeln!(to, "\nnext:")?;
        plan.next.iter().try_for_each(|line| writeln!(to, "  {}", render::clean(line)))
    });
    if printed.is_err() || !checked { Exit::NoVerdict } else { Exit::Pass }
}

/// Shows what was found and what would be written, with full texts if nobody has agreed yet.
fn show(plan: &Plan, with_texts: bool, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "found:")?;
    for line in &plan.found {
        writeln!(to, "  {}", render::clean(line))?;
    }
    writeln!(to, "\nfiles:")?;
    for file in &plan.files {
        let word = match file.action {
            Action::Create => "new",
            Action::Append => "add lines to",
            Action::Keep => "exists, left unchanged:",
        };
        writeln!(to, "  {word} {}", file.path)?;
    }
    for file in plan.files.iter().filter(|file| with_texts && file.action != Action::Keep) {
        writeln!(to, "\n--- {}", file.path)?;
        for line in file.text.lines() {
            writeln!(to, "{}", render::clean(line))?;
        }
    }
    writeln!(to)
}

/// Asks a person at a terminal; without one, `--yes` is required.
fn agreed(terminal: &Terminal) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    terminal.error("write these files? [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Checks that the written policy can be loaded.
fn policy_is_sound(plan: &Plan, terminal: &Terminal) -> bool {
    match check::load_policy(None, &plan.root, Timestamp::now()) {
        Ok(_) => true,
        Err(problems) => {
            for problem in &problems {
                terminal.trouble(problem);
            }
            false
        }
    }
}
