//! One run: what it is, what it was compared with, each rule's result, and what changed.

use maud::{Markup, html};

use super::overview::{badge, trouble};
use super::page::verdict_in_words;
use super::rules::{closest_limits, rules};
use super::words::prose;
use crate::render::text::clean;
use crate::verdict::{BaselineReport, CandidateReport, Comparability, Report};

/// How much of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Every rule.
    Whole,
    /// For one run of many: what failed, and the limits that it came closest to.
    Brief,
}

/// The article of a run, with the id that its row in the overview links to. One of many is laid out when it
/// comes into view.
pub(super) fn article(report: &Report, candidate: &CandidateReport, id: &str, detail: Detail) -> Markup {
    let run = &candidate.run;
    let facts = [
        ("Model", &run.model),
        ("Run", &run.run_id),
        ("Commit", &run.git_commit),
        ("Data", &run.data_version),
        ("Created", &run.created_at),
    ];
    // A few lines are enough for a run that passed, and a page of a thousand opens at once.
    let is_short = detail == Detail::Brief && candidate.is_unremarkable();
    html! {
        article id=(id) class=[(detail == Detail::Brief).then_some("m")] data-verdict=(verdict_in_words(candidate.verdict)) aria-labelledby={ (id) "-h" } {
            h3 id={ (id) "-h" } { (badge(candidate.verdict)) " " (clean(&run.source)) }
            @if is_short { (on_one_line(&facts)) }
            @else if facts.iter().any(|(_, value)| value.is_some()) {
                dl {
                    @for (name, value) in facts {
                        @if let Some(value) = value { div { dt { (name) } dd { (clean(value)) } } }
                    }
                }
            }
            @if !is_short {
                @for baseline in &candidate.baselines { (against(baseline, run.model.as_deref())) }
            }
            @for note in &candidate.notes { p class="note" { (prose(note)) } }
            @for why in &candidate.troubles { (trouble(why)) }
            (rules(report, candidate, detail == Detail::Whole))
            @if detail == Detail::Brief { (closest_limits(candidate)) }
            @if !is_short {
                @for baseline in &candidate.baselines { (differences(baseline)) }
            }
        }
    }
}

/// `model churn · run r2`: one element instead of a list with three for each fact.
fn on_one_line(facts: &[(&str, &Option<String>)]) -> Markup {
    let known = |(name, value): &(&str, &Option<String>)| {
        value.as_deref().map(|value| format!("{} {}", name.to_lowercase(), clean(value)))
    };
    let line: Vec<String> = facts.iter().filter_map(known).collect();
    html! { @if !line.is_empty() { p { (line.join(" · ")) } } }
}

fn text(value: Option<&str>) -> String {
    value.map(clean).unwrap_or_default()
}

fn against(baseline: &BaselineReport, model: Option<&str>) -> Markup {
    html! {
        p {
            "Compared with " code { (clean(&baseline.reference)) }
            @if let Some(run) = &baseline.run {
                @if run.source != baseline.reference { " → " code { (clean(&run.source)) } }
            }
            @if let Some(missing) = &baseline.missing {
                ": none, " (clean(missing)) @if baseline.first { "; accepted as the first model" }
            }
            @for part in baseline.origin() { ", " (clean(&part)) }
            @if let Some(refresh) = &baseline.refresh { " · " strong { (prose(refresh)) } }
            @if let Some(other) = baseline.other_model(model) {
                " · " strong { "the baseline is of another model, " (clean(other)) }
            }
            @match &baseline.comparability {
                Some(Comparability::Same { by, .. }) => { " · same validation split, by " (clean(&by.join(", "))) }
                Some(Comparability::Different { .. }) => { " · " strong { "measured on a different validation split" } }
                Some(Comparability::Unshown { why }) => {
                    " · " strong { "the validation splits could not be shown to match: " (clean(why)) }
                }
                None => {}
            }
        }
    }
}

/// What changed between the runs, besides the metrics.
fn differences(baseline: &BaselineReport) -> Markup {
    html! {
        @if !baseline.differences.is_empty() {
            details {
                summary { "What changed between the runs (" (baseline.differences.len()) ")" }
                div class="scroll" tabindex="0" role="group" aria-label="What changed between the runs" {
                    table {
                        thead { tr { th scope="col" { "Field" } th scope="col" { "Baseline" } th scope="col" { "Candidate" } } }
                        tbody {
                            @for one in &baseline.differences {
                                tr {
                                    th scope="row" { (clean(&one.field)) }
                                    td { (text(one.baseline.as_deref())) }
                                    td { (text(one.candidate.as_deref())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
