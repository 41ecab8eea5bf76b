//! `gate rollback`: repeats an earlier promotion as a new entry.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::alias::by_hand;
use super::bring_back::bring_back;
use super::facts::requested_by;
use super::foundation::Signer;
use super::statement::{Previous, pretty, previous, written};
use super::trust::{TrustOrder, TrustedKeys};
use super::verify::{Look, broken_chain, decided_by};
use super::writing::{Files, shown, write};
use super::{
    ARTIFACT_DIFFERS, NO_NUMBER, NO_TARGET, OVERTAKEN, UNTRUSTED, VERIFY_SUPERSEDED, VERIFY_UNSIGNED,
};
use crate::check::{Workspace, open_ledger};
use crate::document::{Diagnostic, sha256};
use crate::facts::{UNREADABLE, hash_below, hash_named};
use crate::keys::signing_keys;
use crate::ledger::{Appended, EXTENSION, Entry, Ledger, PASSED, StageHistory, Statement};
use crate::verdict::{Promoted, PromotionOutcome as Outcome};

/// What to go back to.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// The stage.
    pub stage: String,
    /// The model, if the stage has several.
    pub model: Option<String>,
    /// The number of the promotion; `None` means the newest earlier one with other files.
    pub to: Option<u64>,
    /// Why.
    pub reason: String,
    /// The folder of the ledger.
    pub ledger: Option<PathBuf>,
    /// Where the files are, if not at their original paths.
    pub artifacts: Vec<PathBuf>,
    /// Files of keys that sign the new entry.
    pub keys: Vec<PathBuf>,
    /// The keys that must have signed the entries that it builds on; by default its own keys.
    pub trust: TrustOrder,
    /// Build on a newest entry that no trusted key signed.
    pub accept_untrusted: bool,
    /// Write nothing.
    pub dry_run: bool,
}

/// Repeats an earlier promotion.
pub fn rollback(order: &Back, folder: &Path) -> Outcome {
    match run(order, folder) {
        Ok((promoted, notes)) => Outcome {
            report: None,
            promoted: Some(promoted),
            refused: Vec::new(),
            troubles: Vec::new(),
            notes,
        },
        Err(problems) => Outcome::refused_or_undecided(&problems, &REFUSALS),
    }
}

/// Codes that mean there is nothing to go back to, as opposed to undecidable.
const REFUSALS: [crate::code::Code; 4] = [NO_TARGET, ARTIFACT_DIFFERS, VERIFY_SUPERSEDED, UNTRUSTED];

