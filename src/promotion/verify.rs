//! `gate verify`: whether this very file is what is promoted to a stage, asked where it is deployed.
//!
//! Fourteen checks, always in the same order, so that nothing is believed before what it depends on holds.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::artifact::{Hashed, hash_named};
use super::trust::{Trust, TrustOrder, Trusted};
use super::{
    VERIFY_FAILED, VERIFY_MALFORMED, VERIFY_NOTHING, VERIFY_POLICY, VERIFY_RESOURCE, VERIFY_STATEMENT,
    VERIFY_SUBJECT, VERIFY_SUPERSEDED, VERIFY_TIME, VERIFY_TYPE, VERIFY_UNREADABLE, VERIFY_UNSIGNED,
    VERIFY_VERIFIER, VERIFY_WAIVER,
};
use crate::check::open;
use crate::code::Code;
use crate::document::{Node, Problem};
use crate::ledger::{
    Entry, Ledger, Line, MOST, PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Statement, VERIFIER, level,
};
use crate::run::{Moment, parse_date};
use crate::signing::{Envelope, PublicKey};
use crate::store::{Entry as File, Reach, Store as _, WorkTree};
use crate::verdict::{Check, CheckState as State, Exit, FoundPromotion as Found, Trouble, Verification};

/// What to verify, as it was asked for.
#[derive(Debug, Clone, Default)]
pub struct VerifyOrder {
    /// The file or folder.
    pub model: PathBuf,
    /// The stage that it is deployed to.
    pub stage: String,
    /// The line of models, where several hold this file.
    pub line: Option<String>,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// A single envelope, instead of a ledger.
    pub attestation: Option<PathBuf>,
    /// Whom to trust.
    pub trust: TrustOrder,
    /// Digests of the policies that may have decided, without `sha256:`.
    pub policies: Vec<String>,
    /// The number that the promotion must have at least.
    pub at_least: Option<u64>,
    /// How old it may be.
    pub max_age: Option<SignedDuration>,
    /// A waiver that has ended is only told.
    pub waivers_warn: bool,
    /// A promotion by override is accepted.
    pub accept_overridden: bool,
    /// The clock, if it was given.
    pub now: Option<Timestamp>,
}

/// Why a check does not hold.
struct Failure(Box<Problem>);

/// Why there is no answer, or a bad one.
enum Stop {
    Fails(Failure),
    Unclear(Vec<Problem>),
}

impl From<Box<Problem>> for Stop {
    fn from(problem: Box<Problem>) -> Self {
        Self::Unclear(vec![*problem])
    }
}

fn fails<T>(code: Code, message: impl Into<String>, help: &str) -> Result<T, Stop> {
    let mut problem = Problem::new(code, message);
    if !help.is_empty() {
        problem = problem.help(help);
    }
    Err(Stop::Fails(Failure(problem.boxed())))
}

/// Verifies a file or a folder.
pub fn verify(order: &VerifyOrder, folder: &Path, clock: Timestamp) -> Verification {
    let mut answer = Verification {
        schema: "gate-verification/v1",
        verified: false,
        exit_code: Exit::NoVerdict,
        file: order.model.display().to_string(),
        sha256: None,
        stage: order.stage.clone(),
        trusted: String::new(),
        promotion: None,
        checks: Check::all(),
        failure: None,
        troubles: Vec::new(),
        notes: Vec::new(),
    };
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
            answer.failure = Some(Trouble::from(&*problem));
            answer.exit_code = Exit::Fail;
        }
        Err(Stop::Unclear(problems)) => answer.troubles = problems.iter().map(Trouble::from).collect(),
    }
    answer
}

struct Verifying<'v> {
    order: &'v VerifyOrder,
    folder: &'v Path,
    now: Timestamp,
}

/// A promotion that may be the one.
struct Candidate {
    /// The line by its folder; `None` for a single file.
    line: Option<Line>,
    number: Option<u64>,
    label: String,
    statement: Option<Vec<u8>>,
    envelope: Option<(String, Vec<u8>)>,
}

