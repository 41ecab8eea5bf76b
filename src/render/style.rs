//! Terminal styling: colour, characters, width, and how much is shown.

use anstyle::{AnsiColor, Style as Ansi};

use crate::verdict::{Level, Outcome};

/// What a terminal or a file can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Colours and weights.
    pub color: bool,
    /// Characters beyond ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
    /// How much is shown.
    pub detail: Detail,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// The verdict alone.
    Quiet,
    /// What fails in full, what holds in one line.
    #[default]
    Normal,
    /// Every rule, whole commits and digests.
    Full,
}

impl Style {
    /// Neither colour nor anything beyond ASCII.
    pub fn plain(width: usize) -> Self {
        Self { color: false, unicode: false, width, detail: Detail::Normal }
    }

    fn dressed(self, text: &str, style: Ansi) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.dressed(text, Ansi::new().bold())
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.dressed(text, Ansi::new().dimmed())
    }

    pub(super) fn red(self, text: &str) -> String {
        self.dressed(text, AnsiColor::Red.on_default().bold())
    }

    pub(super) fn green(self, text: &str) -> String {
        self.dressed(text, AnsiColor::Green.on_default().bold())
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.dressed(text, AnsiColor::Yellow.on_default().bold())
    }

    /// Colours a text by an outcome at its level.
    pub(super) fn outcome(self, outcome: Outcome, level: Level, text: &str) -> String {
        match (outcome, level) {
            (Outcome::Pass, _) => self.green(text),
            (Outcome::Fail | Outcome::Inconclusive, Level::Error) => self.red(text),
            (Outcome::Fail | Outcome::Inconclusive | Outcome::Waived, _) => self.yellow(text),
            (Outcome::Skipped, _) => self.dim(text),
        }
    }

    /// One character for an outcome; every one differs without colour too.
    pub(super) fn mark(self, outcome: Outcome, level: Level) -> &'static str {
        match (outcome, self.unicode) {
            (Outcome::Pass, true) => "✓",
            (Outcome::Pass, false) => "+",
            (Outcome::Fail, _) if level != Level::Error => "!",
            (Outcome::Fail, true) => "✗",
            (Outcome::Fail, false) => "x",
            (Outcome::Inconclusive, _) => "?",
            (Outcome::Waived, _) => "~",
            (Outcome::Skipped, _) => "-",
        }
    }

    pub(super) fn dots(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    pub(super) fn separator(self) -> &'static str {
        if self.unicode { " · " } else { " | " }
    }

    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }
}
