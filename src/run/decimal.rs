//! Numbers as they were written, compared exactly.
//!
//! From 0.842 to 0.837 is a drop of exactly 0.005, but not in binary floating point. Every [`Decimal`] is
//! finite, so no comparison can silently come out false.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use smol_str::{SmolStr, format_smolstr};

use bigdecimal::BigDecimal;
use bigdecimal::num_traits::{Signed, Zero};

use super::small::Small;

/// A finite decimal number of any precision, with the characters that it was written with.
#[derive(Debug, Clone)]
pub struct Decimal {
    value: Value,
    written: SmolStr,
}

/// A form that fits nearly every number, and one that fits any.
#[derive(Debug, Clone)]
enum Value {
    Small(Small),
    Big(BigDecimal),
}

impl Value {
    fn big(&self) -> Cow<'_, BigDecimal> {
        match self {
            Self::Small(small) => Cow::Owned(BigDecimal::new(small.digits.into(), small.scale.into())),
            Self::Big(big) => Cow::Borrowed(big),
        }
    }
}

/// Why some text is not a [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecimal {
    /// It is not a number in decimal notation.
    Syntax,
    /// It has more digits than [`Decimal::MAX_DIGITS`].
    TooManyDigits,
    /// Its exponent is beyond [`Decimal::MAX_EXPONENT`].
    Exponent,
}

impl Decimal {
    /// The most digits that are read. No measured number has as many.
    pub const MAX_DIGITS: usize = 1_000;
    /// The largest exponent that is read, positive or negative: `1e999999999` must not cost a gigabyte.
    pub const MAX_EXPONENT: i64 = 10_000;

    /// A whole number.
    pub fn whole(number: i64) -> Self {
        let value = Small::new(number.into(), 0).map_or_else(|| Value::Big(number.into()), Value::Small);
        Self { value, written: number.to_string().into() }
    }

