//! `gate retire`: takes a model out of service at a stage, as an entry with a reason.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::facts::requested_by;
use super::foundation::Signer;
use super::rollback::{line, whole_chain};
use super::statement::{Previous, pretty, previous, written};
use super::trust::{TrustOrder, TrustedKeys};
use super::verify::{Look, decided_by};
use super::writing::{Files, shown, write};
use super::{NO_NUMBER, NO_TARGET, OVERTAKEN, UNTRUSTED, VERIFY_SUPERSEDED};
use crate::check::open_ledger;
use crate::document::{Diagnostic, sha256};
use crate::keys::signing_keys;
use crate::ledger::{Appended, EXTENSION, Entry};
use crate::verdict::{Promoted, PromotionOutcome as Outcome};

/// What to take out of service.
#[derive(Debug, Clone, Default)]
pub struct Retire {
    /// The stage.
    pub stage: String,
    /// The model, if the stage has several.
    pub model: Option<String>,
    /// Why.
    pub reason: String,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// Files of keys that sign the entry.
    pub keys: Vec<PathBuf>,
    /// The keys that must have signed the newest entry; by default the keys of this one.
    pub trust: TrustOrder,
    /// Build on a newest entry that no trusted key signed.
    pub accept_untrusted: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// Takes a model out of service: nothing verifies for the stage until something is promoted to it again.
pub fn retire(order: &Retire, folder: &Path) -> Outcome {
    match run(order, folder) {
        Ok(promoted) => Outcome {
            report: None,
            promoted: Some(promoted),
            refused: Vec::new(),
            troubles: Vec::new(),
            notes: vec!["nothing verifies for this stage until a model is promoted to it again".to_owned()],
        },
        Err(problems) => Outcome::refused_or_undecided(&problems, &[NO_TARGET, VERIFY_SUPERSEDED, UNTRUSTED]),
    }
}

fn run(order: &Retire, folder: &Path) -> Result<Promoted, Vec<Diagnostic>> {
    let keys = signing_keys(&order.keys, folder)?;
    let trust = TrustedKeys::of_signer(&order.trust, &keys, folder)?;
    let signer = Signer {
        keys: &keys,
        trust: trust.as_ref(),
        accept_untrusted: order.accept_untrusted,
        dry_run: order.dry_run,
    };
    let (workspace, policy) = open_ledger(order.ledger.as_deref(), folder)?;
    let ledger = workspace.ledger(policy.as_ref())?;
    if let Some(trust) = &trust {
        trust.knows_its_stages(policy.as_ref(), Some(&ledger), Some(&order.stage))?;
    }
    let line = line(&order.stage, order.model.as_deref(), &ledger)?;
    let entries = whole_chain(&ledger, &line)?;
    let now = Timestamp::now();
    let look = Look { line: &line, trust: trust.as_ref(), now };
    let weakened = signer.may_build_on(look, &entries)?;
    let Some(newest) = entries.last() else {
        return Err(vec![Diagnostic::new(NO_TARGET, format!("nothing is promoted as {line}"))]);
    };
    let statement = newest.statement()?;
    if statement.retires() {
        let message = format!("{line} was already taken out of service by entry {}", newest.number);
        return Err(vec![Diagnostic::new(NO_TARGET, message)]);
    }
    let id = signer.identity(&ledger)?;
    signer.will_verify(&line.stage, &id, now)?;
    let Some(number) = newest.number.checked_add(1) else {
        return Err(vec![Diagnostic::new(NO_NUMBER, "the ledger has no number left")]);
    };
    let text = retired(order, newest, number, now, &id, &weakened)?;
    let mut promoted = Promoted {
        action: "retire",
        model: line.model.clone(),
        stage: line.stage.clone(),
        sequence: number,
        statement: None,
        digest: sha256(text.as_bytes()),
        result: "FAILED".to_owned(),
        subjects: statement
            .subjects()
            .iter()
            .map(|subject| (subject.name.to_owned(), subject.sha256.unwrap_or_default().to_owned()))
            .collect(),
        policy: format!("sha256:{}", decided_by(&statement)),
        signed_by: keys.iter().map(|key| key.public().fingerprint()).collect(),
        weakened,
        predicate: String::new(),
    };
    if order.dry_run {
        return Ok(promoted);
    }
    let file = |field: &str| {
        let uri = statement.own_text(&[field, "uri"]).unwrap_or_default().to_owned();
        let digest = statement.own_text(&[field, "digest", "sha256"]).unwrap_or_default();
        let bytes = ledger.by_digest(&line, &uri, digest)?;
        Ok::<_, Vec<Diagnostic>>((uri, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let (record, report) = (file("record")?, file("report")?);
    let files = Files {
        record: (&record.0, &record.1),
        signature: None,
        report: (&report.0, &report.1),
        named: &[],
        id: &id,
    };
    let root = workspace.ledger_folder(policy.as_ref());
    match write(&root, &line, number, &text, &files, &keys)? {
        Appended::Written(path) => {
            promoted.statement = Some(shown(&path, folder));
            Ok(promoted)
        }
        Appended::Taken => {
            let message =
                format!("another promotion of {line} happened in the meantime, so nothing was retired");
            let help = format!("look at what is promoted now: gate explain stage:{}", order.stage);
            Err(vec![Diagnostic::new(OVERTAKEN, message).help(help)])
        }
    }
}

/// The newest statement, changed so that no program takes it for a promotion that passed.
fn retired(
    order: &Retire,
    newest: &Entry,
    number: u64,
    now: Timestamp,
    id: &str,
    weakened: &[Json],
) -> Result<String, Box<Diagnostic>> {
    let mut statement: Json = serde_json::from_slice(&newest.bytes).map_err(|error| {
        Diagnostic::new(crate::ledger::UNREADABLE, format!("`{}` can't be read: {error}", newest.label))
            .boxed()
    })?;
    let predicate = &mut statement["predicate"];
    predicate["timeVerified"] = json!(written(now));
    predicate["verifier"]["version"] = json!({ "gate": env!("CARGO_PKG_VERSION") });
    predicate["verificationResult"] = json!("FAILED");
    predicate["verifiedLevels"] = json!([]);
    let own = &mut predicate[EXTENSION];
    if let Some(own) = own.as_object_mut() {
        for key in ["outcomes", "waivers", "expires", "target", "judged", "baseline", "mlflow"] {
            own.remove(key);
        }
    }
    own["action"] = json!("retire");
    own["verdict"] = json!("retired");
    own["reason"] = json!(order.reason);
    own["ledger"] = json!(id);
    own["sequence"] = json!(number);
    own["previous"] = previous(Some(&Previous { number: newest.number, digest: newest.digest.clone() }));
    own["weakened"] = json!(weakened);
    own["requestedBy"] = requested_by();
    Ok(pretty(&statement))
}
