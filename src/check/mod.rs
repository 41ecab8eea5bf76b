//! From names to a report: what `check`, and every command that decides, does before and after the engine.
//!
//! Names are looked up here, in the working tree and in git; the engine below sees runs and a policy. Whatever goes
//! wrong on the way is in the report, so that there is one, whatever happens.

mod baselines;
mod candidates;
mod change;
mod lookup;
mod policy_file;
mod root;
mod saved;
mod trust;
mod trusted;
mod workspace;

use std::path::Path;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::code::{Code, codes};
use crate::document::{Problem, did_you_mean};
use crate::engine::{Decision, judge};
use crate::evidence::Workspace as Files;
use crate::policy::{Policy, Waiver};
use crate::rule::Evidence;
use crate::run::Run;
use crate::store::NOTHING_MATCHED;
use crate::verdict::{
    CandidateReport, ChangeReport, Exit, MANY, Outcome, PolicyReport, Report, RuleReport, Trouble, Verdict,
    WaiverReport, WaiverState,
};

use baselines::Baselines;
use candidates::{Candidates, Chosen};
use policy_file::LoadedFile;
pub use policy_file::PolicyName;
pub use root::workspace_root;
pub use saved::read_report;
pub use trust::{Sources, Trust};
pub use workspace::Workspace;

codes! {
    NO_POLICY = "check/no-policy": "There is no policy file here or above.";
    NOTHING_NAMED = "check/nothing-named": "No run was named, and the policy does not say where runs are.";
    NO_CANDIDATES = "check/no-candidates": "No record changed, and --require-candidates asks for one.";
    NONE_SELECTED = "check/none-selected": "Records changed, and the policy's `where` selects none of them.";
    UNKNOWN_STAGE = "check/unknown-stage": "The stage that was asked for is not declared in the policy.";
    NO_BASELINE = "check/no-baseline": "Rules compare with a baseline, and none is named.";
    BASELINE_UNREADABLE = "check/baseline-unreadable": "The record of the baseline can't be read.";
    NOT_A_REFERENCE = "check/not-a-reference": "A run reference that can't be read.";
    NO_BASE_POLICY = "check/no-base-policy": "The base branch has no policy, and --require-base-policy asks for one.";
    BAD_REPORT = "report/unreadable": "A saved report can't be read, or contradicts itself.";
    NO_LEDGER = "check/no-ledger": "A stage is named as the baseline, and there is no ledger to look it up in.";
}

/// What to check, as it was asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Runs that were named; none means those that changed.
    pub runs: Vec<String>,
    /// The policy; none means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// What to compare with, instead of what the policy says.
    pub baseline: Option<String>,
    /// The stage that the model is to be promoted to.
    pub stage: Option<String>,
    /// The branch that candidates are found against.
    pub base: Option<String>,
    /// Every record that the policy matches is a candidate.
    pub all: bool,
    /// Nothing to check is no verdict.
    pub require_candidates: bool,
    /// A missing baseline is accepted: this is the first model.
    pub first: bool,
    /// Waivers are not applied.
    pub no_waivers: bool,
    /// The decision's clock, if it was given.
    pub now: Option<Timestamp>,
    /// Keep only what a person is shown of many candidates: of one that passed, that it did. Every other reader wants
    /// each comparison.
    pub brief: bool,
    /// Take policy and baseline from this revision, as for a pull request.
    pub trust: Option<Trust>,
}

/// Checks what is asked for, from a folder, at a time.
pub fn check(request: &Request, folder: &Path, clock: Timestamp) -> Report {
    let now = request.now.unwrap_or(clock);
    let mut report = empty(request, now);
    if let Err(problems) = fill(&mut report, request, folder, now) {
        report.troubles.extend(problems.iter().map(Trouble::from));
    }
    conclude(&mut report);
    report
}

/// A report before anything was judged.
fn empty(request: &Request, now: Timestamp) -> Report {
    Report {
        gate: env!("CARGO_PKG_VERSION").into(),
        now_given: request.now.is_some(),
        stage: request.stage.clone(),
        ..Report::of_troubles(now, Vec::new())
    }
}

