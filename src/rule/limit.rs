//! Limits: the words of the policy language that bound a number.
//!
//! The word determines the direction, so gate does not guess whether higher is better: `max_drop` is for metrics that
//! should not fall, `max_rise` for those that should not grow. Every limit is inclusive. `N%` is relative to the
//! baseline's magnitude; the result contains the absolute amount.

use crate::code::codes;
use crate::document::{Node, Reader, Span, Value};
use crate::run::Decimal;
use crate::stats::{Limits, Verdict};
use crate::verdict::{Breach, LimitKind};
use smol_str::SmolStr;

codes! {
    NOT_A_LIMIT = "policy/not-a-limit": "A limit is not written as a number, or as a number directly followed by `%`.";
    PERCENT_OF_WHAT = "policy/percent-of-what": "A percentage is used for a limit that is not compared with the baseline.";
    NEGATIVE_LIMIT = "policy/negative-limit": "A limit on a change is below zero; use the opposite word instead.";
    NEVER_HOLDS = "policy/never-holds": "A limit that no value can meet, or two that no value can meet at once.";
}

/// How much a limit allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// In the metric's own units.
    Absolute(Decimal),
    /// In per cent of the baseline's magnitude.
    Percent(Decimal),
}

/// A word and how much it allows. Always finite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The word.
    pub word: LimitKind,
    /// How much.
    pub amount: Amount,
    /// The amount as it is written, such as `5%`.
    pub written: SmolStr,
    /// Where it is written.
    pub span: Span,
}

/// The result of checking a value against a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitCheck {
    /// Whether the limit holds.
    pub holds: bool,
    /// A relative limit, in the metric's own units.
    pub absolute_limit: Option<Decimal>,
    /// How far the value is from the limit; negative if the limit is broken.
    pub margin: Decimal,
}

/// Why a limit can't be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// The word is about the baseline, which has no value.
    NoBaseline,
    /// The limit is relative, and the baseline is zero.
    RelativeToZero,
}

impl Limit {
    /// Checks a candidate's value against this limit, with the baseline's if the word is about it.
    pub fn hold(&self, candidate: &Decimal, baseline: Option<&Decimal>) -> Result<LimitCheck, NoAnswer> {
        let baseline =
            if self.word.is_relative() { Some(baseline.ok_or(NoAnswer::NoBaseline)?) } else { None };
        let absolute_limit = match (&self.amount, baseline) {
            (Amount::Percent(_), Some(baseline)) if baseline.is_zero() => {
                return Err(NoAnswer::RelativeToZero);
            }
            (Amount::Percent(percent), Some(baseline)) => Some(percent.percent_of(baseline)),
            (Amount::Percent(_), None) => return Err(NoAnswer::NoBaseline),
            (Amount::Absolute(_), _) => None,
        };
        let limit = match (&absolute_limit, &self.amount) {
            (Some(limit), _) | (None, Amount::Absolute(limit) | Amount::Percent(limit)) => limit,
        };
        let rise = |baseline: &Decimal| candidate.minus(baseline);
        let margin = match (self.word, baseline) {
            (LimitKind::Min | LimitKind::MinRatio, _) => candidate.minus(limit),
            (LimitKind::Max | LimitKind::MaxGap, _) => limit.minus(candidate),
            (LimitKind::MaxDrop, Some(baseline)) => limit.plus(&rise(baseline)),
            (LimitKind::MinRise, Some(baseline)) => rise(baseline).minus(limit),
            (LimitKind::MaxRise | LimitKind::MaxGapRise, Some(baseline)) => limit.minus(&rise(baseline)),
            (LimitKind::MinDrop, Some(baseline)) => rise(baseline).negated().minus(limit),
            (LimitKind::MaxChange, Some(baseline)) => limit.minus(&rise(baseline).magnitude()),
            (_, None) => return Err(NoAnswer::NoBaseline),
        };
        Ok(LimitCheck { holds: !margin.is_negative(), absolute_limit, margin })
    }