/// What holds next.
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
        let trust = Trust::read(&order.trust, self.folder).map_err(Stop::Unclear)?;
        answer.trusted = match &trust {
            Some(trust) => format!("{} of the verifying side", keys(trust.keys.len())),
            None => "the ledger itself: no key was named, so whoever can write to it decides".into(),
        };
        // 1: once, from one handle.
        let hashed = hash_named(&self.folder.join(&order.model))
            .map_err(|problem| Box::new(Problem { code: VERIFY_UNREADABLE, ..*problem }))?;
        answer.sha256 = Some(hashed.sha256.clone());
        held(answer, format!("sha256:{}", hashed.sha256));
        match self.attestation()? {
            Some(path) => {
                if trust.is_none() {
                    let message =
                        format!("`{}` is a single file, which nothing vouches for but a key", path.display());
                    return Err(Problem::new(VERIFY_UNSIGNED, message)
                        .help("name the public key: --key release.pub")
                        .boxed()
                        .into());
                }
                let candidate = self.single(&path, &hashed)?;
                held(answer, candidate.label.clone());
                self.candidate(answer, &candidate, &hashed, trust.as_ref(), None)
            }
            None => {
                let (workspace, policy) =
                    open(None, order.ledger.as_deref(), self.folder).map_err(Stop::Unclear)?;
                let ledger = workspace.ledger(policy.as_ref())?;
                let candidate = self.find(&ledger, &hashed)?;
                held(answer, candidate.label.clone());
                self.candidate(answer, &candidate, &hashed, trust.as_ref(), Some(&ledger))
            }
        }
    }

    /// A single envelope: the one that was named, else one beside the model where there is no ledger.
    fn attestation(&self) -> Result<Option<PathBuf>, Stop> {
        if let Some(path) = &self.order.attestation {
            return Ok(Some(path.clone()));
        }
        if self.order.ledger.is_some() {
            return Ok(None);
        }
        let mut beside = self.order.model.as_os_str().to_owned();
        beside.push(".intoto.json");
        let beside = PathBuf::from(beside);
        let (workspace, policy) = open(None, None, self.folder).map_err(Stop::Unclear)?;
        let no_ledger = !workspace.ledger_folder(policy.as_ref()).is_dir();
        Ok((no_ledger && self.folder.join(&beside).is_file()).then_some(beside))
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

    /// 2: the newest promotion to the stage that is for this file.
    fn find(&self, ledger: &Ledger<'_>, hashed: &Hashed) -> Result<Candidate, Stop> {
        let stage = &self.order.stage;
        let wanted = |line: &Line| self.order.line.as_ref().is_none_or(|model| *model == line.model);
        let mut found: Vec<(Line, Entry)> = Vec::new();
        let mut elsewhere: Vec<String> = Vec::new();
        let lines = ledger.lines()?;
        for line in lines.iter().filter(|line| wanted(line)) {
            let entries = ledger.entries(line)?;
            let Some(entry) = entries.into_iter().rev().find(|entry| is_for(entry, &hashed.sha256)) else {
                continue;
            };
            if line.stage == *stage {
                found.push((line.clone(), entry));
            } else {
                elsewhere.push(format!("promotion {} of {line}", entry.number));
            }
        }
        if found.len() > 1 {
            let models: Vec<&str> = found.iter().map(|(line, _)| line.model.as_str()).collect();
            let message =
                format!("this file is promoted to `{stage}` as {}", crate::document::listed(&models));
            return Err(Problem::new(VERIFY_NOTHING, message)
                .help("say which is deployed: --model NAME")
                .boxed()
                .into());
        }
        let Some((line, entry)) = found.pop() else {
            let message =
                format!("nothing in the ledger promotes this file to `{stage}` (sha256:{})", hashed.sha256);
            let help = if elsewhere.is_empty() {
                if lines.is_empty() {
                    "the ledger is empty, or not there; name it with --ledger DIR".to_owned()
                } else {
                    "either it was never promoted, or it is not the file that was".to_owned()
                }
            } else {
                format!("it is for {}", elsewhere.join(", "))
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
        trust: Option<&Trust>,
        ledger: Option<&Ledger<'_>>,
    ) -> Result<(), Stop> {
        let stage = &self.order.stage;
        // 3: strict, before anything of it is believed.
        let envelope = self.well_formed(candidate)?;
        held(answer, "no key stands twice");
        // 4
        let signers = self.signatures(candidate, envelope.as_ref(), trust)?;
        match trust {
            None => not_checked(answer, "no --key and no --trust: the ledger itself is trusted"),
            Some(_) => {
                let names: Vec<&str> = signers.iter().map(|signer| signer.label.as_str()).collect();
                held(answer, format!("by {}", names.join(", ")));
            }
        }
        // 5: the bytes that were verified, and no others.
        let statement = payload(candidate, envelope.as_ref())?;
        held(
            answer,
            if envelope.is_some() { "the payload of the envelope" } else { "the statement, unsigned" },
        );
        // 6
        types(envelope.as_ref(), &statement)?;
        held(answer, "a Verification Summary in an in-toto statement");
        // 7
        self.subject(&statement, hashed)?;
        held(answer, "for this file");
        // 8
        verifier(&statement, &signers, trust, stage)?;
        held(answer, VERIFIER);
        // 9
        let line = self.resource(candidate, &statement)?;
        held(answer, line.uri());
        answer.promotion = Some(found(&statement, &line, candidate, &signers));
        // 10
        self.passed(answer, &statement)?;
        // 11
        self.policy(answer, &statement, trust)?;
        // 12
        let at = self.time(&statement)?;
        held(answer, format!("decided at {at}"));
        // 13
        let number = statement.sequence().unwrap_or_default();
        match ledger {
            Some(ledger) => {
                newest(ledger, &line, candidate)?;
                self.at_least(number)?;
                held(answer, format!("promotion {number} of {line}, and the chain before it is whole"));
            }
            None => {
                self.at_least(number)?;
                let says = "a single file does not show whether it is the newest: --at-least N, or --max-age, bounds it";
                not_checked(answer, says);
                answer.notes.push(says.into());
            }
        }
        // 14
        self.waivers(answer, &statement)
    }

    fn well_formed(&self, candidate: &Candidate) -> Result<Option<Envelope>, Stop> {
        if let Some(statement) = &candidate.statement
            && let Err(problem) = Statement::parse(&candidate.label, statement.clone())
        {
            return fails(VERIFY_MALFORMED, problem.to_string(), "");
        }
        let Some((label, bytes)) = &candidate.envelope else { return Ok(None) };
        let envelope = match Envelope::parse(label, bytes.clone()) {
            Ok(envelope) => envelope,
            Err(problem) => {
                return fails(
                    VERIFY_MALFORMED,
                    problem.to_string(),
                    problem.help.as_deref().unwrap_or_default(),
                );
            }
        };
        // In a ledger the gate wrote it, so that not one byte of it may be another.
        if candidate.line.is_some() && envelope.to_json().as_bytes() != bytes.as_slice() {
            return fails(
                VERIFY_MALFORMED,
                format!("`{label}` is not as gate writes an envelope"),
                "it was changed after it was promoted: restore it from git",
            );
        }
        Ok(Some(envelope))
    }

    /// 4: the keys that signed it and may; none where none is trusted.
    fn signatures<'t>(
        &self,
        candidate: &Candidate,
        envelope: Option<&Envelope>,
        trust: Option<&'t Trust>,
    ) -> Result<Vec<&'t Trusted>, Stop> {
        match (trust, envelope) {
            (None, _) => Ok(Vec::new()),
            (Some(_), None) => {
                let help = "promote with --key, or in CI with GATE_SIGNING_KEY";
                fails(VERIFY_UNSIGNED, format!("`{}` is not signed", candidate.label), help)
            }
            (Some(trust), Some(envelope)) => self.signers(trust, envelope),
        }
    }

    fn signers<'t>(&self, trust: &'t Trust, envelope: &Envelope) -> Result<Vec<&'t Trusted>, Stop> {
        let stage = &self.order.stage;
        let usable = trust.usable(stage, self.now);
        let public: Vec<PublicKey> = usable.iter().map(|trusted| trusted.key.clone()).collect();
        let verified = envelope.verify(&public);
        let signers: Vec<&Trusted> = verified.by.iter().map(|index| usable[*index]).collect();
        let needed = trust.needed(stage);
        if signers.len() >= needed {
            return Ok(signers);
        }
        let all: Vec<PublicKey> = trust.keys.iter().map(|trusted| trusted.key.clone()).collect();
        let why: Vec<String> = envelope
            .verify(&all)
            .by
            .iter()
            .filter_map(|index| trust.keys[*index].unusable(stage, self.now))
            .collect();
        let message = match (signers.len(), why.is_empty()) {
            (0, true) => {
                let named: Vec<&str> = envelope.key_ids().into_iter().filter(|id| !id.is_empty()).collect();
                let named = if named.is_empty() {
                    String::new()
                } else {
                    format!("; it says it is signed by {}", named.join(", "))
                };
                format!("no trusted key signed this promotion{named}")
            }
            (0, false) => why.join("; "),
            (number, _) => {
                format!("{number} of the trusted keys signed this promotion, and `{stage}` needs {needed}")
            }
        };
        fails(VERIFY_UNSIGNED, message, "compare the fingerprints: gate key show FILE")
    }

    fn subject(&self, statement: &Statement, hashed: &Hashed) -> Result<(), Stop> {
        let told = "the digest of this file is not among those that it is for";
        if !statement.is_for(&hashed.sha256) {
            return fails(VERIFY_SUBJECT, told, "");
        }
        // The digest of a folder is that of a list, and the list itself is no model.
        let sort = statement
            .own_list(&["artifacts"])
            .iter()
            .find(|one| text(one, &["digest", "sha256"]) == Some(&hashed.sha256))
            .and_then(|one| text(one, &["kind"]));
        if sort != Some(hashed.sort()) {
            let message = format!("what was promoted with this digest is not a {}", hashed.sort());
            return fails(VERIFY_SUBJECT, message, "");
        }
        Ok(())
    }

    fn resource(&self, candidate: &Candidate, statement: &Statement) -> Result<Line, Stop> {
        let stage = &self.order.stage;
        let model = match (&candidate.line, &self.order.line) {
            (Some(line), _) => line.model.clone(),
            (None, Some(model)) => model.clone(),
            (None, None) => statement.own_text(&["model"]).unwrap_or_default().to_owned(),
        };
        let line = Line::new(&model, stage)
            .or_else(|_| fails(VERIFY_RESOURCE, "the promotion does not say its model", ""))?;
        let uri = statement.predicate(&["resourceUri"]).unwrap_or_default();
        let own = (statement.own_text(&["model"]), statement.own_text(&["stage"]));
        if uri != line.uri() || own != (Some(line.model.as_str()), Some(stage.as_str())) {
            let message = format!("it is a promotion of `{uri}`, and not of `{}`", line.uri());
            return fails(VERIFY_RESOURCE, message, "");
        }
        Ok(line)
    }

    fn passed(&self, answer: &mut Verification, statement: &Statement) -> Result<(), Stop> {
        let wanted = level(&self.order.stage);
        if statement.passed() && statement.levels().contains(&wanted.as_str()) {
            held(answer, wanted);
            return Ok(());
        }
        let overridden = statement.own_text(&["verdict"]) == Some("overridden");
        let reason = statement.own_text(&["reason"]).unwrap_or("no reason");
        if overridden && self.order.accept_overridden {
            held(answer, format!("not passed: accepted by --accept-overridden ({reason})"));
            answer
                .notes
                .push(format!("the policy did not allow this promotion; it was overridden: {reason}"));
            return Ok(());
        }
        let result = statement.predicate(&["verificationResult"]).unwrap_or("nothing");
        if overridden {
            let message = format!("the policy did not allow this promotion; it was overridden: {reason}");
            return fails(VERIFY_FAILED, message, "to deploy it all the same, say so: --accept-overridden");
        }
        fails(
            VERIFY_FAILED,
            format!("the result is {result}, with the levels {}", statement.levels().join(", ")),
            "",
        )
    }

    fn policy(
        &self,
        answer: &mut Verification,
        statement: &Statement,
        trust: Option<&Trust>,
    ) -> Result<(), Stop> {
        let expected: Vec<&String> =
            self.order.policies.iter().chain(trust.into_iter().flat_map(|trust| &trust.policies)).collect();
        let digest = statement.predicate(&["policy", "digest", "sha256"]).unwrap_or_default();
        if expected.is_empty() {
            not_checked(answer, "no --policy-digest, and no `policies` in --trust: any policy is accepted");
            return Ok(());
        }
        if !expected.iter().any(|expected| *expected == digest) {
            let message = format!("it was decided by the policy sha256:{digest}, which is not expected");
            return fails(
                VERIFY_POLICY,
                message,
                "a policy that changed is a new digest: add it where it is expected",
            );
        }
        held(answer, format!("sha256:{digest}"));
        Ok(())
    }

    fn time(&self, statement: &Statement) -> Result<Timestamp, Stop> {
        let parse = |text: &str| {
            Moment::parse(text).ok().filter(|moment| !moment.zone_assumed).map(|moment| moment.at)
        };
        let Some(at) = statement.predicate(&["timeVerified"]).and_then(parse) else {
            return fails(VERIFY_TIME, "the promotion does not say when it was decided", "");
        };
        if at > self.now + SignedDuration::from_mins(SKEW) {
            return fails(
                VERIFY_TIME,
                format!("the promotion is of the future: {at}"),
                "compare the clocks of both machines",
            );
        }
        if let Some(written) = statement.own(&["expires"]) {
            let Some(end) = written.as_written().and_then(parse) else {
                return fails(VERIFY_TIME, "the promotion has an end that can't be read", "");
            };
            if self.now > end {
                return fails(
                    VERIFY_TIME,
                    format!("the promotion ended at {end}"),
                    "promote the model again",
                );
            }
        }
        if let Some(most) = self.order.max_age
            && self.now.duration_since(at) > most
        {
            return fails(
                VERIFY_TIME,
                format!("the promotion is of {at}, which is longer ago than --max-age allows"),
                "promote the model again",
            );
        }
        Ok(at)
    }

    fn at_least(&self, number: u64) -> Result<(), Stop> {
        match self.order.at_least {
            Some(least) if number < least => fails(
                VERIFY_SUPERSEDED,
                format!("it is promotion {number}, and --at-least asks for {least}"),
                "fetch the newest ledger",
            ),
            _ => Ok(()),
        }
    }

    fn waivers(&self, answer: &mut Verification, statement: &Statement) -> Result<(), Stop> {
        let today = TimeZone::UTC.to_datetime(self.now).date();
        let mut ended = Vec::new();
        let waivers = statement.own_list(&["waivers"]);
        for waiver in waivers {
            let rule = text(waiver, &["rule"]).unwrap_or("?");
            match text(waiver, &["expires"]).and_then(parse_date) {
                Some(expires) if today <= expires => {}
                Some(expires) => ended.push(format!("the waiver of `{rule}` ended on {expires}")),
                None => ended.push(format!("the waiver of `{rule}` has an end that can't be read")),
            }
        }
        if ended.is_empty() {
            held(
                answer,
                if waivers.is_empty() {
                    "none was needed".to_owned()
                } else {
                    format!("{} in force", waivers.len())
                },
            );
            return Ok(());
        }
        if self.order.waivers_warn {
            held(answer, ended.join("; "));
            answer.notes.extend(ended);
            return Ok(());
        }
        fails(VERIFY_WAIVER, ended.join("; "), "promote again without it, or accept that: --waivers warn")
    }
}

