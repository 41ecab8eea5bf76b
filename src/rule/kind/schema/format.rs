//! `format`: what a text is meant to be.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use url::Url;

use super::pattern;

/// A format that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Time,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    Uuid,
    JsonPointer,
    Regex,
}

const NAMES: [(&str, Format); 12] = [
    ("date-time", Format::DateTime),
    ("date", Format::Date),
    ("time", Format::Time),
    ("email", Format::Email),
    ("hostname", Format::Hostname),
    ("ipv4", Format::Ipv4),
    ("ipv6", Format::Ipv6),
    ("uri", Format::Uri),
    ("uri-reference", Format::UriReference),
    ("uuid", Format::Uuid),
    ("json-pointer", Format::JsonPointer),
    ("regex", Format::Regex),
];

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Whether a text has this format.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            // The zone is required, and so is everything before it.
            Self::DateTime => {
                text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'))
                    && !text.contains('[')
                    && text.parse::<Timestamp>().is_ok()
            }
            Self::Date => text.len() == 10 && text.parse::<Date>().is_ok(),
            Self::Time => {
                let at = text.find(['Z', 'z', '+', '-']);
                at.is_some_and(|at| {
                    let zone = &text[at..];
                    let offset =
                        zone.len() == 6 && format!("1970-01-01T00:00:00{zone}").parse::<Timestamp>().is_ok();
                    text[..at].len() >= 8 && text[..at].parse::<Time>().is_ok() && (zone.len() == 1 || offset)
                })
            }
            Self::Email => text.rsplit_once('@').is_some_and(|(local, host)| {
                !local.is_empty()
                    && local.len() <= 64
                    && !local.contains(char::is_whitespace)
                    && is_hostname(host)
            }),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Self::Uri => is_uri_text(text) && Url::parse(text).is_ok(),
            Self::UriReference => {
                let base = Url::parse("gate:///");
                is_uri_text(text) && base.is_ok_and(|base| base.join(text).is_ok())
            }
            Self::Uuid => {
                text.len() == 36
                    && text.char_indices().all(|(at, c)| match at {
                        8 | 13 | 18 | 23 => c == '-',
                        _ => c.is_ascii_hexdigit(),
                    })
            }
            Self::JsonPointer => {
                let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
                escapes && (text.is_empty() || text.starts_with('/'))
            }
            Self::Regex => pattern::compile(text).is_ok(),
        }
    }
}

fn is_uri_text(text: &str) -> bool {
    text.is_ascii() && !text.contains(|c: char| c.is_ascii_control() || " <>\"\\^`{|}".contains(c))
}

fn is_hostname(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn formats_take_what_they_are_for() {
        for (format, good, bad) in [
            ("date-time", "2026-05-30T12:00:00Z", "2026-05-30T12:00:00"),
            ("date", "2026-05-30", "2026-05-32"),
            ("time", "12:00:00+02:00", "12:00:00"),
            ("email", "ada@example.org", "ada"),
            ("hostname", "example.org", "-example.org"),
            ("ipv4", "127.0.0.1", "127.0.0.256"),
            ("ipv6", "::1", ":::"),
            ("uri", "s3://bucket/key", "a b"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
            ("json-pointer", "/a~1b", "a"),
            ("regex", "^a$", "("),
        ] {
            let format = Format::named(format).expect(format);
            assert!(format.fits(good), "{good}");
            assert!(!format.fits(bad), "{bad}");
        }
    }
}
