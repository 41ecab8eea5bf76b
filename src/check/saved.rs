//! A report that was saved, read again: by another job, perhaps from someone who is not to be trusted.

use std::fs;
use std::path::Path;

use super::{BAD_REPORT, conclude};
use crate::document::Diagnostic;
use crate::verdict::{Report, SCHEMA};

/// Bytes of a saved report that are read.
const MOST: u64 = 64 << 20;

/// Reads a saved report. What it says of itself must follow from what it holds.
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
        return Err(bad(format!("it is in the format `{}`, and this gate reads `{SCHEMA}`", report.schema)));
    }
    let mut derived = report.clone();
    derived.summary.candidates = 0;
    derived.summary.passed = 0;
    derived.summary.failed = 0;
    derived.summary.comparisons = 0;
    // Records that could not be read have no entry to count again.
    let counted = report.candidates.iter().filter(|candidate| candidate.verdict.is_none()).count();
    derived.summary.no_verdict = report.summary.no_verdict.saturating_sub(counted);
    for candidate in &mut derived.candidates {
        let blocks = |rule: &crate::verdict::RuleReport| {
            rule.level == crate::verdict::Level::Error && rule.outcome.blocks()
        };
        if candidate.verdict == Some(crate::verdict::Verdict::Pass) && candidate.rules.iter().any(blocks) {
            return Err(bad(format!(
                "it says that `{}` passed, and that a rule of it failed",
                candidate.run.source
            )));
        }
    }
    conclude(&mut derived);
    if derived.verdict != report.verdict
        || derived.exit_code != report.exit_code
        || derived.summary != report.summary
    {
        return Err(bad("what it says in the end does not follow from what it holds".into()));
    }
    Ok(report)
}
