//! `gate audit`: what is promoted now, held against what holds today.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::drift::drift;
use super::explain::record;
use super::trust::{Trust, TrustOrder};
use super::verify::{broken_chain, signed};
use super::{
    AUDIT_ALIAS, AUDIT_CHAIN, AUDIT_DRIFT, AUDIT_EVIDENCE, AUDIT_EXPIRED, AUDIT_OVERRIDE, AUDIT_POLICY,
    AUDIT_ROLLBACK, AUDIT_SIGNATURE, AUDIT_STALE, AUDIT_STRAY, AUDIT_UNJUDGED, AUDIT_WAIVER, NOT_FOUND,
};
use crate::check::{Request, check, open};
use crate::code::Code;
use crate::document::{Node, Problem};
use crate::ledger::{Entry, Ledger, Line, Statement};
use crate::run::{Age, Moment, Run, parse_date};
use crate::tracker::mlflow::alias_now;
use crate::verdict::{Audit, AuditFinding, AuditLine, Exit, Outcome, Report, Severity, Trouble, Verdict};

/// What to audit, as it was asked for.
#[derive(Debug, Clone)]
pub struct AuditOrder {
    /// The stage; none means every one.
    pub stage: Option<String>,
    /// The line of models; none means every one.
    pub model: Option<String>,
    /// The policy; none means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// Whose signature each promotion must have.
    pub trust: TrustOrder,
    /// How old what new models are compared with may be.
    pub stale: SignedDuration,
    /// Warnings fail too.
    pub strict: bool,
    /// The clock, if it was given.
    pub now: Option<Timestamp>,
}

/// Audits a ledger.
pub fn audit(order: &AuditOrder, folder: &Path, clock: Timestamp) -> Audit {
    let now = order.now.unwrap_or(clock);
    let mut answer = Audit {
        schema: "gate-audit/v1",
        stage: order.stage.clone(),
        now: now.to_string(),
        trusted: String::new(),
        lines: Vec::new(),
        troubles: Vec::new(),
        exit_code: Exit::NoVerdict,
    };
    if let Err(problems) = fill(&mut answer, order, folder, now) {
        answer.troubles.extend(problems.iter().map(Trouble::from));
    }
    let wrong = |finding: &AuditFinding| order.strict || finding.severity == Severity::Error;
    answer.exit_code = if !answer.troubles.is_empty() {
        Exit::NoVerdict
    } else if answer.lines.iter().flat_map(|line| &line.findings).any(wrong) {
        Exit::Fail
    } else {
        Exit::Pass
    };
    answer
}

fn fill(answer: &mut Audit, order: &AuditOrder, folder: &Path, now: Timestamp) -> Result<(), Vec<Problem>> {
    let trust = Trust::read(&order.trust, folder)?;
    answer.trusted = match &trust {
        Some(_) => "the keys of the verifying side".into(),
        None => "the ledger itself: no key was named".into(),
    };
    let (workspace, policy) = open(order.policy.as_deref(), order.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    let lines = ledger.lines()?;
    let meant = |line: &&Line| {
        order.stage.as_ref().is_none_or(|stage| *stage == line.stage)
            && order.model.as_ref().is_none_or(|model| *model == line.model)
    };
    for line in lines.iter().filter(meant) {
        let auditing = Auditing {
            order,
            folder,
            now,
            trust: trust.as_ref(),
            root: workspace.ledger_folder(policy.as_ref()),
            ledger: &ledger,
            line,
        };
        let (one, troubles) = auditing.run()?;
        answer.lines.push(one);
        answer.troubles.extend(troubles);
    }
    if answer.lines.is_empty() {
        let what = order.stage.as_ref().map_or_else(String::new, |stage| format!(" to the stage `{stage}`"));
        let problem =
            Problem::new(NOT_FOUND, format!("nothing is promoted{what}, so there is nothing to audit"))
                .help("a ledger elsewhere is named with --ledger DIR");
        return Err(vec![problem]);
    }
    Ok(())
}

struct Auditing<'a> {
    order: &'a AuditOrder,
    folder: &'a Path,
    now: Timestamp,
    trust: Option<&'a Trust>,
    root: PathBuf,
    ledger: &'a Ledger<'a>,
    line: &'a Line,
}

