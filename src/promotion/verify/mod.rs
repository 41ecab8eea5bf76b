//! `gate verify`: whether this exact file is what is promoted to a stage, for use at deploy time.
//!
//! Fourteen checks, always in the same order, so that nothing is trusted before everything it depends on was verified.

mod chain;
mod checks;
mod set;
mod sound;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::trust::{TrustOrder, Trusted, TrustedKeys};
use super::{NO_LEDGER, VERIFY_NOTHING, VERIFY_UNREADABLE, VERIFY_UNSIGNED};
use crate::check::{Workspace, open_ledger};
use crate::code::Code;
use crate::document::Diagnostic;
use crate::facts::{Hashed, hash_named};
use crate::ledger::{Entry, Ledger, MOST, StageHistory, Statement, VERIFIER};
use crate::policy::Policy;
use crate::signing::Envelope;
use crate::store::{Entry as File, Reach, Store as _, WorkTree};
use crate::verdict::{Check, CheckState as State, Exit, FoundPromotion as Found, Verification};
pub(super) use chain::broken_chain;
use chain::{newest, unowned};
pub(super) use checks::decided_by;
use checks::{payload, types, verifier};
pub(super) use sound::Look;

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyOrder {
    /// The file or folder.
    pub model: PathBuf,
    /// The stage that it is deployed to.
    pub stage: String,
    /// The model, if several have this file.
    pub line: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// A single envelope, instead of a ledger.
    pub attestation: Option<PathBuf>,
    /// Every other file of the promotion must be present too.
    pub whole_set: bool,
    /// The identity of the ledger.
    pub ledger_id: Option<String>,
    /// Which keys to trust.
    pub trust: TrustOrder,
    /// Digests of the policies that may have decided, without `sha256:`.
    pub policies: Vec<String>,
    /// The minimum number of the promotion.
    pub at_least: Option<u64>,
    /// Its maximum age.
    pub max_age: Option<SignedDuration>,
    /// A waiver that has ended is only a warning.
    pub waivers_warn: bool,
    /// A promotion by override is accepted.
    pub accept_overridden: bool,
    /// The clock, if it was given.
    pub now: Option<Timestamp>,
}

/// Why a check failed.
struct Failure(Box<Diagnostic>);

/// Why there is no answer, or a negative one.
enum Stop {
    Fails(Failure),
    Unclear(Vec<Diagnostic>),
}

impl From<Box<Diagnostic>> for Stop {
    fn from(problem: Box<Diagnostic>) -> Self {
        Self::Unclear(vec![*problem])
    }
}

fn fails<T>(code: Code, message: impl Into<String>, help: &str) -> Result<T, Stop> {
    let mut problem = Diagnostic::new(code, message);
    if !help.is_empty() {
        problem = problem.help(help);
    }
    Err(Stop::Fails(Failure(problem.boxed())))
}

/// Verifies a file or a folder.
pub fn verify(order: &VerifyOrder, folder: &Path, clock: Timestamp) -> Verification {
    let mut answer =
        Verification { file: order.model.display().to_string(), stage: order.stage.clone(), ..blank() };
    let verifying = Verifying { order, folder, now: order.now.unwrap_or(clock) };
    if order.now.is_some() {
        answer.notes.push(format!("the clock was set to {} with --now", verifying.now));
    }
    match verifying.run(&mut answer) {
        Ok(()) => {
            answer.verified = true;
            answer.exit_code = Exit::Pass;
        }
        Err(Stop::Fails(Failure(problem))) => {
            if let Some(check) = answer.checks.iter_mut().find(|check| check.state == State::NotReached) {
                check.state = State::Fails;
                check.says = Some(problem.message.clone());
            }
            answer.failure = Some(*problem);
            answer.exit_code = Exit::Fail;
        }
        Err(Stop::Unclear(problems)) => answer.troubles.clone_from(&problems),
    }
    answer
}

/// An answer before anything was checked.
fn blank() -> Verification {
    Verification {
        schema: "gate-verification/v1",
        verified: false,
        exit_code: Exit::NoVerdict,
        file: String::new(),
        sha256: None,
        stage: String::new(),
        trusted: String::new(),
        promotion: None,
        checks: Check::all(),
        failure: None,
        troubles: Vec::new(),
        notes: Vec::new(),
    }
}

