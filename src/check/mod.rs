//! From names to a report: the steps before and after the engine, for `check` and every other command that decides.
//!
//! Names are looked up here, in the working tree and in git; the engine below sees runs and a policy. Errors on the
//! way go into the report, so that there always is one.

mod aggregates;
mod author;
mod autodetect;
mod base;
mod baselines;
mod beside;
mod candidates;
mod change;
mod diff;
mod elsewhere;
mod found;
mod judging;
mod lookup;
mod new_lines;
mod policy_file;
mod power;
mod previous;
mod pull_request;
mod revisions;
mod root;
mod saved;
mod seeds;
mod show;
mod tracker_runs;
mod trust;
mod workspace;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::code::{Code, codes};
use crate::document::{Diagnostic, did_you_mean};
use crate::engine::{Asked, Decision, Parts, References, Tally, WaiverUse, conclude, waiver_reports};
use crate::facts::Workspace as Files;
use crate::policy::Policy;
use crate::rule::Facts;
use crate::run::Run;
use crate::store::NOTHING_MATCHED;
use crate::verdict::{CandidateReport, ChangeReport, MANY, PolicyReport, Report};

pub use crate::facts::{CountProgress, CountedFiles};
pub use aggregates::{Statements, case_statements, count_cases};
pub use base::Base;
use baselines::{FoundBaselines, find_baseline};
use candidates::Candidates;
use change::JudgedChange;
pub use diff::{commits as commits_between, diff};
use found::ReferenceOrigin;
pub use judging::Kept;
use judging::{Judged, judge_all};
use policy_file::LoadedFile;
pub use policy_file::{PolicyName, load_policy};
pub use power::{PowerRequest, power};
pub use revisions::revisions_of_policy;
pub use root::workspace_root;
pub use saved::read_report;
pub use show::{open, open_ledger, show, show_cases};
use tracker_runs::PolicyRuns;
pub use trust::{PullRequestBase, Revisions};
pub use workspace::{Pushed, Workspace};

codes! {
    NO_POLICY = "check/no-policy": "There is no policy file here or above.";
    NOTHING_NAMED = "check/nothing-named": "No run was named, and the policy does not say where runs are.";
    NO_CANDIDATES = "check/no-candidates": "No record changed, but --require-candidates requires one.";
    NONE_SELECTED = "check/none-selected": "Records changed, but the policy's `where` selects none of them.";
    UNKNOWN_STAGE = "check/unknown-stage": "The requested stage is not declared in the policy.";
    BASELINE_IN_CHANGE = "baseline/in-change": "In a pull request, a baseline is in a place that the pull request can edit.";
    NO_BASE_POLICY = "check/no-base-policy": "The base branch has no policy, but --require-base-policy requires one.";
    BAD_REPORT = "report/unreadable": "A saved report can't be read, or contradicts itself.";
    NO_PREDICTIONS = "show/no-predictions": "The cases of a run were requested, but it records no predictions.";
    NOT_AGGREGATED = "aggregates/impossible": "The cases that a policy needs can't be counted as aggregates.";
    COLUMNS_ALIKE = "aggregates/columns-alike": "Two column names differ only in case, and the SQL engine can't tell them apart.";
    NOT_COMPUTED = "power/not-computed": "A requested metric can't be computed from the predictions.";
    ONE_RUN = "check/one-run": "A reference must name exactly one run, but names none or several.";
    NOTHING_PROMOTED = "check/nothing-promoted": "The ledger has no promotion to the named stage.";
    TWO_PARENTS = "check/two-parents": "Several records have the run id that a group of seeds belongs to.";
    OTHER_MODEL = "check/other-model": "--model contradicts the model in the record.";
}

/// What to check, as requested.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The named runs; if empty, those that changed.
    pub runs: Vec<String>,
    /// The policy; `None` means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// What to compare with, instead of the policy's baseline.
    pub baseline: Option<String>,
    /// The stage that the model is to be promoted to.
    pub stage: Option<String>,
    /// The run is being promoted: it is compared with what is promoted to the stage, not with the baseline for
    /// changes.
    pub promotes: bool,
    /// The model, for records that do not name one.
    pub model: Option<String>,
    /// The folder of the ledger, instead of the one that the policy names.
    pub ledger: Option<PathBuf>,
    /// The base branch for finding changed records.
    pub base: Option<String>,
    /// The push that is judged, if one is; then `base` is the commit before it.
    pub pushed: Option<Pushed>,
    /// Judge every record that the policy matches.
    pub all: bool,
    /// Give no verdict if there is nothing to check.
    pub require_candidates: bool,
    /// Accept a missing baseline: this is the first model.
    pub first: bool,
    /// Do not apply waivers.
    pub no_waivers: bool,
    /// The time of the decision, if given.
    pub now: Option<Timestamp>,
    /// Leave out rules about the change, because the judged run was promoted long ago.
    pub without_change: bool,
    /// Keep only what the terminal shows for many candidates: for a passed one, only that it passed. Other formats
    /// need each comparison.
    pub brief: bool,
    /// Also keep the limits that a passed candidate came closest to, for a brief report.
    pub near: bool,
    /// Take policy and baseline from this revision, as for a pull request.
    pub trust: Option<PullRequestBase>,
}

