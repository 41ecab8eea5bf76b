//! The one thing that every run is held to, whatever the policy says: it finished.

use super::NOT_FINISHED;
use super::locate::located;
use crate::document::Path;
use crate::run::Run;
use crate::verdict::{Comparison, Finding, Level, Outcome, RuleReport};

/// The id under which the report shows it.
pub(super) const STATUS_RULE: &str = "gate:status";

/// What a run's status says; nothing where it has none. The last value of a run that did not finish looks as good as
/// any.
pub(super) fn status(candidate: &Run) -> Option<RuleReport> {
    let status = candidate.text("status")?;
    let finding = candidate.unfinished().map(|status| located(Some(candidate), not_finished(status)));
    let outcome = if finding.is_some() { Outcome::Fail } else { Outcome::Pass };
    let findings: Vec<Finding> =
        finding.map(|finding| Finding { comparison: Some(0), ..finding }).into_iter().collect();
    Some(RuleReport {
        outcome,
        comparisons: vec![Comparison::exact("status", "finished", outcome).candidate(status)],
        findings,
        ..RuleReport::new(STATUS_RULE, "status", Level::Error)
    })
}

fn not_finished(status: &str) -> Finding {
    // What DVC keeps may have finished once, and have changed since.
    let (why, label, help) = if status == "stale" {
        (
            "the files are not the ones that were run",
            "stale",
            "run it again, `dvc repro`, and commit what it writes; `gate show` says what differs",
        )
    } else {
        (
            "it did not finish",
            "not finished",
            "judge a run that finished; where the word means that it did, say so in the policy: `finished: [WORD]`",
        )
    };
    Finding::new(NOT_FINISHED, format!("the run's status is `{status}`: {why}"))
        .at(Path::of(["status"]), label)
        .help(help)
}
