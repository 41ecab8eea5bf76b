//! The rules' results for one run: a row for each comparison, drawn on a scale, and the findings.

use maud::{Markup, html};

use super::chart::chart;
use super::evidence::shown;
use super::overview::excerpt;
use super::slices::slices;
use super::words::{cell, class, limit, outcome, prose};
use crate::render::scale::{Axis, Scale, domain};
use crate::render::text::{clean, count};
use crate::verdict::{CandidateReport, Comparison, Finding, Level, Outcome, Report, RuleKind, RuleReport};

/// Every rule, or only those that fail.
pub(super) fn rules(report: &Report, candidate: &CandidateReport, all: bool) -> Markup {
    let holds = |rule: &RuleReport| matches!(rule.outcome, Outcome::Pass | Outcome::Skipped);
    let is_shown = |rule: &&RuleReport| {
        if all {
            rule.kind != RuleKind::Status || !holds(rule)
        } else {
            !holds(rule) && rule.level != Level::Shadow
        }
    };
    let mut rules: Vec<&RuleReport> = candidate.rules.iter().filter(is_shown).collect();
    rules.sort_by_key(|rule| {
        let is_drawn = rule.comparisons.iter().any(|one| one.margin.is_some());
        (rule.level == Level::Shadow, !rule.outcome.blocks(), rule.outcome == Outcome::Skipped, !is_drawn)
    });
    let source = clean(&candidate.run.source);
    html! {
        @if !rules.is_empty() {
            div class="scroll" tabindex="0" role="group" aria-label={ "Rules of " (source) } {
                table class="rules" {
                    thead { tr {
                        th scope="col" { "Rule" } th scope="col" { "Outcome" } th scope="col" { "Metric or field" }
                        th scope="col" { "On a scale" } th scope="col" class="r" { "Baseline" } th scope="col" class="r" { "Candidate" }
                        th scope="col" class="r" { "Change" } th scope="col" { "Limit" }
                        th scope="col" class="r" { "Margin" }
                    } }
                    @for rule in &rules { (body(rule)) }
                }
            }
            @for rule in &rules { (slices(rule, &source)) }
            @for rule in &rules { (findings(report, rule)) }
        }
    }
}

/// The limits that a run came closest to, and how many rules pass.
pub(super) fn closest_limits(candidate: &CandidateReport) -> Markup {
    let near = candidate.near_limits();
    let held = candidate.rules.iter().filter(|rule| rule.outcome == Outcome::Pass).count();
    html! {
        details {
            summary { (count(held, "rule")) (if held == 1 { " passes" } else { " pass" }) @if !near.is_empty() { "; the closest limits" } }
            @if !near.is_empty() {
                ul {
                    @for one in near.iter() {
                        li {
                            (clean(&one.rule)) ": " (clean(&one.limit)) ", " (clean(&one.margin)) " left ("
                            (one.percent()) " of its value)"
                        }
                    }
                }
            }
        }
    }
}

fn body(rule: &RuleReport) -> Markup {
    // Slices have a chart of their own.
    let rows: Vec<&Comparison> = rule.comparisons.iter().filter(|one| one.slice.is_none()).collect();
    let slices = rule.comparisons.len() - rows.len();
    let lines = rows.len() + usize::from(slices > 0 || rows.is_empty());
    html! {
        tbody {
            @for (at, one) in rows.iter().enumerate() {
                tr {
                    @if at == 0 { (head(rule, lines)) }
                    td { (outcome(one.outcome, rule.level)) }
                    td {
                        (name(one))
                        @if let Some(note) = &one.note { " (" (clean(note)) ")" }
                        (shown(one))
                    }
                    td { (on_a_scale(one)) }
                    td class="r" { (cell(one.baseline.as_deref())) }
                    td class="r" { (cell(one.candidate.as_deref())) }
                    td class="r" { (cell(one.change.as_deref())) }
                    td { (limit(one)) }
                    td class="r" { (cell(one.margin.as_deref())) }
                }
            }
            @if slices > 0 || rows.is_empty() {
                tr {
                    @if rows.is_empty() { (head(rule, lines)) }
                    td { (outcome(rule.outcome, rule.level)) }
                    td colspan="7" {
                        @if slices > 0 { (slices) " comparisons on slices, below" } @else { (why(rule)) }
                    }
                }
            }
        }
    }
}

fn head(rule: &RuleReport, lines: usize) -> Markup {
    html! {
        th scope="rowgroup" rowspan=(lines) {
            (clean(&rule.id))
            @if rule.level != Level::Error { div class="level" { (rule.level) } }
        }
    }
}

/// Why a rule has no comparisons.
fn why(rule: &RuleReport) -> String {
    let finding = rule.findings.first().map(|finding| finding.diagnostic.message.as_str());
    clean(finding.or(rule.reason.as_deref()).unwrap_or_default())
}

fn name(one: &Comparison) -> String {
    clean(&one.title())
}

fn on_a_scale(one: &Comparison) -> Markup {
    Scale::of(one, Axis::Values).map(|scale| chart(&scale, one.outcome, domain([&scale]))).unwrap_or_default()
}

/// The findings with their lines and what to do, and the waivers of those that are waived.
fn findings(report: &Report, rule: &RuleReport) -> Markup {
    // A shadow rule has its row, and nothing that asks for attention.
    if matches!(rule.outcome, Outcome::Pass | Outcome::Skipped) || rule.level == Level::Shadow {
        return html! { @for note in &rule.notes { p class="note" { (clean(&rule.id)) ": " (prose(note)) } } };
    }
    html! {
        @for finding in &rule.findings { (one_finding(report, rule, finding)) }
        @for note in &rule.notes { p class="note" { (clean(&rule.id)) ": " (prose(note)) } }
    }
}

fn one_finding(report: &Report, rule: &RuleReport, finding: &Finding) -> Markup {
    let waiver = finding.waiver.and_then(|index| report.waivers.get(index));
    let shown_as = if waiver.is_some() { Outcome::Waived } else { rule.outcome };
    html! {
        div class={ "finding " (class(shown_as, rule.level)) } {
            p { strong { (clean(&rule.id)) } ": " (prose(&finding.diagnostic.message)) }
            (excerpt(finding.diagnostic.location.as_ref()))
            @if let Some(waiver) = waiver {
                p {
                    "Waived until " (clean(&waiver.expires)) ": " (clean(&waiver.reason))
                    " (claimed approval: " (clean(&waiver.approved_by)) "; " code { (clean(&waiver.place)) } ")"
                }
            } @else {
                @if let Some(help) = &finding.diagnostic.help { p class="help" { (prose(help)) } }
                @for beyond in &finding.beyond { p { "A waiver allows " (clean(beyond)) ", but this exceeds it." } }
            }
            @if let Some(message) = &rule.message { p class="help" { "Why: " (clean(message)) } }
            @if let Some(docs) = &rule.docs { p class="help" { (clean(docs)) } }
            p class="code" {
                (finding.diagnostic.code.as_str())
                @if !rule.place.is_empty() { " · " code { (clean(&rule.place)) } }
            }
        }
    }
}
