//! From names to a report: what `check`, and every command that decides, does before and after the engine.
//!
//! Names are looked up here, in the working tree and in git; the engine below sees runs and a policy. Whatever goes
//! wrong on the way is in the report, so that there is one, whatever happens.

mod autodetect;
mod baselines;
mod candidates;
mod change;
mod diff;
mod judging;
mod lookup;
mod policy_file;
mod pull_request;
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
use crate::engine::Decision;
use crate::facts::Workspace as Files;
use crate::policy::Policy;
use crate::rule::Facts;
use crate::run::Run;
use crate::store::NOTHING_MATCHED;
use crate::verdict::{ChangeReport, Exit, PolicyReport, Report, Trouble, Verdict};

use baselines::Baselines;
use candidates::Candidates;
pub use diff::{commits as commits_between, diff};
use judging::{Seen, judge_all, mark_waivers, waivers};
use policy_file::LoadedFile;
pub use policy_file::PolicyName;
pub use root::workspace_root;
pub use saved::read_report;
pub use show::{open, open_ledger, show};
pub use trust::{PullRequestBase, Revisions};
pub use workspace::Workspace;

codes! {
    NO_POLICY = "check/no-policy": "There is no policy file here or above.";
    NOTHING_NAMED = "check/nothing-named": "No run was named, and the policy does not say where runs are.";
    NO_CANDIDATES = "check/no-candidates": "No record changed, and --require-candidates asks for one.";
    NONE_SELECTED = "check/none-selected": "Records changed, and the policy's `where` selects none of them.";
    UNKNOWN_STAGE = "check/unknown-stage": "The stage that was asked for is not declared in the policy.";
    NO_BASELINE = "check/no-baseline": "Rules compare with a baseline, and none is named.";
    BASELINE_IN_CHANGE = "baseline/in-change": "In a pull request, a baseline lies where the pull request may edit it.";
    BASELINE_UNREADABLE = "check/baseline-unreadable": "The record of the baseline can't be read.";
    BASELINE_NOT_FINISHED = "baseline/not-finished": "The baseline failed, crashed, still runs, or is stale.";
    NOT_A_REFERENCE = "check/not-a-reference": "A run reference that can't be read.";
    NO_BASE_POLICY = "check/no-base-policy": "The base branch has no policy, and --require-base-policy asks for one.";
    BAD_REPORT = "report/unreadable": "A saved report can't be read, or contradicts itself.";
    ONE_RUN = "check/one-run": "A reference that must name one run names none, or several.";
    NOTHING_PROMOTED = "check/nothing-promoted": "A stage is named, and the ledger has no promotion to it.";
    OTHER_MODEL = "check/other-model": "--model names another model than the record does.";
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
    /// It is promoted: what it is compared with is what stands at the stage, and not what a change is.
    pub promotes: bool,
    /// The model of records that do not say one.
    pub model: Option<String>,
    /// The folder of the ledger, instead of the one that the policy names.
    pub ledger: Option<PathBuf>,
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
    /// Rules about the change are left out: what is judged was promoted long ago.
    pub without_change: bool,
    /// Keep only what a person is shown of many candidates: of one that passed, that it did. Every other reader wants
    /// each comparison.
    pub brief: bool,
    /// Take policy and baseline from this revision, as for a pull request.
    pub trust: Option<PullRequestBase>,
}

/// What a decision was made on, for whoever acts on it.
#[derive(Debug, Default)]
pub struct Judged {
    /// The candidates, in the order of the report.
    pub runs: Vec<Run>,
    /// The policy; absent where it could not be loaded.
    pub policy: Option<Policy>,
    /// What the paths of the records are relative to.
    pub root: PathBuf,
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

/// The same for whoever acts on it: the report, and what it speaks of.
pub fn judge(request: &Request, folder: &Path, clock: Timestamp) -> (Report, Judged) {
    let now = request.now.unwrap_or(clock);
    let mut report = empty(request, now);
    let mut judged = Judged::default();
    if let Err(problems) = fill_from_files(&mut report, request, folder, now, &mut judged) {
        report.troubles.extend(problems.iter().map(Trouble::from));
    }
    conclude(&mut report);
    (report, judged)
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

fn fill(
    report: &mut Report,
    request: &Request,
    folder: &Path,
    now: Timestamp,
) -> Result<(), Vec<Diagnostic>> {
    if let Some(trust) = &request.trust {
        return pull_request::fill(report, request, trust, folder, now);
    }
    fill_from_files(report, request, folder, now, &mut Judged::default())
}

fn fill_from_files(
    report: &mut Report,
    request: &Request,
    folder: &Path,
    now: Timestamp,
    judged: &mut Judged,
) -> Result<(), Vec<Diagnostic>> {
    let found = policy_file::find(request.policy.as_deref(), folder)?;
    let workspace = Workspace::new(folder, &found.folder).with_ledger(request.ledger.as_deref());
    judged.root.clone_from(&found.folder);
    let loaded = policy_file::load(found, folder, now)?;
    let decided = decide(report, request, &loaded, &workspace, now, &mut judged.runs);
    judged.policy = Some(loaded.policy);
    decided
}

fn trouble_of(problems: &[Diagnostic]) -> Vec<Trouble> {
    problems.iter().map(Trouble::from).collect()
}

/// Everything behind the policy: candidates, baselines, verdicts.
fn decide(
    report: &mut Report,
    request: &Request,
    loaded: &LoadedFile,
    workspace: &Workspace,
    now: Timestamp,
    runs: &mut Vec<Run>,
) -> Result<(), Vec<Diagnostic>> {
    let policy = &loaded.policy;
    report.policy = Some(PolicyReport {
        path: loaded.path.clone(),
        digest: loaded.digest.clone(),
        packs: policy.packs.clone(),
        files: policy.files.clone(),
    });
    report.waivers = waivers(policy, request.no_waivers);
    known_stage(policy, request.stage.as_deref())?;
    weaker(report, request);
    let facts = match workspace.revisions() {
        Some(revisions) => Files::new(workspace.root(), workspace).between(&revisions.base, &revisions.head),
        None => Files::new(workspace.root(), workspace).against(request.base.as_deref()),
    };
    let decision = Decision {
        policy,
        stage: request.stage.as_deref(),
        now,
        no_waivers: request.no_waivers,
        facts: &facts as &dyn Facts,
    };
    let (blocks, used) = if request.without_change {
        (false, Vec::new())
    } else {
        change::judge(report, &decision, request, workspace)
    };
    let mut seen = Seen { waivers: used, runs };
    let result = candidates(report, &decision, request, workspace, &mut seen);
    mark_waivers(report, &decision, &seen.waivers);
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
    seen: &mut Seen<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let policy = decision.policy;
    let chosen = match candidates::choose(request, policy, workspace)? {
        Candidates::Chosen(chosen) => chosen,
        Candidates::Unchanged { matched, since } => {
            report.summary.unchanged = matched;
            let message = match matched {
                1 => format!("1 record matches the policy, and has not changed since {since}"),
                _ => format!("{matched} records match the policy, and none changed since {since}"),
            };
            if request.require_candidates {
                return Err(vec![Diagnostic::new(NO_CANDIDATES, message)]);
            }
            report.notes.push(message);
            report.verdict = Some(Verdict::Pass);
            return Ok(());
        }
    };
    report.summary.unchanged = chosen.unchanged;
    report.notes.extend(chosen.notes.iter().cloned());
    let baselines = Baselines::resolve(request, policy, workspace)?;
    report.notes.extend(baselines.notes().iter().cloned());
    judge_all(report, decision, &chosen, &baselines, request, seen)
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
