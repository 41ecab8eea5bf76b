//! The report as one page for a browser. It loads nothing from elsewhere, and can be read without its script.

mod audit;
mod chart;
mod evidence;
mod history;
mod overview;
mod page;
mod ranking;
mod rules;
mod run;
mod slices;
mod words;

use std::io::{self, Write};

use crate::verdict::{ChangeReport, MANY, Report};
pub use audit::audit_html;
pub use history::history_html;
pub use ranking::ranking_html;
use run::Detail;

/// After this many bytes of details, the remaining runs are only listed.
const MAX_DETAILS: usize = 4 << 20;

/// Writes a report as a page.
pub fn html(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    let title = format!("gate: {}", page::verdict_in_words(report.verdict));
    to.write_all(page::head(&title, "details", "Skip to the details").into_string().as_bytes())?;
    let order = overview::order(report);
    to.write_all(overview::summary(report).into_string().as_bytes())?;
    to.write_all(overview::table(report, &order).into_string().as_bytes())?;
    to.write_all(history::beside(report).into_string().as_bytes())?;
    to.write_all(page::details().into_string().as_bytes())?;
    let change = report.change.as_ref().map(ChangeReport::as_candidate);
    if let Some(change) = &change {
        let article = run::article(report, change, "change", Detail::Whole);
        to.write_all(article.into_string().as_bytes())?;
    }
    let detail = if report.candidates.len() > MANY { Detail::Brief } else { Detail::Whole };
    let mut written = 0;
    let mut left_out = 0;
    for &at in &order {
        let candidate = &report.candidates[at];
        if written > MAX_DETAILS {
            left_out += 1;
            continue;
        }
        let article = run::article(report, candidate, &format!("run-{at}"), detail).into_string();
        written += article.len();
        to.write_all(article.as_bytes())?;
    }
    to.write_all(page::foot(report, left_out).into_string().as_bytes())
}
