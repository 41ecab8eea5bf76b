//! The checks themselves, each a function of what was read.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::trust::{Trusted, TrustedKeys};
use super::super::{
    VERIFY_FAILED, VERIFY_MALFORMED, VERIFY_POLICY, VERIFY_RESOURCE, VERIFY_STATEMENT, VERIFY_SUBJECT,
    VERIFY_SUPERSEDED, VERIFY_TIME, VERIFY_TYPE, VERIFY_UNSIGNED, VERIFY_VERIFIER, VERIFY_WAIVER,
};
use super::{Candidate, Stop, Verifying, fails, held, not_checked};
use crate::document::{Node, Value};
use crate::facts::Hashed;
use crate::ledger::{PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, StageHistory, Statement, VERIFIER, level};
use crate::run::{Moment, parse_date};
use crate::signing::{Envelope, KeyId, PublicKey};
use crate::verdict::Verification;

impl Verifying<'_> {
    pub(super) fn well_formed(candidate: &Candidate) -> Result<Option<Envelope>, Stop> {
        if let Some(statement) = &candidate.statement
            && let Err(problem) = Statement::parse(&candidate.label, statement.clone())
        {
            return fails(VERIFY_MALFORMED, problem.to_string(), problem.help.as_deref().unwrap_or_default());
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
        // In a ledger, gate wrote the envelope, so not a single byte may differ.
        if candidate.line.is_some() && envelope.to_json().as_bytes() != bytes.as_slice() {
            return fails(
                VERIFY_MALFORMED,
                format!("`{label}` is not an envelope as gate writes it"),
                "it was changed after it was promoted: restore it from git",
            );
        }
        Ok(Some(envelope))
    }

    /// Check 4: the trusted keys that signed it; empty if no key is trusted.
    pub(super) fn signatures<'t>(
        &self,
        candidate: &Candidate,
        envelope: Option<&Envelope>,
        trust: Option<&'t TrustedKeys>,
    ) -> Result<Vec<&'t Trusted>, Stop> {
        match (trust, envelope) {
            (None, _) => Ok(Vec::new()),
            (Some(_), None) => {
                let help = "promote with --key, or in CI with GATE_SIGNING_KEY";
                fails(VERIFY_UNSIGNED, format!("`{}` is not signed", candidate.label), help)
            }
            (Some(trust), Some(envelope)) => {
                // In a ledger, gate wrote the envelope, including its key ids.
                let said = if candidate.line.is_some() { KeyId::Name } else { KeyId::Hint };
                self.signers(trust, envelope, said)
            }
        }
    }

    fn signers<'t>(
        &self,
        trust: &'t TrustedKeys,
        envelope: &Envelope,
        said: KeyId,
    ) -> Result<Vec<&'t Trusted>, Stop> {
        let stage = &self.order.stage;
        let usable = trust.usable(stage, self.now);
        let public: Vec<PublicKey> = usable.iter().map(|trusted| trusted.key.clone()).collect();
        let verified = envelope.verify(&public, said);
        let signers: Vec<&Trusted> = verified.by.iter().map(|index| usable[*index]).collect();
        let needed = trust.needed(stage);
        if signers.len() >= needed {
            return Ok(signers);
        }
        let all: Vec<PublicKey> = trust.keys.iter().map(|trusted| trusted.key.clone()).collect();
        let why: Vec<String> = envelope
            .verify(&all, said)
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
                    format!("; it names as its signer {}", named.join(", "))
                };
                format!("no trusted key signed this promotion{named}")
            }
            (0, false) => why.join("; "),
            (number, _) => {
                format!("{number} of the trusted keys signed this promotion, but `{stage}` needs {needed}")
            }
        };
        fails(VERIFY_UNSIGNED, message, "compare the fingerprints: gate key show FILE")
    }

    pub(super) fn subject(statement: &Statement, hashed: &Hashed) -> Result<(), Stop> {
        let told = "the promotion is not for a file with this digest";
        if !statement.is_for(&hashed.sha256) {
            return fails(VERIFY_SUBJECT, told, "");
        }
        // A folder's digest is that of its list of files, but the list itself is not the model.
        let sort = statement
            .own_list(&["artifacts"])
            .iter()
            .find(|one| text(one, &["digest", "sha256"]) == Some(&hashed.sha256))
            .and_then(|one| text(one, &["kind"]));
        if sort != Some(hashed.sort()) {
            let message = format!("the promotion with this digest is not for a {}", hashed.sort());
            return fails(VERIFY_SUBJECT, message, "");
        }
        Ok(())
    }

    pub(super) fn resource(
        &self,
        candidate: &Candidate,
        statement: &Statement,
    ) -> Result<StageHistory, Stop> {
        let stage = &self.order.stage;
        let model = match (&candidate.line, &self.order.line) {
            (Some(line), _) => line.model.clone(),
            (None, Some(model)) => model.clone(),
            (None, None) => statement.own_text(&["model"]).unwrap_or_default().to_owned(),
        };
        let line = StageHistory::new(&model, stage)
            .or_else(|_| fails(VERIFY_RESOURCE, "the promotion does not name its model", ""))?;
        let uri = statement.predicate(&["resourceUri"]).unwrap_or_default();
        let own = (statement.own_text(&["model"]), statement.own_text(&["stage"]));
        if uri != line.uri() || own != (Some(line.model.as_str()), Some(stage.as_str())) {
            let message = format!("it is a promotion of `{uri}`, not of `{}`", line.uri());
            return fails(VERIFY_RESOURCE, message, "");
        }
        Ok(line)
    }

    pub(super) fn passed(&self, answer: &mut Verification, statement: &Statement) -> Result<(), Stop> {
        let wanted = level(&self.order.stage);
        if statement.passed() && statement.levels().contains(&wanted.as_str()) {
            held(answer, wanted);
            return Ok(());
        }
        if statement.retires() {
            let reason = statement.own_text(&["reason"]).unwrap_or("no reason");
            let message = format!("it was taken out of service: {reason}");
            return fails(VERIFY_FAILED, message, "deploy what is promoted, or promote it again");
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
            return fails(VERIFY_FAILED, message, "to deploy it anyway: --accept-overridden");
        }
        fails(
            VERIFY_FAILED,
            format!("the result is {result}, with the levels {}", statement.levels().join(", ")),
            "",
        )
    }

    pub(super) fn policy(
        &self,
        answer: &mut Verification,
        statement: &Statement,
        trust: Option<&TrustedKeys>,
    ) -> Result<(), Stop> {
        let digest = decided_by(statement);
        if digest.is_empty() {
            return fails(VERIFY_POLICY, "the promotion does not name the policy that decided", "");
        }
        // If the options and the trust file both list policies, the policy must be in both lists.
        let expected: Vec<&Vec<String>> = [Some(&self.order.policies), trust.map(|trust| &trust.policies)]
            .into_iter()
            .flatten()
            .filter(|list| !list.is_empty())
            .collect();
        if expected.is_empty() {
            not_checked(answer, "no --policy-digest, and no `policies` in --trust: any policy is accepted");
            return Ok(());
        }
        if !expected.iter().all(|list| list.iter().any(|expected| expected == digest)) {
            let message = format!("it was decided by the unexpected policy sha256:{digest}");
            return fails(
                VERIFY_POLICY,
                message,
                "a policy has a new digest after any change to it or to what it extends: add the digest to the expected ones",
            );
        }
        held(answer, format!("sha256:{digest}"));
        Ok(())
    }

    pub(super) fn time(&self, statement: &Statement) -> Result<Timestamp, Stop> {
        let parse = |text: &str| {
            Moment::parse(text).ok().filter(|moment| !moment.zone_assumed).map(|moment| moment.at)
        };
        let Some(at) = statement.predicate(&["timeVerified"]).and_then(parse) else {
            return fails(VERIFY_TIME, "the promotion has no time of the decision", "");
        };
        if at.duration_since(self.now) > SignedDuration::from_mins(SKEW) {
            return fails(
                VERIFY_TIME,
                format!("the promotion is dated in the future: {at}"),
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
                format!("the promotion is from {at}, which is older than --max-age allows"),
                "promote the model again",
            );
        }
        Ok(at)
    }

    pub(super) fn at_least(&self, number: u64) -> Result<(), Stop> {
        match self.order.at_least {
            Some(least) if number < least => fails(
                VERIFY_SUPERSEDED,
                format!("it is promotion {number}, but --at-least requires {least}"),
                "fetch the newest ledger",
            ),
            _ => Ok(()),
        }
    }

    pub(super) fn waivers(&self, answer: &mut Verification, statement: &Statement) -> Result<(), Stop> {
        let today = TimeZone::UTC.to_datetime(self.now).date();
        let mut ended = Vec::new();
        let waivers = match statement.own(&["waivers"]).map(|node| &node.value) {
            None => &[][..],
            Some(Value::List(waivers)) => waivers,
            Some(_) => return fails(VERIFY_WAIVER, "the waivers of the promotion can't be read", ""),
        };
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
        fails(VERIFY_WAIVER, ended.join("; "), "promote again without it, or accept it: --waivers warn")
    }
}