/// Minutes by which two clocks may differ.
const SKEW: i64 = 5;

fn keys(number: usize) -> String {
    if number == 1 { "1 key".into() } else { format!("{number} keys") }
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    let mut node = node;
    for key in path {
        node = node.get(key)?;
    }
    node.as_written()
}

/// 5: what was verified, and nothing else.
fn payload(candidate: &Candidate, envelope: Option<&Envelope>) -> Result<Statement, Stop> {
    let payload = match (envelope, &candidate.statement) {
        (Some(envelope), Some(statement)) if envelope.unverified() != statement.as_slice() => {
            let message = format!("`{}` is not what its envelope holds", candidate.label);
            return fails(
                VERIFY_STATEMENT,
                message,
                "it was changed after it was promoted: restore it from git",
            );
        }
        (Some(envelope), _) => envelope.unverified().to_vec(),
        (None, Some(statement)) => statement.clone(),
        (None, None) => return fails(VERIFY_MALFORMED, "there is neither a statement nor an envelope", ""),
    };
    match Statement::parse(&candidate.label, payload) {
        Ok(statement) => Ok(statement),
        Err(problem) => fails(VERIFY_MALFORMED, problem.to_string(), ""),
    }
}

/// Whether an entry says that it is for a file; not yet whether that is so.
fn is_for(entry: &Entry, sha256: &str) -> bool {
    let by_file = entry.statement().is_ok_and(|statement| statement.is_for(sha256));
    let by_envelope = || {
        let (label, bytes) = entry.envelope.as_ref()?;
        let envelope = Envelope::parse(label, bytes.clone()).ok()?;
        Statement::parse(label, envelope.unverified().to_vec()).ok()
    };
    by_file || by_envelope().is_some_and(|statement| statement.is_for(sha256))
}

