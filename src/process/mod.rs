//! Runs a user's command without a shell: passes signals on, reports how it ended, and ends its process group.

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
    /// It exited with this code.
    Code(u8),
    /// It was killed by this signal.
    Signal(u8),
    /// It exceeded its time limit, and was killed.
    TimedOut,
    /// This program received this signal to stop, and killed the command.
    Interrupted(u8),
}

impl End {
    /// The exit code as a shell gives it: 128 plus the signal's number if a signal killed it.
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
        // Windows has exit codes beyond a byte; none of them may look like success.
        status.code().map_or(Self::Code(1), |code| Self::Code(u8::try_from(code).unwrap_or(1)))
    }
}

/// Stop signals that arrive while no user command runs: remembered, and checked between steps. While a command runs,
/// they are passed on to it.
#[derive(Debug, Clone)]
pub struct StopSignal(system::StopSignal);

impl StopSignal {
    /// From now on, a signal is visible only through [`Self::stop`].
    pub fn listen() -> io::Result<Self> {
        system::StopSignal::listen().map(Self)
    }

    /// The stop signal that this program received, if any.
    pub fn stop(&self) -> Option<u8> {
        self.0.stop()
    }
}

/// Runs a command in place of this program, with the same input, output, terminal and group. Signals to this program
/// are passed on, and only the command reacts to them; the last stop signal is returned.
pub fn attached(command: &mut Command, told: &StopSignal) -> io::Result<(End, Option<u8>)> {
    system::attached(command, &told.0)
}

/// Runs a command in its own group, and kills the whole group when the command ends, the time limit is reached, or this
/// program is told to stop.
pub fn contained(command: &mut Command, limit: Duration) -> io::Result<End> {
    system::contained(command, limit)
}
