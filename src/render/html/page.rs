//! The frame of a page: style, script, and what is above and below the report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::render::text::clean;
use crate::verdict::{Report, Verdict};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn verdict_in_words(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Fail) => "fail",
        None => "no verdict",
    }
}

/// Everything up to the first heading. The page allows no script but its own, whatever text it shows.
pub(super) fn head(title: &str, skip_to: &str, skip: &str) -> Markup {
    let allowed = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{}'",
        STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()))
    );
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(allowed);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (clean(title)) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        a class="skip" href={ "#" (skip_to) } { (skip) }
        (PreEscaped("<main>"))
    }
}

/// The start of the details: a key to the charts.
pub(super) fn details() -> Markup {
    let key = |sign: &str, what: &str| {
        html! { span { svg class="c" aria-hidden="true" { (PreEscaped(sign)) } " " (what) } }
    };
    html! {
        (PreEscaped("<section aria-labelledby=\"details\">"))
        h2 id="details" { "Details" }
        p class="legend" {
            (key("<circle class=\"d\" cx=\"14\"/>", "candidate"))
            (key("<circle class=\"b\" cx=\"14\"/>", "baseline, or no change"))
            (key("<rect class=\"l\" x=\"13\"/>", "limit"))
            (key("<rect class=\"n\" x=\"2\" width=\"24\"/>", "not allowed"))
            (key("<rect class=\"i\" x=\"2\" width=\"24\"/>", "interval"))
        }
    }
}

/// Everything below the last run.
pub(super) fn foot(report: &Report, left_out: usize) -> Markup {
    html! {
        @if left_out > 0 {
            p class="note" {
                "The details of " (left_out) " more runs are in the JSON report: this page would be too large with them."
            }
        }
        (PreEscaped("</section>"))
        (end(&html! {
            p {
                "Written by gate " (clean(&report.gate)) ", decided at " (clean(&report.now))
                @if let Some(policy) = &report.policy {
                    ", by the policy " code { (clean(&policy.path)) } " (" code { (clean(&policy.digest)) } ")"
                }
                "."
            }
        }))
    }
}

/// The end of a page, with its last line.
pub(super) fn end(line: &Markup) -> Markup {
    html! {
        (PreEscaped("</main>"))
        footer { (line) }
        script { (PreEscaped(SCRIPT)) }
        (PreEscaped("</body></html>\n"))
    }
}
