//! For systems without signals: a console sends Ctrl-C to every program attached to it.

use std::io;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::End;

/// The console ends this program by itself.
#[derive(Debug, Clone)]
pub(super) struct StopSignal;

impl StopSignal {
    #[expect(clippy::unnecessary_wraps, reason = "it may fail where there are signals")]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "there is something to ask where there are signals")]
    pub(super) fn stop(&self) -> Option<u8> {
        None
    }
}

pub(super) fn attached(command: &mut Command, _: &StopSignal) -> io::Result<(End, Option<u8>)> {
    Ok((End::of(command.spawn()?.wait()?), None))
}

pub(super) fn contained(command: &mut Command, limit: Duration) -> io::Result<End> {
    let mut child = command.spawn()?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::of(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(End::TimedOut);
        }
        sleep(Duration::from_millis(20));
    }
}
