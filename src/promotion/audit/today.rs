//! Checks the current promotion against today's policy.

use super::drift::drift;
use super::{AUDIT_DRIFT, AUDIT_POLICY, AUDIT_STALE, AUDIT_UNJUDGED, Auditing, Findings, Read};
use crate::check::{Request, check};
use crate::document::{Diagnostic, Node};
use crate::ledger::{Entry, passed_by_themselves};
use crate::run::Run;
use crate::verdict::{Level, Outcome, Report, RuleKind, Verdict};

/// Judges the promoted record by today's policy, against the baseline that it had then.
pub(super) fn judged_today(
    auditing: &Auditing<'_>,
    entries: &[Entry],
    read: &[Read<'_>],
    current: &Read<'_>,
) -> Option<Report> {
    let path = |of: &Read<'_>| {
        of.run.as_ref()?;
        let uri = of.statement.own_text(&["record", "uri"])?;
        Some(auditing.root.join(auditing.line.folder()).join(uri).display().to_string())
    };
    let judged = current
        .statement
        .own(&["judged", "sequence"])
        .and_then(Node::as_written)
        .and_then(|text| text.parse().ok())
        .unwrap_or(current.entry.number);
    let digest = |of: &Read<'_>| of.own(&["record", "digest", "sha256"]).to_owned();
    let passed = passed_by_themselves(entries);
    let by_itself =
        |number: u64| entries.iter().zip(&passed).any(|(entry, passed)| entry.number == number && *passed);
    // A repeated promotion is compared with what it first replaced, and never with one that needed an override or a
    // waiver.
    let before = read.iter().rev().find(|other| {
        let number = other.entry.number;
        number < judged && digest(other) != digest(current) && by_itself(number)
    });
    let baseline = before.and_then(path);
    let request = Request {
        runs: vec![path(current)?],
        policy: auditing.order.policy.clone(),
        first: baseline.is_none(),
        baseline,
        stage: Some(auditing.line.stage.clone()),
        model: Some(auditing.line.model.clone()),
        ledger: auditing.order.ledger.clone(),
        now: Some(auditing.now),
        without_change: true,
        ..Request::default()
    };
    Some(check(&request, auditing.folder, auditing.now))
}

/// Reports the policy's verdict; returns the reasons if there is none.
pub(super) fn today(
    auditing: &Auditing<'_>,
    current: &Read<'_>,
    report: &Report,
    it: &mut Findings,
) -> Vec<Diagnostic> {
    let number = current.entry.number;
    match report.verdict {
        Some(Verdict::Pass) => it.holds.push("it passes today's policy".into()),
        Some(Verdict::Fail) => {
            let rules = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
            let mut told = false;
            for rule in rules.filter(|rule| rule.level == Level::Error && rule.outcome.blocks()) {
                told = true;
                if let Some(why) = auditing.elsewhere(rule, current.run.as_ref()) {
                    it.notes.extend(why.into_iter().map(|why| format!("by today's `{}`: {why}", rule.id)));
                    continue;
                }
                let why = rule.findings.first().map_or_else(
                    || rule.reason.clone().unwrap_or_default(),
                    |finding| finding.diagnostic.message.clone(),
                );
                // A run that was fresh when it was promoted ages in service.
                if rule.kind == RuleKind::Fresh {
                    it.warning(AUDIT_STALE, format!("promotion {number}, by today's `{}`: {why}", rule.id));
                } else {
                    it.error(AUDIT_POLICY, format!("promotion {number} fails today's `{}`: {why}", rule.id));
                }
            }
            if !told {
                it.error(AUDIT_POLICY, format!("promotion {number} fails today's policy"));
            }
        }
        None => {
            it.error(AUDIT_UNJUDGED, "it can't be judged by today's policy");
            let of_candidates = report.candidates.iter().flat_map(|candidate| &candidate.troubles);
            return report.troubles.iter().chain(of_candidates).cloned().collect();
        }
    }
    let waived = report
        .candidates
        .iter()
        .flat_map(|candidate| candidate.rules.iter())
        .filter(|rule| rule.outcome == Outcome::Waived);
    it.holds.extend(waived.map(|rule| format!("`{}` is waived today", rule.id)));
    Vec::new()
}

/// Reports how far the stage has drifted from its best.
pub(super) fn drifted(read: &[Read<'_>], current: &Read<'_>, report: &Report, it: &mut Findings) {
    let Some(run) = &current.run else { return };
    let promoted: Vec<(u64, &Run)> =
        read.iter().filter_map(|one| Some((one.entry.number, one.run.as_ref()?))).collect();
    match drift(run, &promoted, report) {
        Err(why) => it.notes.push(format!("drift was not judged: {why}")),
        Ok(drifts) => {
            for one in drifts {
                let message = format!(
                    "{} is {}, but was {} in promotion {}: {} in all, although one promotion may only {} {}",
                    one.metric, one.now, one.best, one.number, one.lost, one.word, one.allowed
                );
                if one.beyond { it.warning(AUDIT_DRIFT, message) } else { it.holds.push(message) }
            }
        }
    }
}
