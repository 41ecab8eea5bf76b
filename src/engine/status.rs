//! The built-in checks of every run, whatever the policy says: it finished, and was measured on something.

use super::NOT_FINISHED;
use super::locate::located;
use crate::document::Path;
use crate::rule::measured_on_nothing;
use crate::run::Run;
use crate::verdict::{Comparison, Finding, Level, Outcome, RuleKind, RuleReport};

/// The id under which the report shows it.
pub(super) const STATUS_RULE: &str = "gate:status";

/// Checks the status of a run and how many rows its metrics were measured on; `None` if neither is recorded.
/// The last value of an unfinished run looks like any other value, and so does one measured on an empty set.
pub(super) fn status(candidate: &Run) -> Option<RuleReport> {
    let mut report = RuleReport::new(STATUS_RULE, RuleKind::Status, Level::Error);
    let mut add = |comparison: &dyn Fn(Outcome) -> Comparison, finding: Option<Finding>| {
        let outcome = if finding.is_some() { Outcome::Fail } else { Outcome::Pass };
        let index = report.comparisons.len();
        report.comparisons.push(comparison(outcome));
        report.findings.extend(
            finding.map(|finding| Finding { comparison: Some(index), ..located(Some(candidate), finding) }),
        );
    };
    if let Some(status) = candidate.text("status") {
        let finding = candidate.unfinished().map(not_finished);
        add(&|outcome| Comparison::exact("status", "finished", outcome).candidate(status), finding);
    }
    if let Some(finding) = measured_on_nothing(candidate) {
        add(&|outcome| Comparison::exact("validation.rows", "rows", outcome).candidate("0"), Some(finding));
    }
    if report.comparisons.is_empty() {
        return None;
    }
    report.outcome = if report.findings.is_empty() { Outcome::Pass } else { Outcome::Fail };
    Some(report)
}

fn not_finished(status: &str) -> Finding {
    // A DVC run may have finished, and its files may have changed since.
    let (why, label, help) = if status == "stale" {
        (
            "the files differ from those of the last run",
            "stale",
            "run `dvc repro`, and commit what it writes; `gate show` prints what differs",
        )
    } else {
        (
            "it did not finish",
            "not finished",
            "judge a run that finished; if this status means that it did, say so in the policy: `finished: [WORD]`",
        )
    };
    Finding::new(NOT_FINISHED, format!("the run's status is `{status}`: {why}"))
        .at(Path::of(["status"]), label)
        .help(help)
}
