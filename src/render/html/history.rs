//! A metric over time as a page: a line with the limits, and the table of what it is drawn from.

use std::collections::BTreeSet;
use std::io::{self, Write};

use maud::{Markup, html};

use super::page;
use super::words::prose;
use crate::render::text::{clean, count};
use crate::render::timeline::{day, ends, is_beyond, limit_in_words, number};
use crate::verdict::{History, HistoryPoint, Report};

/// The size of the drawing, in its own units.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 260.0;
/// Room for the numbers on the left, and around.
const LEFT: f64 = 90.0;
const EDGE: f64 = 16.0;

/// Writes a history as a page.
pub fn history_html(history: &History, to: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} of {}", history.metric, history.model);
    to.write_all(page::head(&title, "table", "Skip to the table").into_string().as_bytes())?;
    to.write_all(body(history, &clean(&title)).into_string().as_bytes())?;
    to.write_all(
        page::end(&html! { p { "Written by gate " (env!("CARGO_PKG_VERSION")) "." } })
            .into_string()
            .as_bytes(),
    )
}

fn body(history: &History, title: &str) -> Markup {
    html! {
        h1 { (title) }
        p class="lead" { (count(history.points.len(), "run")) ", the oldest first" }
        @if !history.limits.is_empty() {
            ul { @for limit in &history.limits { li { "Limit " (limit_in_words(limit)) } } }
        }
        @for note in &history.notes { p class="note" { (prose(note)) } }
        (chart(history, &format!("{title} over time, drawn from the table below"), &|_| false))
        p class="note" { (KEY) "." }
        h2 id="table" { "Runs" }
        div class="scroll" tabindex="0" role="group" aria-label="Runs" {
            table {
                thead { tr {
                    th scope="col" { "Day" } th scope="col" class="r" { (clean(&history.metric)) }
                    th scope="col" { "Run" } th scope="col" { "Commit" }
                    th scope="col" { "Promoted" } th scope="col" { "Read at" }
                } }
                tbody { @for point in &history.points { (row(point, history)) } }
            }
        }
    }
}

fn row(point: &HistoryPoint, history: &History) -> Markup {
    let beyond = number(&point.value).is_some_and(|value| is_beyond(value, &history.limits));
    let text = |value: &Option<String>| value.as_deref().map(clean).unwrap_or_default();
    html! {
        tr {
            th scope="row" { (day(point)) }
            td class="r" {
                @if beyond { span class="o f" { (clean(&point.value)) } span class="note" { " beyond a limit" } }
                @else { (clean(&point.value)) }
            }
            td { (text(&point.run_id)) }
            td { code { (text(&point.git_commit)) } }
            td { (clean(&point.promoted.join(", "))) }
            td { code { (clean(&point.source)) } }
        }
    }
}

/// The key of a chart.
const KEY: &str = "Filled: promoted. Red: beyond one of today's limits. Open: not promoted";

/// The metrics of the judged runs over time, each with its limits.
pub(super) fn beside(report: &Report) -> Markup {
    let is_judged = |point: &HistoryPoint| {
        report.candidates.iter().any(|candidate| {
            candidate.run.source == point.source
                || point.run_id.is_some() && candidate.run.run_id == point.run_id
        })
    };
    let notes: BTreeSet<&String> = report.history.iter().flat_map(|history| &history.notes).collect();
    html! {
        @if !report.history.is_empty() {
            section aria-labelledby="history" {
                h2 id="history" { "Over time" }
                p class="note" { (KEY) ". Ringed: judged here." }
                @for history in &report.history {
                    @let title = format!("{} of {}", clean(&history.metric), clean(&history.model));
                    h3 { (title) }
                    p { (from_to(history)) }
                    (chart(history, &format!("{title} over time"), &is_judged))
                }
                @for note in notes { p class="note" { (prose(note)) } }
            }
        }
    }
}

/// `4 runs, from 0.84 on 2026-05-01 to 0.845 on 2026-05-05`.
fn from_to(history: &History) -> String {
    let at = |point: &HistoryPoint| format!("{} on {}", clean(&point.value), day(point));
    let ends = history.points.first().zip(history.points.last());
    let ends = ends.map(|(first, last)| format!(", from {} to {}", at(first), at(last))).unwrap_or_default();
    format!("{}{ends}", count(history.points.len(), "run"))
}

/// Draws the values in order, joined by a line. Promoted ones are filled; `is_ringed` picks those with a
/// ring.
fn chart(history: &History, label: &str, is_ringed: &dyn Fn(&HistoryPoint) -> bool) -> Markup {
    let (low, high) = ends(history);
    let y = |value: f64| HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2.0 * EDGE);
    #[expect(clippy::cast_precision_loss, reason = "for a picture")]
    let step = (WIDTH - LEFT - EDGE) / history.points.len().saturating_sub(1).max(1) as f64;
    let points: Vec<(f64, f64, &HistoryPoint)> = history
        .points
        .iter()
        .enumerate()
        .filter_map(|(at, point)| {
            #[expect(clippy::cast_precision_loss, reason = "for a picture")]
            let x = LEFT + step * at as f64;
            Some((x, y(number(&point.value)?), point))
        })
        .collect();
    let line: Vec<String> = points.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
    let beyond =
        |point: &HistoryPoint| number(&point.value).is_some_and(|value| is_beyond(value, &history.limits));
    html! {
        figure {
            svg class="h" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
                @for end in [low, high] {
                    text x=(LEFT - 10.0) y=(format!("{:.1}", y(end) + 4.0)) text-anchor="end" { (four_digits(end)) }
                }
                @for limit in &history.limits {
                    @if let Some(at) = number(&limit.value) {
                        path class="limit" d=(format!("M{LEFT} {:.1}H{}", y(at), WIDTH - EDGE)) {}
                    }
                }
                polyline points=(line.join(" ")) {}
                @for (x, y, _) in points.iter().filter(|(_, _, point)| is_ringed(point)) {
                    circle class="now" cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="9" {}
                }
                @for (x, y, point) in &points {
                    circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="5"
                        class=(match (beyond(point), point.promoted.is_empty()) {
                            (true, _) => "f on",
                            (false, true) => "off",
                            (false, false) => "p on",
                        }) {}
                }
                // The label is above the line, so that it stays readable where the two cross.
                @for limit in &history.limits {
                    @if let Some(at) = number(&limit.value) {
                        text class="f" x=(LEFT + 6.0) y=(format!("{:.1}", y(at) - 5.0)) { (limit_in_words(limit)) }
                    }
                }
            }
        }
    }
}

/// A number for an axis label: four digits, or all before the point.
fn four_digits(number: f64) -> String {
    let size = number.abs();
    let decimals = [1.0, 10.0, 100.0, 1000.0].iter().filter(|least| size >= **least).count();
    format!("{number:.*}", 4 - decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_room_for_large_numbers() {
        assert_eq!(
            [0.85042, -1.5, 43.6, 136.4, 12_345.6].map(four_digits),
            ["0.8504", "-1.500", "43.60", "136.4", "12346"]
        );
    }
}
