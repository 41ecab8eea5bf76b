//! Whom the verifying side trusts: keys that it names itself, never keys from the ledger being verified.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use jiff::Timestamp;

use super::BAD_TRUST;
use crate::document::{Diagnostic, Document, Format, Map, Node, Reader, did_you_mean, nearest};
use crate::keys::{public_key, read};
use crate::ledger::{Ledger, VERIFIER, is_id};
use crate::policy::Policy;
use crate::run::Moment;
use crate::signing::{PrivateKey, PublicKey};

/// The keys to trust, as requested.
#[derive(Debug, Clone, Default)]
pub struct TrustOrder {
    /// Files of public keys.
    pub keys: Vec<PathBuf>,
    /// A file of keys, with what each is trusted for.
    pub file: Option<PathBuf>,
}

/// The keys to trust, and the policies and ledger to accept.
#[derive(Debug, Default)]
pub(super) struct TrustedKeys {
    pub(super) keys: Vec<Trusted>,
    /// How many keys must have signed, by stage.
    pub(super) threshold: IndexMap<String, usize>,
    /// The policies that may have decided; empty means any.
    pub(super) policies: Vec<String>,
    /// The identity of the expected ledger; `None` means any.
    pub(super) ledger: Option<String>,
}

/// A key, and what it is trusted for.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) key: PublicKey,
    pub(super) label: String,
    pub(super) verifier: String,
    /// The stages; empty means all.
    pub(super) stages: Vec<String>,
    pub(super) not_after: Option<Timestamp>,
}

impl TrustedKeys {
    /// Reads the trusted keys; `None` if none was named, so that the ledger itself is trusted.
    pub(super) fn read(order: &TrustOrder, folder: &Path) -> Result<Option<Self>, Vec<Diagnostic>> {
        if order.keys.is_empty() && order.file.is_none() {
            return Ok(None);
        }
        let mut trust = match &order.file {
            Some(path) => file(path, folder)?,
            None => Self::default(),
        };
        for path in &order.keys {
            let label = path.display().to_string();
            let key = public_key(&folder.join(path), &label)?;
            trust.keys.push(Trusted::of(key, label));
        }
        Ok(Some(trust))
    }

    /// The trust of a signing command: the named keys, else the public halves of its signing keys.
    pub(super) fn of_signer(
        order: &TrustOrder,
        keys: &[PrivateKey],
        folder: &Path,
    ) -> Result<Option<Self>, Vec<Diagnostic>> {
        let named = Self::read(order, folder)?;
        if named.is_some() || keys.is_empty() {
            return Ok(named);
        }
        let own = |key: &PrivateKey| Trusted::of(key.public(), "the key that signs".to_owned());
        Ok(Some(Self { keys: keys.iter().map(own).collect(), ..Self::default() }))
    }

    /// Checks that each stage in `threshold` exists: in the policy, in the ledger, or as the requested one. A typo
    /// would let one signature pass where several are required.
    pub(super) fn knows_its_stages(
        &self,
        policy: Option<&Policy>,
        ledger: Option<&Ledger<'_>>,
        asked: Option<&str>,
    ) -> Result<(), Box<Diagnostic>> {
        let of_policy = policy.iter().flat_map(|policy| policy.stages.keys().cloned());
        let mut known: Vec<String> = of_policy.chain(asked.map(str::to_owned)).collect();
        if let Some(ledger) = ledger {
            known.extend(ledger.lines()?.into_iter().map(|line| line.stage));
        }
        known.sort();
        known.dedup();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        for stage in self.threshold.keys().filter(|stage| !known.contains(*stage)) {
            // Without a ledger and a policy, other stages are unknown, so only a typo of this one's name is detected.
            if ledger.is_none() && nearest(stage, names.iter().copied()).is_none() {
                continue;
            }
            let message =
                format!("the trust file has a threshold for the stage `{stage}`, but there is no such stage");
            return Err(Diagnostic::new(BAD_TRUST, message)
                .help(did_you_mean(stage, &names, "the stages are"))
                .boxed());
        }
        Ok(())
    }

    /// The keys that may sign for a stage now.
    pub(super) fn usable(&self, stage: &str, now: Timestamp) -> Vec<&Trusted> {
        self.keys.iter().filter(|key| key.unusable(stage, now).is_none()).collect()
    }

    /// How many keys must have signed.
    pub(super) fn needed(&self, stage: &str) -> usize {
        self.threshold.get(stage).copied().unwrap_or(1)
    }
}

impl Trusted {
    /// A key trusted for every stage, without an end date.
    pub(super) fn of(key: PublicKey, label: String) -> Self {
        Self { key, label, verifier: VERIFIER.to_owned(), stages: Vec::new(), not_after: None }
    }

    /// Why it may not sign for a stage now; `None` if it may.
    pub(super) fn unusable(&self, stage: &str, now: Timestamp) -> Option<String> {
        if !self.stages.is_empty() && !self.stages.iter().any(|known| known == stage) {
            return Some(format!("`{}` is not trusted for the stage `{stage}`", self.label));
        }
        let ended = self.not_after.filter(|end| now > *end)?;
        Some(format!("`{}` was trusted until {ended}", self.label))
    }
}

