//! What the terminal can show, from its kind and the environment.

use std::env;
use std::io::{self, IsTerminal, Write};

use super::Color;
use crate::render::Style;

/// The two streams, and how to write to them.
#[derive(Debug)]
pub(super) struct Terminal {
    out: Style,
    err: Style,
}

/// Columns where there is no terminal to ask.
const COLUMNS: usize = 100;

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let width = columns();
        let unicode = is_utf8();
        let style = |is_terminal: bool| Style { color: colored(color, is_terminal), unicode, width };
        Self { out: style(io::stdout().is_terminal()), err: style(io::stderr().is_terminal()) }
    }

    /// How standard output is dressed.
    pub(super) fn out(&self) -> Style {
        self.out
    }

    /// How standard error is dressed.
    pub(super) fn err(&self) -> Style {
        self.err
    }

    /// Writes to standard output. A reader that has gone away changes nothing about the verdict.
    pub(super) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let result = write(&mut out).and_then(|()| out.flush());
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// The convention of <https://no-color.org> and <https://bixense.com/clicolors>, below what was asked for.
fn colored(asked: Color, is_terminal: bool) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        Color::Auto if set("CLICOLOR_FORCE") => true,
        Color::Auto if env::var_os("CLICOLOR").is_some_and(|value| value == "0") => false,
        Color::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// The columns of the terminal, else what `COLUMNS` says.
fn columns() -> usize {
    let of_terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let of_environment = || env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    of_terminal.or_else(of_environment).filter(|&columns| columns > 0).unwrap_or(COLUMNS)
}

/// Whether the locale is one of UTF-8; Windows' consoles are.
fn is_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|text| !text.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
