//! How and where an answer other than a check's report is printed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Terminal;
use super::terminal::Guard;
use crate::atomic;
use crate::document::Diagnostic;
use crate::render::Style;
use crate::verdict::Exit;

#[derive(Debug, Clone, Args)]
pub(super) struct Answering {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the answer to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person.
    Human,
    /// The whole answer as JSON.
    Json,
}

impl Format {
    /// Prints what was found, and what was wrong with the rest; any problem means no verdict.
    pub(super) fn print(
        self,
        terminal: &Terminal,
        troubles: &[Diagnostic],
        human: Human<'_>,
        json: Json<'_>,
    ) -> Exit {
        let printed = Terminal::print(self.guard(terminal), |to| match self {
            Self::Human => human(terminal.out(), to),
            Self::Json => json(to),
        });
        for trouble in troubles {
            terminal.trouble(trouble);
        }
        if let Err(error) = printed {
            terminal.tell(&error.to_string());
            return Exit::NoVerdict;
        }
        if troubles.is_empty() { Exit::Pass } else { Exit::NoVerdict }
    }

    fn guard(self, terminal: &Terminal) -> Guard {
        match self {
            Self::Human => terminal.guarded(),
            Self::Json => terminal.guarded_json(),
        }
    }
}

/// Writes an answer for a person.
pub(super) type Human<'a> = &'a dyn Fn(Style, &mut dyn Write) -> io::Result<()>;
/// Writes an answer as JSON.
pub(super) type Json<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

impl Answering {
    /// Prints an answer; returns its exit code, unless printing failed.
    pub(super) fn print(
        &self,
        folder: &Path,
        terminal: &Terminal,
        exit: Exit,
        human: Human<'_>,
        json: Json<'_>,
    ) -> Exit {
        self.print_after(folder, terminal, exit, None, human, json)
    }

    /// Like [`Self::print`], after a change was made: if the answer can't be printed, reports `done` instead.
    pub(super) fn print_after(
        &self,
        folder: &Path,
        terminal: &Terminal,
        exit: Exit,
        done: Option<String>,
        human: Human<'_>,
        json: Json<'_>,
    ) -> Exit {
        let guard = self.format.guard(terminal);
        let write = |style: Style, to: &mut dyn Write| match self.format {
            Format::Human => human(style, to),
            Format::Json => json(to),
        };
        let written = write_to(self.output.as_deref(), folder, guard, terminal, &write);
        if let Err(error) = written {
            let done = done.map_or_else(String::new, |done| format!("; {done}"));
            terminal.tell(&format!("the answer can't be written: {error}{done}"));
            return Exit::NoVerdict;
        }
        exit
    }
}

/// Writes an answer to a file, without colour, or to standard output, guarded.
pub(super) fn write_to(
    output: Option<&Path>,
    folder: &Path,
    guard: Guard,
    terminal: &Terminal,
    write: Human<'_>,
) -> io::Result<()> {
    match output {
        None => Terminal::print(guard, |to| write(terminal.out(), to)),
        Some(path) => {
            let style = Style { color: false, ..terminal.out() };
            atomic::write(&folder.join(path), |to| write(style, to))
        }
    }
}
