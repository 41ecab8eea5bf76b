//! One candidate before the whole policy.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::place::finding;
use super::waive::{Cover, cover};
use super::{NO_MODEL, NOT_FINISHED, NOTHING_JUDGED, UNKNOWN_MODEL, WHEN_FAILED};
use crate::document::{Path, sha256};
use crate::expression::Bindings;
use crate::policy::Policy;
use crate::rule::{Baseline, CannotJudge, Facts, Raised, Rule, RuleInput, RuleResult};
use crate::run::Run;
use crate::verdict::{
    BaselineReport, CandidateReport, Comparison, Level, Outcome, RuleReport, RunSummary, Trouble, Verdict,
};

/// What a check decides on, beside the runs.
pub struct Decision<'d> {
    /// The policy.
    pub policy: &'d Policy,
    /// The stage that was asked for.
    pub stage: Option<&'d str>,
    /// The decision's clock.
    pub now: Timestamp,
    /// Waivers are not applied.
    pub no_waivers: bool,
    /// The world outside the records.
    pub facts: &'d dyn Facts,
}

/// A baseline of one candidate, with the reference that led to it.
pub struct ResolvedBaseline<'a> {
    /// The reference, as a rule or the policy names it.
    pub reference: String,
    /// What it led to.
    pub baseline: Baseline<'a>,
    /// What the report says of it.
    pub report: BaselineReport,
}