    /// Whether this limit would hold in place of the broken one.
    pub fn allows(&self, breach: &Breach) -> bool {
        if self.word != breach.kind {
            return false;
        }
        if let Some(limits) = breach.limits {
            return self
                .in_units(breach.baseline.as_ref())
                .is_some_and(|amount| shown(self.word, amount, limits) == Verdict::Shown);
        }
        self.hold(&breach.candidate, breach.baseline.as_ref()).is_ok_and(|check| check.holds)
    }

    /// Reads the limit of `word` from the source text.
    pub fn read(reader: &mut Reader, word: LimitKind, node: &Node, units: Units) -> Option<Self> {
        let name = word.name();
        let amount = read_amount(reader, node, name, units)?;
        let negative =
            matches!(&amount, Amount::Absolute(value) | Amount::Percent(value) if value.is_negative());
        if word.is_relative() && negative {
            let help = match word.opposite() {
                "none" => "write how far it may move, without a minus sign".to_owned(),
                opposite => format!("write `{opposite}` and the amount without its minus sign"),
            };
            reader
                .problem(NEGATIVE_LIMIT, node.span, format!("`{name}` can't be below zero"), "below zero")
                .help = Some(help);
            return None;
        }
        if let Amount::Percent(percent) = &amount
            && !word.is_relative()
        {
            reader
                .problem(
                    PERCENT_OF_WHAT,
                    node.span,
                    format!("`{name}` can't be a percentage: it is not compared with anything"),
                    "per cent",
                )
                .help = Some(format!(
                "write `{name}: {}`; only limits against the baseline take `%`",
                percent.percent_of(&Decimal::whole(1))
            ));
            return None;
        }
        let written = node.as_written().unwrap_or_default().into();
        Some(Self { word, amount, written, span: node.span })
    }
}

impl Limit {
    /// The amount in the metric's own units, as a double; `None` for a limit relative to zero or to nothing.
    pub(super) fn in_units(&self, baseline: Option<&Decimal>) -> Option<f64> {
        let number = |decimal: &Decimal| decimal.written().parse::<f64>().ok();
        match &self.amount {
            Amount::Absolute(amount) => number(amount),
            Amount::Percent(percent) => {
                let baseline = baseline.filter(|baseline| !baseline.is_zero()).and_then(number)?;
                Some(number(percent)? / 100.0 * baseline.abs())
            }
        }
    }
}

/// What one-sided limits of a change (for `min` and `max`, of the value) say of a word with its amount.
pub(super) fn shown(word: LimitKind, amount: f64, limits: Limits) -> Verdict {
    match word {
        LimitKind::Min | LimitKind::MinRise | LimitKind::MinRatio => limits.at_least(amount),
        LimitKind::MaxDrop => limits.at_least(-amount),
        LimitKind::Max | LimitKind::MaxRise | LimitKind::MaxGap | LimitKind::MaxGapRise => {
            limits.negated().at_least(-amount)
        }
        LimitKind::MinDrop => limits.negated().at_least(amount),
        LimitKind::MaxChange if limits.lower >= -amount && limits.upper <= amount => Verdict::Shown,
        LimitKind::MaxChange if limits.upper < -amount || limits.lower > amount => Verdict::Refuted,
        LimitKind::MaxChange => Verdict::Open,
    }
}

/// How the amount of a limit may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// Numbers, and per cent on the words about the baseline.
    Plain,
    /// Numbers, and sizes such as `200MB`.
    Sizes,
}

/// Suffixes of sizes: powers of 1000, and of 1024 with an `i`.
const SIZES: [(&str, &str); 6] = [
    ("KiB", "1024"),
    ("MiB", "1048576"),
    ("GiB", "1073741824"),
    ("kB", "1000"),
    ("MB", "1000000"),
    ("GB", "1000000000"),
];

