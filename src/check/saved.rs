//! Reads a saved report, which may come from another job or from someone untrusted.

use std::fs;
use std::path::Path;

use super::BAD_REPORT;
use crate::document::Diagnostic;
use crate::engine::{Parts, Tally, conclude};
use crate::verdict::{CandidateReport, Report, RuleReport, SCHEMA, Verdict};

/// Maximum size in bytes of a saved report.
const MOST: u64 = 64 << 20;

/// Reads a saved report. Its verdict and counts must match its contents.
pub fn read_report(path: &Path) -> Result<Report, Box<Diagnostic>> {
    let label = path.display();
    let bad = |why: String| {
        Diagnostic::new(BAD_REPORT, format!("`{label}` is not a report of gate: {why}"))
            .help("write one with `gate check --format json --output FILE`")
            .boxed()
    };
    let length = fs::metadata(path).map_err(|error| bad(error.to_string()))?.len();
    if length > MOST {
        return Err(bad(format!("it has {length} bytes, and at most {MOST} are read")));
    }
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if report.schema != SCHEMA {
        return Err(bad(format!(
            "its format is `{}`, but this version of gate reads `{SCHEMA}`",
            report.schema
        )));
    }
    let passed_and_failed = |candidate: &&CandidateReport| {
        candidate.verdict == Some(Verdict::Pass) && candidate.rules.iter().any(RuleReport::blocks)
    };
    if let Some(candidate) = report.candidates.iter().find(passed_and_failed) {
        return Err(bad(format!(
            "it says that `{}` passed, but also that one of its rules failed",
            candidate.run.source
        )));
    }
    if !follows(&report) {
        return Err(bad("its verdict does not match its contents".into()));
    }
    Ok(report)
}

/// Whether this version computes the same verdict and counts from the rest.
fn follows(report: &Report) -> bool {
    let mut tally = Tally { unchanged: report.summary.unchanged, ..Tally::default() };
    report.candidates.iter().for_each(|candidate| tally.count(candidate));
    // Unreadable records have no entry, so they can't be counted again.
    tally.unreadable = report.summary.no_verdict.saturating_sub(tally.undecided);
    let derived = conclude(Parts {
        candidates: report.candidates.clone(),
        tally,
        change: report.change.clone(),
        troubles: report.troubles.clone(),
        only_unchanged: report.candidates.is_empty() && report.summary.unchanged > 0,
        ..Parts::default()
    });
    (derived.verdict, derived.exit_code, &derived.summary)
        == (report.verdict, report.exit_code, &report.summary)
}
