//! Files in a ledger that belong to no promotion: left by a crash, added by someone, or left after a promotion was
//! removed.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Ledger, parse};
use super::{StageHistory, Statement};
use crate::atomic::NEIGHBOUR;
use crate::document::{Diagnostic, Node, sha256};
use crate::signing::BESIDE;
use crate::store::Selector;

/// Files that no promotion names, by their names in messages.
#[derive(Debug, Default)]
pub struct Strays {
    /// The files in a stage history's folder, even if the history has no promotion at all.
    pub of: BTreeMap<StageHistory, Vec<String>>,
    /// The files in a model's folder, or in a folder that is not a valid stage history.
    pub elsewhere: Vec<String>,
}

/// An envelope or a report without a statement: its promotion was aborted, lost a merge, or was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unowned {
    /// The number of that promotion.
    pub number: u64,
    /// The file's name in messages.
    pub label: String,
    /// It is an envelope, so someone signed it.
    pub is_envelope: bool,
}

impl Ledger<'_> {
    /// Every file that no promotion names. Files directly in the ledger's folder, such as a README, are ignored.
    pub fn strays(&self) -> Result<Strays, Box<Diagnostic>> {
        let mut strays = Strays::default();
        let mut named: BTreeMap<StageHistory, BTreeSet<String>> = BTreeMap::new();
        for line in self.lines()? {
            let files = self.named_files(&line)?;
            named.insert(line, files);
        }
        for file in self.store.select(&Selector::new(&format!("{}**", self.folder))?)? {
            let below = file.path.strip_prefix(&self.folder).unwrap_or(&file.path);
            let mut parts = below.splitn(3, '/');
            let (Some(model), Some(stage)) = (parts.next(), parts.next()) else { continue };
            let Some((line, name)) =
                parts.next().and_then(|name| Some((StageHistory::of_folder(model, stage)?, name)))
            else {
                strays.elsewhere.push(self.label(&file.path));
                continue;
            };
            // Another promotion may be writing it right now.
            let unfinished = name.rsplit('/').next().is_some_and(|name| name.starts_with(NEIGHBOUR));
            if !unfinished && named.get(&line).is_none_or(|files| !files.contains(name)) {
                strays.of.entry(line).or_default().push(self.label(&file.path));
            }
        }
        Ok(strays)
    }

    /// The envelopes and reports without a statement in a stage history, ordered by number.
    pub fn unowned(&self, line: &StageHistory) -> Result<Vec<Unowned>, Box<Diagnostic>> {
        let owned = self.named_files(line)?;
        let folder = format!("{}{}/", self.folder, line.folder());
        let mut unowned = Vec::new();
        for file in self.store.select(&Selector::new(&format!("{folder}**"))?)? {
            let name = file.path.strip_prefix(&folder).unwrap_or(&file.path);
            if owned.contains(name) {
                continue;
            }
            let envelope = parse(name).and_then(|(number, start)| start.is_some().then_some(number));
            let report = name.strip_prefix("reports/").and_then(|name| name.split_once('-')?.0.parse().ok());
            let Some(number) = envelope.or(report) else { continue };
            unowned.push(Unowned { number, label: self.label(&file.path), is_envelope: envelope.is_some() });
        }
        unowned.sort_by_key(|one| one.number);
        Ok(unowned)
    }

    /// The files of a stage history's promotions, relative to its folder.
    fn named_files(&self, line: &StageHistory) -> Result<BTreeSet<String>, Box<Diagnostic>> {
        let names = self.names_of(line)?;
        let mut files = BTreeSet::new();
        for entry in self.entries(line)? {
            files.insert(format!("{}.json", super::read::number_name(entry.number)));
            if let Some(Ok(statement)) = Some(Statement::parse(&entry.label, entry.bytes.clone())) {
                for field in ["record", "report"] {
                    let uri = statement.own_text(&[field, "uri"]).unwrap_or_default();
                    files.extend([uri.to_owned(), format!("{uri}{BESIDE}")]);
                }
                let policies = statement.own_list(&["policyFiles"]).iter();
                let lists = statement.own_list(&["artifacts"]).iter().filter_map(|one| one.get("files"));
                let uris =
                    policies.chain(lists).filter_map(|file| file.get("uri").and_then(Node::as_written));
                files.extend(uris.map(str::to_owned));
            }
            let digest = sha256(&entry.bytes);
            let of_entry = |name: &str| {
                parse(name).is_some_and(|(number, start)| {
                    number == entry.number && start.is_some_and(|start| digest.starts_with(start))
                })
            };
            let envelopes = names
                .envelopes
                .iter()
                .filter_map(|(_, _, file)| file.path.rsplit('/').next().map(str::to_owned));
            files.extend(envelopes.filter(|name| of_entry(name)));
        }
        Ok(files)
    }
}