struct Verifying<'v> {
    order: &'v VerifyOrder,
    folder: &'v Path,
    now: Timestamp,
}

/// A promotion that may be the right one.
struct Candidate {
    /// The stage history, from its folder; `None` for a single file.
    line: Option<StageHistory>,
    number: Option<u64>,
    label: String,
    statement: Option<Vec<u8>>,
    envelope: Option<(String, Vec<u8>)>,
}

/// Records that the next check passed.
fn held(answer: &mut Verification, says: impl Into<String>) {
    next(answer, State::Holds, says.into());
}

fn not_checked(answer: &mut Verification, says: impl Into<String>) {
    next(answer, State::NotChecked, says.into());
}

fn next(answer: &mut Verification, state: State, says: String) {
    if let Some(check) = answer.checks.iter_mut().find(|check| check.state == State::NotReached) {
        check.state = state;
        check.says = Some(says);
    }
}

impl Verifying<'_> {
    fn run(&self, answer: &mut Verification) -> Result<(), Stop> {
        let order = self.order;
        let trust = TrustedKeys::read(&order.trust, self.folder).map_err(Stop::Unclear)?;
        answer.trusted = match &trust {
            Some(trust) => format!("{} of the verifying side", keys(trust.keys.len())),
            None => "the ledger itself: no key was named, so anyone who can write to it decides".into(),
        };
        // Check 1: read once, through one handle.
        let hashed = hash_named(&self.folder.join(&order.model), None)
            .map_err(|problem| Box::new(Diagnostic { code: VERIFY_UNREADABLE.into(), ..*problem }))?;
        answer.sha256 = Some(hashed.sha256.clone());
        held(answer, format!("sha256:{}", hashed.sha256));
        match self.order.attestation.clone() {
            Some(path) => {
                if trust.is_none() {
                    let message =
                        format!("`{}` is a single file, which nothing vouches for but a key", path.display());
                    return Err(Diagnostic::new(VERIFY_UNSIGNED, message)
                        .help("name the public key: --key release.key.pub")
                        .boxed()
                        .into());
                }
                if let Some(trust) = &trust {
                    trust.knows_its_stages(None, None, Some(&order.stage))?;
                }
                let candidate = self.single(&path, &hashed)?;
                held(answer, candidate.label.clone());
                self.candidate(answer, &candidate, &hashed, trust.as_ref(), None)
            }
            None => {
                let (workspace, policy) =
                    open_ledger(order.ledger.as_deref(), self.folder).map_err(Stop::Unclear)?;
                is_there(&workspace, policy.as_ref())?;
                let ledger = workspace.ledger(policy.as_ref())?;
                if let Some(trust) = &trust {
                    trust.knows_its_stages(policy.as_ref(), Some(&ledger), Some(&order.stage))?;
                }
                let candidate = self.find(&ledger, &hashed, trust.as_ref())?;
                held(answer, candidate.label.clone());
                self.candidate(answer, &candidate, &hashed, trust.as_ref(), Some(&ledger))
            }
        }
    }

    fn single(&self, path: &Path, hashed: &Hashed) -> Result<Candidate, Stop> {
        let label = path.display().to_string();
        let store = WorkTree::new(self.folder, Reach::Anywhere);
        let bytes = store.read(&File { path: label.clone(), blob: None }, MOST)?;
        let about = Envelope::parse(&label, bytes.clone())
            .ok()
            .and_then(|envelope| Statement::parse(&label, envelope.unverified().to_vec()).ok());
        if about.is_some_and(|statement| !statement.is_for(&hashed.sha256)) {
            return fails(VERIFY_NOTHING, format!("`{label}` is for another file"), "");
        }
        Ok(Candidate {
            line: None,
            number: None,
            label: label.clone(),
            statement: None,
            envelope: Some((label, bytes)),
        })
    }

    /// Check 2: the newest promotion to the stage that covers this file.
    fn find(
        &self,
        ledger: &Ledger<'_>,
        hashed: &Hashed,
        trust: Option<&TrustedKeys>,
    ) -> Result<Candidate, Stop> {
        let stage = &self.order.stage;
        let wanted = |line: &StageHistory| self.order.line.as_ref().is_none_or(|model| *model == line.model);
        let mut found: Vec<(StageHistory, Entry)> = Vec::new();
        let mut hints: Vec<String> = Vec::new();
        let lines = ledger.lines()?;
        for line in lines.iter().filter(|line| wanted(line)) {
            let entries = ledger.entries(line)?;
            for entry in entries.iter().filter(|entry| line.stage == *stage && entry.statement().is_err()) {
                hints.push(format!("`{}` can't be read, so it may be that one", entry.label));
            }
            let Some(entry) = entries.into_iter().rev().find(|entry| is_for(entry, &hashed.sha256)) else {
                continue;
            };
            if line.stage == *stage {
                found.push((line.clone(), entry));
            } else {
                hints.push(format!("it is for promotion {} of {line}", entry.number));
            }
        }
        // Entries without a trusted signature don't make the choice ambiguous.
        if let (Some(trust), true) = (trust, found.len() > 1) {
            let is_sound = |(line, entry): &(StageHistory, Entry)| {
                Look { line, trust: Some(trust), now: self.now }.sound(entry).is_ok()
            };
            if found.iter().any(is_sound) {
                found.retain(is_sound);
            }
        }
        if found.len() > 1 {
            let models: Vec<&str> = found.iter().map(|(line, _)| line.model.as_str()).collect();
            let message =
                format!("this file is promoted to `{stage}` as {}", crate::document::listed(&models));
            return Err(Diagnostic::new(VERIFY_NOTHING, message)
                .help("say which is deployed: --model NAME")
                .boxed()
                .into());
        }
        let Some((line, entry)) = found.pop() else {
            let message =
                format!("nothing in the ledger promotes this file to `{stage}` (sha256:{})", hashed.sha256);
            let help = match (hints.is_empty(), lines.is_empty()) {
                (false, _) => hints.join("; "),
                (true, true) => "the ledger is empty; one elsewhere is named with --ledger DIR".to_owned(),
                (true, false) => "either it was never promoted, or it is not the file that was".to_owned(),
            };
            return fails(VERIFY_NOTHING, message, &help);
        };
        Ok(Candidate {
            line: Some(line),
            number: Some(entry.number),
            label: entry.label,
            statement: Some(entry.bytes),
            envelope: entry.envelope,
        })
    }

    fn candidate(
        &self,
        answer: &mut Verification,
        candidate: &Candidate,
        hashed: &Hashed,
        trust: Option<&TrustedKeys>,
        ledger: Option<&Ledger<'_>>,
    ) -> Result<(), Stop> {
        let stage = &self.order.stage;
        // Check 3: parse strictly, before anything in it is trusted.
        let envelope = Self::well_formed(candidate)?;
        held(answer, "no key occurs twice");
        // Check 4
        let signers = self.signatures(candidate, envelope.as_ref(), trust)?;
        match trust {
            None => not_checked(answer, "no --key and no --trust: the ledger itself is trusted"),
            Some(trust) => {
                let names: Vec<&str> = signers.iter().map(|signer| signer.label.as_str()).collect();
                held(answer, format!("by {}; {} needed", names.join(", "), trust.needed(stage)));
            }
        }
        // Check 5: only the bytes that were verified.
        let statement = payload(candidate, envelope.as_ref())?;
        held(
            answer,
            if envelope.is_some() { "the payload of the envelope" } else { "the statement, unsigned" },
        );
        // Check 6
        types(envelope.as_ref(), &statement)?;
        held(answer, "a Verification Summary in an in-toto statement");
        // Check 7
        Self::subject(&statement, hashed)?;
        let artifact = in_hand(&statement, hashed);
        let mut says = format!("for this {}, promoted as `{}`", hashed.sort(), artifact.name);
        if self.order.whole_set {
            let others = self.whole_set(&statement, &artifact)?;
            says = format!("{says}, and {others} of the promotion are as they were promoted");
        }
        held(answer, says);
        // Check 8
        verifier(&statement, &signers, trust, stage)?;
        held(answer, VERIFIER);
        // Check 9
        let line = self.resource(candidate, &statement)?;
        held(answer, self.ledger_of(&line, &statement, trust)?);
        answer.promotion = Some(found(&statement, &line, candidate, &signers, artifact));
        // Check 10
        self.passed(answer, &statement)?;
        // Check 11
        self.policy(answer, &statement, trust)?;
        // Check 12
        let at = self.time(&statement)?;
        held(answer, format!("decided at {at}"));
        // Check 13
        let number = statement.sequence().unwrap_or_default();
        match ledger {
            Some(ledger) => {
                answer.notes.extend(unowned(ledger, &line, candidate)?);
                newest(ledger, &line, candidate, trust, self.now)?;
                self.at_least(number)?;
                held(answer, format!("promotion {number} of {line}, and the chain before it is whole"));
            }
            None => {
                self.at_least(number)?;
                let says = "a single file does not show what came after it: a newer promotion, a rollback or a retirement; \
                            --at-least N, or --max-age, bounds that";
                not_checked(answer, says);
                answer.notes.push(says.into());
            }
        }
        for (what, says) in statement.weakened().into_iter().filter(|(what, _)| REPEATED.contains(&&**what)) {
            answer.notes.push(format!("weakened by {what}: {says}"));
        }
        // Check 14
        self.waivers(answer, &statement)
    }
}

