//! The history that a page or a comment shows beside a verdict: of a few runs, and without making anybody wait.

use std::path::Path;

use super::history::{Found, Wanted, absolute, limits_of};
use crate::check::{Base, Request};
use crate::verdict::{
    CandidateReport, Comparison, History, HistoryPoint, Level, MANY, Method, RuleReport, RunSummary,
};

/// Versions of one file that are looked at.
const MAX_VERSIONS: usize = 20;
/// Files whose versions are looked at.
const MAX_FILES: usize = 10;
/// Files of records that are read of the base of a pull request.
const MAX_BASE_FILES: usize = 200;
/// Metrics of one model that are drawn.
const MAX_CHARTS: usize = 4;

/// The metrics that a check of a few runs has limits on, over time: for each model, those that fail first.
pub fn history_of(candidates: &[CandidateReport], request: &Request, folder: &Path) -> Vec<History> {
    let mut all = Vec::new();
    if candidates.len() > MANY {
        return all;
    }
    let files: Vec<String> = candidates.iter().map(|candidate| candidate.run.source.clone()).collect();
    // A pull request must not draw itself a history: only what its base has, and the runs that are judged, are shown.
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
        // A picture that can't be drawn is no reason to say anything else of a verdict.
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
                // A pull request could give its run the id and the value of one that the base has.
                let known = if base.is_some() { &[] } else { history.points.as_slice() };
                let point = judged_here(one, metric, known);
                history.points.extend(point);
            }
            // Runs that are all judged here have nothing behind them.
            if history.points.iter().any(|point| !candidates.iter().any(|one| is_of(point, &one.run))) {
                all.push(history);
            }
        }
    }
    all
}

/// The candidate itself, where it was named and is no record of the policy, or where only the base was read.
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

/// The metrics that limits are on, those that fail first. Of several numbers of one metric, a history shows the last.
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

/// The rules that may ask for attention.
fn counted(candidate: &CandidateReport) -> impl Iterator<Item = &RuleReport> {
    candidate.rules.iter().filter(|rule| rule.level != Level::Shadow)
}
