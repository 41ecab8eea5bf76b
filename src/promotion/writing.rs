//! Turns a judged run into a statement, and writes it to the ledger.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::alias;
use super::attempt::{Attempt, asked};
use super::facts::{Model, manifests};
use super::places::{Committed, below};
use super::statement::{Head, PolicyFile, Saying, pretty, weakened, written};
use super::{NO_NUMBER, TOO_LARGE};
use crate::check::Workspace;
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

/// Maximum size in bytes of a statement.
const LARGEST: usize = 4 << 20;

/// A judged run that can be written to the ledger.
pub(super) struct Writing<'w> {
    pub(super) attempt: &'w Attempt<'w>,
    pub(super) line: &'w StageHistory,
    pub(super) run: &'w Run,
    pub(super) models: &'w [Model],
}

impl Writing<'_> {
    /// Returns `false` if another promotion was faster, so that the run must be judged again.
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
        let before = &self.attempt.before;
        let head = before.heads.iter().find(|head| head.line == *self.line);
        let previous = head.map(|head| &head.entry);
        let Some(number) = previous.map_or(0, |previous| previous.number).checked_add(1) else {
            return Err(Diagnostic::new(NO_NUMBER, "the ledger has no number left").boxed());
        };
        if self.was_overtaken(report) {
            return Ok(false);
        }
        self.attempt.signer.will_verify(&self.line.stage, &before.id, *at)?;
        let mut weaker = more;
        if let Some(head) = head {
            weaker.extend(self.after(head, &mut outcome.notes));
        }
        // Ties the report to this promotion: no other has the same note.
        report.notes.push(format!("judged for promotion {number} of {}", self.line));
        weaker.splice(0..0, asked(order, overridden).into_iter().chain(weakened(report)));
        // Look up the version before writing anything; set the alias after the commit point.
        let registered = order.mlflow_alias.as_ref().map(|_| Registered::of(self.run)).transpose()?;
        let alias = registered.as_ref().zip(order.mlflow_alias.as_deref());
        let workspace = self.attempt.workspace();
        let committed = Committed::new(workspace.git().ok());
        let PolicyFound { uri: policy_uri, files: policy_files, uncommitted } =
            self.policy(&committed, report, policy);
        weaker.extend(uncommitted.into_iter().map(|path| {
            let says = format!("`{path}` differs from the commit that is checked out");
            json!({ "what": "policy", "says": says })
        }));
        let kept = kept(self.run);
        if self.run.signature.is_some() && !kept.signed {
            let says = "the signature of the record is not kept, because it is for a different text than the one in the ledger";
            weaker.push(json!({ "what": "signature", "says": says }));
        }
        let record_name = content_name("records", kept.record.as_bytes());
        let report_text = pretty(&serde_json::to_value(&*report).unwrap_or_default());
        let report_name = numbered_name("reports", number, report_text.as_bytes());
        let run_path = below(&folder.join(self.run.label()), &judged.root);
        let run_uri = run_path
            .and_then(|path| committed.uri(&path, &self.run.document.text))
            .unwrap_or_else(|| self.run.document.label());
        // A predicate on its own is stored elsewhere, without the ledger's files.
        let in_ledger = !order.predicate_only;
        let saying = Saying {
            line: self.line,
            number,
            id: &before.id,
            previous,
            heads: &before.heads,
            at: *at,
            expires: order.expires,
            models: self.models,
            run: self.run,
            run_uri,
            policy,
            policy_uri,
            policy_files: if in_ledger { &policy_files } else { &[] },
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
        let promoted = Promoted {
            action: "promote",
            model: self.line.model.clone(),
            stage: self.line.stage.clone(),
            sequence: number,
            statement: None,
            digest: sha256(statement.as_bytes()),
            result: if overridden.is_some() { "FAILED".into() } else { PASSED.to_owned() },
            subjects: self.models.iter().map(|(name, model)| (name.clone(), model.sha256.clone())).collect(),
            policy: saying.decided_by(),
            signed_by: self.attempt.signer.keys.iter().map(|key| key.public().fingerprint()).collect(),
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
        let mut named: Vec<_> =
            policy_files.into_iter().map(|file| (file.uri, file.text.into_bytes())).collect();
        named.extend(manifests(self.models));
        let files = Files {
            record: (&record_name, &kept.record),
            signature: self.run.signature.as_deref().filter(|_| kept.signed),
            report: (&report_name, &report_text),
            named: &named,
            id: &before.id,
        };
        self.append(outcome, &files, promoted, &statement, policy, alias)
    }

    /// Adds the entry to the ledger; returns `false` if another promotion was faster.
    fn append(
        &self,
        outcome: &mut Outcome,
        files: &Files<'_>,
        mut promoted: Promoted,
        statement: &str,
        policy: &Policy,
        alias: Option<(&Registered, &str)>,
    ) -> Result<bool, Box<Diagnostic>> {
        let (folder, workspace) = (self.attempt.folder, self.attempt.workspace());
        let root = workspace.ledger_folder(Some(policy));
        match write(&root, self.line, promoted.sequence, statement, files, self.attempt.signer.keys)? {
            Appended::Taken => Ok(false),
            Appended::Written(path) => {
                promoted.statement = Some(shown(&path, folder));
                outcome.notes.extend(self.left_over(&workspace, policy));
                outcome.notes.extend(attributes(&workspace, &root));
                outcome.promoted = Some(promoted);
                if let Some((registered, alias)) = alias {
                    alias::follow(registered, alias, outcome);
                }
                Ok(true)
            }
        }
    }

    /// Whether a baseline differs from what was promoted before judging began.
    fn was_overtaken(&self, report: &Report) -> bool {
        let baselines = report.candidates.iter().flat_map(|candidate| &candidate.baselines);
        baselines
            .filter_map(|baseline| Some((baseline.reference.strip_prefix("stage:")?, baseline.run.as_ref()?)))
            .any(|(stage, run)| {
                let model = run.model.as_deref().unwrap_or(&self.line.model);
                let heads = &self.attempt.before.heads;
                let head = heads.iter().find(|head| head.line.stage == stage && head.line.model == model);
                let digest = run.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
                let before = head.and_then(|head| head.baseline.as_ref());
                head.is_some() && before.and_then(|(_, record)| record.as_deref()) != digest
            })
    }

    /// Notes about an entry that follows another, and what weakens it.
    fn after(&self, head: &Head, notes: &mut Vec<String>) -> Option<Json> {
        if let Some(before) = head.at.filter(|before| *before > self.attempt.at) {
            notes.push(format!(
                "the previous promotion, {}, is dated {before}, which is in the future: compare the clocks",
                head.entry.number
            ));
        }
        let files: BTreeSet<String> = self.models.iter().map(|(_, model)| model.sha256.clone()).collect();
        if head.files != files {
            return None;
        }
        let number = head.entry.number;
        notes.push(format!("these files are promoted there already, by promotion {number}"));
        let clean = head.baseline.as_ref().is_some_and(|(entry, _)| entry.number == number);
        let says = format!(
            "promotion {number} put these files there with an override or waiver, and promoting them again \
             does not change that: new models are compared with an earlier promotion"
        );
        (!clean).then(|| json!({ "what": "same-files", "says": says }))
    }

    /// Notes about envelopes without a statement, which a merge of two branches that both promoted leaves
    /// behind.
    fn left_over(&self, workspace: &Workspace, policy: &Policy) -> Vec<String> {
        let unowned = workspace.ledger(Some(policy)).and_then(|ledger| ledger.unowned(self.line));
        let envelopes = unowned.into_iter().flatten().filter(|file| file.is_envelope);
        envelopes
            .map(|file| {
                format!(
                    "`{}` belongs to another promotion {}, whose statement is missing: it lost a merge, or \
                     was interrupted; if you still want it, promote its run again, then remove that file",
                    file.label, file.number
                )
            })
            .collect()
    }

    /// The location of the policy, in a commit if one contains it; the text of its files; and the files that
    /// are not committed as they were read.
    fn policy(&self, committed: &Committed<'_>, report: &Report, policy: &Policy) -> PolicyFound {
        let mut files: Vec<PolicyFile> = Vec::new();
        let mut uri = |path: &str, digest: &str| -> Option<String> {
            let full = self.attempt.folder.join(path);
            let text = std::fs::read_to_string(&full).ok()?;
            // Keep and look up the text only if it is the text that was judged.
            let sha256 = sha256(text.as_bytes());
            let inside =
                below(&full, &self.attempt.judged.root).filter(|_| digest == format!("sha256:{sha256}"));
            let found = inside.and_then(|inside| committed.uri(&inside, &text));
            if digest == format!("sha256:{sha256}") && files.iter().all(|file| file.sha256 != sha256) {
                let end = full.extension().and_then(|end| end.to_str()).unwrap_or("txt");
                files.push(PolicyFile {
                    name: path.to_owned(),
                    uri: format!("policies/{sha256}.{end}"),
                    sha256,
                    text,
                });
            }
            found
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
        PolicyFound { uri: named, files, uncommitted }
    }
}

/// What is known about the policy's files.
struct PolicyFound {
    uri: String,
    files: Vec<PolicyFile>,
    uncommitted: Vec<String>,
}

/// What to add to `.gitattributes` for the ledger, if it is missing: git must neither merge two promotions nor change
/// the line endings of signed files.
fn attributes(workspace: &Workspace, ledger: &Path) -> Option<String> {
    let git = workspace.git().ok()?;
    let below = below(ledger, workspace.root())?;
    let path = format!("{}{below}", git.prefix());
    let top = workspace.root().ancestors().find(|above| above.join(".git").exists())?;
    let text = std::fs::read_to_string(top.join(".gitattributes")).unwrap_or_default();
    let line = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let about = words
            .first()
            .is_some_and(|pattern| *pattern == "*" || pattern.trim_start_matches('/').starts_with(&path));
        about && words.contains(&"-text")
    };
    text.lines().find(line).is_none().then(|| {
        format!("add `{path}/** -text -merge` to .gitattributes, so that git neither merges two promotions nor changes their line endings")
    })
}

/// The text of the record in the ledger.
struct Kept {
    record: String,
    /// The record's signature is for this exact text.
    signed: bool,
}

/// The canonical form; or the original text, if that was signed and means the same.
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

/// The files that a promotion names, apart from the artifact.
pub(super) struct Files<'f> {
    pub(super) record: (&'f str, &'f str),
    pub(super) signature: Option<&'f [u8]>,
    pub(super) report: (&'f str, &'f str),
    /// Files that the statement names by digest: policies, and lists of files.
    pub(super) named: &'f [(String, Vec<u8>)],
    pub(super) id: &'f str,
}

/// Signs a statement, and appends it to the ledger.
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
            named: files.named,
            id: files.id,
        },
    )
}

fn too_large(statement: &str) -> Result<(), Box<Diagnostic>> {
    if statement.len() <= LARGEST {
        return Ok(());
    }
    let message =
        format!("the statement would have {} bytes, and at most {LARGEST} are read", statement.len());
    Err(Diagnostic::new(TOO_LARGE, message).help("pack a folder with so many files into one file").boxed())
}

/// A path relative to where the command was started.
pub(super) fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}