/// Judges one candidate; gives the report, and which waivers were used.
pub fn judge(
    decision: &Decision<'_>,
    candidate: &Run,
    default: &str,
    against: &[ResolvedBaseline<'_>],
) -> (CandidateReport, Vec<usize>) {
    let mut used = Vec::new();
    let mut report = CandidateReport {
        run: summary(candidate),
        verdict: None,
        baselines: against.iter().map(|against| against.report.clone()).collect(),
        rules: Vec::with_capacity(decision.policy.rules.len() + 1),
        troubles: Vec::new(),
        notes: candidate.notes.clone(),
    };
    for against in against {
        if let Baseline::Run { run, .. } = &against.baseline {
            let notes = run.notes.iter().map(|note| format!("the baseline `{}`: {note}", run.label()));
            report.notes.extend(notes);
        }
    }
    if let Some(trouble) = unclear_model(decision.policy, candidate) {
        report.troubles.push(trouble);
        return (report, used);
    }
    let mut warned = Vec::new();
    // What every run is held to is no rule of the policy: that it holds must not pass for a judgement.
    let unfinished = status(candidate).is_some_and(|status| {
        let blocks = status.outcome.blocks();
        report.rules.push(status);
        blocks
    });
    let built_in = report.rules.len();
    for rule in decision.policy.rules.iter().filter(|rule| rule.level != Level::Off) {
        let reference = rule.baseline.as_deref().unwrap_or(default);
        let index = against.iter().position(|against| against.reference == reference);
        let baseline = index.map(|index| &against[index].baseline);
        let judged = one(decision, candidate, rule, baseline, &mut used, &mut warned);
        match judged {
            Ok(mut rule_report) => {
                rule_report.baseline = index.filter(|_| rule.requirement.compares());
                report.rules.push(rule_report);
            }
            Err(why) => cannot(&mut report.troubles, why, &rule.id),
        }
    }
    let rules = &report.rules[built_in..];
    let judged = unfinished || rules.iter().any(|rule| rule.outcome != Outcome::Skipped);
    if !judged && report.troubles.is_empty() {
        report.troubles.push(nothing_judged(rules));
    }
    report.rules.extend(warned);
    if report.troubles.is_empty() {
        let blocked = report.rules.iter().any(|rule| rule.level == Level::Error && rule.outcome.blocks());
        report.verdict = Some(if blocked { Verdict::Fail } else { Verdict::Pass });
    }
    (report, used)
}

/// Notes why a rule could not be judged; several for the same reason are one trouble.
pub(super) fn cannot(troubles: &mut Vec<Trouble>, why: CannotJudge, rule: &str) {
    let known =
        troubles.iter_mut().find(|trouble| trouble.code == why.code.name && trouble.message == why.message);
    if let Some(rules) = known.and_then(|trouble| trouble.rule.as_mut()) {
        rules.push_str(", ");
        rules.push_str(rule);
        return;
    }
    troubles.push(Trouble {
        code: why.code.name.into(),
        message: why.message,
        rule: Some(rule.to_owned()),
        place: None,
        also: None,
        help: Some(why.help),
    });
}

/// What identifies a run.
pub(crate) fn summary(run: &Run) -> RunSummary {
    let text = |field: &str| run.text(field).map(str::to_owned);
    RunSummary {
        source: run.document.label(),
        digest: Some(format!("sha256:{}", sha256(run.document.text.as_bytes()))),
        run_id: text("run_id"),
        model: text("model"),
        git_commit: text("git_commit"),
        data_version: text("data_version"),
        created_at: text("created_at"),
    }
}

fn unclear_model(policy: &Policy, candidate: &Run) -> Option<Trouble> {
    let (code, message, help) = match (candidate.model(), &policy.models) {
        (None, declared) if declared.is_some() || policy.scopes_by_model() => (
            NO_MODEL,
            "the record does not say its `model`, and the policy has rules for some models only".to_owned(),
            "write `\"model\": \"churn\"` into the record".to_owned(),
        ),
        (Some(model), Some(declared)) if !declared.iter().any(|pattern| pattern.matches(model)) => {
            let names: Vec<&str> = declared.iter().map(crate::rule::Pattern::written).collect();
            let help = crate::document::did_you_mean(model, &names, "the models are");
            (UNKNOWN_MODEL, format!("the policy declares no model `{model}`"), help)
        }
        _ => return None,
    };
    let place = crate::verdict::Place::new(&candidate.document, candidate.span(&Path::of(["model"])), "");
    Some(Trouble { code: code.name.into(), message, rule: None, place, also: None, help: Some(help) })
}

fn nothing_judged(rules: &[RuleReport]) -> Trouble {
    let why: Vec<String> = rules
        .iter()
        .map(|rule| format!("{} ({})", rule.id, rule.reason.as_deref().unwrap_or("skipped")))
        .collect();
    Trouble {
        code: NOTHING_JUDGED.name.into(),
        message: if why.is_empty() {
            "every rule of the policy is off, so nothing was judged".into()
        } else {
            format!("no rule applied, so nothing was judged: {}", why.join(", "))
        },
        rule: None,
        place: None,
        also: None,
        help: Some("a rule that is for every stage and model would have been judged".into()),
    }
}

/// A run that did not finish fails every check: its last value looks as good as any.
fn status(candidate: &Run) -> Option<RuleReport> {
    let status = candidate.text("status")?;
    let finished = candidate.unfinished().is_none();
    let outcome = if finished { Outcome::Pass } else { Outcome::Fail };
    let mut judgement = RuleResult::default();
    let comparison = Comparison::exact("status", "finished", outcome).candidate(status);
    if finished {
        judgement.compare(comparison);
    } else {
        // What DVC keeps may have finished once, and have changed since.
        let (why, label, help) = if status == "stale" {
            (
                "what lies there is not what was run",
                "stale",
                "run it again, `dvc repro`, and commit what it leaves; `gate show` says what differs",
            )
        } else {
            (
                "it did not finish",
                "not finished",
                "judge a run that finished; where the word means that it did, say so in the policy: `finished: [WORD]`",
            )
        };
        let raised = Raised::new(NOT_FINISHED, format!("the run's status is `{status}`: {why}"))
            .at(Path::of(["status"]), label)
            .help(help);
        judgement.fail(comparison, raised);
    }
    let findings = judgement.raised.iter().map(|raised| finding(Some(candidate), raised)).collect();
    Some(RuleReport {
        id: "gate:status".into(),
        kind: "status".into(),
        level: Level::Error,
        place: String::new(),
        outcome,
        reason: None,
        comparisons: judgement.comparisons,
        findings,
        notes: Vec::new(),
        baseline: None,
        message: None,
        docs: None,
    })
}

fn one(
    decision: &Decision<'_>,
    candidate: &Run,
    rule: &Rule,
    baseline: Option<&Baseline<'_>>,
    used: &mut Vec<usize>,
    warned: &mut Vec<RuleReport>,
) -> Result<RuleReport, CannotJudge> {
    let (level, note) = level(rule, decision.now);
    let mut report = empty(rule, level, note);
    let bindings = Bindings { candidate, baseline: None, stage: decision.stage, now: decision.now };
    match applies(rule, candidate, decision.stage, &bindings) {
        Ok(None) => {}
        Ok(Some(reason)) => {
            report.reason = Some(reason);
            return Ok(report);
        }
        Err(raised) => {
            report.outcome = Outcome::Fail;
            report.findings.push(finding(Some(candidate), &raised));
            say(&mut report, rule);
            return Ok(report);
        }
    }
    let case =
        RuleInput { candidate, baseline, stage: decision.stage, now: decision.now, facts: decision.facts };
    let judgement = or_raised(rule.requirement.judge(&case), level)?;
    if level != Level::Shadow && !judgement.warnings.is_empty() {
        warned.push(slip(rule, candidate, &judgement.warnings));
    }
    fill(&mut report, judgement, decision, Some(candidate), rule, used);
    Ok(report)
}

/// What looks like a slip in a rule: a warning beside it, which changes no verdict.
fn slip(rule: &Rule, candidate: &Run, warnings: &[Raised]) -> RuleReport {
    RuleReport {
        id: format!("gate:{}", rule.id),
        kind: "warning".into(),
        outcome: Outcome::Fail,
        findings: warnings.iter().map(|raised| finding(Some(candidate), raised)).collect(),
        ..empty(rule, Level::Warning, None)
    }
}

/// What only warns must not take the verdict away: a question without an answer is then a finding.
pub(super) fn or_raised(
    judged: Result<RuleResult, CannotJudge>,
    level: Level,
) -> Result<RuleResult, CannotJudge> {
    judged.or_else(|why| {
        if level == Level::Error {
            return Err(why);
        }
        let mut judgement = RuleResult::default();
        judgement.raise(Raised::new(why.code, why.message).help(why.help));
        Ok(judgement)
    })
}

/// The report of a rule before it has judged.
pub(super) fn empty(rule: &Rule, level: Level, reason: Option<String>) -> RuleReport {
    RuleReport {
        id: rule.id.clone(),
        kind: rule.kind.to_owned(),
        level,
        place: rule.place.clone(),
        outcome: Outcome::Skipped,
        reason,
        comparisons: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
        baseline: None,
        message: None,
        docs: None,
    }
}

/// The level at the decision's clock, and why it is not the one that is written.
pub(super) fn level(rule: &Rule, now: Timestamp) -> (Level, Option<String>) {
    let today = TimeZone::UTC.to_datetime(now).date();
    match rule.from {
        Some(from) if rule.level == Level::Error && today < from => {
            (Level::Warning, Some(format!("warns until {from}, blocks from then on")))
        }
        _ => (rule.level, None),
    }
}

/// Why a rule is not for this candidate, if it is not.
fn applies(
    rule: &Rule,
    candidate: &Run,
    stage: Option<&str>,
    bindings: &Bindings<'_>,
) -> Result<Option<String>, Box<Raised>> {
    let names = |patterns: &[crate::rule::Pattern]| {
        patterns.iter().map(crate::rule::Pattern::written).collect::<Vec<_>>().join(", ")
    };
    if !rule.stages.is_empty()
        && !stage.is_some_and(|stage| rule.stages.iter().any(|pattern| pattern.matches(stage)))
    {
        return Ok(Some(format!("for stage {}", names(&rule.stages))));
    }
    let model = candidate.model();
    if !rule.models.is_empty()
        && !model.is_some_and(|model| rule.models.iter().any(|pattern| pattern.matches(model)))
    {
        return Ok(Some(format!("for model {}", names(&rule.models))));
    }
    let Some(when) = &rule.when else { return Ok(None) };
    match when.holds(bindings) {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(format!("when {}", when.source()))),
        Err(error) => Err(Box::new(
            Raised::new(
                WHEN_FAILED,
                format!("`when: {}` has no answer at `{}`: {}", when.source(), error.part, error.message),
            )
            .help("`has(…)` asks whether a field is there"),
        )),
    }
}

