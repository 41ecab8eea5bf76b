//! The report for a person at a terminal: each run, each rule, and every failure in full.

mod candidate;
mod change;
mod footer;
mod table;

use std::io::{self, Write};

use super::text::{clean, count};
use super::{Detail, Style};
use crate::verdict::{CandidateReport, MANY, Report, Verdict};

/// The last line, without colour.
pub fn text_of_last_line(report: &Report) -> String {
    let mut line = Vec::new();
    // Writing to memory does not fail.
    let _ = footer::last_line(
        report,
        Style { color: false, unicode: true, width: usize::MAX, detail: Detail::Normal },
        &mut line,
    );
    String::from_utf8_lossy(&line).trim().to_owned()
}

/// Writes a report for a person.
pub fn human(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    if style.detail == Detail::Quiet {
        return footer::last_line(report, style, to);
    }
    header(report, style, to)?;
    if let Some(change) = &report.change {
        change::change(change, report, style, to)?;
    }
    let brief = report.candidates.len() > MANY;
    // Failures come first: a person came for them.
    let mut candidates: Vec<&CandidateReport> = report.candidates.iter().collect();
    candidates.sort_by_key(|candidate| candidate.verdict == Some(Verdict::Pass));
    for candidate in candidates {
        if brief && candidate.verdict == Some(Verdict::Pass) && !has_warnings(candidate) {
            candidate::line(candidate, style, to)?;
        } else {
            candidate::whole(candidate, report, style, to)?;
        }
    }
    footer::footer(report, style, to)
}

/// Writes why there is no verdict on something.
pub fn trouble(trouble: &crate::document::Diagnostic, style: Style, to: &mut dyn Write) -> io::Result<()> {
    footer::trouble(trouble, style, to)
}

fn has_warnings(candidate: &CandidateReport) -> bool {
    candidate.rules.iter().any(|rule| rule.outcome.blocks() && rule.level != crate::verdict::Level::Shadow)
}

fn header(report: &Report, style: Style, to: &mut dyn Write) -> io::Result<()> {
    let mut parts = Vec::new();
    if let Some(policy) = &report.policy {
        parts.push(format!("policy {}", clean(&policy.path)));
        if !policy.packs.is_empty() {
            let packs: Vec<String> = policy.packs.iter().map(|pack| clean(&pack.name)).collect();
            parts.push(format!("extends {}", packs.join(", ")));
        }
    }
    if let Some(stage) = &report.stage {
        parts.push(format!("stage {}", clean(stage)));
    }
    if report.candidates.len() > MANY {
        parts.push(count(report.candidates.len(), "candidate"));
    }
    if !parts.is_empty() {
        writeln!(to, "{}", style.dim(&parts.join(style.separator())))?;
    }
    for note in &report.notes {
        writeln!(to, "{}", style.dim(&clean(note)))?;
    }
    Ok(())
}
