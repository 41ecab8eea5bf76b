//! The verdict, what a person must know about it, and one row for each run.

use maud::{Markup, html};

use super::page::verdict_in_words;
use super::words::prose;
use crate::document::{Diagnostic, Location};
use crate::render::text::clean;
use crate::render::text_of_last_line;
use crate::verdict::{CandidateReport, Level, MANY, Outcome, Report, Verdict, WaiverReport, WaiverState};

/// Rows of runs that passed; more are counted.
const MAX_ROWS: usize = 5_000;
/// The rows in one part of the table. A browser lays out a part when it comes into view.
const ROWS_TOGETHER: usize = 50;

/// The indices of the candidates, the worst first.
pub(super) fn order(report: &Report) -> Vec<usize> {
    let rank = |candidate: &CandidateReport| match candidate.verdict {
        None => 0,
        Some(Verdict::Fail) => 1,
        Some(Verdict::Pass) if !candidate.is_unremarkable() => 2,
        Some(Verdict::Pass) => 3,
    };
    let mut order: Vec<usize> = (0..report.candidates.len()).collect();
    order.sort_by_key(|&at| rank(&report.candidates[at]));
    order
}

/// A verdict; the style puts a sign before it.
pub(super) fn badge(verdict: Option<Verdict>) -> Markup {
    let class = match verdict {
        Some(Verdict::Pass) => "p",
        Some(Verdict::Fail) => "f",
        None => "q",
    };
    html! { span class={ "badge o " (class) } { (verdict_in_words(verdict)) } }
}

/// The verdict first; then why there is none, and what weakens it.
pub(super) fn summary(report: &Report) -> Markup {
    let line = text_of_last_line(report);
    let said = line.split_once(" · ").map_or("", |(_, rest)| rest);
    html! {
        header {
            h1 { "gate: " (badge(report.verdict)) }
            p class="lead" { (said) }
            @if let Some(stage) = &report.stage { p { "Stage " strong { (clean(stage)) } } }
            @if let Some(closest) = &report.summary.closest {
                p { "Closest margin: " (clean(&closest.in_words())) " – " code { (clean(&closest.run)) } }
            }
        }
        @if !report.troubles.is_empty() {
            section aria-labelledby="why" {
                h2 id="why" { "Why there is no verdict" }
                @for why in &report.troubles { (trouble(why)) }
            }
        }
        @if let Some(proposed) = &report.proposed {
            section class="callout" aria-labelledby="proposed" {
                h2 id="proposed" { "This change edits the rules that judge it" }
                p {
                    @for (at, file) in proposed.files.iter().enumerate() {
                        @if at > 0 { ", " }
                        code { (clean(file)) }
                    }
                    ". The edits take effect only after the merge. With them, the verdict would be "
                    strong { (verdict_in_words(proposed.verdict)) } "."
                }
                ul { @for difference in &proposed.differences { li { (prose(difference)) } } }
            }
        }
        @if !report.notes.is_empty() {
            section aria-labelledby="notes" {
                h2 id="notes" { "Notes" }
                ul { @for note in &report.notes { li { (prose(note)) } } }
            }
        }
        (waivers(&report.waivers))
    }
}

/// A reason for no verdict, with its line.
pub(super) fn trouble(why: &Diagnostic) -> Markup {
    html! {
        div class="finding q" {
            p {
                @if !why.rules.is_empty() { strong { (clean(&why.rules.join(", "))) } ": " }
                (prose(&why.message))
            }
            (excerpt(why.location.as_ref()))
            @if let Some(help) = &why.help { p class="help" { (prose(help)) } }
            p class="code" { (why.code.as_str()) }
        }
    }
}

/// The line of a file, with what is wrong marked.
pub(super) fn excerpt(location: Option<&Location>) -> Markup {
    let Some(at) = location.and_then(Location::excerpt) else { return Markup::default() };
    let characters: Vec<char> = at.excerpt.chars().collect();
    let from = at.column.saturating_sub(at.excerpt_column).min(characters.len());
    let to = at.end_column.saturating_sub(at.excerpt_column).clamp(from, characters.len());
    let part = |range: &[char]| clean(&range.iter().collect::<String>());
    html! {
        p class="place" { code { (clean(&at.file)) ":" (at.line) ":" (at.column) } }
        pre tabindex="0" {
            (part(&characters[..from])) mark { (part(&characters[from..to])) } (part(&characters[to..]))
        }
    }
}