pub(super) fn fill(
    report: &mut RuleReport,
    judgement: RuleResult,
    decision: &Decision<'_>,
    candidate: Option<&Run>,
    rule: &Rule,
    used: &mut Vec<usize>,
) {
    let mut outcome = judgement.outcome();
    let mut comparisons = judgement.comparisons;
    let mut blocked = false;
    for raised in &judgement.raised {
        let mut found = finding(candidate, raised);
        let covered = if decision.no_waivers {
            Cover::Not(Vec::new())
        } else {
            cover(&decision.policy.waivers, &rule.id, candidate, decision.stage, raised)
        };
        match covered {
            Cover::By(index) => {
                found.waiver = Some(index);
                if !used.contains(&index) {
                    used.push(index);
                }
                if let Some(comparison) = raised.comparison.and_then(|at| comparisons.get_mut(at)) {
                    comparison.outcome = Outcome::Waived;
                    comparison.waiver = Some(index);
                }
            }
            Cover::Not(beyond) => {
                found.beyond = beyond;
                blocked = true;
            }
        }
        report.findings.push(found);
    }
    if outcome == Outcome::Fail && !blocked && !report.findings.is_empty() {
        outcome = Outcome::Waived;
    }
    if judgement.first {
        report.notes.push("the first model: nothing to compare with, which was accepted".into());
        if outcome == Outcome::Skipped {
            report.reason = Some("the first model, without a baseline".into());
        }
    }
    debug_assert!(
        outcome != Outcome::Pass || comparisons.iter().any(|comparison| comparison.outcome == Outcome::Pass),
        "a pass without a comparison"
    );
    report.outcome = outcome;
    report.comparisons = comparisons;
    report.notes.extend(judgement.notes);
    if outcome != Outcome::Pass && outcome != Outcome::Skipped {
        say(report, rule);
    }
}

/// The policy's own words, shown with a failure.
fn say(report: &mut RuleReport, rule: &Rule) {
    report.message.clone_from(&rule.message);
    report.docs.clone_from(&rule.docs);
}