/// The new entry, and notes for the reader.
fn run(order: &Back, folder: &Path) -> Result<(Promoted, Vec<String>), Vec<Diagnostic>> {
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
    let target = target(order, look, &entries)?;
    let statement = target.statement()?;
    let subjects = files(order, &statement, folder, &workspace)?;
    let facts = |field: &str| {
        let uri = statement.own_text(&[field, "uri"]).unwrap_or_default().to_owned();
        let digest = statement.own_text(&[field, "digest", "sha256"]).unwrap_or_default();
        let bytes = ledger.by_digest(&line, &uri, digest)?;
        Ok::<_, Vec<Diagnostic>>((uri, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let (record, report) = (facts("record")?, facts("report")?);
    let Some(head) = entries.last() else {
        return Err(vec![no_target(&line, "the ledger has no promotion")]);
    };
    let before = Previous { number: head.number, digest: head.digest.clone() };
    let Some(number) = head.number.checked_add(1) else {
        return Err(vec![Diagnostic::new(NO_NUMBER, "the ledger has no number left")]);
    };
    let id = signer.identity(&ledger)?;
    signer.will_verify(&line.stage, &id, now)?;
    let text = again(order, target, &before, now, &id, &weakened)?;
    let mut promoted = Promoted {
        action: "rollback",
        model: line.model.clone(),
        stage: line.stage.clone(),
        sequence: number,
        statement: None,
        digest: sha256(text.as_bytes()),
        result: PASSED.to_owned(),
        subjects,
        policy: format!("sha256:{}", decided_by(&statement)),
        signed_by: keys.iter().map(|key| key.public().fingerprint()).collect(),
        weakened,
        predicate: String::new(),
    };
    let mut notes = vec!["the metrics were not judged again: they passed when it was promoted".to_owned()];
    notes.extend(alias(&head.statement()?, &statement));
    if order.dry_run {
        return Ok((promoted, notes));
    }
    let files = Files {
        record: (&record.0, &record.1),
        signature: None,
        report: (&report.0, &report.1),
        // They are in the stage history's folder, where the earlier promotion left them.
        named: &[],
        id: &id,
    };
    let ledger_root = workspace.ledger_folder(policy.as_ref());
    match write(&ledger_root, &line, number, &text, &files, &keys)? {
        Appended::Written(path) => {
            promoted.statement = Some(shown(&path, folder));
            Ok((promoted, notes))
        }
        // The current promotion has changed, so a person has to decide.
        Appended::Taken => {
            let message =
                format!("another promotion of {line} happened in the meantime, so nothing was rolled back");
            Err(vec![
                Diagnostic::new(OVERTAKEN, message)
                    .help(format!("look at what is promoted now: gate explain stage:{}", order.stage)),
            ])
        }
    }
}

/// Notes that an alias which followed the current promotion does not move back by itself.
fn alias(from: &Statement, to: &Statement) -> Option<String> {
    let part = |of: &Statement, key: &str| of.own_text(&["mlflow", key]).map(str::to_owned);
    let (name, alias) = (part(from, "model")?, part(from, "alias")?);
    Some(match part(to, "version") {
        Some(number) => format!("{name}@{alias} was not moved: {}", by_hand(&name, &alias, &number)),
        None => {
            format!(
                "{name}@{alias} was not moved, because this promotion names no version that it could point to"
            )
        }
    })
}

fn no_target(line: &StageHistory, why: &str) -> Diagnostic {
    Diagnostic::new(NO_TARGET, format!("there is nothing to roll {line} back to: {why}")).help(format!(
        "`gate explain stage:{}` lists what was promoted; `--to N` names one of them",
        line.stage
    ))
}

/// The entries of a stage history, if none is missing or changed.
pub(super) fn whole_chain(ledger: &Ledger<'_>, line: &StageHistory) -> Result<Vec<Entry>, Box<Diagnostic>> {
    let entries = ledger.entries(line)?;
    match broken_chain(&entries, line) {
        None => Ok(entries),
        Some(broken) => Err(Diagnostic::new(VERIFY_SUPERSEDED, broken)
            .help("restore the ledger from git; `gate audit` lists everything that is wrong")
            .boxed()),
    }
}

/// The stage history for a stage, and for a model if there are several.
pub(super) fn line(
    stage: &str,
    model: Option<&str>,
    ledger: &Ledger<'_>,
) -> Result<StageHistory, Box<Diagnostic>> {
    let lines = ledger.at_stage(stage)?;
    let mut meant: Vec<StageHistory> =
        lines.into_iter().filter(|line| model.is_none_or(|model| *model == line.model)).collect();
    match (meant.pop(), meant.len()) {
        (Some(line), 0) => Ok(line),
        (None, _) => {
            let message = format!("nothing is promoted to the stage `{stage}`");
            Err(Diagnostic::new(NO_TARGET, message).help("for a ledger elsewhere, use --ledger DIR").boxed())
        }
        (Some(last), _) => {
            let models: Vec<&str> = meant.iter().chain([&last]).map(|line| line.model.as_str()).collect();
            let message =
                format!("the stage `{stage}` has promotions of {}", crate::document::listed(&models));
            Err(Diagnostic::new(super::ONE_RUN, message).help("name one: --model NAME").boxed())
        }
    }
}

/// The promotion to go back to.
fn target<'e>(order: &Back, look: Look<'_>, entries: &'e [Entry]) -> Result<&'e Entry, Box<Diagnostic>> {
    let line = look.line;
    let Some((head, earlier)) = entries.split_last() else {
        return Err(no_target(line, "the ledger has no promotion").boxed());
    };
    let current = head.statement()?;
    if let Some(number) = order.to {
        let Some(entry) = earlier.iter().find(|entry| entry.number == number) else {
            let message = format!("there is no promotion {number} before the current one, {}", head.number);
            return Err(no_target(line, &message).boxed());
        };
        return match unfit(entry, look, &current) {
            Some(why) => Err(no_target(line, &format!("promotion {number}: {why}")).boxed()),
            None => Ok(entry),
        };
    }
    let left = left_behind(entries)?;
    let mut untrusted = Vec::new();
    for entry in earlier.iter().rev() {
        let statement = entry.statement()?;
        if left.contains(&statement.files()) || statement.retires() {
            continue;
        }
        match look.sound(entry) {
            Err(problem) if problem.code == VERIFY_UNSIGNED => {
                untrusted.push(format!("promotion {}: {}", entry.number, problem.message));
            }
            _ if unfit(entry, look, &current).is_none() => return Ok(entry),
            _ => {}
        }
    }
    let mut why =
        "there is no earlier promotion that verifies, is for another file, and was not rolled back itself"
            .to_owned();
    if !untrusted.is_empty() {
        why = format!("{why}; not trusted: {}", untrusted.join(", and "));
    }
    Err(no_target(line, &why).boxed())
}

/// The files that a rollback went back from and that were not promoted since: going back to them would undo it.
fn left_behind(entries: &[Entry]) -> Result<BTreeSet<BTreeSet<String>>, Box<Diagnostic>> {
    let mut left = BTreeSet::new();
    let mut before: Option<BTreeSet<String>> = None;
    for entry in entries {
        let statement = entry.statement()?;
        let files = statement.files();
        if statement.retires() {
            before = None;
            continue;
        }
        if statement.own_text(&["action"]) == Some("rollback") {
            left.extend(before);
        } else {
            left.remove(&files);
        }
        before = Some(files);
    }
    Ok(left)
}

/// Why a promotion can't be restored: `gate verify` would not accept it.
fn unfit(entry: &Entry, look: Look<'_>, current: &Statement) -> Option<String> {
    match look.in_force(entry) {
        Err(problem) => Some(problem.message),
        Ok(statement) => (!current.retires() && statement.files() == current.files())
            .then(|| "the file is the same as the one promoted now".into()),
    }
}

/// Checks that the files of the earlier promotion are unchanged; returns their names and digests.
fn files(
    order: &Back,
    statement: &Statement,
    folder: &Path,
    workspace: &Workspace,
) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
    let root = workspace.root();
    let mut given = Vec::new();
    for path in &order.artifacts {
        given.push((path.display().to_string(), hash_named(&folder.join(path), None)?.sha256));
    }
    let dir = Dir::open_ambient_dir(root, ambient_authority())
        .map_err(|error| Diagnostic::new(UNREADABLE, format!("{}: {error}", root.display())).boxed())?;
    let mut all = Vec::new();
    for subject in statement.subjects() {
        let wanted = subject.sha256.unwrap_or_default();
        let named = given.iter().any(|(_, digest)| digest == wanted);
        if !named {
            let help = bring_back(statement, subject.name, wanted, workspace);
            let there = hash_below(&dir, subject.name, None).map_err(|problem| {
                Diagnostic { code: ARTIFACT_DIFFERS.into(), ..*problem }.help(&*help).boxed()
            })?;
            if there.sha256 != wanted {
                let message = format!(
                    "`{}` is not the file that was promoted: it was sha256:{wanted}, but is sha256:{}",
                    subject.name, there.sha256
                );
                return Err(Diagnostic::new(ARTIFACT_DIFFERS, message).help(help).boxed());
            }
        }
        all.push((subject.name.to_owned(), wanted.to_owned()));
    }
    Ok(all)
}

/// The earlier statement, rewritten for the new entry.
fn again(
    order: &Back,
    target: &Entry,
    before: &Previous,
    now: Timestamp,
    id: &str,
    weakened: &[Json],
) -> Result<String, Box<Diagnostic>> {
    let mut statement: Json = serde_json::from_slice(&target.bytes).map_err(|error| {
        Diagnostic::new(crate::ledger::UNREADABLE, format!("`{}` can't be read: {error}", target.label))
            .boxed()
    })?;
    let predicate = &mut statement["predicate"];
    predicate["timeVerified"] = json!(written(now));
    predicate["verifier"]["version"] = json!({ "gate": env!("CARGO_PKG_VERSION") });
    let judged_at = predicate[EXTENSION]["judged"]["at"].as_str().map(str::to_owned);
    let own = &mut predicate[EXTENSION];
    let first = own["judged"]["sequence"].as_u64().unwrap_or(target.number);
    let at = judged_at.or_else(|| target.statement().ok()?.predicate(&["timeVerified"]).map(str::to_owned));
    own["action"] = json!("rollback");
    own["reason"] = json!(order.reason);
    own["ledger"] = json!(id);
    own["sequence"] = json!(before.number + 1);
    if let Some(list) = own["weakened"].as_array_mut() {
        list.extend(weakened.iter().cloned());
    } else if !weakened.is_empty() {
        own["weakened"] = json!(weakened);
    }
    own["previous"] = previous(Some(before));
    own["target"] = json!({ "sequence": target.number, "digest": { "sha256": target.digest } });
    own["judged"] = json!({
        "sequence": first,
        "at": at,
        "note": "the rules were not judged again: they passed then; the files and the end were checked now",
    });
    own["requestedBy"] = requested_by();
    Ok(pretty(&statement))
}
