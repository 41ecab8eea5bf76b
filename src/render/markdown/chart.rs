//! How much of its limit each metric used: a table of numbers in different units can't show that.

use crate::verdict::{CandidateReport, Comparison};

/// With fewer bars than this, a chart says no more than the table.
const FEWEST: usize = 3;
const MOST: usize = 20;

/// A Mermaid chart for the summary of a job; `None` if it would say no more than the table.
pub(super) fn chart(candidate: &CandidateReport) -> Option<String> {
    let bars: Vec<(String, f64)> = candidate
        .rules
        .iter()
        .flat_map(|rule| &rule.comparisons)
        .filter_map(|one| Some((label(&one.title(), &one.word), used(one)?)))
        .take(MOST)
        .collect();
    if bars.len() < FEWEST {
        return None;
    }
    let labels: Vec<String> = bars.iter().map(|(label, _)| format!("\"{label}\"")).collect();
    let values: Vec<String> = bars.iter().map(|(_, used)| format!("{used:.0}")).collect();
    let limits = vec!["100"; bars.len()];
    let top = bars.iter().map(|(_, used)| *used).fold(100.0, f64::max);
    let bottom = bars.iter().map(|(_, used)| *used).fold(0.0, f64::min);
    Some(format!(
        "```mermaid\nxychart-beta\n  title \"Share of the allowed change that is used, in % (line: the limit)\"\n  \
         x-axis [{}]\n  y-axis \"%\" {:.0} --> {:.0}\n  bar [{}]\n  line [{}]\n```\n",
        labels.join(", "),
        bottom,
        top * 1.1,
        values.join(", "),
        limits.join(", ")
    ))
}

/// How much of a limit against the baseline is used, in percent. For a chart only: no decision depends on it.
fn used(one: &Comparison) -> Option<f64> {
    if one.change.is_none() || one.slice.is_some() {
        return None;
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let limit = number(one.limit_value.as_deref().or(one.limit.as_deref())?)?;
    let margin = number(one.margin.as_deref()?)?;
    (limit.abs() > 0.0).then(|| ((limit - margin) / limit.abs() * 100.0).clamp(-200.0, 400.0))
}

/// Keeps letters, digits and a few signs: any other character could end the label.
fn label(subject: &str, word: &str) -> String {
    let kept = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-/ ".contains(c) { c } else { ' ' })
            .take(24)
            .collect()
    };
    format!("{} {}", kept(subject), kept(word))
}