fn file(path: &Path, folder: &Path) -> Result<TrustedKeys, Vec<Diagnostic>> {
    let full = folder.join(path);
    let label = path.display().to_string();
    let text = read(&full)?;
    let document = Document::new(label, text.into_bytes(), Format::Yaml)?;
    let mut reader = Reader::default();
    let mut trust = TrustedKeys::default();
    match reader.documents.add(document) {
        Ok(root) => {
            if let Some(map) = reader.map(&root, "a trust file").cloned() {
                let beside = full.parent().unwrap_or(folder);
                fill(&mut trust, &mut reader, &map, &root, beside);
            }
        }
        Err(problem) => reader.push(*problem),
    }
    let (_, problems) = reader.finish();
    if problems.is_empty() { Ok(trust) } else { Err(problems) }
}

fn fill(trust: &mut TrustedKeys, reader: &mut Reader, map: &Map, root: &Node, beside: &Path) {
    reader.only(map, "a trust file", &["keys", "threshold", "policies", "ledger"]);
    if let Some(node) = reader.required(map, "keys", "a trust file", root.span) {
        for item in reader.list(node, "`keys`").unwrap_or_default() {
            trust.keys.extend(key(reader, item, beside));
        }
        if trust.keys.is_empty() && reader.problems().is_empty() {
            reader
                .problem(BAD_TRUST, node.span, "the trust file has no key, so it trusts nobody", "no key")
                .help = Some("write `keys: [{ file: release.key.pub }]`".into());
        }
    }
    if let Some(stages) = map.get("threshold").and_then(|node| reader.map(node, "`threshold`")).cloned() {
        for (stage, entry) in stages.entries() {
            let most = trust.keys.len();
            match entry.node.as_written().and_then(|text| text.parse::<usize>().ok()) {
                Some(number) if (1..=most).contains(&number) => {
                    trust.threshold.insert(stage.to_owned(), number);
                }
                _ => {
                    let message = format!(
                        "the threshold of `{stage}` must be a number from 1 to {most}, the number of keys"
                    );
                    reader.problem(BAD_TRUST, entry.node.span, message, "not such a number");
                }
            }
        }
    }
    if let Some(node) = map.get("ledger")
        && let Some(id) = reader.text(node, "`ledger`").map(str::to_owned)
    {
        if is_id(&id) {
            trust.ledger = Some(id);
        } else {
            let message = "`ledger` must be the identity of a ledger: the 32 digits in its file `id`";
            reader.problem(BAD_TRUST, node.span, message, "not such an identity");
        }
    }
    if let Some(node) = map.get("policies") {
        for (text, span) in reader
            .texts(node, "`policies`")
            .into_iter()
            .map(|(text, span)| (text.to_owned(), span))
            .collect::<Vec<_>>()
        {
            match policy_digest(&text) {
                Ok(digest) => trust.policies.push(digest),
                Err(message) => {
                    reader.problem(BAD_TRUST, span, message, "not a digest");
                }
            }
        }
    }
}

/// Parses the SHA-256 of a policy, `sha256:` with 64 digits; returns the digits.
pub fn policy_digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits.to_ascii_lowercase());
    }
    Err(format!("name a policy by its digest, `sha256:` and 64 digits, not by `{text}`"))
}

fn key(reader: &mut Reader, item: &Node, beside: &Path) -> Option<Trusted> {
    let map = reader.map(item, "a key")?.clone();
    reader.only(&map, "a key", &["file", "spki", "verifier", "stages", "not_after"]);
    let (key, label) = match (map.get("file"), map.get("spki")) {
        (Some(node), None) => {
            let name = reader.text(node, "`file`")?.to_owned();
            (public_key(&beside.join(&name), &name), name)
        }
        (None, Some(node)) => {
            let pem = reader.text(node, "`spki`")?.to_owned();
            let key = PublicKey::from_pem(&pem, "spki");
            let label = key.as_ref().map_or_else(|_| "spki".into(), PublicKey::fingerprint);
            (key, label)
        }
        _ => {
            reader
                .problem(BAD_TRUST, item.span, "a key has either `file` or `spki`", "not one of the two")
                .help =
                Some("write `{ file: release.key.pub }`, or the lines of that file after `spki: |`".into());
            return None;
        }
    };
    let key = match key {
        Ok(key) => key,
        Err(problem) => {
            reader.push(*problem);
            return None;
        }
    };
    let verifier = match map.get("verifier") {
        Some(node) => reader.text(node, "`verifier`")?.to_owned(),
        None => VERIFIER.to_owned(),
    };
    let stages = map
        .get("stages")
        .map(|node| reader.texts(node, "`stages`").into_iter().map(|(text, _)| text.to_owned()).collect())
        .unwrap_or_default();
    let not_after = match map.get("not_after") {
        None => None,
        Some(node) => {
            let text = reader.text(node, "`not_after`")?;
            match Moment::parse(text) {
                Ok(moment) if !moment.zone_assumed => Some(moment.at),
                _ => {
                    reader.problem(
                        BAD_TRUST,
                        node.span,
                        "`not_after` must be a time with a zone, such as 2027-01-01T00:00:00Z",
                        "not such a time",
                    );
                    return None;
                }
            }
        }
    };
    Some(Trusted { key, label, verifier, stages, not_after })
}
