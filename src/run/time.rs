//! Points in time, as records and policies write them.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A point in time, and whether its zone was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// No zone was written, so it was read as UTC.
    pub zone_assumed: bool,
}

/// Why some text is not a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeError {
    /// Not RFC 3339.
    Syntax,
    /// A date alone.
    DateOnly,
}

/// The most characters that a time may have; the longest valid one has 35.
const MAX_LENGTH: usize = 40;

impl Moment {
    /// Reads RFC 3339 such as `2026-05-30T12:00:00Z`. Without a zone, as Python's `isoformat()` writes it, the time
    /// is taken as UTC, and that is noted.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        if text.len() > MAX_LENGTH || text.contains('[') || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(TimeError::Syntax);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self { at, zone_assumed: false });
        }
        if text.parse::<Date>().is_ok() && text.len() == 10 {
            return Err(TimeError::DateOnly);
        }
        if !text.contains(['T', 't', ' ']) {
            return Err(TimeError::Syntax);
        }
        let local: DateTime = text.parse().map_err(|_| TimeError::Syntax)?;
        let at = TimeZone::UTC.to_timestamp(local).map_err(|_| TimeError::Syntax)?;
        Ok(Self { at, zone_assumed: true })
    }
}

/// The largest zone offsets, ahead of UTC and behind it.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(14);
const MAX_BEHIND: SignedDuration = SignedDuration::from_hours(12);

impl Moment {
    /// Which of two is earlier; `None` where that depends on a zone that was not written. Two times without a zone
    /// are ordered as they are written: the same training wrote both.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if self.zone_assumed == other.zone_assumed {
            return Some(self.at.cmp(&other.at));
        }
        let (naive, zoned) = if self.zone_assumed { (self, other) } else { (other, self) };
        // East of UTC, the instant is earlier than it reads; west of it, later.
        let difference = naive.at.duration_since(zoned.at);
        let order = if difference > MAX_AHEAD {
            Ordering::Greater
        } else if difference < -MAX_BEHIND {
            Ordering::Less
        } else {
            return None;
        };
        Some(if self.zone_assumed { order } else { order.reverse() })
    }

    /// Whether a time without a zone could be this far in the future only because of its zone.
    pub fn zone_may_explain(&self, ahead: SignedDuration) -> bool {
        self.zone_assumed && ahead <= MAX_AHEAD
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not a time in RFC 3339, such as 2026-05-30T12:00:00Z",
            Self::DateOnly => "a date without a time; write it as 2026-05-30T12:00:00Z",
        })
    }
}

/// Reads a date such as `2026-07-01`; nothing else is one.
pub fn parse_date(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

/// Why some text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationError;

/// Reads a whole number of hours, days or weeks: `12h`, `30d`, `2w`.
pub fn parse_duration(text: &str) -> Result<SignedDuration, DurationError> {
    let hours_in = match text.as_bytes().last() {
        Some(b'h') => 1,
        Some(b'd') => 24,
        Some(b'w') => 24 * 7,
        _ => return Err(DurationError),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError);
    }
    let count: i64 = digits.parse().map_err(|_| DurationError)?;
    Ok(SignedDuration::from_hours(count * hours_in))
}

/// How long ago something was, for a person: one unit, never rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub SignedDuration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (seconds, ahead) = (seconds.unsigned_abs(), seconds < 0);
        let (count, unit) = match seconds {
            0..60 => (seconds, "second"),
            60..3_600 => (seconds / 60, "minute"),
            3_600..86_400 => (seconds / 3_600, "hour"),
            86_400..5_184_000 => (seconds / 86_400, "day"),
            _ => (seconds / 2_592_000, "month"),
        };
        let s = if count == 1 { "" } else { "s" };
        if ahead { write!(f, "{count} {unit}{s} in the future") } else { write!(f, "{count} {unit}{s} old") }
    }
}
