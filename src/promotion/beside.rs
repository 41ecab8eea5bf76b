//! The history that a page or a comment shows beside a verdict: of a few runs only, so that nobody has to
//! wait.

use std::path::Path;

use super::history::{Found, Wanted, absolute, limits_of};
use crate::check::{Base, Request};
use crate::verdict::{
    CandidateReport, Comparison, History, HistoryPoint, Level, MANY, Method, RuleReport, RunSummary,
};

/// Maximum number of versions read of one file.
const MAX_VERSIONS: usize = 20;
/// Maximum number of files whose versions are read.
const MAX_FILES: usize = 10;
/// Maximum number of record files read from the base of a pull request.
const MAX_BASE_FILES: usize = 200;
/// Maximum number of metrics shown for one model.
const MAX_CHARTS: usize = 4;

/// The history of each metric that a check of a few runs has limits on; for each model, failing metrics
/// first.
pub fn history_of(candidates: &[CandidateReport], request: &Request, folder: &Path) -> Vec<History> {
    let mut all = Vec::new();
    if candidates.len() > MANY {
        return all;
    }
    let files: Vec<String> = candidates.iter().map(|candidate| candidate.run.source.clone()).collect();
    // A pull request must not fake its own history: show only the runs of its base, and the runs being
    // judged.
    let base = match &request.trust {
        Some(trust) if !files.is_empty() => {
            match Base::open(request, trust, folder, (&files, MAX_BASE_FILES)) {
                Ok(Some(base)) => Some(base),
                Ok(None) | Err(_) => return all,
            }
        }
        _ => None,
    };
    for (at, candidate) in candidates.iter().enumerate() {
        let Some(model) = &candidate.run.model else { continue };
        let is_known = |other: &CandidateReport| other.run.model.as_ref() == Some(model);
        if candidates[..at].iter().any(is_known) {
            continue;
        }
        let metrics = limited_metrics(candidate);
        let mut found = Found::of(Wanted {
            model,
            metrics: &metrics,
            stage: None,
            policy: request.policy.as_deref(),
            ledger: request.ledger.as_deref(),
            first: &files,
            most_files: MAX_FILES,
            most_versions: MAX_VERSIONS,
        });
        // A history that can't be shown must not affect the verdict.
        let mut gather = || match &base {
            Some(base) => found.gather_at_base(base),
            None => found.gather(folder),
        };
        if metrics.is_empty() || gather().is_err() {
            continue;
        }
        found.sort();
        for (index, metric) in metrics.iter().enumerate() {
            let mut history =
                History { limits: limits_of(counted(candidate), metric), ..found.history(index) };
            let of_model = candidates.iter().filter(|other| other.run.model.as_ref() == Some(model));
            for one in of_model {
                // A pull request could copy the id and value of a run in its base, so always add the judged
                // runs.
                let known = if base.is_some() { &[] } else { history.points.as_slice() };
                let point = judged_here(one, metric, known);
                history.points.extend(point);
            }
            // Skip a history that has only the runs judged here.
            if history.points.iter().any(|point| !candidates.iter().any(|one| is_of(point, &one.run))) {
                all.push(history);
            }
        }
    }
    all
}

/// The candidate as a point of the history; `None` if the history already has it.
fn judged_here(candidate: &CandidateReport, metric: &str, points: &[HistoryPoint]) -> Option<HistoryPoint> {
    let run = &candidate.run;
    let mut comparisons = candidate.rules.iter().flat_map(|rule| &rule.comparisons);
    let value = comparisons.find(|one| *one.subject == *metric && one.slice.is_none())?.candidate.as_ref()?;
    let is_known = |point: &HistoryPoint| is_of(point, run) && *point.value == **value;
    (!points.iter().any(is_known)).then(|| HistoryPoint {
        at: run.created_at.clone(),
        value: value.to_string(),
        run_id: run.run_id.clone(),
        git_commit: run.git_commit.clone(),
        source: run.source.clone(),
        promoted: Vec::new(),
    })
}

/// The metrics with limits, failing ones first. Limits on an aggregate are left out: a history shows the last
/// value of each metric.
fn limited_metrics(candidate: &CandidateReport) -> Vec<String> {
    let is_drawn = |one: &&Comparison| {
        one.slice.is_none() && !matches!(one.method, Method::Picked(_)) && !absolute(one).is_empty()
    };
    let mut all: Vec<&Comparison> =
        counted(candidate).flat_map(|rule| &rule.comparisons).filter(is_drawn).collect();
    all.sort_by_key(|one| !one.outcome.blocks());
    let mut names: Vec<String> = Vec::new();
    for one in all {
        if names.len() < MAX_CHARTS && !names.iter().any(|name| *name == *one.subject) {
            names.push(one.subject.to_string());
        }
    }
    names
}

fn is_of(point: &HistoryPoint, run: &RunSummary) -> bool {
    point.source == run.source || point.run_id.is_some() && point.run_id == run.run_id
}

/// The rules that are not in shadow mode.
fn counted(candidate: &CandidateReport) -> impl Iterator<Item = &RuleReport> {
    candidate.rules.iter().filter(|rule| rule.level != Level::Shadow)
}
