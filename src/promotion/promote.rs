//! `gate promote`: checks a run for a stage, hashes the artifact as it is at that moment, and adds a ledger
//! entry.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::attempt::{Attempt, Before, Order};
use super::earlier::Earlier;
use super::foundation::Signer;
use super::models::Models;
use super::statement::{Head, Previous};
use super::trust::TrustedKeys;
use super::verify::Look;
use super::writing::Writing;
use super::{
    ARTIFACT_DIFFERS, EXPIRED, NO_ARTIFACT, NO_MODEL, NOT_AT_EARLIER_STAGE, NOTHING_TO_OVERRIDE, ONE_RUN,
    OVERTAKEN, UNTRUSTED,
};
use crate::check::{Request, judge, open};
use crate::document::Diagnostic;
use crate::keys::signing_keys;
use crate::ledger::{Entry, StageHistory};
use crate::run::{Moment, Run};
use crate::signing::PrivateKey;
use crate::source;
use crate::verdict::{PromotionOutcome as Outcome, Verdict};

/// How often a promotion is judged again after being overtaken.
const ATTEMPTS: usize = 200;

/// Judges a run for a stage and, if the policy allows it, promotes its artifact.
pub fn promote(order: &Order, folder: &Path) -> Outcome {
    let ready = || -> Result<(Vec<PrivateKey>, Option<TrustedKeys>), Vec<Diagnostic>> {
        let keys = if order.predicate_only { Vec::new() } else { signing_keys(&order.keys, folder)? };
        let trust = TrustedKeys::of_signer(&order.trust, &keys, folder)?;
        Ok((keys, trust))
    };
    let (keys, trust) = match ready() {
        Ok(ready) => ready,
        Err(problems) => return Outcome::of_problems(&problems),
    };
    let signer = Signer {
        keys: &keys,
        trust: trust.as_ref(),
        accept_untrusted: order.accept_untrusted,
        dry_run: order.dry_run || order.predicate_only,
    };
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(order, folder, signer) {
            return outcome;
        }
    }
    let message = format!("other promotions took the next number {ATTEMPTS} times");
    let help = "try again when the others are done; nothing was written for this one";
    Outcome::of_problems(&[Diagnostic::new(OVERTAKEN, message).help(help)])
}

/// Judges once, against what is promoted to the stage now; `None` if another promotion was faster, so that
/// this run must be judged again.
fn attempt(order: &Order, folder: &Path, signer: Signer<'_>) -> Option<Outcome> {
    let request = Request {
        runs: vec![order.run.clone()],
        policy: order.policy.clone(),
        baseline: order.baseline.clone(),
        stage: Some(order.stage.clone()),
        first: order.first,
        promotes: true,
        model: order.model.clone(),
        ledger: order.ledger.clone(),
        ..Request::default()
    };
    // Look at the stage before judging against it: if the next number is still free at the end, no other promotion came
    // in between.
    let before = match before(&request, folder, signer) {
        Ok(before) => before,
        Err(problems) => return Some(Outcome::of_problems(&problems)),
    };
    let at = Timestamp::now();
    let (report, judged) = judge(&request, folder, at);
    let mut outcome = Outcome {
        report: Some(report),
        promoted: None,
        refused: Vec::new(),
        troubles: Vec::new(),
        notes: Vec::new(),
    };
    let attempt = Attempt { order, folder, signer, at, before, judged: &judged };
    match attempt.finish(&mut outcome) {
        Ok(true) => Some(outcome),
        Ok(false) => None,
        Err(problem) if problem.code.is_any_of(&REFUSALS) => {
            outcome.refused.push(*problem);
            Some(outcome)
        }
        Err(problem) => {
            outcome.troubles.push(*problem);
            Some(outcome)
        }
    }
}

/// Codes that mean a promotion is not allowed, as opposed to undecidable.
const REFUSALS: [crate::code::Code; 6] =
    [NO_ARTIFACT, ARTIFACT_DIFFERS, NOT_AT_EARLIER_STAGE, NOTHING_TO_OVERRIDE, EXPIRED, UNTRUSTED];

