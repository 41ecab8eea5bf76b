//! From a judged run to a statement, and into the ledger.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::alias;
use super::attempt::{Attempt, asked};
use super::facts::Model;
use super::places::{Committed, below};
use super::statement::{Saying, pretty, weakened, written};
use super::{NO_NUMBER, TOO_LARGE};
use crate::document::{Diagnostic, Node, NotFinite, Value, sha256, to_text};
use crate::ledger::{
    Appended, Draft, PASSED, PAYLOAD_TYPE, StageHistory, append, content_name, numbered_name,
};
use crate::policy::Policy;
use crate::run::{FieldMap, Origin, Run};
use crate::signing::{Envelope, PrivateKey};
use crate::source;
use crate::tracker::mlflow::Registered;
use crate::verdict::{Promoted, PromotionOutcome as Outcome, Report};

/// Bytes of a statement.
const LARGEST: usize = 4 << 20;

/// What is to be written.
pub(super) struct Writing<'w> {
    pub(super) attempt: &'w Attempt<'w>,
    pub(super) line: &'w StageHistory,
    pub(super) run: &'w Run,
    pub(super) models: &'w [Model],
}

impl Writing<'_> {
    /// Whether it is decided: `false` where another promotion was faster.
    pub(super) fn write(
        &self,
        outcome: &mut Outcome,
        more: Vec<Json>,
        overridden: Option<&str>,
    ) -> Result<bool, Box<Diagnostic>> {
        let Attempt { order, folder, judged, at, .. } = self.attempt;
        let (Some(report), Some(policy)) = (&mut outcome.report, &judged.policy) else {
            return Ok(true);
        };
        let previous =
            self.attempt.before.iter().find(|head| head.line == *self.line).map(|head| &head.entry);
        let Some(number) = previous.map_or(0, |previous| previous.number).checked_add(1) else {
            return Err(Diagnostic::new(NO_NUMBER, "the ledger has no number left").boxed());
        };
        if self.was_overtaken(report) {
            return Ok(false);
        }
        // Ties the report to this promotion: no other has the same.
        report.notes.push(format!("judged for promotion {number} of {}", self.line));
        let mut weaker = asked(order, overridden);
        weaker.extend(weakened(report));
        weaker.extend(more);
        // Looked up before anything is written, and set behind the commit point.
        let registered = order.mlflow_alias.as_ref().map(|_| Registered::of(self.run)).transpose()?;
        let alias = registered.as_ref().zip(order.mlflow_alias.as_deref());
        let workspace = self.attempt.workspace();
        let committed = Committed::new(workspace.git().ok());
        let (policy_uri, uncommitted) = self.policy(&committed, report, policy);
        weaker.extend(uncommitted.into_iter().map(|path| {
            let says = format!("`{path}` is not what the commit that is checked out has");
            json!({ "what": "policy", "says": says })
        }));
        let kept = kept(self.run);
        if self.run.signature.is_some() && !kept.signed {
            let says = "the signature of the record is not kept: it is of another text than the ledger's";
            weaker.push(json!({ "what": "signature", "says": says }));
        }
        let record_name = content_name("records", kept.record.as_bytes());
        let report_text = pretty(&serde_json::to_value(&*report).unwrap_or_default());
        let report_name = numbered_name("reports", number, report_text.as_bytes());
        let run_path = below(&folder.join(self.run.label()), &judged.root);
        let run_uri = run_path
            .and_then(|path| committed.uri(&path, &self.run.document.text))
            .unwrap_or_else(|| self.run.document.label());
        // A predicate alone is kept by others, without the files of a ledger.
        let in_ledger = !order.predicate_only;
        let saying = Saying {
            line: self.line,
            number,
            previous,
            heads: &self.attempt.before,
            at: *at,
            expires: order.expires,
            models: self.models,
            run: self.run,
            run_uri,
            policy,
            policy_uri,
            report,
            record: in_ledger.then(|| (&*record_name, sha256(kept.record.as_bytes()))),
            report_file: in_ledger.then(|| (&*report_name, sha256(report_text.as_bytes()))),
            weakened: weaker.clone(),
            overridden,
            mlflow: alias.map(|(registered, alias)| {
                json!({ "server": registered.server(), "model": registered.name, "version": registered.number.to_string(), "alias": alias })
            }),
        };
        let statement = saying.statement();
        too_large(&statement)?;
        let mut promoted = Promoted {
            action: "promote",
            model: self.line.model.clone(),
            stage: self.line.stage.clone(),
            sequence: number,
            statement: None,
            digest: sha256(statement.as_bytes()),
            result: if overridden.is_some() { "FAILED".into() } else { PASSED.to_owned() },
            subjects: self.models.iter().map(|(name, model)| (name.clone(), model.sha256.clone())).collect(),
            policy: saying.decided_by(),
            signed_by: self.attempt.keys.iter().map(|key| key.public().fingerprint()).collect(),
            weakened: weaker,
            predicate: pretty(&saying.predicate()),
        };
        if let Some(expires) = order.expires {
            outcome.notes.push(format!("it ends at {}", written(expires)));
        }
        if order.dry_run || order.predicate_only {
            outcome.promoted = Some(promoted);
            return Ok(true);
        }
        let root = workspace.ledger_folder(Some(policy));
        let signature = self.run.signature.as_deref().filter(|_| kept.signed);
        let files =
            Files { record: (&record_name, &kept.record), signature, report: (&report_name, &report_text) };
        match write(&root, self.line, number, &statement, &files, self.attempt.keys)? {
            Appended::Taken => Ok(false),
            Appended::Written(path) => {
                promoted.statement = Some(shown(&path, folder));
                outcome.promoted = Some(promoted);
                if let Some((registered, alias)) = alias {
                    alias::follow(registered, alias, outcome);
                }
                Ok(true)
            }
        }
    }

    /// Whether what it was compared with is no longer what stood there before it was judged.
    fn was_overtaken(&self, report: &Report) -> bool {
        let baselines = report.candidates.iter().flat_map(|candidate| &candidate.baselines);
        baselines
            .filter_map(|baseline| Some((baseline.reference.strip_prefix("stage:")?, baseline.run.as_ref()?)))
            .any(|(stage, run)| {
                let model = run.model.as_deref().unwrap_or(&self.line.model);
                let head = self
                    .attempt
                    .before
                    .iter()
                    .find(|head| head.line.stage == stage && head.line.model == model);
                let digest = run.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
                head.is_some_and(|head| head.record.as_deref() != digest)
            })
    }

    /// Where the policy is, by its commit if one has it; and which of its files no commit has as they were read.
    fn policy(&self, committed: &Committed<'_>, report: &Report, policy: &Policy) -> (String, Vec<String>) {
        let uri = |path: &str, digest: &str| -> Option<String> {
            let full = self.attempt.folder.join(path);
            let text = std::fs::read_to_string(&full).ok()?;
            // What was read is what is looked up, or it is not said to be committed.
            let same = digest == format!("sha256:{}", sha256(text.as_bytes()));
            let inside = below(&full, &self.attempt.judged.root).filter(|_| same)?;
            committed.uri(&inside, &text)
        };
        let mut uncommitted = Vec::new();
        let mut named = String::new();
        if let Some(policy) = &report.policy {
            named.clone_from(&policy.path);
            if !policy.path.starts_with("gate:") {
                match uri(&policy.path, &policy.digest) {
                    Some(uri) => named = uri,
                    None => uncommitted.push(policy.path.clone()),
                }
            }
        }
        for file in policy.packs.iter().chain(&policy.files).filter(|file| !file.name.starts_with("gate:")) {
            if uri(&file.name, &file.digest).is_none() {
                uncommitted.push(file.name.clone());
            }
        }
        (named, uncommitted)
    }
}

