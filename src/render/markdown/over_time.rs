//! The metrics that fail, over time, as a chart of letters.

use super::budget::Section;
use super::escape::{block, code};
use crate::render::timeline::rows;
use crate::verdict::{CandidateReport, Report};

/// The metrics that fail over time, where the report has that.
pub(super) fn over_time(report: &Report, candidate: &CandidateReport) -> Option<Section> {
    /// Runs of one metric that are drawn.
    const ROWS: usize = 20;
    let fails = |metric: &str| {
        let mut comparisons = candidate.rules.iter().flat_map(|rule| &rule.comparisons);
        comparisons.any(|one| *one.subject == *metric && one.outcome.blocks())
    };
    let charts: Vec<String> = report
        .history
        .iter()
        .filter(|one| candidate.run.model.as_ref() == Some(&one.model) && fails(&one.metric))
        .map(|one| format!("{} over time\n\n{}", code(&one.metric), block("text", &rows(one, ROWS))))
        .collect();
    let text = format!("{}\n`|` a limit today, `o` within it, `x` beyond it\n", charts.join("\n"));
    (!charts.is_empty()).then(|| Section::expendable(6, "a chart over time", text))
}
