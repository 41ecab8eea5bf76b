//! One model at one stage: its chain, its files, its signers, and the current promotion.

use std::collections::BTreeMap;

use super::super::VERIFY_UNSIGNED;
use super::super::records::record;
use super::super::verify::{Look, broken_chain};
use super::today::{drifted, judged_today, today};
use super::weaker::{overrides, remarks, waivers};
use super::{
    AUDIT_ALIAS, AUDIT_CHAIN, AUDIT_EVIDENCE, AUDIT_EXPIRED, AUDIT_ROLLBACK, AUDIT_SIGNATURE, AUDIT_STALE,
    AUDIT_STRAY, AUDIT_UNOWNED, AUDIT_UNSOUND, Auditing, Findings, Read, counted,
};
use crate::document::{Diagnostic, Node};
use crate::ledger::{Entry, Unowned};
use crate::run::{Age, Run};
use crate::tracker::mlflow::{alias_now, store_name};
use crate::verdict::{AuditLine, Severity};

impl Auditing<'_> {
    pub(super) fn run(&self, strays: &[String]) -> Result<(AuditLine, Vec<Diagnostic>), Vec<Diagnostic>> {
        let entries = self.ledger.entries(self.line)?;
        let mut it = Findings::default();
        match broken_chain(&entries, self.line) {
            Some(broken) => it.error(AUDIT_CHAIN, broken),
            None => {
                it.holds.push(format!("the chain of {} is complete", counted(entries.len(), "promotion")));
            }
        }
        let unowned = self.unowned(&mut it)?;
        for stray in strays.iter().filter(|stray| !unowned.contains(*stray)) {
            let message = format!(
                "`{stray}` belongs to no promotion: it may be left from an interrupted promotion, or a promotion was removed"
            );
            it.warning(AUDIT_STRAY, message);
        }
        let read = self.read(&entries, &mut it);
        self.identity(&read, &mut it);
        self.sound(&entries, &mut it);
        overrides(&entries, &read, &mut it);
        remarks(&read, &mut it);
        let mut troubles = Vec::new();
        let current = match read.last() {
            Some(current) if current.statement.retires() => {
                it.holds.push(format!("it was taken out of service: {}", current.own(&["reason"])));
                format!("nothing: taken out of service by entry {}", current.entry.number)
            }
            Some(current) => {
                self.in_force(current, &mut it);
                if current.own(&["action"]) == "rollback" {
                    let (number, reason) = (current.entry.number, current.own(&["reason"]));
                    it.warning(AUDIT_ROLLBACK, format!("promotion {number} is a rollback: {reason}"));
                }
                let report = if self.in_policy { judged_today(self, &entries, &read, current) } else { None };
                waivers(&entries, &read, report.as_ref(), self.now, &mut it);
                if let Some(report) = &report {
                    troubles.extend(today(self, current, report, &mut it));
                    drifted(&read, current, report, &mut it);
                    self.stale(&read, current, &mut it);
                }
                if !self.in_policy {
                    let (model, stage) = (&self.line.model, &self.line.stage);
                    it.notes.push(format!(
                        "the policy no longer declares the stage `{stage}`, so the promotion to it was not \
                         judged; take it out of service with: gate retire --stage {stage} --model {model} --reason TEXT"
                    ));
                }
                self.aliases(&read, current, &mut it);
                let run =
                    current.statement.own_text(&["run", "runId"]).unwrap_or(current.own(&["run", "uri"]));
                let at = current.statement.predicate(&["timeVerified"]).unwrap_or_default();
                format!("promotion {} from {at}: run {run}", current.entry.number)
            }
            None => "nothing that could be read".into(),
        };
        Ok((it.line(self.line, entries.len(), current), troubles))
    }

    /// Reports signed promotions whose statement is missing: another promotion has their number, or they are
    /// newer than all others.
    fn unowned(&self, it: &mut Findings) -> Result<Vec<String>, Box<Diagnostic>> {
        let envelopes: Vec<Unowned> =
            self.ledger.unowned(self.line)?.into_iter().filter(|file| file.is_envelope).collect();
        let newest = self.ledger.head(self.line)?.map_or(0, |entry| entry.number);
        for Unowned { number, label, .. } in &envelopes {
            if *number > newest {
                let message = format!(
                    "`{label}` is the envelope of promotion {number}, whose statement is missing: it was \
                     removed, or that promotion was interrupted"
                );
                it.warning(AUDIT_UNOWNED, message);
            } else {
                let message = format!(
                    "two promotions with the number {number} were signed: `{label}` belongs to one whose \
                     statement is missing; after a merge, promote its run again if you still want it, and \
                     remove that file"
                );
                it.error(AUDIT_UNOWNED, message);
            }
        }
        Ok(envelopes.into_iter().map(|file| file.label).collect())
    }

    /// Reads every promotion and its record; reports what is missing or was changed.
    pub(super) fn read<'e>(&self, entries: &'e [Entry], it: &mut Findings) -> Vec<Read<'e>> {
        let mut read = Vec::new();
        let mut whole = true;
        for entry in entries {
            let statement = match entry.statement() {
                Ok(statement) => statement,
                Err(problem) => {
                    it.error(AUDIT_CHAIN, format!("`{}` can't be read: {problem}", entry.label));
                    continue;
                }
            };
            let uri = statement.own_text(&["report", "uri"]).unwrap_or_default();
            let digest = statement.own_text(&["report", "digest", "sha256"]).unwrap_or_default();
            if let Err(problem) = self.ledger.by_digest(self.line, uri, digest) {
                whole = false;
                it.error(AUDIT_EVIDENCE, format!("promotion {}: {}", entry.number, problem.message));
            }
            let run = match record(self.ledger, self.line, &statement) {
                Ok(run) => Some(run),
                Err(problem) => {
                    whole = false;
                    it.error(AUDIT_EVIDENCE, format!("promotion {}: {}", entry.number, problem.message));
                    None
                }
            };
            read.push(Read { entry, statement, run });
        }
        if whole {
            it.holds.push("every record and every report is unchanged".into());
        }
        read
    }

    fn look(&self) -> Look<'_> {
        Look { line: self.line, trust: self.trust, now: self.now }
    }

    /// Checks that `gate verify` would accept each promotion. The chain protects the bytes of earlier ones, so the key
    /// that signed them may have been removed since.
    fn sound(&self, entries: &[Entry], it: &mut Findings) {
        let mut all = true;
        for (index, entry) in entries.iter().enumerate() {
            let Err(problem) = self.look().sound(entry) else { continue };
            let unsigned = problem.code == VERIFY_UNSIGNED;
            // An unreadable statement was already reported with the chain.
            if entry.statement().is_err() {
                continue;
            }
            all = false;
            let superseded = index + 1 < entries.len();
            let severity = if unsigned && superseded { Severity::Warning } else { Severity::Error };
            let code = if unsigned { AUDIT_SIGNATURE } else { AUDIT_UNSOUND };
            it.add(severity, code, format!("promotion {}: {}", entry.number, problem.message));
        }
        if all && self.trust.is_some() {
            it.holds.push("every promotion is signed by trusted keys".into());
        }
    }

    /// Checks that the current promotion passed and has not ended.
    fn in_force(&self, current: &Read<'_>, it: &mut Findings) {
        let number = current.entry.number;
        if !current.overridden()
            && let Err(problem) = self.look().passed(&current.statement)
        {
            it.error(AUDIT_UNSOUND, format!("promotion {number}: {}", problem.message));
        }
        match self.look().in_time(&current.statement) {
            Err(problem) => it.error(AUDIT_EXPIRED, format!("promotion {number}: {}", problem.message)),
            Ok(()) => {
                it.holds
                    .extend(current.statement.own_text(&["expires"]).map(|end| format!("it ends at {end}")));
            }
        }
    }

    /// Checks that every alias that these promotions set points to the current promotion.
    fn aliases(&self, read: &[Read<'_>], current: &Read<'_>, it: &mut Findings) {
        let mut set: BTreeMap<[&str; 3], u64> = BTreeMap::new();
        for one in read {
            let alias = ["server", "model", "alias"].map(|key| one.own(&["mlflow", key]));
            if !alias[2].is_empty() {
                set.insert(alias, one.entry.number);
            }
        }
        for ([server, model, alias], by) in set {
            let name = format!("{model}@{alias}");
            match self.alias_now(server, model, alias) {
                Err(why) => {
                    it.warning(AUDIT_ALIAS, format!("it is not known where {name} points: {why}"));
                }
                Ok(now) => {
                    let wanted = version_of(current, model);
                    if wanted.is_some() && now == wanted {
                        it.holds.push(format!("{name} points to version {}", now.unwrap_or_default()));
                        continue;
                    }
                    let now = now.map_or_else(|| "nothing".to_owned(), |now| format!("version {now}"));
                    let number = current.entry.number;
                    let should = match wanted {
                        Some(version) => format!("promotion {number} is for version {version}"),
                        None => format!(
                            "promotion {number}, which is the current one, is for no version of it; promotion {by} set it"
                        ),
                    };
                    it.error(AUDIT_ALIAS, format!("{name} points to {now}, but {should}"));
                }
            }
        }
    }

    /// The version that an alias points to, if it was set in the store used here. An address from the ledger is never
    /// contacted: it would receive our credentials.
    fn alias_now(&self, server: &str, model: &str, alias: &str) -> Result<Option<u64>, String> {
        let store = store_name(self.folder, self.workspace).map_err(|problem| problem.message)?;
        if store != server {
            return Err(format!("it was set in {server}, but the store here is {store}"));
        }
        alias_now(self.folder, self.workspace, model, alias).map_err(|problem| problem.message)
    }

    /// Warns if the current promotion, the baseline of new models, is too old or was measured on another split.
    fn stale(&self, read: &[Read<'_>], current: &Read<'_>, it: &mut Findings) {
        let created = current.run.as_ref().and_then(Run::created_at);
        if let Some(created) = created {
            let age = self.now.duration_since(created.at);
            if age > self.order.stale {
                let message = format!("the baseline of new models is {}", Age(age));
                it.warning(AUDIT_STALE, message);
            }
        }
        let digest = |of: &Read<'_>| {
            let validation = of.run.as_ref()?.validation()?;
            validation.get("digest").and_then(Node::as_written).map(str::to_owned)
        };
        let before = read.iter().rev().find(|other| other.entry.number < current.entry.number);
        if let (Some(now), Some(then)) = (digest(current), before.and_then(digest))
            && now != then
        {
            let message = "it was measured on another split than the promotion before it, so neither shows what changed";
            it.warning(AUDIT_STALE, message);
        }
    }
}

/// The version of a registered model that a promotion is for.
fn version_of(current: &Read<'_>, model: &str) -> Option<u64> {
    if current.own(&["mlflow", "model"]) == model {
        return current.own(&["mlflow", "version"]).parse().ok();
    }
    let run = current.run.as_ref().filter(|run| run.model() == Some(model))?;
    run.text("model_version")?.parse().ok()
}
