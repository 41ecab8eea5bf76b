//! An audit as a page: first an overview of every model at every stage, then each in detail.

use std::io::{self, Write};

use maud::{Markup, html};

use super::overview::trouble;
use super::page;
use super::words::prose;
use crate::render::text::{clean, count};
use crate::verdict::{Audit, AuditLine, Exit, Severity};

/// Writes an audit as a page.
pub fn audit_html(answer: &Audit, to: &mut dyn Write) -> io::Result<()> {
    let title = format!("gate audit: {}", in_words(answer.exit_code));
    to.write_all(page::head(&title, "details", "Skip to the details").into_string().as_bytes())?;
    to.write_all(body(answer).into_string().as_bytes())?;
    let last = html! {
        p { "Written by gate " (env!("CARGO_PKG_VERSION")) ", audited at " (clean(&answer.now)) "." }
    };
    to.write_all(page::end(&last).into_string().as_bytes())
}

fn in_words(exit: Exit) -> &'static str {
    match exit {
        Exit::Pass => "passed",
        Exit::Fail => "failed",
        Exit::NoVerdict => "could not be completed",
    }
}

fn body(answer: &Audit) -> Markup {
    let class = match answer.exit_code {
        Exit::Pass => "p",
        Exit::Fail => "f",
        Exit::NoVerdict => "q",
    };
    html! {
        header {
            h1 { "gate audit: " span class={ "badge o " (class) } { (in_words(answer.exit_code)) } }
            p class="lead" { (counts(&answer.lines)) " in " (count(answer.lines.len(), "stage")) }
            @if !answer.trusted.is_empty() { p { "Trusted: " (prose(&answer.trusted)) } }
        }
        @if !answer.troubles.is_empty() {
            section aria-labelledby="why" {
                h2 id="why" { "What could not be audited" }
                @for why in &answer.troubles { (trouble(why)) }
            }
        }
        @for note in &answer.notes { p class="note" { (prose(note)) } }
        @if !answer.lines.is_empty() {
            section aria-labelledby="stages" {
                h2 id="stages" { "Models and stages" }
                div class="scroll" tabindex="0" role="group" aria-label="Models and stages" {
                    table {
                        thead { tr {
                            th scope="col" { "Model" } th scope="col" { "Stage" } th scope="col" { "State" }
                            th scope="col" { "Promoted now" } th scope="col" class="r" { "Promotions" }
                        } }
                        tbody { @for (at, line) in answer.lines.iter().enumerate() { (row(line, at)) } }
                    }
                }
            }
        }
        section aria-labelledby="details" {
            h2 id="details" { "Details" }
            @for (at, line) in answer.lines.iter().enumerate() { (article(line, at)) }
        }
    }
}

/// `2 errors, 1 warning`.
fn counts(lines: &[AuditLine]) -> String {
    let of = |wanted: Severity| {
        lines.iter().flat_map(|line| &line.findings).filter(|finding| finding.severity == wanted).count()
    };
    format!("{}, {}", count(of(Severity::Error), "error"), count(of(Severity::Warning), "warning"))
}

/// How a model at a stage is: the worst of its findings.
fn state(line: &AuditLine) -> Markup {
    let worst = |wanted: Severity| line.findings.iter().any(|finding| finding.severity == wanted);
    let (class, words) = match (worst(Severity::Error), worst(Severity::Warning)) {
        (true, _) => ("f", "fail"),
        (false, true) => ("x", "warning"),
        (false, false) => ("p", "pass"),
    };
    html! { span class={ "badge o " (class) } { (words) } }
}

fn row(line: &AuditLine, at: usize) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#line-" (at) } { (clean(&line.model)) } }
            td { (clean(&line.stage)) }
            td { (state(line)) }
            td { (prose(&line.current)) }
            td class="r" { (line.promotions) }
        }
    }
}

fn article(line: &AuditLine, at: usize) -> Markup {
    html! {
        article id={ "line-" (at) } aria-labelledby={ "line-" (at) "-h" } {
            h3 id={ "line-" (at) "-h" } { (state(line)) " " (clean(&line.model)) " in " (clean(&line.stage)) }
            p { (prose(&line.current)) ", " (counts(std::slice::from_ref(line))) }
            @for finding in &line.findings {
                div class={ "finding " (if finding.severity == Severity::Error { "f" } else { "x" }) } {
                    p { (prose(&finding.message)) }
                    p class="code" { (finding.code) }
                }
            }
            @if !line.holds.is_empty() {
                ul class="plain" { @for holds in &line.holds { li { span class="o p" { "holds" } " " (prose(holds)) } } }
            }
            @for note in &line.notes { p class="note" { (prose(note)) } }
        }
    }
}
