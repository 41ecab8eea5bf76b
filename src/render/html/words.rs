//! Text of reports, as HTML.

use maud::{Markup, html};

use super::chart;
use crate::render::text::{clean, cut, shortened_commit, shortened_digest};
use crate::verdict::{Comparison, Level, Outcome};

/// The most columns of a value in a cell; the JSON report has the whole value.
const MAX_COLUMNS: usize = 40;

/// A message, with code style between backticks.
pub(super) fn prose(text: &str) -> Markup {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd backtick has no pair.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A value for a table cell.
pub(super) fn cell(value: Option<&str>) -> String {
    let shortened = |value| cut(&shortened_commit(&shortened_digest(&clean(value), "…")), MAX_COLUMNS, "…");
    value.map(shortened).unwrap_or_default()
}

/// The class that colours a rule's outcome at its level.
pub(super) fn class(outcome: Outcome, level: Level) -> &'static str {
    match (outcome, level) {
        (Outcome::Fail | Outcome::Inconclusive, Level::Warning | Level::Shadow | Level::Off) => "x",
        (outcome, _) => chart::class(outcome),
    }
}

/// An outcome as a word; the style puts a sign before it, so that colour is not needed to read it.
pub(super) fn outcome(outcome: Outcome, level: Level) -> Markup {
    html! { span class={ "o " (class(outcome, level)) } { (outcome) } }
}

/// A limit as the policy writes it, and its amount.
pub(super) fn limit(one: &Comparison) -> String {
    clean(&match (&one.limit, &one.limit_value) {
        (Some(limit), Some(value)) => format!("{} {limit} = {value}", one.word),
        (Some(limit), None) => format!("{} {limit}", one.word),
        (None, _) => one.word.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_nothing_of_others_is_markup() {
        assert_eq!(prose("`<b>` is no key").into_string(), "<code>&lt;b&gt;</code> is no key");
        assert_eq!(prose("a ` alone <i>").into_string(), "a ` alone &lt;i&gt;");
    }
}
