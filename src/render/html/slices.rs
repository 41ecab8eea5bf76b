//! A metric on the slices of the validation split: a dot and an interval for each, the worst first, on one axis.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::chart::chart;
use super::evidence::shown;
use super::words::{cell, limit, outcome};
use crate::document::thousands;
use crate::render::scale::{Axis, Scale, domain};
use crate::render::text::clean;
use crate::verdict::{Comparison, RuleReport};

/// The most slices that are drawn for one limit; more are counted.
const MAX_SLICES: usize = 100;

/// A chart for each limit of a rule that applies to slices.
pub(super) fn slices(rule: &RuleReport, run: &str) -> Markup {
    let mut limits: IndexMap<(String, &str), Vec<&Comparison>> = IndexMap::new();
    for one in rule.comparisons.iter().filter(|one| one.slice.is_some()) {
        limits.entry((one.title(), &one.word)).or_default().push(one);
    }
    html! {
        @for ((metric, word), mut all) in limits {
            @let () = all.sort_by(|one, other| margin(one).total_cmp(&margin(other)));
            (dots(rule, &metric, word, &all, run))
        }
    }
}

/// The order of a slice. One that fails without a number comes first, since it is no better than the worst.
fn margin(one: &Comparison) -> f64 {
    let number = one.margin.as_deref().and_then(|text| text.parse::<f64>().ok());
    number.unwrap_or(if one.outcome.blocks() { f64::NEG_INFINITY } else { f64::INFINITY })
}

fn dots(rule: &RuleReport, metric: &str, word: &str, all: &[&Comparison], run: &str) -> Markup {
    let scales: Vec<Option<Scale>> = all.iter().map(|one| Scale::of(one, Axis::Changes)).collect();
    let ends = domain(scales.iter().flatten());
    let title = format!("{} {word} on {} slices", clean(metric), all.len());
    html! {
        h4 { (clean(&rule.id)) ": " (title) ", the worst first" }
        div class="scroll" tabindex="0" role="group" aria-label={ (title) " of " (run) } {
            table class="rules" {
                thead { tr {
                    th scope="col" { "Slice" } th scope="col" { "Outcome" } th scope="col" class="r" { "Cases" }
                    th scope="col" class="r" { "Baseline" } th scope="col" class="r" { "Candidate" }
                    th scope="col" class="r" { "Change" } th scope="col" { "Limit" }
                    th scope="col" class="r" { "Margin" }
                    th scope="col" { @if all.iter().any(|one| one.change.is_some()) { "Change on a scale" } @else { "On a scale" } }
                } }
                tbody {
                    @for (one, scale) in all.iter().zip(&scales).take(MAX_SLICES) {
                        tr {
                            th scope="row" { (one.slice.as_deref().map(clean).unwrap_or_default()) }
                            td { (outcome(one.outcome, rule.level)) (shown(one)) }
                            td class="r" { (one.n.map(thousands).unwrap_or_default()) }
                            td class="r" { (cell(one.baseline.as_deref())) }
                            td class="r" { (cell(one.candidate.as_deref())) }
                            td class="r" { (cell(one.change.as_deref())) }
                            td { (limit(one)) }
                            td class="r" { (cell(one.margin.as_deref())) }
                            td { @if let Some(scale) = scale { (chart(scale, one.outcome, ends)) } }
                        }
                    }
                }
            }
        }
        @if all.len() > MAX_SLICES { p class="note" { "and " (all.len() - MAX_SLICES) " better ones, in the JSON report" } }
    }
}