/// The current state of the ledger. An unreadable newest entry is reported where it matters.
fn before(request: &Request, folder: &Path, signer: Signer<'_>) -> Result<Before, Vec<Diagnostic>> {
    let (workspace, policy) = open(request.policy.as_deref(), request.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    if let Some(trust) = signer.trust {
        trust.knows_its_stages(policy.as_ref(), Some(&ledger), request.stage.as_deref())?;
    }
    let mut heads = Vec::new();
    for line in ledger.lines()? {
        let previous = |entry: &Entry| Previous { number: entry.number, digest: entry.digest.clone() };
        let (newest, baseline) = match ledger.standing(&line) {
            Ok(Some(standing)) => (standing.newest, standing.baseline),
            Ok(None) => continue,
            Err(_) => match ledger.head(&line)? {
                Some(newest) => (newest, None),
                None => continue,
            },
        };
        let statement = newest.statement().ok();
        let at = statement.as_ref().and_then(|it| Moment::parse(it.predicate(&["timeVerified"])?).ok());
        let record = |entry: &Entry| {
            entry
                .statement()
                .ok()
                .and_then(|it| it.own_text(&["record", "digest", "sha256"]).map(str::to_owned))
        };
        heads.push(Head {
            line,
            entry: previous(&newest),
            baseline: baseline.map(|entry| (previous(&entry), record(&entry))),
            files: statement.filter(|it| !it.retires()).map(|it| it.files()).unwrap_or_default(),
            at: at.map(|moment| moment.at),
        });
    }
    Ok(Before { heads, id: signer.identity(&ledger)? })
}

impl Attempt<'_> {
    /// Returns `false` if another promotion was faster, so that the run must be judged again.
    fn finish(&self, outcome: &mut Outcome) -> Result<bool, Box<Diagnostic>> {
        let Some(report) = &outcome.report else { return Ok(true) };
        let (passes, reason) = match (report.verdict, self.order.overridden.as_deref()) {
            (Some(Verdict::Pass), reason) => (true, reason),
            (Some(Verdict::Fail), Some(reason)) => (false, Some(reason)),
            _ => return Ok(true),
        };
        let run = self.run()?;
        let line = self.line(run)?;
        if self.order.expires.is_some_and(|expires| expires <= self.at) {
            return Err(Diagnostic::new(EXPIRED, "--expires is not in the future").boxed());
        }
        let built_on = self.foundation(&line)?;
        let (models, mut weaker) = Models::of(run, self)?;
        weaker.extend(built_on);
        let earlier = self.earlier(&line, &models);
        // An override applies to a verdict, or to a missing promotion at the earlier stage, never to an
        // undecidable question.
        let overridden = match (earlier, reason) {
            (Ok(()), Some(_)) if passes => {
                let message = "the policy allows this promotion, so there is nothing to override";
                return Err(Diagnostic::new(NOTHING_TO_OVERRIDE, message)
                    .help("leave --override out")
                    .boxed());
            }
            (Ok(()), reason) => reason,
            (Err(problem), Some(reason)) if problem.code == NOT_AT_EARLIER_STAGE => {
                weaker.push(json!({ "what": "stage", "says": problem.message }));
                Some(reason)
            }
            (Err(problem), _) => return Err(problem),
        };
        Writing { attempt: self, line: &line, run, models: &models.0 }.write(outcome, weaker, overridden)
    }

    fn run(&self) -> Result<&Run, Box<Diagnostic>> {
        match self.judged.runs.as_slice() {
            [run] => Ok(run),
            runs => {
                let message = format!(
                    "`{}` names {} runs, but only one can be promoted at a time",
                    self.order.run,
                    runs.len()
                );
                Err(Diagnostic::new(ONE_RUN, message)
                    .help("name one: gate promote runs/churn.json --stage production")
                    .boxed())
            }
        }
    }

    fn line(&self, run: &Run) -> Result<StageHistory, Box<Diagnostic>> {
        let Some(model) = run.model() else {
            let message =
                format!("{}: the record does not name its model, which the ledger needs", run.label());
            let help = match source::advice(&run.origin.tracker, "model") {
                Some(line) => format!("pass --model churn, or name it in training: {line}"),
                None => "write `\"model\": \"churn\"` into the record, or pass --model churn".to_owned(),
            };
            return Err(Diagnostic::new(NO_MODEL, message).help(help).boxed());
        };
        StageHistory::new(model, &self.order.stage)
    }

    /// Checks that the signer trusts what the new entry builds on: its own history, and each stage it was compared
    /// with.
    fn foundation(&self, line: &StageHistory) -> Result<Vec<Json>, Box<Diagnostic>> {
        let workspace = self.workspace();
        let ledger = workspace.ledger(self.judged.policy.as_ref())?;
        let mut weaker = Vec::new();
        for line in self.lines_built_on(line)? {
            let look = Look { line: &line, trust: self.signer.trust, now: self.at };
            weaker.extend(self.signer.may_build_on(look, &ledger.entries(&line)?)?);
        }
        Ok(weaker)
    }

    fn lines_built_on(&self, own: &StageHistory) -> Result<Vec<StageHistory>, Box<Diagnostic>> {
        let mut lines = vec![own.clone()];
        let policy = self.judged.policy.as_ref();
        let of_rules =
            policy.iter().flat_map(|policy| policy.rules.iter().filter_map(|rule| rule.baseline.as_deref()));
        let stage = policy.and_then(|policy| policy.stages.get(&self.order.stage));
        let named = [self.order.baseline.as_deref(), stage.and_then(|stage| stage.baseline.as_deref())];
        let of_policy = policy.and_then(|policy| policy.baseline.as_deref());
        for reference in of_rules.chain(named.into_iter().flatten()).chain(of_policy) {
            if let Some(stage) = reference.strip_prefix("stage:") {
                let line = StageHistory::new(&own.model, stage)?;
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        Ok(lines)
    }

    /// Checks that these exact files are promoted to the stage before.
    fn earlier(&self, line: &StageHistory, models: &Models) -> Result<(), Box<Diagnostic>> {
        let policy = self.judged.policy.as_ref();
        let after = policy
            .and_then(|policy| policy.stages.get(&self.order.stage))
            .and_then(|stage| stage.after.as_deref());
        let Some(after) = after else { return Ok(()) };
        let workspace = self.workspace();
        let earlier =
            Earlier { line: StageHistory::new(&line.model, after)?, trust: self.signer.trust, now: self.at };
        earlier.holds(&workspace.ledger(policy)?, models, &self.order.stage, &self.order.run)
    }
}
