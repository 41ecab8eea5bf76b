//! The words `confidence` and `on_inconclusive`.

use super::NOT_A_CONFIDENCE;
use crate::document::{Map, Node, Reader};
use crate::rule::{Amount, Units, read_amount};
use crate::stats::Confidence;
use smol_str::SmolStr;

/// What to do with an inconclusive answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::rule) enum OnInconclusive {
    /// It blocks, as inconclusive.
    #[default]
    Block,
    /// It is a failure.
    Fail,
    /// It warns.
    Warn,
}

/// How much evidence is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::rule) struct Settings {
    /// The one-sided confidence, with its text.
    pub(in crate::rule) confidence: Option<(Confidence, SmolStr)>,
    /// What to do with an inconclusive answer.
    pub(in crate::rule) on_inconclusive: OnInconclusive,
}

impl Settings {
    /// Reads both words from a map; `default` has what applies to all entries.
    pub(in crate::rule) fn load(reader: &mut Reader, map: &Map, default: &Self) -> Self {
        let mut settings = default.clone();
        if let Some(node) = map.get("confidence") {
            settings.confidence = confidence(reader, node).or(settings.confidence);
        }
        if let Some(node) = map.get("on_inconclusive") {
            let words = [
                ("block", OnInconclusive::Block),
                ("fail", OnInconclusive::Fail),
                ("warn", OnInconclusive::Warn),
            ];
            settings.on_inconclusive =
                reader.word(node, "`on_inconclusive`", &words).unwrap_or(settings.on_inconclusive);
        }
        settings
    }
}

fn confidence(reader: &mut Reader, node: &Node) -> Option<(Confidence, SmolStr)> {
    let amount = read_amount(reader, node, "confidence", Units::Plain)?;
    let (Amount::Absolute(number) | Amount::Percent(number)) = &amount;
    let number: f64 = number.written().parse().unwrap_or(f64::NAN);
    let share = if matches!(amount, Amount::Percent(_)) { number / 100.0 } else { number };
    let Some(confidence) = Confidence::new(share) else {
        let message = "`confidence` must be above 50 % and below 100 %";
        reader.problem(NOT_A_CONFIDENCE, node.span, message, "not between").help =
            Some("write `confidence: 95%`".into());
        return None;
    };
    Some((confidence, node.as_written().unwrap_or_default().into()))
}