/// The text of the record that the ledger keeps.
struct Kept {
    record: String,
    /// The record's signature is of this very text.
    signed: bool,
}

/// The canonical form, unless another text is what was signed, and says the same.
fn kept(run: &Run) -> Kept {
    let canonical =
        |run: &Run| to_text(&Node::made(Value::Map(run.record().clone())), NotFinite::Token) + "\n";
    let record = canonical(run);
    if run.signature.is_none() || *run.document.text == *record {
        return Kept { signed: run.signature.is_some(), record };
    }
    let original = run.document.text.to_string();
    let again =
        source::read("record.json", original.clone().into_bytes(), &FieldMap::default(), &Origin::default());
    match again.as_slice() {
        [Ok(read)] if canonical(read) == record => Kept { record: original, signed: true },
        _ => Kept { record, signed: false },
    }
}

/// What a promotion names, beside the artifact.
pub(super) struct Files<'f> {
    pub(super) record: (&'f str, &'f str),
    pub(super) signature: Option<&'f [u8]>,
    pub(super) report: (&'f str, &'f str),
}

/// Signs a statement, and appends it.
pub(super) fn write(
    root: &Path,
    line: &StageHistory,
    number: u64,
    statement: &str,
    files: &Files<'_>,
    keys: &[PrivateKey],
) -> Result<Appended, Box<Diagnostic>> {
    let envelope =
        (!keys.is_empty()).then(|| Envelope::sign(PAYLOAD_TYPE, statement.as_bytes(), keys).to_json());
    append(
        root,
        &Draft {
            line,
            number,
            statement: statement.as_bytes(),
            envelope: envelope.as_deref(),
            record: (files.record.0, files.record.1.as_bytes()),
            signature: files.signature,
            report: (files.report.0, files.report.1.as_bytes()),
        },
    )
}

fn too_large(statement: &str) -> Result<(), Box<Diagnostic>> {
    if statement.len() <= LARGEST {
        return Ok(());
    }
    let message =
        format!("the statement would have {} bytes, and at most {LARGEST} are read", statement.len());
    Err(Diagnostic::new(TOO_LARGE, message).help("pack a folder of so many files into one").boxed())
}

/// A path as it is from where the command was started.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
