//! The runs that candidates are compared with: each reference is looked up once, and every candidate is paired
//! with one of them.

use super::lookup::{ReferenceOrigin, look_up};
use super::seeds::together;
use super::{BASELINE_NOT_FINISHED, BASELINE_UNREADABLE, NO_BASELINE, Request, Workspace};
use crate::document::Diagnostic;
use crate::engine::{Decision, Pairing, ResolvedBaseline, comparability, differences, pair, summary};
use crate::policy::{OnMissing, Policy};
use crate::rule::Baseline;
use crate::run::{Age, Run};
use crate::source::BadRecord;
use crate::verdict::{BaselineReport, Level};

/// Every baseline that some rule of the policy needs.
pub(super) struct Baselines {
    default: Option<String>,
    sets: Vec<BaselineSet>,
    notes: Vec<String>,
}

/// The runs of one reference.
struct BaselineSet {
    reference: String,
    resolved: Option<String>,
    runs: Vec<Run>,
    /// Records that can't be read, with their models where those are known all the same.
    bad: Vec<(Option<String>, BadRecord)>,
    /// The reference names one file.
    exact: bool,
}

impl Baselines {
    /// Looks up every reference that a rule needs. A rule's own comes before `--baseline`, the stage's and the
    /// policy's, in this order. What is promoted is compared with what it replaces, unless one of them says otherwise:
    /// a `git:` of the whole policy is what a change is compared with.
    pub(super) fn resolve(
        request: &Request,
        policy: &Policy,
        workspace: &Workspace,
    ) -> Result<Self, Box<Diagnostic>> {
        let stage = request.stage.as_deref().and_then(|stage| policy.stages.get(stage));
        let of_policy =
            policy.baseline.as_ref().filter(|name| !(request.promotes && name.starts_with("git:")));
        let of_policy = stage.and_then(|stage| stage.baseline.as_ref()).or(of_policy);
        let standing =
            request.stage.as_ref().filter(|_| request.promotes).map(|stage| format!("stage:{stage}"));
        let default = request.baseline.as_ref().or(of_policy).cloned().or(standing);
        let mut baselines = Self { default: default.clone(), sets: Vec::new(), notes: Vec::new() };
        for rule in &policy.rules {
            if rule.level == Level::Off || !rule.requirement.compares() {
                continue;
            }
            let typed = rule.baseline.is_none() && request.baseline.is_some();
            let Some(reference) = rule.baseline.as_ref().or(default.as_ref()) else {
                if request.first || policy.on_missing_baseline == OnMissing::Pass {
                    continue;
                }
                return Err(no_baseline(&rule.id, &rule.place));
            };
            if baselines.sets.iter().all(|set| set.reference != *reference) {
                let set = set(reference, typed, policy, workspace)?;
                baselines.note_bad(&set);
                baselines.sets.push(set);
            }
        }
        Ok(baselines)
    }

    /// What rules without a baseline of their own compare with.
    pub(super) fn default_reference(&self) -> &str {
        // Where a missing baseline is accepted, there may be no reference at all.
        self.default.as_deref().unwrap_or(NOWHERE)
    }

    /// What a person should know.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What one candidate is compared with.
    pub(super) fn against(
        &self,
        candidate: &Run,
        decision: &Decision<'_>,
        request: &Request,
    ) -> Vec<ResolvedBaseline<'_>> {
        let first = request.first;
        let accepted = first || decision.policy.on_missing_baseline == OnMissing::Pass;
        let mut against: Vec<ResolvedBaseline<'_>> =
            self.sets.iter().map(|set| set.against(candidate, decision, accepted, request.brief)).collect();
        if self.default.is_none() && accepted {
            against.push(ResolvedBaseline {
                reference: NOWHERE.to_owned(),
                baseline: Baseline::First,
                report: BaselineReport {
                    reference: NOWHERE.to_owned(),
                    resolved: None,
                    run: None,
                    age: None,
                    missing: Some("the policy names no baseline".into()),
                    first: true,
                    comparability: None,
                    differences: Vec::new(),
                },
            });
        }
        against
    }

    /// A broken record at the base must not block every change, the one that mends it included; but what it might
    /// have been is said.
    fn note_bad(&mut self, set: &BaselineSet) {
        if set.runs.is_empty() {
            return;
        }
        for (_, bad) in &set.bad {
            let why = bad.problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            self.notes.push(format!("the record `{}` can't be read, so it is no baseline: {why}", bad.label));
        }
    }
}

/// Stands for the reference of a baseline where none is named.
const NOWHERE: &str = "(none)";

impl BaselineSet {
    /// A record that can't be read, and may be of the candidate's model.
    fn unreadable(&self, candidate: &Run) -> Option<&BadRecord> {
        let may_be = |model: &Option<String>| match (model.as_deref(), candidate.model()) {
            (Some(model), Some(of_candidate)) => model == of_candidate,
            _ => true,
        };
        self.bad.iter().find(|(model, _)| may_be(model)).map(|(_, bad)| bad)
    }

