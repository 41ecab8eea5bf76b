//! Exact decimal numbers of up to eighteen digits, without allocation. Nearly all measured numbers fit.

use std::cmp::Ordering;
use std::fmt;

/// `digits · 10^-scale` as written: equal numbers may have different scales.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small {
    pub(super) digits: i64,
    pub(super) scale: u8,
}

/// The most digits of a number, and the most after its point: two on one scale fit 128 bits, as does their
/// sum.
const DIGITS: u8 = 18;
const LIMIT: i128 = 10_i128.pow(DIGITS as u32);

impl Small {
    /// `None` if it has more digits than fit.
    pub(super) fn new(mut digits: i128, mut scale: u8) -> Option<Self> {
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        let fits = digits.abs() < LIMIT && scale <= DIGITS;
        let digits = i64::try_from(digits).ok().filter(|_| fits)?;
        Some(Self { digits, scale })
    }

    /// Reads a sign, digits and a point. `None` for anything else, including an exponent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mut digits, mut count, mut scale) = (0_i64, 0_u8, None);
        for byte in unsigned.bytes() {
            match (byte, scale) {
                (b'0'..=b'9', _) => {
                    count += 1;
                    if count > DIGITS {
                        return None;
                    }
                    digits = digits * 10 + i64::from(byte - b'0');
                    scale = scale.map(|scale: u8| scale + 1);
                }
                (b'.', None) => scale = Some(0),
                _ => return None,
            }
        }
        let digits = if text.starts_with('-') { -digits } else { digits };
        (count > 0).then_some(Self { digits, scale: scale.unwrap_or(0) })
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (one, other, scale) = self.on_one_scale(other);
        Self::new(one + other, scale)
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { digits: -other.digits, ..other })
    }

    fn on_one_scale(self, other: Self) -> (i128, i128, u8) {
        let scale = self.scale.max(other.scale);
        let scaled = |number: Self| i128::from(number.digits) * 10_i128.pow(u32::from(scale - number.scale));
        (scaled(self), scaled(other), scale)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let (one, other, _) = self.on_one_scale(*other);
        one.cmp(&other)
    }
}

/// The shortest form.
impl fmt::Display for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Self { digits, scale }) = Self::new(self.digits.into(), self.scale) else {
            return Err(fmt::Error);
        };
        let unit = 10_u64.pow(u32::from(scale));
        let sign = if digits < 0 { "-" } else { "" };
        let (whole, rest) = (digits.unsigned_abs() / unit, digits.unsigned_abs() % unit);
        write!(f, "{sign}{whole}")?;
        if scale > 0 { write!(f, ".{rest:0width$}", width = usize::from(scale)) } else { Ok(()) }
    }
}