/// Reads a number as it is written: sign, digits, point, exponent, and a unit directly behind it.
pub fn read_amount(reader: &mut Reader, node: &Node, what: &str, units: Units) -> Option<Amount> {
    let accepted = match units {
        Units::Plain => "write it like `0.005`, `-2`, `1e-3`, or `5%` with nothing between",
        Units::Sizes => "write it like `5000`, `0.8`, or as a size: `200MB`, `1.5GiB`",
    };
    let mut refuse = |message: String, help: String| {
        reader.problem(NOT_A_LIMIT, node.span, message, "not a limit").help = Some(help);
    };
    let text = match &node.value {
        Value::Number(text) | Value::String(text) => &**text,
        Value::NotFinite(text) => {
            refuse(format!("`{what}` must be finite, but is {text}"), accepted.into());
            return None;
        }
        other => {
            refuse(format!("`{what}` must be a number, but is {}", other.sort()), accepted.into());
            return None;
        }
    };
    if let Some(number) = text.strip_suffix('%')
        && units == Units::Plain
        && let Some(percent) = strict(number)
    {
        return Some(Amount::Percent(percent));
    }
    if units == Units::Sizes
        && let Some((number, factor)) =
            SIZES.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)))
        && let (Some(number), Ok(factor)) = (strict(number), Decimal::parse(factor))
    {
        return Some(Amount::Absolute(number.times(&factor)));
    }
    if let Some(number) = strict(text) {
        if matches!(node.value, Value::Number(_)) {
            return Some(Amount::Absolute(number));
        }
        refuse(
            format!("`{what}` is the text \"{text}\", not a number"),
            format!("remove the quotes: `{what}: {text}`"),
        );
        return None;
    }
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let repaired = squeezed.trim_end_matches('%');
    let help = match strict(repaired).or_else(|| strict(&format!("0{repaired}"))) {
        Some(_) if repaired.starts_with('.') => format!("write `{what}: 0{squeezed}`"),
        Some(_) if squeezed != text => format!("write `{what}: {squeezed}`"),
        _ => accepted.into(),
    };
    refuse(format!("`{what}: {text}` is not a limit"), help);
    None
}

/// A finite decimal in the one form that is accepted: digits on both sides of a point.
fn strict(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or(unsigned);
    if mantissa.starts_with('.') || mantissa.ends_with('.') {
        return None;
    }
    Decimal::parse(text).ok()
}

/// Notes a problem for each pair of limits that no value can hold at once.
pub(crate) fn check_together(reader: &mut Reader, limits: &[Limit], what: &str) {
    let find = |word: LimitKind| limits.iter().find(|limit| limit.word == word);
    let pairs = [
        (LimitKind::Min, LimitKind::Max),
        (LimitKind::MinRise, LimitKind::MaxRise),
        (LimitKind::MinDrop, LimitKind::MaxDrop),
        (LimitKind::MinRise, LimitKind::MaxChange),
        (LimitKind::MinDrop, LimitKind::MaxChange),
    ];
    for (at_least, at_most) in pairs {
        let (Some(low), Some(high)) = (find(at_least), find(at_most)) else { continue };
        let never = match (&low.amount, &high.amount) {
            (Amount::Absolute(low), Amount::Absolute(high))
            | (Amount::Percent(low), Amount::Percent(high)) => low > high,
            _ => false,
        };
        if never {
            never_holds(reader, what, low, high);
        }
    }
    if let (Some(rise), Some(drop)) = (find(LimitKind::MinRise), find(LimitKind::MinDrop)) {
        let above_zero = |limit: &Limit| match &limit.amount {
            Amount::Absolute(value) | Amount::Percent(value) => !value.is_zero(),
        };
        if above_zero(rise) || above_zero(drop) {
            never_holds(reader, what, rise, drop);
        }
    }
}

fn never_holds(reader: &mut Reader, what: &str, low: &Limit, high: &Limit) {
    let message = format!(
        "`{what}` can never meet both `{}: {}` and `{}: {}`",
        low.word.name(),
        low.written,
        high.word.name(),
        high.written
    );
    let document = reader.documents.of(high.span).cloned();
    let problem = reader.problem(NEVER_HOLDS, low.span, message, "no value is both");
    problem.help = Some("correct one of the two limits".into());
    if let Some(document) = document {
        *problem = problem.clone().also(&document, high.span, "and this");
    }
}
