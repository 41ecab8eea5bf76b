//! The rules of a policy over history, as a page.

use std::io::{self, Write};

use maud::{Markup, html};

use super::page;
use super::words::prose;
use crate::render::ranking::{failures, judged_in_words, limit_in_words, lists, rule_in_words};
use crate::render::text::clean;
use crate::verdict::{RankedLimit, RankedRule, Ranking};

/// Writes a ranking as a page.
pub fn ranking_html(ranking: &Ranking, to: &mut dyn Write) -> io::Result<()> {
    let title = format!("Rules over {}", judged_in_words(ranking));
    to.write_all(page::head(&title, "table", "Skip to the table").into_string().as_bytes())?;
    to.write_all(body(ranking, &clean(&title)).into_string().as_bytes())?;
    let last = html! {
        p { "Written by gate " (env!("CARGO_PKG_VERSION")) ", judged at " (clean(&ranking.now)) "." }
    };
    to.write_all(page::end(&last).into_string().as_bytes())
}

fn body(ranking: &Ranking, title: &str) -> Markup {
    html! {
        h1 { (title) }
        p class="lead" { "Judged by today's policy; the rules that failed most often come first." }
        @for note in &ranking.notes { p class="note" { (prose(note)) } }
        h2 id="table" { "Rules" }
        div class="scroll" tabindex="0" role="group" aria-label="Rules" {
            table class="rules" {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Limit" } th scope="col" class="r" { "Judged" }
                    th scope="col" class="r" { "Failed" } th scope="col" { "Closest margin" }
                } }
                @for rule in &ranking.rules { (of_rule(rule)) }
            }
        }
        @for (what, rules) in lists(ranking) {
            p { "Rules that " (what) ": " @for (at, rule) in rules.iter().enumerate() { @if at > 0 { ", " } code { (clean(rule)) } } }
        }
        @if !ranking.implied.is_empty() {
            h2 { "Limits that can't fail alone" }
            ul { @for implied in &ranking.implied { li { (prose(&implied.in_words())) } } }
        }
    }
}

fn of_rule(rule: &RankedRule) -> Markup {
    html! {
        tbody {
            tr {
                th scope="rowgroup" rowspan=(rule.limits.len() + 1) { (clean(&rule_in_words(rule))) }
                td { "every check of the rule" }
                td class="r" { (rule.judged) }
                td class="r" {
                    @if rule.failed + rule.waived > 0 { span class="f" { (failures(rule)) } } @else { (rule.failed) }
                }
                td {}
            }
            @for limit in &rule.limits { (of_limit(limit)) }
        }
    }
}

fn of_limit(limit: &RankedLimit) -> Markup {
    html! {
        tr {
            td { (clean(&limit_in_words(limit))) }
            td class="r" { (limit.judged) }
            td class="r" { @if limit.failed > 0 { span class="f" { (limit.failed) } } @else { (limit.failed) } }
            td {
                @if let Some(nearest) = &limit.closest {
                    (clean(&nearest.in_words())) " at " code { (clean(&nearest.run)) }
                }
            }
        }
    }
}