/// The canonical records of the runs that are named, and what could not be read.
pub fn show(names: &[String], policy: Option<&str>, folder: &Path) -> (Vec<Run>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let mut runs = Vec::new();
    let found = match policy_file::find(policy, folder) {
        Ok(found) => {
            let root = found.folder.clone();
            policy_file::load(found, folder, Timestamp::UNIX_EPOCH).map(|loaded| (root, Some(loaded.policy)))
        }
        // Without a policy a record is shown as it is; one that was named must be there.
        Err(_) if policy.is_none() => Ok((folder.to_owned(), None)),
        Err(problem) => Err(vec![*problem]),
    };
    let (root, policy) = match found {
        Ok(found) => found,
        Err(problems) => return (runs, problems.iter().map(Trouble::from).collect()),
    };
    let workspace = Workspace::new(folder, &root);
    match candidates::named_runs(names, policy.as_ref(), &workspace) {
        Err(problem) => troubles.push(Trouble::from(&*problem)),
        Ok(chosen) => {
            let fields = policy.as_ref().map(|policy| policy.fields.clone()).unwrap_or_default();
            for read in (0..chosen.len()).flat_map(|index| chosen.read(index, &fields)) {
                match read {
                    Ok(run) => runs.push(run),
                    Err(problems) => troubles.extend(problems.iter().map(Trouble::from)),
                }
            }
        }
    }
    (runs, troubles)
}

fn fill(report: &mut Report, request: &Request, folder: &Path, now: Timestamp) -> Result<(), Vec<Problem>> {
    if let Some(trust) = &request.trust {
        return trusted::fill(report, request, trust, folder, now);
    }
    let found = policy_file::find(request.policy.as_deref(), folder).map_err(one)?;
    let workspace = Workspace::new(folder, &found.folder);
    let loaded = policy_file::load(found, folder, now)?;
    decide(report, request, &loaded, &workspace, now)
}

#[expect(clippy::boxed_local, reason = "that is how a problem travels")]
fn one(problem: Box<Problem>) -> Vec<Problem> {
    vec![*problem]
}

/// Everything behind the policy: candidates, baselines, verdicts.
fn decide(
    report: &mut Report,
    request: &Request,
    loaded: &LoadedFile,
    workspace: &Workspace,
    now: Timestamp,
) -> Result<(), Vec<Problem>> {
    let policy = &loaded.policy;
    report.policy = Some(PolicyReport {
        path: loaded.path.clone(),
        digest: loaded.digest.clone(),
        packs: policy.packs.clone(),
    });
    report.waivers = waivers(policy, request.no_waivers);
    known_stage(policy, request.stage.as_deref()).map_err(one)?;
    weaker(report, request);
    let evidence = match workspace.sources() {
        Some(sources) => Files::new(workspace.root(), workspace).between(&sources.base, &sources.head),
        None => Files::new(workspace.root(), workspace).against(request.base.as_deref()),
    };
    let decision = Decision {
        policy,
        stage: request.stage.as_deref(),
        now,
        no_waivers: request.no_waivers,
        evidence: &evidence as &dyn Evidence,
    };
    let (blocks, mut used) = change::judge(report, &decision, request, workspace);
    let result = candidates(report, &decision, request, workspace, &mut used);
    mark_waivers(report, &decision, &used);
    match result {
        // A change that adds a model and no record at all is not one that can't be judged: it fails.
        Err(problems) if blocks && problems.iter().all(|problem| ABSENT.contains(&problem.code)) => {
            report.notes.extend(problems.into_iter().map(|problem| problem.message));
            Ok(())
        }
        result => result,
    }
}

/// What says that there is no candidate, and nothing else is wrong.
const ABSENT: [Code; 3] = [NO_CANDIDATES, NONE_SELECTED, NOTHING_MATCHED];

/// Finds the candidates, and judges each.
fn candidates(
    report: &mut Report,
    decision: &Decision<'_>,
    request: &Request,
    workspace: &Workspace,
    used: &mut Vec<usize>,
) -> Result<(), Vec<Problem>> {
    let policy = decision.policy;
    let chosen = match candidates::choose(request, policy, workspace).map_err(one)? {
        Candidates::Chosen(chosen) => chosen,
        Candidates::Unchanged { matched, since } => {
            report.summary.unchanged = matched;
            let message = match matched {
                1 => format!("1 record matches the policy, and has not changed since {since}"),
                _ => format!("{matched} records match the policy, and none changed since {since}"),
            };
            if request.require_candidates {
                return Err(vec![Problem::new(NO_CANDIDATES, message)]);
            }
            report.notes.push(message);
            report.verdict = Some(Verdict::Pass);
            return Ok(());
        }
    };
    report.summary.unchanged = chosen.unchanged;
    report.notes.extend(chosen.notes.iter().cloned());
    let baselines = Baselines::resolve(request, policy, workspace).map_err(one)?;
    report.notes.extend(baselines.notes().iter().cloned());
    judge_all(report, decision, &chosen, &baselines, request, used)
}

