//! What the terminal supports, according to its type and the environment.

use std::env;
use std::io::{self, IsTerminal, Write};

use super::Color;
use crate::document::Diagnostic;
use crate::render::{self, Detail, Neutral, Style};

/// The two output streams, and how to write to them.
#[derive(Debug)]
pub(super) struct Terminal {
    out: Style,
    err: Style,
    in_action: bool,
}

/// What output must be guarded against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Only the person who requested the output reads it.
    None,
    /// A CI runner that executes commands in the output.
    Text,
    /// The same, for JSON output.
    Json,
}

/// Size of the write buffer in bytes: a candidate in a report takes a few thousand.
const BUFFER: usize = 64 << 10;

/// Width in columns if there is no terminal to ask.
const COLUMNS: usize = 100;

impl Terminal {
    pub(super) fn new(color: Color) -> Self {
        let width = columns();
        let unicode = is_utf8() && !is_dumb();
        let detail = Detail::Normal;
        let style = |is_terminal: bool| Style { color: colored(color, is_terminal), unicode, width, detail };
        Self {
            out: style(io::stdout().is_terminal()),
            err: style(io::stderr().is_terminal()),
            in_action: env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
        }
    }

    /// Sets how much detail standard output shows.
    pub(super) fn with_detail(mut self, detail: Detail) -> Self {
        self.out.detail = detail;
        self
    }

    /// The style of standard output.
    pub(super) fn out(&self) -> Style {
        self.out
    }

    /// How text must be guarded here: a GitHub Actions runner treats some lines of output as commands.
    pub(super) fn guarded(&self) -> Guard {
        if self.in_action { Guard::Text } else { Guard::None }
    }

    /// How JSON must be guarded here.
    pub(super) fn guarded_json(&self) -> Guard {
        if self.in_action { Guard::Json } else { Guard::None }
    }

    /// Whether standard error is coloured.
    pub(super) fn err_color(&self) -> bool {
        self.err.color
    }

    /// Prints a message on standard error.
    pub(super) fn tell(&self, message: &str) {
        self.error(&format!("gate: {message}\n"));
    }

    /// Prints on standard error why something failed.
    pub(super) fn trouble(&self, trouble: &Diagnostic) {
        let mut text = Vec::new();
        // Writing to memory can't fail.
        let _ = render::trouble(trouble, self.err, &mut text);
        self.error(&String::from_utf8_lossy(&text));
    }

    /// Writes text to standard error, guarded; a failure here can't be reported.
    pub(super) fn error(&self, text: &str) {
        let text = if self.in_action { render::neutral(text) } else { text.to_owned() };
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Writes to standard output. If the reader has gone away, the verdict does not change.
    pub(super) fn print(
        guard: Guard,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(BUFFER, io::stdout().lock());
        let result = match guard {
            Guard::None => write(&mut out),
            Guard::Text | Guard::Json => {
                let mut neutral = Neutral::new(&mut out, guard == Guard::Json);
                write(&mut neutral).and_then(|()| neutral.flush())
            }
        };
        let result = result.and_then(|()| out.flush());
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// Follows <https://no-color.org> and <https://bixense.com/clicolors>, unless an option was given.
fn colored(asked: Color, is_terminal: bool) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        Color::Auto if set("CLICOLOR_FORCE") => true,
        Color::Auto if env::var_os("CLICOLOR").is_some_and(|value| value == "0") => false,
        Color::Auto => is_terminal && !is_dumb(),
    }
}

/// A terminal that supports only plain lines of text.
fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The width of the terminal, else the value of `COLUMNS`.
fn columns() -> usize {
    let of_terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let of_environment = || env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    of_terminal.or_else(of_environment).filter(|&columns| columns > 0).unwrap_or(COLUMNS)
}

/// Whether the locale uses UTF-8; Windows consoles do.
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
