//! Judges one candidate by the whole policy.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::baselines::{Baselines, ResolvedBaseline, not_found};
use super::decision::Decision;
use super::locate::located;
use super::plan::{PlannedRule, Task};
use super::references::References;
use super::rule_report::{cannot, empty, fill, in_the_policys_words, or_finding};
use super::status::{STATUS_RULE, status};
use super::waive::WaiverUse;
use super::{NO_BASELINE, NO_MODEL, NOTHING_JUDGED, UNKNOWN_MODEL, differences};
use crate::document::{Diagnostic, Path};
use crate::policy::Policy;
use crate::rule::{Baseline, Pattern, Rule, RuleInput};
use crate::run::Run;
use crate::verdict::{
    BaselineReport, CandidateReport, Finding, Level, Outcome, RuleKind, RuleReport, RunSummary, Verdict,
};

/// The result of judging a candidate, or the change.
#[derive(Debug)]
pub struct Judged<R> {
    /// How the report shows it.
    pub report: R,
    /// What became of the waivers.
    pub waivers: WaiverUse,
}

/// Judges one candidate by what was planned for it.
pub fn judge(
    decision: &Decision<'_>,
    references: &References,
    baselines: &dyn Baselines,
    candidate: &Run,
    plan: &[PlannedRule<'_>],
) -> Judged<CandidateReport> {
    let mut report = CandidateReport {
        run: summary(candidate),
        verdict: None,
        baselines: Vec::new(),
        rules: Arc::default(),
        troubles: Vec::new(),
        notes: candidate.notes.clone(),
        near: Vec::new(),
    };
    let mut waivers = WaiverUse::default();
    if let Some(why) = unclear_model(decision.policy, candidate) {
        report.troubles.push(why);
        return Judged { report, waivers };
    }
    let mut rules = Vec::with_capacity(decision.policy.rules.len() + 1);
    rules.extend(status(candidate));
    let mut compared = Compared {
        decision,
        references,
        baselines,
        candidate,
        found: Vec::new(),
        by_reference: HashMap::new(),
    };
    let mut warned = Vec::new();
    for planned in plan {
        match judge_rule(&mut compared, planned, &mut waivers.used, &mut warned) {
            Ok(judged) => rules.push(judged),
            Err(why) => cannot(&mut report.troubles, *why, &planned.rule.id),
        }
    }
    for found in &compared.found {
        if let Baseline::Run { run, .. } = &found.baseline {
            let notes = run.notes.iter().map(|note| format!("the baseline `{}`: {note}", run.label()));
            report.notes.extend(notes);
        }
    }
    let found = compared.found;
    if report.troubles.is_empty() && !is_judged(&rules) {
        report.troubles.push(nothing_judged(&rules));
    }
    waivers.reach(&decision.policy.waivers, &rules, Some(candidate), decision.stage);
    rules.extend(warned);
    report.rules = Arc::new(rules);
    if report.troubles.is_empty() {
        let blocked = report.rules.iter().any(RuleReport::blocks);
        report.verdict = Some(if blocked { Verdict::Fail } else { Verdict::Pass });
    }
    let wants_differences = !decision.many || !report.is_unremarkable();
    report.baselines =
        found.into_iter().map(|found| described(found, candidate, wants_differences)).collect();
    Judged { report, waivers }
}

/// The baselines of one candidate, each looked up when the first rule asks for it.
struct Compared<'c> {
    decision: &'c Decision<'c>,
    references: &'c References,
    baselines: &'c dyn Baselines,
    candidate: &'c Run,
    found: Vec<ResolvedBaseline>,
    /// The index in `found` of each reference that a rule asked for.
    by_reference: HashMap<Option<usize>, usize>,
}

impl Compared<'_> {
    /// The index in `found` of a rule's baseline.
    fn index(&mut self, rule: &Rule, reference: Option<usize>) -> usize {
        if let Some(known) = self.by_reference.get(&reference) {
            return *known;
        }
        let found = match reference.and_then(|index| self.references.list().get(index)) {
            Some(named) => self.baselines.resolve(named, self.candidate, self.decision),
            None => none_named(rule, self.decision),
        };
        let same = self.found.iter().position(|known| known.identity == found.identity);
        let index = same.unwrap_or_else(|| {
            self.found.push(found);
            self.found.len() - 1
        });
        self.by_reference.insert(reference, index);
        index
    }
}

/// What the report says about a baseline.
fn described(found: ResolvedBaseline, candidate: &Run, wants_differences: bool) -> BaselineReport {
    let mut report = found.report;
    if let (true, Baseline::Run { run, .. }) = (wants_differences, &found.baseline) {
        report.differences = differences(candidate, run);
    }
    report
}

/// The identity used when no baseline is named.
const NONE_NAMED: usize = usize::MAX;