/// What one entry of the list of candidates came to.
enum Judged {
    /// The report, the waivers that were used, and how many comparisons were not kept.
    Candidate(Box<CandidateReport>, Vec<usize>, usize),
    Unreadable(Vec<Problem>),
    NotSelected,
}

fn judge_all(
    report: &mut Report,
    decision: &Decision<'_>,
    chosen: &Chosen,
    baselines: &Baselines,
    request: &Request,
    used: &mut Vec<usize>,
) -> Result<(), Vec<Problem>> {
    let judge_one = |index: usize| -> Vec<Judged> {
        let read = chosen.read(index, &decision.policy.fields);
        let brief = request.brief && chosen.len().max(read.len()) > MANY;
        read.into_iter()
            .map(|run| match run {
                Err(problems) => Judged::Unreadable(problems),
                Ok(run) => match chosen.selects(&run, decision.now) {
                    Ok(true) => {
                        let (mut report, used) = judge_run(decision, baselines, &run, request);
                        let dropped = if brief { drop_passes(&mut report) } else { 0 };
                        Judged::Candidate(Box::new(report), used, dropped)
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
            Judged::Candidate(candidate, waivers, dropped) => {
                used.extend(waivers);
                report.summary.comparisons += dropped;
                report.candidates.push(*candidate);
            }
            Judged::Unreadable(problems) => {
                report.summary.no_verdict += 1;
                report.troubles.extend(problems.iter().map(Trouble::from));
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
            Problem::new(NONE_SELECTED, "records changed, and the policy's `where` selects none of them")
                .help("mark the one that is meant to be promoted, or name it: gate check RUN"),
        ]);
    }
    Ok(())
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

fn known_stage(policy: &Policy, stage: Option<&str>) -> Result<(), Box<Problem>> {
    let Some(stage) = stage else { return Ok(()) };
    if policy.stages.contains_key(stage) {
        return Ok(());
    }
    let names: Vec<&str> = policy.stages.keys().map(String::as_str).collect();
    let help = if names.is_empty() {
        format!("the policy declares no stages; write `stages: {{ {stage}: {{}} }}`")
    } else {
        did_you_mean(stage, &names, "the stages are")
    };
    Err(Problem::new(UNKNOWN_STAGE, format!("the policy declares no stage `{stage}`")).help(help).boxed())
}

/// Whatever can weaken a verdict is said.
fn weaker(report: &mut Report, request: &Request) {
    if request.now.is_some() {
        report.notes.push(format!("the decision's clock was set to {} with --now", report.now));
    }
    if request.first {
        report.notes.push("--first: a missing baseline is accepted".into());
    }
    if let Some(baseline) = &request.baseline {
        report.notes.push(format!("--baseline: compared with `{baseline}`, whatever the policy names"));
    }
}

fn waivers(policy: &Policy, ignored: bool) -> Vec<WaiverReport> {
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
fn mark_waivers(report: &mut Report, decision: &Decision<'_>, used: &[usize]) {
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

/// Counts, and what it all comes to: the worst candidate decides.
fn conclude(report: &mut Report) {
    let summary = &mut report.summary;
    summary.candidates = report.candidates.len();
    for candidate in &report.candidates {
        match candidate.verdict {
            Some(Verdict::Pass) => summary.passed += 1,
            Some(Verdict::Fail) => summary.failed += 1,
            None => summary.no_verdict += 1,
        }
        summary.comparisons += candidate.rules.iter().map(|rule| rule.comparisons.len()).sum::<usize>();
    }
    let rules = report.change.iter().flat_map(|change| &change.rules);
    summary.comparisons += rules.map(|rule| rule.comparisons.len()).sum::<usize>();
    let change_unclear = report.change.as_ref().is_some_and(|change| !change.troubles.is_empty());
    let change_blocks = report.change.as_ref().is_some_and(ChangeReport::blocks);
    let unclear = !report.troubles.is_empty() || summary.no_verdict > 0 || change_unclear;
    report.verdict = if unclear {
        None
    } else if summary.failed > 0 || change_blocks {
        Some(Verdict::Fail)
    } else if summary.passed > 0 {
        Some(Verdict::Pass)
    } else {
        // Only "matched, and unchanged" gets here with a verdict; nothing else may pass without a candidate.
        report.verdict
    };
    report.exit_code = Exit::of(report.verdict);
}