    /// Reads a sign, digits, a point, an exponent. No white space, no separators, no other base.
    pub fn parse(text: &str) -> Result<Self, NotDecimal> {
        if let Some(small) = Small::parse(text) {
            return Ok(Self { value: Value::Small(small), written: text.into() });
        }
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
        let points = unsigned.bytes().filter(|&byte| byte == b'.').count();
        if digits == 0 || points > 1 || digits + points != unsigned.len() {
            return Err(NotDecimal::Syntax);
        }
        if let Some(exponent) = exponent {
            let magnitude = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if magnitude.is_empty() || !magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(NotDecimal::Syntax);
            }
            let magnitude = magnitude.trim_start_matches('0');
            if magnitude.len() > 5 || magnitude.parse::<i64>().is_ok_and(|value| value > Self::MAX_EXPONENT) {
                return Err(NotDecimal::Exponent);
            }
        }
        if digits > Self::MAX_DIGITS {
            return Err(NotDecimal::TooManyDigits);
        }
        let value = BigDecimal::from_str(text).map_err(|_| NotDecimal::Syntax)?;
        Ok(Self { value: Value::Big(value), written: text.into() })
    }

    fn made(value: BigDecimal) -> Self {
        let written = plain(&value).into();
        Self { value: Value::Big(value), written }
    }

    fn made_small(small: Small) -> Self {
        Self { value: Value::Small(small), written: format_smolstr!("{small}") }
    }

    /// Arithmetic on two numbers, in the small form if both have it and the result fits.
    fn combined(
        &self,
        other: &Self,
        small: fn(Small, Small) -> Option<Small>,
        big: fn(&BigDecimal, &BigDecimal) -> BigDecimal,
    ) -> Self {
        match (&self.value, &other.value) {
            (Value::Small(one), Value::Small(other)) => small(*one, *other).map(Self::made_small),
            _ => None,
        }
        .unwrap_or_else(|| Self::made(big(&self.value.big(), &other.value.big())))
    }

    /// The characters it was written with; for a result of arithmetic, its shortest decimal form.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        match &self.value {
            Value::Small(small) => small.digits == 0,
            Value::Big(big) => big.is_zero(),
        }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.value {
            Value::Small(small) => small.digits < 0,
            Value::Big(big) => big.is_negative(),
        }
    }

    /// Whether it is a whole number.
    pub fn is_whole(&self) -> bool {
        self.value.big().is_integer()
    }

    /// A text that two numbers share if and only if they are equal.
    pub(super) fn key(&self) -> String {
        let (digits, exponent) = self.value.big().normalized().into_bigint_and_exponent();
        format!("{digits}e{exponent}")
    }

    /// `self - other`, exactly.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combined(other, Small::minus, |one, other| one - other)
    }

    /// `self + other`, exactly.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.combined(other, Small::plus, |one, other| one + other)
    }

    /// `self × other`, exactly.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        Self::made(&*self.value.big() * &*other.value.big())
    }

    /// Whether it is an exact whole multiple of `other`; `false` if `other` is zero.
    pub fn is_multiple_of(&self, other: &Self) -> bool {
        !other.is_zero() && (&*self.value.big() % &*other.value.big()).is_zero()
    }

    /// `-self`.
    #[must_use]
    pub fn negated(&self) -> Self {
        match &self.value {
            Value::Small(small) => Self::made_small(Small { digits: -small.digits, ..*small }),
            Value::Big(big) => Self::made(-big),
        }
    }

    /// The same number, in the notation of arithmetic results.
    fn without_writing(self) -> Self {
        match self.value {
            Value::Small(small) => Self::made_small(small),
            Value::Big(big) => Self::made(big),
        }
    }

    /// Its distance from zero.
    #[must_use]
    pub fn magnitude(&self) -> Self {
        if self.is_negative() { self.negated() } else { self.clone().without_writing() }
    }

    /// `self` per cent of the magnitude of `whole`, exactly.
    #[must_use]
    pub fn percent_of(&self, whole: &Self) -> Self {
        let (digits, scale) = (&*self.value.big() * whole.value.big().abs()).into_bigint_and_scale();
        Self::made(BigDecimal::from_bigint(digits, scale + 2))
    }

    /// `self / other` to 34 significant digits, as IEEE 754 decimal128 has; `None` when `other` is zero.
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        (!other.is_zero()).then(|| Self::made((&*self.value.big() / &*other.value.big()).with_prec(34)))
    }

    /// The mean, rounded to 15 significant digits: more than anyone measures. `None` if there are no numbers.
    pub fn mean(numbers: &[Self]) -> Option<Self> {
        let sum = numbers.iter().fold(BigDecimal::zero(), |sum, number| sum + &*number.value.big());
        let count = u64::try_from(numbers.len()).ok().filter(|count| *count > 0)?;
        let digits = std::num::NonZeroU64::new(15)?;
        let mean = sum / BigDecimal::from(count);
        Some(Self::made(mean.with_precision_round(digits, bigdecimal::RoundingMode::HalfEven)))
    }

    /// The middle number, or the mean of the two in the middle; `None` if there are no numbers.
    pub fn median(numbers: &[Self]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort();
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            1 => sorted.get(middle).cloned(),
            _ => Self::mean(sorted.get(middle.checked_sub(1)?..=middle)?),
        }
    }

    /// Rounded to `digits` after the point, half to even: for showing, never for comparing.
    #[must_use]
    pub fn rounded(&self, digits: i64) -> Self {
        Self::made(self.value.big().with_scale_round(digits, bigdecimal::RoundingMode::HalfEven))
    }

    /// With an explicit `+` when it is above zero: the way that a change is shown.
    pub fn signed(&self) -> String {
        if !self.is_negative() && !self.is_zero() {
            format!("+{}", self.written)
        } else {
            self.written.to_string()
        }
    }
}

/// The shortest form without an exponent, except where that would be mostly zeros.
fn plain(value: &BigDecimal) -> String {
    let value = value.normalized();
    let (digits, exponent) = value.as_bigint_and_exponent();
    let is_mostly_zeros =
        || exponent > 60 && exponent > 60 + i64::try_from(digits.to_string().len()).unwrap_or(0);
    if exponent < -20 || is_mostly_zeros() {
        return value.to_scientific_notation();
    }
    value.to_plain_string()
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.value, &other.value) {
            (Value::Small(one), Value::Small(other)) => one.cmp(other),
            (one, other) => one.big().cmp(&other.big()),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Display for NotDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("not a decimal number"),
            Self::TooManyDigits => write!(f, "more than {} digits", Decimal::MAX_DIGITS),
            Self::Exponent => write!(f, "an exponent beyond ±{}", Decimal::MAX_EXPONENT),
        }
    }
}
