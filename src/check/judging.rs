//! Judging each candidate in turn, and putting what it came to into the report.

use rayon::prelude::*;

use super::baselines::Baselines;
use super::candidates::Chosen;
use super::{NONE_SELECTED, OTHER_MODEL, Request};
use crate::document::Diagnostic;
use crate::engine::{Decision, judge};
use crate::policy::{Policy, Waiver};
use crate::run::Run;
use crate::verdict::{
    CandidateReport, MANY, Outcome, Report, RuleReport, Verdict, WaiverReport, WaiverState,
};

/// What judging leaves beside the report.
pub(super) struct Seen<'s> {
    /// The waivers that were used.
    pub(super) waivers: Vec<usize>,
    /// The candidates of a promotion.
    pub(super) runs: &'s mut Vec<Run>,
}

/// What one entry of the list of candidates came to.
enum Judged {
    /// The report, the waivers that were used, how many comparisons were not kept, and the run if it is promoted.
    Candidate(Box<CandidateReport>, Vec<usize>, usize, Option<Box<Run>>),
    Unreadable(Vec<Diagnostic>),
    NotSelected,
}

pub(super) fn judge_all(
    report: &mut Report,
    decision: &Decision<'_>,
    chosen: &Chosen,
    baselines: &Baselines,
    request: &Request,
    seen: &mut Seen<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let judge_one = |index: usize| -> Vec<Judged> {
        let read = chosen.read(index, &decision.policy.fields);
        let brief = request.brief && chosen.len().max(read.len()) > MANY;
        read.into_iter()
            .map(|run| match run.and_then(|run| of_model(run, request.model.as_deref())) {
                Err(problems) => Judged::Unreadable(problems),
                Ok(run) => match chosen.selects(&run, decision.now) {
                    Ok(true) => {
                        let (mut report, used) = judge_run(decision, baselines, &run, request);
                        let dropped = if brief { drop_passes(&mut report) } else { 0 };
                        let kept = request.promotes.then(|| Box::new(run));
                        Judged::Candidate(Box::new(report), used, dropped, kept)
                    }
                    Ok(false) => Judged::NotSelected,
                    Err(problem) => Judged::Unreadable(vec![*problem]),
                },
            })
            .collect()
    };
    // A thread is dearer than a record.
    let judged: Vec<Vec<Judged>> = if chosen.len() < PARALLEL {
        (0..chosen.len()).map(judge_one).collect()
    } else {
        (0..chosen.len()).into_par_iter().map(judge_one).collect()
    };
    let mut not_selected = 0;
    for judged in judged.into_iter().flatten() {
        match judged {
            Judged::Candidate(candidate, waivers, dropped, run) => {
                seen.waivers.extend(waivers);
                seen.runs.extend(run.map(|run| *run));
                report.summary.comparisons += dropped;
                report.candidates.push(*candidate);
            }
            Judged::Unreadable(problems) => {
                report.summary.no_verdict += 1;
                report.troubles.extend(problems.iter().cloned());
            }
            Judged::NotSelected => not_selected += 1,
        }
    }
    if not_selected > 0 {
        report
            .notes
            .push(format!("{not_selected} records are not candidates: the policy's `where` leaves them out"));
    }
    if report.candidates.is_empty() && report.troubles.is_empty() && not_selected > 0 {
        return Err(vec![
            Diagnostic::new(NONE_SELECTED, "records changed, and the policy's `where` selects none of them")
                .help("mark the one that is meant to be promoted, or name it: gate check RUN"),
        ]);
    }
    Ok(())
}

/// The run, of the model that was named where the record does not say one.
fn of_model(mut run: Run, named: Option<&str>) -> Result<Run, Vec<Diagnostic>> {
    match (named, run.model()) {
        (Some(named), None) => run.set_model(named),
        (Some(named), Some(model)) if named != model => {
            let message =
                format!("{}: the record is of the model `{model}`, and --model says `{named}`", run.label());
            return Err(vec![
                Diagnostic::new(OTHER_MODEL, message).help("--model is for records that do not say one"),
            ]);
        }
        _ => {}
    }
    Ok(run)
}

/// Takes the comparisons out of a candidate that passed without a warning; gives back how many there were.
fn drop_passes(candidate: &mut CandidateReport) -> usize {
    let warned = candidate.rules.iter().any(|rule| rule.outcome.blocks());
    if warned || candidate.verdict != Some(Verdict::Pass) {
        return 0;
    }
    let mut dropped = 0;
    for rule in &mut candidate.rules {
        dropped += rule.comparisons.len();
        rule.comparisons = Vec::new();
        rule.notes = Vec::new();
    }
    candidate.baselines = Vec::new();
    dropped
}

/// Candidates from which on several threads are worth their start.
const PARALLEL: usize = 32;

fn judge_run(
    decision: &Decision<'_>,
    baselines: &Baselines,
    run: &Run,
    request: &Request,
) -> (CandidateReport, Vec<usize>) {
    let against = baselines.against(run, decision, request);
    judge(decision, run, baselines.default_reference(), &against)
}

/// What the report says of the waivers before anything is judged.
pub(super) fn waivers(policy: &Policy, ignored: bool) -> Vec<WaiverReport> {
    let one = |waiver: &Waiver, state: WaiverState| WaiverReport {
        rule: waiver.rule.clone(),
        model: waiver.model.as_ref().map(|model| model.written().to_owned()),
        narrowed_to: waiver.narrowing.words(),
        down_to: waiver
            .down_to
            .iter()
            .map(|limit| format!("{}: {}", limit.word.name(), limit.written))
            .collect(),
        reason: waiver.reason.clone(),
        approved_by: waiver.approved_by.clone(),
        expires: waiver.expires.to_string(),
        place: waiver.place.clone(),
        state,
    };
    let in_force = if ignored { WaiverState::Ignored } else { WaiverState::Elsewhere };
    let current = policy.waivers.iter().map(|waiver| one(waiver, in_force));
    let expired = policy.expired.iter().map(|waiver| one(waiver, WaiverState::Expired));
    current.chain(expired).collect()
}

/// A waiver is unused where what it is for was judged, and nothing needed it.
pub(super) fn mark_waivers(report: &mut Report, decision: &Decision<'_>, used: &[usize]) {
    if decision.no_waivers {
        return;
    }
    for (index, waiver) in decision.policy.waivers.iter().enumerate() {
        let is_rule = |rule: &RuleReport| rule.id == waiver.rule && rule.outcome != Outcome::Skipped;
        let of_change =
            waiver.model.is_none() && report.change.iter().flat_map(|change| &change.rules).any(is_rule);
        let of_candidate = report.candidates.iter().any(|candidate| {
            let model = candidate.run.model.as_deref();
            let is_for =
                waiver.model.as_ref().is_none_or(|pattern| model.is_some_and(|model| pattern.matches(model)))
                    && waiver.narrowing.stage.as_deref().is_none_or(|stage| decision.stage == Some(stage));
            is_for && candidate.rules.iter().any(is_rule)
        });
        report.waivers[index].state = match (used.contains(&index), of_change || of_candidate) {
            (true, _) => WaiverState::Used,
            (false, true) => WaiverState::Unused,
            (false, false) => WaiverState::Elsewhere,
        };
    }
}
