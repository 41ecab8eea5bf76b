//! The evidence for a comparison, in one line.

use super::text::clean;
use crate::document::thousands;
use crate::verdict::{Comparison, Outcome};

/// The interval of a comparison and where it comes from, if the rule asked for evidence: `[-0.0091, ∞) at
/// 95%, Tango, 5,000 cases, 61 gained, 82 lost`.
pub(super) fn evidence(one: &Comparison) -> Option<String> {
    let confidence = clean(one.confidence.as_deref()?);
    let mut parts = Vec::new();
    if let Some([lower, upper]) = &one.interval {
        // Show only the end that decides.
        let lower_decides = matches!(&*one.word, "min" | "max_drop" | "min_rise");
        let both = one.outcome == Outcome::Inconclusive || one.word == "max_change";
        let shows_lower = both || lower_decides == (one.outcome != Outcome::Fail);
        let lower = lower
            .as_deref()
            .filter(|_| shows_lower)
            .map_or("(−∞".to_owned(), |end| format!("[{}", clean(end)));
        let upper = upper
            .as_deref()
            .filter(|_| both || !shows_lower)
            .map_or("∞)".to_owned(), |end| format!("{}]", clean(end)));
        parts.push(format!("{lower}, {upper} at {confidence}"));
        parts.push(clean(one.method.name()));
    } else {
        parts.push(format!("not shown at {confidence}"));
    }
    if let Some(n) = one.n {
        parts.push(format!("{} {}", thousands(n), one.method.units()));
    }
    if let Some(clusters) = one.clusters {
        parts.push(format!("{} clusters", thousands(clusters)));
    }
    if let (Some(gained), Some(lost)) = (one.gained, one.lost) {
        parts.push(format!("{} gained, {} lost", thousands(gained), thousands(lost)));
    }
    Some(parts.join(", "))
}