/// A promotion that could be read.
struct Read<'e> {
    entry: &'e Entry,
    statement: Statement,
    run: Option<Run>,
}

impl Read<'_> {
    fn own(&self, path: &[&str]) -> &str {
        self.statement.own_text(path).unwrap_or_default()
    }

    fn overridden(&self) -> bool {
        !self.statement.passed()
    }
}

/// What an audit of a line finds.
#[derive(Default)]
struct Findings {
    findings: Vec<AuditFinding>,
    holds: Vec<String>,
}

impl Findings {
    fn error(&mut self, code: Code, message: impl Into<String>) {
        self.findings.push(AuditFinding {
            code: code.name,
            severity: Severity::Error,
            message: message.into(),
        });
    }

    fn warning(&mut self, code: Code, message: impl Into<String>) {
        self.findings.push(AuditFinding {
            code: code.name,
            severity: Severity::Warning,
            message: message.into(),
        });
    }
}

impl Auditing<'_> {
    fn run(&self) -> Result<(AuditLine, Vec<Trouble>), Vec<Problem>> {
        let entries = self.ledger.entries(self.line)?;
        let mut it = Findings::default();
        match broken_chain(&entries, self.line) {
            Some(broken) => it.error(AUDIT_CHAIN, broken),
            None => it.holds.push(format!("the chain of {} is whole", counted(entries.len(), "promotion"))),
        }
        for stray in self.ledger.strays(self.line)? {
            it.warning(
                AUDIT_STRAY,
                format!("`{stray}` belongs to no promotion; what a crash left, the next promotion sweeps"),
            );
        }
        let read = self.read(&entries, &mut it);
        self.signatures(&entries, &mut it);
        overrides(&read, &mut it);
        let mut troubles = Vec::new();
        let current = match read.last() {
            Some(current) => {
                self.times(current, &mut it);
                if current.own(&["action"]) == "rollback" {
                    it.warning(
                        AUDIT_ROLLBACK,
                        format!(
                            "promotion {} is a rollback: {}",
                            current.entry.number,
                            current.own(&["reason"])
                        ),
                    );
                }
                let report = self.judged_today(&read, current);
                if let Some(report) = &report {
                    troubles.extend(today(current, report, &mut it));
                    drifted(&read, current, report, &mut it);
                }
                self.stale(&read, current, &mut it);
                self.alias(current, &mut it);
                let run =
                    current.statement.own_text(&["run", "runId"]).unwrap_or(current.own(&["run", "uri"]));
                let at = current.statement.predicate(&["timeVerified"]).unwrap_or_default();
                format!("promotion {} of {at}: run {run}", current.entry.number)
            }
            None => "nothing that could be read".into(),
        };
        let line = AuditLine {
            model: self.line.model.clone(),
            stage: self.line.stage.clone(),
            promotions: entries.len(),
            current,
            findings: it.findings,
            holds: it.holds,
        };
        Ok((line, troubles))
    }

    /// Every promotion with its record; what is gone or was changed is found.
    fn read<'e>(&self, entries: &'e [Entry], it: &mut Findings) -> Vec<Read<'e>> {
        let mut read = Vec::new();
        let mut whole = true;
        for entry in entries {
            let statement = match entry.statement() {
                Ok(statement) => statement,
                Err(problem) => {
                    it.error(AUDIT_CHAIN, format!("`{}` can't be read: {problem}", entry.label));
                    continue;
                }
            };
            let uri = statement.own_text(&["report", "uri"]).unwrap_or_default();
            let digest = statement.own_text(&["report", "digest", "sha256"]).unwrap_or_default();
            if let Err(problem) = self.ledger.by_digest(self.line, uri, digest) {
                whole = false;
                it.error(AUDIT_EVIDENCE, format!("promotion {}: {}", entry.number, problem.message));
            }
            let run = match record(self.ledger, self.line, &statement) {
                Ok(run) => Some(run),
                Err(problem) => {
                    whole = false;
                    it.error(AUDIT_EVIDENCE, format!("promotion {}: {}", entry.number, problem.message));
                    None
                }
            };
            read.push(Read { entry, statement, run });
        }
        if whole {
            it.holds.push("every record and every report is as it was".into());
        }
        read
    }

    /// The alias that was set with a promotion leads to its version still.
    fn alias(&self, current: &Read<'_>, it: &mut Findings) {
        let (model, alias) = (current.own(&["mlflow", "model"]), current.own(&["mlflow", "alias"]));
        let Ok(version) = current.own(&["mlflow", "version"]).parse::<u64>() else { return };
        match alias_now(self.folder, &self.root, model, alias) {
            Ok(Some(now)) if now == version => {
                it.holds.push(format!("{model}@{alias} leads to version {version}"));
            }
            Ok(now) => {
                let now = now.map_or_else(|| "nothing".to_owned(), |now| format!("version {now}"));
                it.error(
                    AUDIT_ALIAS,
                    format!(
                        "{model}@{alias} leads to {now}, and promotion {} is of version {version}",
                        current.entry.number
                    ),
                );
            }
            Err(problem) => it.warning(
                AUDIT_ALIAS,
                format!("where {model}@{alias} leads was not found out: {}", problem.message),
            ),
        }
    }

    fn signatures(&self, entries: &[Entry], it: &mut Findings) {
        let Some(trust) = self.trust else { return };
        let mut all = true;
        for entry in entries {
            if let Err(problem) = signed(entry, Some(trust), &self.line.stage, self.now) {
                all = false;
                it.error(AUDIT_SIGNATURE, format!("promotion {}: {}", entry.number, problem.message));
            }
        }
        if all {
            it.holds.push("every promotion is signed by trusted keys".into());
        }
    }

    fn times(&self, current: &Read<'_>, it: &mut Findings) {
        if let Some(end) = current.statement.own_text(&["expires"]) {
            match Moment::parse(end) {
                Ok(end) if end.at >= self.now => it.holds.push(format!("it ends at {}", end.at)),
                _ => it.error(AUDIT_EXPIRED, format!("promotion {} ended at {end}", current.entry.number)),
            }
        }
        let today = TimeZone::UTC.to_datetime(self.now).date();
        for waiver in current.statement.own_list(&["waivers"]) {
            let part = |key: &str| waiver.get(key).and_then(Node::as_written).unwrap_or("?");
            let rule = part("rule");
            match parse_date(part("expires")) {
                Some(end) if today <= end => {
                    it.holds.push(format!("the waiver of `{rule}` is in force until {end}"));
                }
                _ => it.error(
                    AUDIT_WAIVER,
                    format!("it passed by a waiver of `{rule}` that ended on {}", part("expires")),
                ),
            }
        }
    }

    /// Today's policy over the record that was promoted, against what it was judged against then.
    fn judged_today(&self, read: &[Read<'_>], current: &Read<'_>) -> Option<Report> {
        let path = |of: &Read<'_>| {
            of.run.as_ref()?;
            let uri = of.statement.own_text(&["record", "uri"])?;
            Some(self.root.join(self.line.folder()).join(uri).display().to_string())
        };
        let judged = current
            .statement
            .own(&["judged", "sequence"])
            .and_then(Node::as_written)
            .and_then(|text| text.parse().ok())
            .unwrap_or(current.entry.number);
        let digest = |of: &Read<'_>| of.own(&["record", "digest", "sha256"]).to_owned();
        // What was promoted again is compared with what it replaced the first time.
        let before =
            read.iter().rev().find(|other| other.entry.number < judged && digest(other) != digest(current));
        let baseline = before.and_then(path);
        let request = Request {
            runs: vec![path(current)?],
            policy: self.order.policy.clone(),
            first: baseline.is_none(),
            baseline,
            stage: Some(self.line.stage.clone()),
            model: Some(self.line.model.clone()),
            ledger: self.order.ledger.clone(),
            now: Some(self.now),
            ..Request::default()
        };
        Some(check(&request, self.folder, self.now))
    }

    /// What new models are compared with is what is promoted now.
    fn stale(&self, read: &[Read<'_>], current: &Read<'_>, it: &mut Findings) {
        let created = current.run.as_ref().and_then(Run::created_at);
        if let Some(created) = created {
            let age = self.now.duration_since(created.at);
            if age > self.order.stale {
                let message = format!("what new models are compared with is {}", Age(age));
                it.warning(AUDIT_STALE, message);
            }
        }
        let digest = |of: &Read<'_>| {
            let validation = of.run.as_ref()?.validation()?;
            validation.get("digest").and_then(Node::as_written).map(str::to_owned)
        };
        let before = read.iter().rev().find(|other| other.entry.number < current.entry.number);
        if let (Some(now), Some(then)) = (digest(current), before.and_then(digest))
            && now != then
        {
            let message = "it was measured on another split than the promotion before it, so neither shows what changed";
            it.warning(AUDIT_STALE, message);
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// An override is told until a promotion follows that the policy allowed.
fn overrides(read: &[Read<'_>], it: &mut Findings) {
    let normal = read.iter().rposition(|one| !one.overridden() && one.own(&["action"]) == "promote");
    for one in read.iter().skip(normal.map_or(0, |at| at + 1)).filter(|one| one.overridden()) {
        let message = format!(
            "promotion {} did not pass the policy and was overridden: {}; no normal promotion has followed",
            one.entry.number,
            one.own(&["reason"])
        );
        it.error(AUDIT_OVERRIDE, message);
    }
}

fn today(current: &Read<'_>, report: &Report, it: &mut Findings) -> Vec<Trouble> {
    match report.verdict {
        Some(Verdict::Pass) => it.holds.push("it holds today's policy".into()),
        Some(Verdict::Fail) => {
            let rules = report.candidates.iter().flat_map(|candidate| &candidate.rules);
            let failing =
                rules.filter(|rule| rule.level == crate::verdict::Level::Error && rule.outcome.blocks());
            for rule in failing {
                let why = rule.findings.first().map_or_else(
                    || rule.reason.clone().unwrap_or_default(),
                    |finding| finding.message.clone(),
                );
                it.error(
                    AUDIT_POLICY,
                    format!("promotion {} does not hold today's `{}`: {why}", current.entry.number, rule.id),
                );
            }
        }
        None => {
            it.error(AUDIT_UNJUDGED, "it can't be held against today's policy");
            let of_candidates = report.candidates.iter().flat_map(|candidate| &candidate.troubles);
            return report.troubles.iter().chain(of_candidates).cloned().collect();
        }
    }
    let waived = report
        .candidates
        .iter()
        .flat_map(|candidate| &candidate.rules)
        .filter(|rule| rule.outcome == Outcome::Waived);
    it.holds.extend(waived.map(|rule| format!("`{}` is waived today", rule.id)));
    Vec::new()
}

fn drifted(read: &[Read<'_>], current: &Read<'_>, report: &Report, it: &mut Findings) {
    let Some(run) = &current.run else { return };
    let promoted: Vec<(u64, &Run)> =
        read.iter().filter_map(|one| Some((one.entry.number, one.run.as_ref()?))).collect();
    for one in drift(run, &promoted, report) {
        let message = format!(
            "{} is {}, and was {} in promotion {}: {} in all, where one promotion may lose {}",
            one.metric, one.now, one.best, one.number, one.lost, one.allowed
        );
        if one.beyond { it.warning(AUDIT_DRIFT, message) } else { it.holds.push(message) }
    }
}