fn none_named(rule: &Rule, decision: &Decision<'_>) -> ResolvedBaseline {
    let reference = "(none)";
    if decision.accepts_missing() {
        let mut report = BaselineReport::named(reference, None);
        report.missing = Some("the policy names no baseline".into());
        report.first = true;
        return ResolvedBaseline { identity: NONE_NAMED, baseline: Baseline::First, report };
    }
    let message =
        format!("the rule `{}` ({}) compares with a baseline, but none is named", rule.id, rule.place);
    let help = "add `baseline: git:main` to the policy, or pass --baseline; for a first model, pass --first";
    not_found(reference, Diagnostic::new(NO_BASELINE, message).help(help), NONE_NAMED)
}

fn judge_rule(
    compared: &mut Compared<'_>,
    planned: &PlannedRule<'_>,
    used: &mut BTreeSet<usize>,
    warned: &mut Vec<RuleReport>,
) -> Result<RuleReport, Box<Diagnostic>> {
    let (decision, candidate) = (compared.decision, compared.candidate);
    let mut report = empty(planned);
    let reference = match &planned.task {
        Task::Judge { baseline } => *baseline,
        Task::Skip { reason } => {
            report.reason = Some(reason.clone());
            return Ok(report);
        }
        Task::Fail(finding) => {
            report.outcome = Outcome::Fail;
            report.findings.push(located(Some(candidate), (**finding).clone()));
            report.message.clone_from(&planned.rule.message);
            report.docs.clone_from(&planned.rule.docs);
            return Ok(report);
        }
    };
    let rule = planned.rule;
    let wants = rule.requirement.compares() || rule.requirement.notices_baseline() && reference.is_some();
    report.baseline = wants.then(|| compared.index(rule, reference));
    let input = RuleInput {
        candidate,
        baseline: report.baseline.map(|index| &compared.found[index].baseline),
        stage: decision.stage,
        now: decision.now,
        cases: &decision.policy.cases,
        facts: decision.facts,
    };
    let mut result = or_finding(rule.requirement.judge(&input), planned.level)?;
    let warnings = std::mem::take(&mut result.warnings);
    if planned.level != Level::Shadow && !warnings.is_empty() {
        warned.push(slip(planned, candidate, warnings));
    }
    fill(&mut report, result, decision, Some(candidate), &rule.id, used);
    in_the_policys_words(&mut report, rule);
    Ok(report)
}

/// Likely mistakes in a rule: warnings that do not change the verdict.
fn slip(planned: &PlannedRule<'_>, candidate: &Run, warnings: Vec<Finding>) -> RuleReport {
    RuleReport {
        id: format!("gate:{}", planned.rule.id),
        kind: RuleKind::Warning,
        level: Level::Warning,
        reason: None,
        outcome: Outcome::Fail,
        findings: warnings.into_iter().map(|finding| located(Some(candidate), finding)).collect(),
        ..empty(planned)
    }
}

/// The built-in checks are not rules of the policy: passing them alone must not count as having judged something.
fn is_judged(rules: &[RuleReport]) -> bool {
    rules.iter().any(|rule| match &*rule.id {
        STATUS_RULE => rule.outcome.blocks(),
        _ => rule.outcome != Outcome::Skipped,
    })
}

fn nothing_judged(rules: &[RuleReport]) -> Diagnostic {
    let why: Vec<String> = rules
        .iter()
        .filter(|rule| rule.id != STATUS_RULE)
        .map(|rule| format!("{} ({})", rule.id, rule.reason.as_deref().unwrap_or("skipped")))
        .collect();
    let message = if why.is_empty() {
        "every rule of the policy is off, so nothing was judged".into()
    } else {
        format!("no rule applied, so nothing was judged: {}", why.join(", "))
    };
    Diagnostic::new(NOTHING_JUDGED, message).help("add a rule without `stages`, `models` and `when`")
}

fn unclear_model(policy: &Policy, candidate: &Run) -> Option<Diagnostic> {
    let (code, message, help) = match (candidate.model(), &policy.models) {
        (None, declared) if declared.is_some() || policy.scopes_by_model() => (
            NO_MODEL,
            "the record does not name its `model`, but the policy has rules for specific models".to_owned(),
            "write `\"model\": \"churn\"` into the record".to_owned(),
        ),
        (Some(model), Some(declared)) if !declared.iter().any(|pattern| pattern.matches(model)) => {
            let names: Vec<&str> = declared.iter().map(Pattern::written).collect();
            let help = crate::document::did_you_mean(model, &names, "the models are");
            (UNKNOWN_MODEL, format!("the policy declares no model `{model}`"), help)
        }
        _ => return None,
    };
    let span = candidate.span(&Path::of(["model"]));
    Some(Diagnostic::new(code, message).help(help).at(&candidate.document, span, ""))
}

/// What identifies a run.
pub(crate) fn summary(run: &Run) -> RunSummary {
    let text = |field: &str| run.text(field).map(str::to_owned);
    RunSummary {
        source: run.document.label(),
        digest: Some(format!("sha256:{}", run.document.text.sha256())),
        run_id: text("run_id"),
        model: text("model"),
        git_commit: text("git_commit"),
        data_version: text("data_version"),
        created_at: text("created_at"),
    }
}