fn waivers(waivers: &[WaiverReport]) -> Markup {
    let shown: Vec<&WaiverReport> =
        waivers.iter().filter(|waiver| waiver.state != WaiverState::Elsewhere).collect();
    let state = |waiver: &WaiverReport| match waiver.state {
        WaiverState::Used => "used",
        WaiverState::Unused => "not needed: take it out",
        WaiverState::Expired => "ended, and not applied",
        WaiverState::Ignored | WaiverState::Elsewhere => "not applied",
    };
    html! {
        @if !shown.is_empty() {
            section aria-labelledby="waivers" {
                h2 id="waivers" { "Waivers" }
                div class="scroll" tabindex="0" role="group" aria-label="Waivers" {
                    table {
                        thead { tr {
                            th scope="col" { "Rule" } th scope="col" { "State" } th scope="col" { "Reason" }
                            th scope="col" { "Approved by (claimed)" } th scope="col" { "Until" } th scope="col" { "Written at" }
                        } }
                        tbody {
                            @for waiver in shown {
                                tr {
                                    th scope="row" { (clean(&waiver.rule)) }
                                    td { (state(waiver)) } td { (clean(&waiver.reason)) }
                                    td { (clean(&waiver.approved_by)) } td { (clean(&waiver.expires)) }
                                    td { code { (clean(&waiver.place)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One row for each run, which the script can filter and sort.
pub(super) fn table(report: &Report, order: &[usize]) -> Markup {
    let passed = order.iter().filter(|&&at| report.candidates[at].verdict == Some(Verdict::Pass)).count();
    let hidden = passed.saturating_sub(MAX_ROWS);
    let shown = &order[..order.len() - hidden];
    html! {
        @if !order.is_empty() {
            section aria-labelledby="runs" {
                h2 id="runs" { "Runs" }
                div class="tools" id="tools" role="search" aria-label="Runs" hidden {
                    span {
                        label for="text" { "Filter" }
                        input id="text" type="search" placeholder="run, model or rule";
                    }
                    span {
                        label for="verdict" { "Verdict" }
                        select id="verdict" {
                            option value="" { "all" }
                            option value="fail" { "fail" }
                            option value="no verdict" { "no verdict" }
                            option value="pass" { "pass" }
                        }
                    }
                    output id="shown" for="text verdict" {}
                }
                div class="scroll" tabindex="0" role="group" aria-label="Runs" {
                    table id="overview" class=[(shown.len() > MANY).then_some("many")] {
                        thead { tr {
                            th scope="col" data-sort="text" { "Verdict" }
                            th scope="col" data-sort="text" { "Run" }
                            th scope="col" data-sort="text" { "Model" }
                            th scope="col" data-sort="text" { "Rules that fail" }
                            th scope="col" data-sort="number" class="r" { "Closest margin" }
                        } }
                        @for part in shown.chunks(ROWS_TOGETHER) {
                            tbody { @for &at in part { (row(&report.candidates[at], at)) } }
                        }
                    }
                }
                @if hidden > 0 { p class="note" { "and " (hidden) " more that passed, in the JSON report" } }
            }
        }
    }
}

fn row(candidate: &CandidateReport, at: usize) -> Markup {
    let near = candidate.near_limits();
    let closest = near.first();
    let wrong: Vec<String> = candidate
        .rules
        .iter()
        .filter(|rule| rule.level != Level::Shadow)
        .filter_map(|rule| match (rule.outcome, rule.level) {
            (Outcome::Waived, _) => Some(format!("{} (waived)", clean(&rule.id))),
            (outcome, Level::Warning) if outcome.blocks() => Some(format!("{} (warning)", clean(&rule.id))),
            (Outcome::Inconclusive, _) => Some(format!("{} (can't tell)", clean(&rule.id))),
            (Outcome::Fail, _) => Some(clean(&rule.id)),
            _ => None,
        })
        .collect();
    html! {
        tr data-verdict=(verdict_in_words(candidate.verdict)) {
            td { (badge(candidate.verdict)) }
            th scope="row" { a href={ "#run-" (at) } { (clean(&candidate.run.source)) } }
            td { (candidate.run.model.as_deref().map(clean).unwrap_or_default()) }
            td { (wrong.join(", ")) }
            td class="r" data-value=[closest.map(|closest| &closest.share)] {
                @if let Some(closest) = closest { (clean(&closest.subject)) " " (closest.percent()) }
            }
        }
    }
}