    fn unclear(&self, bad: &BadRecord, mut report: BaselineReport) -> ResolvedBaseline<'_> {
        let message = bad.problems.first().map(ToString::to_string).unwrap_or_default();
        report.missing = Some(message.clone());
        let baseline = Baseline::Unclear {
            code: BASELINE_UNREADABLE,
            message: format!("the baseline `{}` can't be read: {message}", bad.label),
            help: "mend the record, or name another baseline".into(),
        };
        ResolvedBaseline { reference: self.reference.clone(), baseline, report }
    }

    fn against<'p>(
        &'p self,
        candidate: &Run,
        decision: &Decision<'_>,
        accepted: bool,
        brief: bool,
    ) -> ResolvedBaseline<'p> {
        let mut report = BaselineReport {
            reference: self.reference.clone(),
            resolved: self.resolved.clone(),
            run: None,
            age: None,
            missing: None,
            first: false,
            comparability: None,
            differences: Vec::new(),
        };
        let unreadable = self.unreadable(candidate);
        if let (true, Some(bad)) = (self.runs.is_empty(), unreadable) {
            return self.unclear(bad, report);
        }
        let paired = pair(candidate, &self.runs, &self.reference, self.exact);
        // What can't be read may be the one, and then this is no first model.
        if let (Pairing::Missing { .. }, true, Some(bad)) = (&paired, accepted, unreadable) {
            return self.unclear(bad, report);
        }
        let baseline = match paired {
            Pairing::Run(run) => {
                report.run = Some(summary(run));
                if let Some(status) = unfinished(run) {
                    let (baseline, message) = not_finished(run, status);
                    report.missing = Some(message);
                    return ResolvedBaseline { reference: self.reference.clone(), baseline, report };
                }
                let comparability = comparability(candidate, run, decision.policy.comparable.as_deref());
                report.age =
                    run.created_at().map(|moment| Age(decision.now.duration_since(moment.at)).to_string());
                report.comparability = Some(comparability.clone());
                if !brief {
                    report.differences = differences(candidate, run);
                }
                Baseline::Run { run, comparability }
            }
            Pairing::Missing { message, .. } if accepted => {
                report.missing = Some(message);
                report.first = true;
                Baseline::First
            }
            Pairing::Missing { message, help } => {
                report.missing = Some(message.clone());
                Baseline::Missing { message, help }
            }
            Pairing::Unclear { message, help } => {
                report.missing = Some(message.clone());
                Baseline::Unclear { code: crate::engine::UNCLEAR_BASELINE, message, help }
            }
        };
        ResolvedBaseline { reference: self.reference.clone(), baseline, report }
    }
}

/// The status of a run that did not finish, or is no longer what was run.
fn unfinished(run: &Run) -> Option<&str> {
    run.unfinished()
}

fn not_finished<'r>(run: &Run, status: &str) -> (Baseline<'r>, String) {
    let message =
        format!("the baseline `{}` has the status `{status}`, so its values are no bar", run.label());
    let baseline = Baseline::Unclear {
        code: BASELINE_NOT_FINISHED,
        message: message.clone(),
        help: "name a run that finished; `gate show` says what is known of this one".into(),
    };
    (baseline, message)
}

fn no_baseline(rule: &str, place: &str) -> Box<Diagnostic> {
    Diagnostic::new(
        NO_BASELINE,
        format!("the rule `{rule}` ({place}) compares with a baseline, and none is named"),
    )
    .help("add `baseline: git:main` to the policy, or pass --baseline; for a first model, pass --first")
    .boxed()
}

fn set(
    reference: &str,
    typed: bool,
    policy: &Policy,
    workspace: &Workspace,
) -> Result<BaselineSet, Box<Diagnostic>> {
    let by = if typed { ReferenceOrigin::TypedBaseline } else { ReferenceOrigin::Policy };
    let found = look_up(reference, by, Some(policy), workspace).map_err(|problem| {
        let message = format!("the baseline can't be found: {}", problem.message);
        Box::new(Diagnostic { message, ..*problem })
    })?;
    let items = match &policy.seeds {
        Some(by) => together(&found.items, found.siblings, by, &policy.fields, |_| true),
        None => found.items,
    };
    let mut bad: Vec<(Option<String>, BadRecord)> =
        found.broken.into_iter().map(|(model, bad)| (Some(model), bad)).collect();
    let mut runs = Vec::new();
    for record in items.iter().flat_map(|item| item.read(&policy.fields)) {
        match record {
            Ok(run) => runs.push(run),
            Err(record) => bad.push((None, record)),
        }
    }
    Ok(BaselineSet {
        reference: reference.to_owned(),
        resolved: found.resolved,
        runs,
        bad,
        exact: found.exact,
    })
}
