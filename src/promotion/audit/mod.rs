//! `gate audit`: checks what is promoted now against today's policy.

mod drift;
mod elsewhere;
mod identity;
mod line;
mod ranking;
mod today;
mod weaker;

pub use ranking::rank;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::trust::{TrustOrder, TrustedKeys};
use super::{
    AUDIT_ALIAS, AUDIT_CHAIN, AUDIT_DRIFT, AUDIT_EVIDENCE, AUDIT_EXPIRED, AUDIT_IDENTITY, AUDIT_OVERRIDE,
    AUDIT_POLICY, AUDIT_ROLLBACK, AUDIT_SIGNATURE, AUDIT_STALE, AUDIT_STRAY, AUDIT_TIME, AUDIT_UNJUDGED,
    AUDIT_UNOWNED, AUDIT_UNSOUND, AUDIT_WAIVER, NOT_FOUND,
};
use crate::check::open;
use crate::code::Code;
use crate::document::Diagnostic;
use crate::ledger::{Entry, Ledger, StageHistory, Statement};
use crate::run::Run;
use crate::verdict::{Audit, AuditFinding, AuditLine, Exit, Severity};

/// What to audit.
#[derive(Debug, Clone)]
pub struct AuditOrder {
    /// The stage; `None` means all.
    pub stage: Option<String>,
    /// The model; `None` means all.
    pub model: Option<String>,
    /// The policy; `None` means the `gate.yaml` here or above.
    pub policy: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// The keys that must have signed the promotions.
    pub trust: TrustOrder,
    /// The maximum age of the baseline of new models.
    pub stale: SignedDuration,
    /// Fail on warnings too.
    pub strict: bool,
    /// The clock, if it was given.
    pub now: Option<Timestamp>,
}

impl AuditOrder {
    fn is_about(&self, line: &StageHistory) -> bool {
        self.stage.as_ref().is_none_or(|stage| *stage == line.stage)
            && self.model.as_ref().is_none_or(|model| *model == line.model)
    }
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
        notes: Vec::new(),
        troubles: Vec::new(),
        exit_code: Exit::NoVerdict,
    };
    if let Err(problems) = fill(&mut answer, order, folder, now) {
        answer.troubles.extend(problems.iter().cloned());
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

fn fill(
    answer: &mut Audit,
    order: &AuditOrder,
    folder: &Path,
    now: Timestamp,
) -> Result<(), Vec<Diagnostic>> {
    let trust = TrustedKeys::read(&order.trust, folder)?;
    answer.trusted = match &trust {
        Some(_) => "the keys of the verifying side".into(),
        None => "the ledger itself: no key was named".into(),
    };
    let (workspace, policy) = open(order.policy.as_deref(), order.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    if let Some(trust) = &trust {
        trust.knows_its_stages(policy.as_ref(), Some(&ledger), order.stage.as_deref())?;
    }
    let lines = ledger.lines()?;
    let known = elsewhere::known_files(&ledger, &lines, policy.as_ref(), order.policy.as_deref(), folder);
    let mut strays = ledger.strays()?;
    let empty: Vec<StageHistory> = strays.of.keys().filter(|line| !lines.contains(line)).cloned().collect();
    for line in empty.iter().filter(|line| order.is_about(line)) {
        answer.lines.push(without_promotions(line, &strays.of[line]));
    }
    for line in lines.iter().filter(|line| order.is_about(line)) {
        let auditing = Auditing {
            order,
            folder,
            now,
            trust: trust.as_ref(),
            workspace: workspace.root(),
            root: workspace.ledger_folder(policy.as_ref()),
            ledger: &ledger,
            line,
            in_policy: policy.as_ref().is_none_or(|policy| policy.stages.contains_key(&line.stage)),
            known: &known,
        };
        let (one, troubles) = auditing.run(&strays.of.remove(line).unwrap_or_default())?;
        answer.lines.push(one);
        answer.troubles.extend(troubles);
    }
    if order.stage.is_none() && order.model.is_none() {
        answer
            .notes
            .extend(strays.elsewhere.iter().map(|path| format!("`{path}` belongs to no model and stage")));
    }
    if answer.lines.is_empty() {
        let of = order.model.as_ref().map_or_else(String::new, |model| format!(" of the model `{model}`"));
        let to = order.stage.as_ref().map_or_else(String::new, |stage| format!(" to the stage `{stage}`"));
        let message = format!("nothing{of} is promoted{to}, so there is nothing to audit");
        return Err(vec![Diagnostic::new(NOT_FOUND, message).help(
            "promote a run first (gate promote RUN --stage STAGE); for a ledger elsewhere, use --ledger DIR",
        )]);
    }
    Ok(())
}

/// Reports a stage with files but no promotion: gate can't know what is promoted there.
fn without_promotions(line: &StageHistory, files: &[String]) -> AuditLine {
    let mut it = Findings::default();
    let message = format!(
        "there are files of promotions, but no promotion: they were removed, or the first one was interrupted ({})",
        files.join(", ")
    );
    it.error(AUDIT_CHAIN, message);
    it.line(line, 0, "nothing".into())
}

/// The audit of one stage history.
struct Auditing<'a> {
    order: &'a AuditOrder,
    /// The folder that the command was started in.
    folder: &'a Path,
    now: Timestamp,
    trust: Option<&'a TrustedKeys>,
    /// The folder that paths in records are relative to.
    workspace: &'a Path,
    /// The folder of the ledger.
    root: PathBuf,
    ledger: &'a Ledger<'a>,
    line: &'a StageHistory,
    /// The policy still declares the stage.
    in_policy: bool,
    /// The digests of all files that a promotion or a record names.
    known: &'a BTreeSet<String>,
}

/// A readable promotion.
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
        !self.statement.passed() && !self.statement.retires()
    }
}

/// The findings of a stage history's audit.
#[derive(Default)]
struct Findings {
    findings: Vec<AuditFinding>,
    holds: Vec<String>,
    notes: Vec<String>,
}

impl Findings {
    fn add(&mut self, severity: Severity, code: Code, message: impl Into<String>) {
        self.findings.push(AuditFinding { code: code.name, severity, message: message.into() });
    }

    fn error(&mut self, code: Code, message: impl Into<String>) {
        self.add(Severity::Error, code, message);
    }

    fn warning(&mut self, code: Code, message: impl Into<String>) {
        self.add(Severity::Warning, code, message);
    }

    fn line(self, line: &StageHistory, promotions: usize, current: String) -> AuditLine {
        AuditLine {
            model: line.model.clone(),
            stage: line.stage.clone(),
            promotions,
            current,
            findings: self.findings,
            holds: self.holds,
            notes: self.notes,
        }
    }
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