fn types(envelope: Option<&Envelope>, statement: &Statement) -> Result<(), Stop> {
    if let Some(envelope) = envelope
        && envelope.payload_type != PAYLOAD_TYPE
    {
        return fails(
            VERIFY_TYPE,
            format!("what was signed is `{}`, and not `{PAYLOAD_TYPE}`", envelope.payload_type),
            "",
        );
    }
    for (key, wanted) in [("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)] {
        let found = statement.text(&[key]).unwrap_or("nothing");
        if found != wanted {
            return fails(VERIFY_TYPE, format!("its `{key}` is `{found}`, and not `{wanted}`"), "");
        }
    }
    Ok(())
}

/// 8: who says so may say so, with as many keys as are needed.
fn verifier(
    statement: &Statement,
    signers: &[&Trusted],
    trust: Option<&Trust>,
    stage: &str,
) -> Result<(), Stop> {
    let id = statement.predicate(&["verifier", "id"]).unwrap_or("nothing");
    let (may, needed) = match trust {
        Some(trust) => (signers.iter().filter(|signer| signer.verifier == id).count(), trust.needed(stage)),
        None => (usize::from(id == VERIFIER), 1),
    };
    if may >= needed {
        return Ok(());
    }
    fails(
        VERIFY_VERIFIER,
        format!("it is by the verifier `{id}`, for which the key that signed is not trusted"),
        "",
    )
}

fn found(statement: &Statement, line: &Line, candidate: &Candidate, signers: &[&Trusted]) -> Found {
    let own = |path: &[&str]| statement.own_text(path).unwrap_or_default().to_owned();
    let run = match statement.own_text(&["run", "runId"]) {
        Some(id) => format!("{id} ({})", own(&["run", "uri"])),
        None => own(&["run", "uri"]),
    };
    let policy = statement.predicate(&["policy", "uri"]).unwrap_or_default();
    Found {
        model: line.model.clone(),
        sequence: statement.sequence().unwrap_or_default(),
        source: candidate.label.clone(),
        at: statement.predicate(&["timeVerified"]).unwrap_or_default().to_owned(),
        action: own(&["action"]),
        run,
        policy: format!(
            "{policy} sha256:{}",
            statement.predicate(&["policy", "digest", "sha256"]).unwrap_or_default()
        ),
        signed_by: signers.iter().map(|signer| signer.key.fingerprint()).collect(),
    }
}

/// 13: it is the newest of its line, and every promotion names the one before it.
fn newest(ledger: &Ledger<'_>, line: &Line, candidate: &Candidate) -> Result<(), Stop> {
    let entries = ledger.entries(line)?;
    if let Some(broken) = broken_chain(&entries, line) {
        return fails(
            VERIFY_SUPERSEDED,
            broken,
            "restore the ledger from git; `gate audit` names all that is wrong",
        );
    }
    match entries.last() {
        Some(head) if Some(head.number) == candidate.number => Ok(()),
        Some(head) => {
            let message = format!(
                "promotion {} was superseded by promotion {}, which is for another file",
                candidate.number.unwrap_or_default(),
                head.number
            );
            fails(
                VERIFY_SUPERSEDED,
                message,
                "deploy what is promoted now, or roll back: gate rollback --stage STAGE",
            )
        }
        None => fails(VERIFY_SUPERSEDED, "the ledger has no promotion any more", ""),
    }
}

/// That an entry is signed by the keys that its stage needs, and that its statement is what they signed; nothing where
/// no key is trusted.
pub(super) fn signed(
    entry: &Entry,
    trust: Option<&Trust>,
    stage: &str,
    now: Timestamp,
) -> Result<(), Box<Problem>> {
    let order = VerifyOrder { stage: stage.to_owned(), ..VerifyOrder::default() };
    let verifying = Verifying { order: &order, folder: Path::new(""), now };
    let candidate = Candidate {
        line: Some(Line { model: String::new(), stage: stage.to_owned() }),
        number: Some(entry.number),
        label: entry.label.clone(),
        statement: Some(entry.bytes.clone()),
        envelope: entry.envelope.clone(),
    };
    let result = verifying.well_formed(&candidate).and_then(|envelope| {
        verifying.signatures(&candidate, envelope.as_ref(), trust)?;
        payload(&candidate, envelope.as_ref())
    });
    match result {
        Ok(_) => Ok(()),
        Err(Stop::Fails(Failure(problem))) => Err(problem),
        Err(Stop::Unclear(problems)) => Err(problems
            .into_iter()
            .next()
            .map_or_else(|| Problem::new(VERIFY_MALFORMED, "it can't be read").boxed(), Problem::boxed)),
    }
}

/// What is wrong with a chain, if anything is.
pub(super) fn broken_chain(entries: &[Entry], line: &Line) -> Option<String> {
    let mut before: Option<&Entry> = None;
    for (entry, number) in entries.iter().zip(1..) {
        if entry.number != number {
            return Some(format!("promotion {number} of {line} is missing"));
        }
        let statement = match entry.statement() {
            Ok(statement) => statement,
            Err(problem) => return Some(format!("promotion {number} of {line} can't be read: {problem}")),
        };
        if statement.sequence() != Some(number) || statement.predicate(&["resourceUri"]) != Some(&line.uri())
        {
            return Some(format!("`{}` says that it is another promotion", entry.label));
        }
        let expected = before.map(|before| (before.number, before.digest.as_str()));
        if statement.previous() != expected {
            return Some(match expected {
                Some((number, _)) => {
                    format!("promotion {number} of {line} was changed after the next one was made")
                }
                None => format!("the first promotion of {line} names one before it, which is not there"),
            });
        }
        before = Some(entry);
    }
    None
}
