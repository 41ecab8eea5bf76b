//! Anyone can write a run record by hand. `signed` requires that training wrote it: a key that the policy lists must
//! have signed exactly these bytes, in an envelope beside the record.

use std::sync::Arc;

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Document, Node, Value};
use crate::rule::limit::NEVER_HOLDS;
use crate::rule::{Loading, RuleInput, RuleResult};
use crate::signing::{Envelope, KeyId, PublicKey, RECORD_TYPE};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    UNSIGNED = "signed/unsigned": "The record has no signature beside it.";
    MALFORMED = "signed/malformed": "The file beside the record is not a signature of a record.";
    CHANGED = "signed/changed": "The record was changed after it was signed.";
    OTHER_KEY = "signed/other-key": "The record is signed, but not by enough of the keys that the policy lists.";
    BAD_KEY = "policy/bad-key": "A key that `signed` names can't be used: it is not a public key, or it is listed twice.";
}

pub(super) const KIND: Kind =
    Kind { name: "signed", says: "a key of the policy signed the record", codes: CODES, load };

#[derive(Debug)]
struct Signed {
    keys: Vec<(String, PublicKey)>,
    at_least: usize,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let (list, at_least) = match &body.value {
        Value::Map(map) => {
            loading.reader.only(map, "`signed`", &["keys", "at_least"]);
            let list = loading.reader.required(map, "keys", "`signed`", body.span)?.clone();
            (list, map.get("at_least").cloned())
        }
        _ => (body.clone(), None),
    };
    let names: Vec<String> =
        loading.reader.texts(&list, "`signed`").into_iter().map(|(text, _)| text.to_owned()).collect();
    let mut keys: Vec<(String, PublicKey)> = Vec::new();
    for name in names {
        let document = loading.file(&list, &name)?;
        match PublicKey::from_pem(&document.text, &name) {
            Ok(key) => {
                // One key under two names would have to sign twice, but can sign only once.
                if let Some((other, _)) = keys.iter().find(|(_, known)| *known == key) {
                    let message = format!("`{other}` and `{name}` hold the same key");
                    loading.reader.problem(BAD_KEY, list.span, message, "named here").help =
                        Some("name each key once".into());
                    return None;
                }
                keys.push((name, key));
            }
            Err(problem) => {
                loading.reader.problem(BAD_KEY, list.span, problem.message, "named here").help = problem.help;
                return None;
            }
        }
    }
    let at_least = match at_least {
        None => 1,
        Some(node) => match node.as_written().and_then(|text| text.parse::<usize>().ok()) {
            Some(number) if (1..=keys.len()).contains(&number) => number,
            _ => {
                let message =
                    format!("`at_least` is a number from 1 to {}, the keys that there are", keys.len());
                loading.reader.problem(NEVER_HOLDS, node.span, message, "not such a number");
                return None;
            }
        },
    };
    (!keys.is_empty()).then(|| Box::new(Signed { keys, at_least }) as Box<dyn RuleCheck>)
}

impl RuleCheck for Signed {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let comparison = |outcome| {
            Comparison::exact("record", "signed", outcome).limit(format!(
                "{} of {}",
                self.at_least,
                self.keys.len()
            ))
        };
        match self.look(case) {
            Ok(by) => {
                judgement.compare(comparison(Outcome::Pass).candidate(by.join(", ")));
            }
            Err(raised) => judgement.fail(comparison(Outcome::Fail), *raised),
        }
        Ok(judgement)
    }

    fn reads_signatures(&self) -> bool {
        true
    }
}

impl Signed {
    /// The keys that signed the record.
    fn look(&self, case: &RuleInput<'_>) -> Result<Vec<&str>, Box<Finding>> {
        let run = case.candidate;
        // With seeds, each run has a record of its own.
        let own = [(Arc::clone(&run.document), run.signature.clone())];
        let records = if run.parts.is_empty() { &own[..] } else { &run.parts };
        let mut by = Vec::new();
        for (document, signature) in records {
            by = self.signers(document, signature.as_deref())?;
        }
        Ok(by)
    }

    /// The keys that signed one record.
    fn signers(&self, document: &Document, signature: Option<&[u8]>) -> Result<Vec<&str>, Box<Finding>> {
        let label = &document.name;
        let raised = |code, message: String, help: &str| Box::new(Finding::new(code, message).help(help));
        let Some(bytes) = signature else {
            let message = format!("`{label}` has no signature beside it");
            return Err(raised(
                UNSIGNED,
                message,
                "record with `gate record --sign`, which writes RECORD.json.dsse",
            ));
        };
        let name = format!("{label}.dsse");
        let envelope = match Envelope::parse(&name, bytes.to_vec()) {
            Ok(envelope) if envelope.payload_type == RECORD_TYPE => envelope,
            Ok(envelope) => {
                let message = format!("`{name}` signs `{}`, and not a run record", envelope.payload_type);
                return Err(raised(MALFORMED, message, "sign the record again: gate record --sign"));
            }
            Err(problem) => {
                return Err(raised(
                    MALFORMED,
                    problem.to_string(),
                    "sign the record again: gate record --sign",
                ));
            }
        };
        if envelope.unverified() != document.text.as_bytes() {
            let message = format!("`{label}` was changed after it was signed");
            return Err(raised(
                CHANGED,
                message,
                "restore it, or train again: a record is not edited by hand",
            ));
        }
        let keys: Vec<PublicKey> = self.keys.iter().map(|(_, key)| key.clone()).collect();
        let by: Vec<&str> = envelope
            .verify(&keys, KeyId::Hint)
            .by
            .into_iter()
            .map(|index| self.keys[index].0.as_str())
            .collect();
        if by.len() >= self.at_least {
            return Ok(by);
        }
        let names: Vec<&str> = self.keys.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!(
            "`{label}` is signed by {} of {}, and {} must have",
            if by.is_empty() { "none".to_owned() } else { by.join(", ") },
            names.join(", "),
            self.at_least
        );
        Err(raised(OTHER_KEY, message, "compare the fingerprints: gate key show FILE"))
    }
}