/// The digest of what decided: the policy file, or the policy with everything that it extends, if anything.
pub(in crate::promotion) fn decided_by(statement: &Statement) -> &str {
    let alone = statement.predicate(&["policy", "digest", "sha256"]);
    let whole = statement.own_text(&["effectivePolicy", "digest", "sha256"]);
    // If a list can't be read, use the digest of the whole.
    let extends = ["packs", "files"].iter().any(|list| {
        statement
            .own(&["effectivePolicy", list])
            .is_some_and(|list| list.as_list().is_none_or(|list| !list.is_empty()))
    });
    if extends { whole } else { alone }.unwrap_or_default()
}

/// How far clocks may differ, in minutes.
const SKEW: i64 = 5;

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    let mut node = node;
    for key in path {
        node = node.get(key)?;
    }
    node.as_written()
}

/// Check 5: only the bytes that were verified count.
pub(super) fn payload(candidate: &Candidate, envelope: Option<&Envelope>) -> Result<Statement, Stop> {
    let payload = match (envelope, &candidate.statement) {
        (Some(envelope), Some(statement)) if envelope.unverified() != statement.as_slice() => {
            let message = format!("`{}` differs from the content of its envelope", candidate.label);
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

pub(super) fn types(envelope: Option<&Envelope>, statement: &Statement) -> Result<(), Stop> {
    if let Some(envelope) = envelope
        && envelope.payload_type != PAYLOAD_TYPE
    {
        return fails(
            VERIFY_TYPE,
            format!("the signed content is `{}`, not `{PAYLOAD_TYPE}`", envelope.payload_type),
            "",
        );
    }
    for (key, wanted) in [("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)] {
        let found = statement.text(&[key]).unwrap_or("nothing");
        if found != wanted {
            return fails(VERIFY_TYPE, format!("its `{key}` is `{found}`, not `{wanted}`"), "");
        }
    }
    Ok(())
}

/// Check 8: the verifier is one that the keys are trusted for, and enough keys signed.
pub(super) fn verifier(
    statement: &Statement,
    signers: &[&Trusted],
    trust: Option<&TrustedKeys>,
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
        format!("it is from the verifier `{id}`, for which the signing key is not trusted"),
        "",
    )
}
