//! A progress line on the terminal, for reading that takes longer than a second.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::check::CountProgress;
use crate::document::thousands;
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

/// The current step of counting, when it began, and when it was last drawn.
struct Step {
    began: Instant,
    last: Option<Instant>,
    is_reading: bool,
}

/// Draws the progress of counting cases.
pub(super) fn counting() -> Box<dyn Fn(CountProgress) + Sync> {
    if !io::stderr().is_terminal() {
        return Box::new(|_| {});
    }
    let began = Instant::now();
    let step = Mutex::new(Step { began, last: None, is_reading: true });
    Box::new(move |progress| {
        let is_done = !progress.is_reading && progress.share >= 1.0;
        let guard = if is_done { step.lock().ok() } else { step.try_lock().ok() };
        let Some(mut step) = guard else { return };
        let now = Instant::now();
        if step.is_reading != progress.is_reading {
            step.is_reading = progress.is_reading;
            step.began = now;
        }
        if is_done {
            if step.last.is_some() {
                write("\r\x1b[2K");
            }
        } else if now >= step.last.map_or(began + QUIET, |last| last + EVERY) {
            step.last = Some(now);
            write(&format!("\r\x1b[2K{}\r", counting_line(progress, now - step.began)));
        }
    })
}

/// How much is done, how fast, and how long the rest of the step takes at that speed.
fn counting_line(progress: CountProgress, passed: Duration) -> String {
    let seconds = passed.as_secs_f64().max(1e-3);
    let share = progress.share.clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "approximate numbers for a person"
    )]
    let (permille, rate, left) = (
        (share * 1000.0) as u64,
        (progress.rows as f64 / seconds) as u64,
        (seconds * (1.0 - share) / share.max(1e-3)).ceil() as u64,
    );
    format!(
        "gate: {} {} {}%, {} rows, {} rows/s, {}:{:02} left",
        if progress.is_reading { "reading rows (1 of 2)" } else { "counting rows (2 of 2)" },
        bar(permille, 1000),
        permille / 10,
        thousands(progress.rows),
        thousands(rate),
        left / 60,
        left % 60
    )
}

/// A failure here can't be reported.
fn write(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn line(reading: &Reading<'_>) -> String {
    let (read, all) = reading.bytes;
    format!(
        "gate: reading {} {} {}%, {} of {} files, {} of {}",
        clean(reading.path),
        bar(read, all),
        share(read, all, 100),
        reading.files.0,
        reading.files.1,
        size(read),
        size(all)
    )
}

fn share(done: u64, all: u64, of: u64) -> u64 {
    let share = (u128::from(done.min(all)) * u128::from(of)).checked_div(u128::from(all));
    share.and_then(|share| u64::try_from(share).ok()).unwrap_or(0)
}

fn bar(done: u64, all: u64) -> String {
    let done = usize::try_from(share(done, all, WIDTH)).unwrap_or(0);
    let rest = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(done);
    format!("[{}{}]", "#".repeat(done), ".".repeat(rest))
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
        let counting = CountProgress { is_reading: true, rows: 12_000_000, share: 0.75 };
        assert_eq!(
            counting_line(counting, Duration::from_mins(3)),
            "gate: reading rows (1 of 2) [##################......] 75%, 12,000,000 rows, 66,666 rows/s, 1:00 left"
        );
        let empty = Reading { path: "data", files: (1, 2), bytes: (0, 0) };
        assert!(line(&empty).contains(" 0%, 1 of 2 files, 0 B of 0 B"));
    }
}