/// What weakened a promotion and is repeated at every verification: how it was requested, not what the policy says.
const REPEATED: [&str; 5] = ["untrusted", "same-files", "baseline", "no-digest", "model"];

/// A missing ledger proves nothing, and files next to the model are no substitute.
fn is_there(workspace: &Workspace, policy: Option<&Policy>) -> Result<(), Stop> {
    let folder = workspace.ledger_folder(policy);
    if folder.is_dir() {
        return Ok(());
    }
    let what = if folder.exists() { "is not a folder" } else { "does not exist" };
    let shown = folder.strip_prefix(workspace.folder()).unwrap_or(&folder).display();
    let message = format!("the ledger `{shown}` {what}, so it is not known what is promoted");
    Err(Diagnostic::new(NO_LEDGER, message)
        .help(
            "if nothing was promoted yet, run `gate promote` first; otherwise fetch the ledger (a sparse \
         checkout may omit it) or name it with --ledger DIR; for a single envelope, use --attestation FILE",
        )
        .boxed()
        .into())
}

/// The promotion's artifact that is the file in hand, and how many there are.
fn in_hand(statement: &Statement, hashed: &Hashed) -> InHand {
    let named = statement.subjects().into_iter().find(|subject| subject.sha256 == Some(&hashed.sha256));
    InHand {
        name: named.map(|subject| subject.name.to_owned()).unwrap_or_default(),
        of: statement.subjects().len(),
    }
}