/// The inputs of a decision, for commands that act on it.
#[derive(Debug, Default)]
pub struct DecidedOn {
    /// The candidates, in the order of the report.
    pub runs: Vec<Run>,
    /// The policy; `None` if it could not be loaded.
    pub policy: Option<Policy>,
    /// The folder that the records' paths are relative to.
    pub root: PathBuf,
}

/// Receives the reports of candidates as they are made, in their order.
pub trait CandidateSink {
    /// How a report is prepared for the sink; this runs for many at a time, on every core.
    fn preparation(&self) -> fn(CandidateReport) -> Prepared {
        |report| Prepared::Report(Box::new(report))
    }

    /// Receives the next report.
    fn candidate(&mut self, prepared: Prepared);
}

/// A report, ready for a sink.
#[derive(Debug)]
pub enum Prepared {
    /// The report itself.
    Report(Box<CandidateReport>),
    /// The report, already serialized.
    Written(Vec<u8>),
}

/// Runs the requested check, in a folder, at a time.
pub fn check(request: &Request, folder: &Path, clock: Timestamp) -> Report {
    let mut kept = Kept::new(request.brief, request.near);
    let parts = parts(request, folder, clock, &mut kept);
    conclude(Parts { candidates: kept.candidates, ..parts })
}

/// Like [`check`], but passes the reports of candidates on as they are made, without keeping them: for more
/// candidates than fit into memory.
pub fn check_into(
    request: &Request,
    folder: &Path,
    clock: Timestamp,
    sink: &mut dyn CandidateSink,
) -> Report {
    conclude(parts(request, folder, clock, sink))
}

/// Like [`check`], for commands that act on the result: also returns the runs and the policy.
pub fn judge(request: &Request, folder: &Path, clock: Timestamp) -> (Report, DecidedOn) {
    let mut kept = Kept::new(request.brief, request.near);
    let now = request.now.unwrap_or(clock);
    let (parts, decided_on) = match from_files(request, folder, now, &mut kept) {
        Ok(decided) => decided,
        Err(why) => (without_verdict(request, now, why), DecidedOn::default()),
    };
    (conclude(Parts { candidates: kept.candidates, ..parts }), decided_on)
}

fn parts(request: &Request, folder: &Path, clock: Timestamp, sink: &mut dyn CandidateSink) -> Parts {
    let now = request.now.unwrap_or(clock);
    let decided = match &request.trust {
        Some(base) => pull_request::decide_by_base(request, base, folder, now, sink),
        None => from_files(request, folder, now, sink).map(|(parts, _)| parts),
    };
    decided.unwrap_or_else(|why| without_verdict(request, now, why))
}

/// The facts that are known before anything is judged.
fn nothing_yet(request: &Request, now: Timestamp) -> Parts {
    Parts { now, now_given: request.now.is_some(), stage: request.stage.clone(), ..Parts::default() }
}

fn without_verdict(request: &Request, now: Timestamp, why: Vec<Diagnostic>) -> Parts {
    Parts { troubles: why, ..nothing_yet(request, now) }
}

fn from_files(
    request: &Request,
    folder: &Path,
    now: Timestamp,
    sink: &mut dyn CandidateSink,
) -> Result<(Parts, DecidedOn), Vec<Diagnostic>> {
    let found = policy_file::find(request.policy.as_deref(), folder).map_err(|mut why| {
        let run = request.runs.first().filter(|_| request.policy.is_none());
        let inner = run.and_then(|run| policy_file::around_run(run, folder));
        why.help = inner.or_else(|| why.help.take());
        why
    })?;
    let root = found.folder.clone();
    let workspace = Workspace::new(folder, &root)
        .with_ledger(request.ledger.as_deref())
        .with_pushed(request.pushed.as_ref());
    let loaded = policy_file::load(found, folder, now)?;
    let (parts, runs) = decide(request, &loaded, &workspace, now, sink);
    Ok((parts, DecidedOn { runs, policy: Some(loaded.policy), root }))
}

