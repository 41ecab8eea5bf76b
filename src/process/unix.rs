//! Signals and process groups.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, kill_process_group, waitid,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::End;

/// Signals that are passed on to the command. Schedulers send the last two before they stop a job.
const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
/// Signals that mean stop.
const STOP: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
/// How long a command may take to end after it was told to.
const GRACE: Duration = Duration::from_secs(5);

/// The last stop signal; 0 if none arrived.
#[derive(Debug, Clone)]
pub(super) struct StopSignal(Arc<AtomicUsize>);

impl StopSignal {
    pub(super) fn listen() -> io::Result<Self> {
        let told = Arc::new(AtomicUsize::new(0));
        for signal in caught(&STOP) {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&told), number)?;
        }
        Ok(Self(told))
    }

    pub(super) fn stop(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
    }
}

pub(super) fn attached(command: &mut Command, told: &StopSignal) -> io::Result<(End, Option<u8>)> {
    // Catch signals before the command starts, so that none is lost.
    let mut signals = Signals::new(caught(&PASSED_ON))?;
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let handle = signals.handle();
    let passing = thread::spawn(move || {
        for signal in signals.forever() {
            // A terminal also sends Ctrl-C to the command, so don't send it twice.
            let by_terminal = matches!(signal, SIGINT | SIGQUIT) && in_foreground();
            if let (false, Some(signal)) = (by_terminal, Signal::from_named_raw(signal)) {
                let _ = kill_process(pid, signal);
            }
        }
    });
    // The process id stays reserved until the command is waited for, so no signal can reach another program.
    let ended = ended(pid);
    handle.close();
    let _ = passing.join();
    ended?;
    // Signals up to now went to the command, which reacted as it wanted.
    let signal = told.stop();
    told.0.store(0, Ordering::SeqCst);
    Ok((End::of(child.wait()?), signal))
}

/// Events while waiting for a contained command.
enum Event {
    Ended(io::Result<()>),
    Stop(i32),
}

pub(super) fn contained(command: &mut Command, limit: Duration) -> io::Result<End> {
    let mut signals = Signals::new(caught(&STOP))?;
    let handle = signals.handle();
    let known = adopt();
    let mut child = command.process_group(0).spawn()?;
    let pid = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    let stop: Sender<Event> = tell.clone();
    let watching = thread::spawn(move || {
        for signal in signals.forever() {
            let _ = stop.send(Event::Stop(signal));
        }
    });
    let waiting = thread::spawn(move || {
        let _ = tell.send(Event::Ended(ended(pid)));
    });
    let early = match told.recv_timeout(limit) {
        Ok(Event::Ended(ended)) => ended.map(|()| None),
        Ok(Event::Stop(signal)) => Ok(Some(End::Interrupted(u8::try_from(signal).unwrap_or(0)))),
        Err(RecvTimeoutError::Timeout) => Ok(Some(End::TimedOut)),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the command can't be waited for")),
    };
    if matches!(early, Ok(Some(_))) {
        let _ = kill_process_group(pid, Signal::TERM);
        while let Ok(Event::Stop(_)) = told.recv_timeout(GRACE) {}
    }
    // Kill whatever the command left behind, however it ended.
    let _ = kill_process_group(pid, Signal::KILL);
    let _ = waiting.join();
    handle.close();
    let _ = watching.join();
    let status = child.wait();
    end_orphans(&known, &child);
    match early? {
        Some(early) => Ok(early),
        None => Ok(End::of(status?)),
    }
}

/// Blocks until a command has ended, without reaping it.
fn ended(pid: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map(|_| ()).map_err(Into::into),
        }
    }
}

/// The signals that are not ignored: what `nohup` set must reach the command unchanged.
fn caught(signals: &[i32]) -> Vec<i32> {
    let ignored = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        })
        .unwrap_or(0);
    signals.iter().copied().filter(|signal| ignored & (1 << (signal - 1)) == 0).collect()
}

/// Whether this program's group receives the terminal's key signals.
fn in_foreground() -> bool {
    let ours = getpgrp();
    let of = |stream: &dyn Fn() -> rustix::io::Result<Pid>| stream().is_ok_and(|group| group == ours);
    of(&|| rustix::termios::tcgetpgrp(io::stdin().as_fd()))
        || of(&|| rustix::termios::tcgetpgrp(io::stdout().as_fd()))
        || of(&|| rustix::termios::tcgetpgrp(io::stderr().as_fd()))
}

/// Becomes the parent of processes that a command leaves behind in other sessions; returns the existing children.
#[cfg(target_os = "linux")]
fn adopt() -> BTreeSet<i32> {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    children()
}

#[cfg(not(target_os = "linux"))]
fn adopt() -> BTreeSet<i32> {
    BTreeSet::new()
}

/// Kills daemons: they left the group, but this program is now their parent.
#[cfg(target_os = "linux")]
fn end_orphans(known: &BTreeSet<i32>, child: &Child) {
    let own = i32::try_from(child.id()).unwrap_or(0);
    // Each killed process may leave others behind.
    for _ in 0..200 {
        let orphans: Vec<Pid> = children()
            .into_iter()
            .filter(|pid| !known.contains(pid) && *pid != own)
            .filter_map(Pid::from_raw)
            .collect();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            let _ = kill_process(orphan, Signal::KILL);
            let _ = rustix::process::waitpid(Some(orphan), rustix::process::WaitOptions::NOHANG);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(not(target_os = "linux"))]
fn end_orphans(_: &BTreeSet<i32>, _: &Child) {}

#[cfg(target_os = "linux")]
fn children() -> BTreeSet<i32> {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return BTreeSet::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>())
        .collect()
}