/// A file of a promotion, by its name at promotion time.
struct InHand {
    name: String,
    /// How many files the promotion covers.
    of: usize,
}

fn keys(number: usize) -> String {
    if number == 1 { "1 key".into() } else { format!("{number} keys") }
}

/// Whether an entry claims to cover a file; this is not verified yet.
fn is_for(entry: &Entry, sha256: &str) -> bool {
    let by_file = entry.statement().is_ok_and(|statement| statement.is_for(sha256));
    let by_envelope = || {
        let (label, bytes) = entry.envelope.as_ref()?;
        let envelope = Envelope::parse(label, bytes.clone()).ok()?;
        Statement::parse(label, envelope.unverified().to_vec()).ok()
    };
    by_file || by_envelope().is_some_and(|statement| statement.is_for(sha256))
}

fn found(
    statement: &Statement,
    line: &StageHistory,
    candidate: &Candidate,
    signers: &[&Trusted],
    artifact: InHand,
) -> Found {
    let own = |path: &[&str]| statement.own_text(path).unwrap_or_default().to_owned();
    let run = match statement.own_text(&["run", "runId"]) {
        Some(id) => format!("{id} ({})", own(&["run", "uri"])),
        None => own(&["run", "uri"]),
    };
    let policy = statement.predicate(&["policy", "uri"]).unwrap_or_default();
    Found {
        model: line.model.clone(),
        artifact: artifact.name,
        artifacts: artifact.of,
        ledger: statement.own_text(&["ledger"]).map(str::to_owned),
        sequence: statement.sequence().unwrap_or_default(),
        source: candidate.label.clone(),
        at: statement.predicate(&["timeVerified"]).unwrap_or_default().to_owned(),
        action: own(&["action"]),
        run,
        policy: format!("{policy} sha256:{}", decided_by(statement)),
        signed_by: signers.iter().map(|signer| signer.key.fingerprint()).collect(),
    }
}
