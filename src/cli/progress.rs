//! A progress line on the terminal, for reading that takes longer than a second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::render::clean;
use crate::training::{Progress, Reading};

/// Nothing is shown before this time.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is redrawn.
const EVERY: Duration = Duration::from_millis(100);
/// Width of the bar in characters.
const WIDTH: u64 = 24;

/// When reading began, and when the line was last drawn.
struct Drawn {
    path: String,
    began: Instant,
    last: Option<Instant>,
}

/// Draws on standard error if that is a terminal.
pub(super) fn progress() -> Progress {
    if !io::stderr().is_terminal() {
        return Progress::silent();
    }
    let drawn: Mutex<Option<Drawn>> = Mutex::new(None);
    Progress::new(move |reading| {
        // If another thread is drawing, skip this update, unless it is the last.
        let is_done = reading.files.0 == reading.files.1;
        let guard = if is_done { drawn.lock().ok() } else { drawn.try_lock().ok() };
        let Some(mut drawn) = guard else { return };
        draw(&mut drawn, &reading, is_done);
    })
}

fn draw(drawn: &mut Option<Drawn>, reading: &Reading<'_>, is_done: bool) {
    let now = Instant::now();
    let same = drawn.as_ref().is_some_and(|drawn| drawn.path == reading.path);
    if is_done {
        if drawn.take().is_some_and(|drawn| drawn.last.is_some()) {
            write("\r\x1b[2K");
        }
        return;
    }
    if !same {
        *drawn = Some(Drawn { path: reading.path.to_owned(), began: now, last: None });
    }
    let Some(drawn) = drawn else { return };
    let due = drawn.last.map_or(drawn.began + QUIET, |last| last + EVERY);
    if now >= due {
        drawn.last = Some(now);
        // Later output, such as an error, starts at the beginning of the line.
        write(&format!("\r\x1b[2K{}\r", line(reading)));
    }
}

/// A failure here can't be reported.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn line(reading: &Reading<'_>) -> String {
    let (read, all) = reading.bytes;
    let share =
        |of: u64| if all == 0 { 0 } else { (u128::from(read.min(all)) * u128::from(of)) / u128::from(all) };
    let done = usize::try_from(share(WIDTH)).unwrap_or(0);
    let rest = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(done);
    format!(
        "gate: reading {} [{}{}] {}%, {} of {} files, {} of {}",
        clean(reading.path),
        "#".repeat(done),
        ".".repeat(rest),
        share(100),
        reading.files.0,
        reading.files.1,
        size(read),
        size(all)
    )
}

/// A size in a readable unit.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let reading = Reading { path: "data", files: (3, 4), bytes: (3 << 19, 2 << 20) };
        assert_eq!(
            line(&reading),
            "gate: reading data [##################......] 75%, 3 of 4 files, 1.5 MiB of 2.0 MiB"
        );
        let empty = Reading { path: "data", files: (1, 2), bytes: (0, 0) };
        assert!(line(&empty).contains(" 0%, 1 of 2 files, 0 B of 0 B"));
    }
}