/// Everything after loading the policy: candidates, baselines, verdicts. Also returns the candidates of a
/// promotion.
fn decide(
    request: &Request,
    loaded: &LoadedFile,
    workspace: &Workspace,
    now: Timestamp,
    sink: &mut dyn CandidateSink,
) -> (Parts, Vec<Run>) {
    let policy = &loaded.policy;
    let asked = Parts {
        policy: Some(PolicyReport {
            path: loaded.path.clone(),
            digest: loaded.digest.clone(),
            packs: policy.packs.clone(),
            files: policy.files.clone(),
        }),
        notes: weakened(request, now),
        ..nothing_yet(request, now)
    };
    if let Err(why) = known_stage(policy, request.stage.as_deref()) {
        let waivers = waiver_reports(policy, request.no_waivers, &WaiverUse::default());
        return (Parts { troubles: vec![*why], waivers, ..asked }, Vec::new());
    }
    let facts = match workspace.revisions() {
        Some(revisions) => Files::new(workspace.root(), workspace).between(revisions.trusted()),
        None => Files::new(workspace.root(), workspace).against(request.base.as_deref()),
    };
    let of_policy = PolicyRuns::new(policy, workspace);
    let chosen = candidates::choose(request, policy, workspace, &of_policy);
    let decision = Decision {
        policy,
        stage: request.stage.as_deref(),
        now,
        no_waivers: request.no_waivers,
        first: request.first,
        many: matches!(&chosen, Ok(Candidates::Chosen(chosen)) if chosen.len() > MANY),
        facts: &facts as &dyn Facts,
    };
    let asked_for = Asked {
        stage: request.stage.as_deref(),
        baseline: request.baseline.as_deref(),
        promotes: request.promotes,
    };
    let references = References::of(policy, asked_for);
    let JudgedChange { judged: change, mut notes, trouble } =
        change::judge_change(&decision, &references, request, workspace, &of_policy);
    let (judged, only_unchanged) = match chosen {
        Ok(Candidates::Chosen(chosen)) => {
            notes.extend(chosen.notes.iter().cloned());
            let mut baselines = FoundBaselines::new(policy, workspace, now);
            let mut judged = judge_all(&decision, &references, &chosen, &mut baselines, request, sink);
            judged.tally.unchanged = chosen.unchanged;
            (judged, false)
        }
        Ok(Candidates::Unchanged { matched, since }) => match named_baseline(request, policy, workspace) {
            Ok(()) => unchanged(request, matched, &since),
            Err(why) => (Judged { troubles: vec![*why], ..Judged::default() }, false),
        },
        Err(why) => (Judged { troubles: vec![*why], ..Judged::default() }, false),
    };
    let Judged { tally, mut waivers, mut troubles, notes: of_judging, runs } = judged;
    notes.extend(of_judging);
    troubles.extend(trouble);
    if let ([name], Some(why)) = (request.runs.as_slice(), troubles.first_mut())
        && let Some(help) = elsewhere::of_artifact(name, policy, workspace)
    {
        why.help = Some(help);
    }
    let change = change.map(|change| {
        waivers.absorb(change.waivers);
        change.report
    });
    // A change that adds a model but no record can still be judged: it fails.
    let is_absent = troubles.iter().all(|why| why.code.is_any_of(&ABSENT));
    if is_absent && change.as_ref().is_some_and(ChangeReport::blocks) {
        notes.extend(troubles.drain(..).map(|why| why.message));
    }
    let parts = Parts {
        tally,
        change,
        waivers: waiver_reports(policy, request.no_waivers, &waivers),
        troubles,
        notes: asked.notes.iter().cloned().chain(notes).collect(),
        only_unchanged,
        ..asked
    };
    (parts, runs)
}

/// The codes for having no candidate, if nothing else is wrong.
const ABSENT: [Code; 3] = [NO_CANDIDATES, NONE_SELECTED, NOTHING_MATCHED];

/// Looks up the baseline of the command line, so that a typo is found even if nothing is compared with it.
fn named_baseline(request: &Request, policy: &Policy, workspace: &Workspace) -> Result<(), Box<Diagnostic>> {
    let Some(reference) = &request.baseline else { return Ok(()) };
    find_baseline(reference, ReferenceOrigin::TypedBaseline, policy, workspace).map(|_| ())
}

/// Records match the policy, and none of them changed.
fn unchanged(request: &Request, matched: usize, since: &str) -> (Judged, bool) {
    let message = match matched {
        1 => format!("1 record matches the policy, and it has not changed since {since}"),
        _ => format!("{matched} records match the policy, and none changed since {since}"),
    };
    let tally = Tally { unchanged: matched, ..Tally::default() };
    if request.require_candidates {
        let troubles = vec![Diagnostic::new(NO_CANDIDATES, message)];
        return (Judged { tally, troubles, ..Judged::default() }, false);
    }
    (Judged { tally, notes: vec![message], ..Judged::default() }, true)
}

fn known_stage(policy: &Policy, stage: Option<&str>) -> Result<(), Box<Diagnostic>> {
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
    Err(Diagnostic::new(UNKNOWN_STAGE, format!("the policy declares no stage `{stage}`")).help(help).boxed())
}

/// Notes on everything that can weaken a verdict.
fn weakened(request: &Request, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    if request.now.is_some() {
        notes.push(format!("the time of the decision was set to {now} with --now"));
    }
    if request.first {
        notes.push("--first: a missing baseline is accepted".into());
    }
    if let Some(baseline) = &request.baseline {
        notes.push(format!("--baseline: compared with `{baseline}`, whatever the policy names"));
    }
    notes
}
