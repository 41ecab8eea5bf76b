//! A command of the user's, started without a shell: its signals passed on, its end told, its group ended.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod unix;

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

#[cfg(not(unix))]
use elsewhere as system;
#[cfg(unix)]
use unix as system;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It left with this code.
    Code(u8),
    /// A signal ended it.
    Signal(u8),
    /// It ran longer than it may, and was ended.
    TimedOut,
    /// This program was told to stop, by this signal, and ended it.
    Interrupted(u8),
}

impl End {
    /// The exit code as a shell tells it: 128 and the signal's number for what a signal ended.
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) | Self::Interrupted(signal) => signal.saturating_add(128),
            Self::TimedOut => 124,
        }
    }

    fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(u8::try_from(signal).unwrap_or(0));
        }
        // Windows has codes beyond a byte; none of them may look like success.
        status.code().map_or(Self::Code(1), |code| Self::Code(u8::try_from(code).unwrap_or(1)))
    }
}

/// Being told to stop while no command of the user's runs: remembered, and asked for between two steps. While one runs it
/// is passed on to that.
#[derive(Debug, Clone)]
pub struct StopSignal(system::StopSignal);

impl StopSignal {
    /// From now on nothing but the answer to [`Self::stop`] tells that a signal came.
    pub fn listen() -> io::Result<Self> {
        system::StopSignal::listen().map(Self)
    }

    /// The signal that told this program to stop, if one did.
    pub fn stop(&self) -> Option<u8> {
        self.0.stop()
    }
}

/// Runs a command in the place of this program: the same input, output, terminal and group. Signals that reach this
/// program are passed on, and are the command's business alone; the last of them that meant stop is given back.
pub fn attached(command: &mut Command, told: &StopSignal) -> io::Result<(End, Option<u8>)> {
    system::attached(command, &told.0)
}

/// Runs a command in a group of its own, and ends the whole group: when the command ends, when `limit` is over, or
/// when this program is told to stop.
pub fn contained(command: &mut Command, limit: Duration) -> io::Result<End> {
    system::contained(command, limit)
}
