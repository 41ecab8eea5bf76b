//! The files that run records name, so that a file in the change can be compared with all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::change::text;
use super::newest_record::newest;
use super::{ChangeInput, ChangeRecords, ChangedFile, FileChange, FileFault, Pattern, RuleResult};
use crate::code::codes;
use crate::document::Node;
use crate::run::{Digest, Run};
use crate::verdict::{Comparison, Finding, Outcome};

codes! {
    NO_RECORD = "linked/no-record": "A change adds an artifact that no run record names.";
    REPLACED = "linked/replaced": "An artifact is not the one that its run record names: it was replaced afterwards.";
    REMOVED = "linked/removed": "A change deletes the artifact of the newest run record of a model, and the record still names it.";
    NO_DIGEST = "linked/no-digest": "An artifact changed, and its record has no digest that could show which run made it.";
    UNREADABLE = "linked/unreadable": "A file of the change can't be read.";
}

/// How many records one message names.
const LISTED: usize = 3;

/// One mention of a file in a record.
struct Mention<'r> {
    run: &'r Run,
    digest: Option<Digest>,
    /// Whether the record is in the change.
    changed: bool,
}

/// Artifacts and predictions by their paths, with every record that names them.
pub(super) struct NamedFiles<'r> {
    /// Files that current records name.
    mentions: BTreeMap<String, Vec<Mention<'r>>>,
    /// Files that records of the base name, and perhaps no current record.
    before: BTreeMap<String, Vec<&'r Run>>,
    /// Files of the models that the rule is for.
    wanted: BTreeSet<String>,
}

/// What to do if no record has a digest of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undigested {
    /// A file that was replaced fails without a digest in a record.
    Fails,
    /// A record in the same change that names it is enough.
    IsNoted,
}

impl<'r> NamedFiles<'r> {
    /// The files that the records name. If `models` are given, only their files are looked for in the change.
    pub(super) fn of(records: &'r ChangeRecords, models: &[Pattern]) -> Self {
        let base_texts = records.base_texts();
        let mut mentions: BTreeMap<String, Vec<Mention<'r>>> = BTreeMap::new();
        for run in &records.head {
            let changed = records.whole && !base_texts.contains(&text(run));
            for (path, digest) in files(run) {
                mentions.entry(path).or_default().push(Mention { run, digest, changed });
            }
        }
        let mut before: BTreeMap<String, Vec<&'r Run>> = BTreeMap::new();
        for run in &records.base {
            for (path, _) in files(run) {
                before.entry(path).or_default().push(run);
            }
        }
        let is_for = |run: &Run| {
            models.is_empty()
                || run.model().is_some_and(|model| models.iter().any(|pattern| pattern.matches(model)))
        };
        let all = records.head.iter().chain(&records.base).filter(|run| is_for(run));
        let wanted = all.flat_map(files).map(|(path, _)| path).collect();
        Self { mentions, before, wanted }
    }

    /// The files and folders that are looked for in the change, in order.
    pub(super) fn paths(&self) -> Vec<&str> {
        self.wanted.iter().map(String::as_str).collect()
    }

    /// The named file or folder that a path is, or is in.
    pub(super) fn covering<'p>(&self, path: &'p str) -> Option<&'p str> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.map(|end| &path[..end]).find(|part| self.wanted.contains(*part))
    }

    /// Says whether a record accounts for a file of the change.
    pub(super) fn account(
        &self,
        judgement: &mut RuleResult,
        case: &ChangeInput<'_>,
        file: &ChangedFile,
        undigested: Undigested,
    ) {
        let (path, change) = (file.path.as_str(), file.change);
        if change == FileChange::Removed {
            return self.removed(judgement, case, path);
        }
        let subject = format!("artifact {path}");
        let mut digests = Digests { case, path, known: HashMap::new() };
        let shown = match digests.shown() {
            Ok(shown) => shown,
            Err(fault) => return unreadable(judgement, path, &fault),
        };
        let verb = change.verb();
        let comparison =
            |outcome| Comparison::exact(subject.as_str(), "linked", outcome).candidate(shown.as_str());
        let here = self.mentions.get(path).map_or(&[][..], Vec::as_slice);
        let fits =
            here.iter().find(|mention| mention.digest.as_ref().is_some_and(|digest| digests.fit(digest)));
        if let Some(mention) = fits {
            judgement.compare(comparison(Outcome::Pass).limit(mention.run.document.label()));
            return;
        }
        let otherwise: Vec<&Run> =
            here.iter().filter(|mention| mention.digest.is_some()).map(|mention| mention.run).collect();
        if !otherwise.is_empty() {
            let names = listed(&otherwise);
            let message = if otherwise.len() == 1 {
                format!("`{path}` is not the file that {names} recorded")
            } else {
                format!("`{path}` is none of the files that {names} recorded under this path")
            };
            let raised = Finding::new(REPLACED, message).help(
                "it was replaced after the run, or made by another run: add the record of the run that made it",
            );
            return judgement.fail(comparison(Outcome::Fail).limit(names), raised.subject(path));
        }
        if let Some(mention) = here.iter().max_by_key(|mention| mention.changed) {
            let label = mention.run.document.label();
            if change == FileChange::Added || mention.changed && undigested == Undigested::IsNoted {
                judgement.compare(comparison(Outcome::Pass).limit(label.clone()).note("without a digest"));
                judgement.notes.push(format!(
                    "{label} names `{path}` without a digest, so it can't be shown that the run made this file"
                ));
                return;
            }
            let message = format!("the change replaces `{path}`, but {label} has no digest of it");
            let raised = Finding::new(NO_DIGEST, message)
                .help("record its digest with the run that made it: `gate record` does");
            return judgement.fail(comparison(Outcome::Fail).limit(label), raised.subject(path));
        }
        // The same bytes under another path are accounted for.
        let elsewhere = self
            .mentions
            .values()
            .flatten()
            .find(|mention| mention.digest.as_ref().is_some_and(|digest| digests.fit(digest)));
        if let Some(mention) = elsewhere {
            judgement.compare(comparison(Outcome::Pass).limit(mention.run.document.label()));
            return;
        }
        let (limit, why) = match self.before.get(path) {
            Some(runs) => {
                let names = listed(runs);
                (names.clone(), format!("no run record names it any more; {names} did at the base"))
            }
            None => ("no record".to_owned(), "no run record names it".to_owned()),
        };
        let raised = Finding::new(NO_RECORD, format!("the change {verb} `{path}`, and {why}")).help(format!(
            "record the run that makes it: gate record --artifact {path} -- CMD…; if it is not a model, \
             exclude it with `artifacts:`"
        ));
        judgement.fail(comparison(Outcome::Fail).limit(limit), raised.subject(path));
    }

    /// A model can't be deployed without its file, so its removal is a finding; a file of records that newer
    /// ones replaced may be removed.
    fn removed(&self, judgement: &mut RuleResult, case: &ChangeInput<'_>, path: &str) {
        let here = self.mentions.get(path).map_or(&[][..], Vec::as_slice);
        // DVC keeps it from here on, or a later step makes it.
        let is_kept = case.records.dvc_outputs.iter().any(|kept| kept == path);
        if here.is_empty() || is_kept {
            return;
        }
        let names: Vec<&Run> = here.iter().map(|mention| mention.run).collect();
        let message = format!("the change deletes `{path}`, which {} names", listed(&names));
        let is_newest = |run: &Run| {
            let same_model: Vec<&Run> =
                case.records.head.iter().filter(|other| other.model() == run.model()).collect();
            newest(&same_model).iter().any(|newest| std::ptr::eq(*newest, run))
        };
        match names.iter().find(|run| is_newest(run)) {
            None => judgement.notes.push(message),
            Some(run) => {
                let raised = Finding::new(REMOVED, message).help(
                    "keep the file, or retire its record: add a newer record of this model, or delete the record too",
                );
                let label = run.document.label();
                judgement.fail(
                    Comparison::exact(format!("artifact {path}"), "linked", Outcome::Fail)
                        .candidate("deleted")
                        .limit(label),
                    raised.subject(path),
                );
            }
        }
    }
}

/// The digests of one file, each computed once and only where a record has one by that algorithm.
struct Digests<'c> {
    case: &'c ChangeInput<'c>,
    path: &'c str,
    known: HashMap<String, Option<Digest>>,
}

impl Digests<'_> {
    /// The file's digest in words.
    fn shown(&mut self) -> Result<String, FileFault> {
        let facts = self.case.facts.file(self.path, Some("sha256"));
        let digest = match facts {
            Ok(facts) => facts.digest,
            // A folder has no digest; it is enough that it can be read.
            Err(FileFault::NotAFile(_)) => self.case.facts.file(self.path, None)?.digest,
            Err(fault) => return Err(fault),
        };
        let shown = digest.as_ref().map_or_else(|| "a folder".to_owned(), ToString::to_string);
        self.known.insert("sha256".into(), digest);
        Ok(shown)
    }

    fn fit(&mut self, recorded: &Digest) -> bool {
        let algorithm = &*recorded.algorithm;
        if !self.known.contains_key(algorithm) {
            let facts = self.case.facts.file(self.path, Some(algorithm));
            self.known.insert(algorithm.to_owned(), facts.ok().and_then(|facts| facts.digest));
        }
        self.known.get(algorithm).and_then(Option::as_ref) == Some(recorded)
    }
}

/// The artifacts and the predictions, or their aggregates, that a record names by a path.
fn files(run: &Run) -> Vec<(String, Option<Digest>)> {
    let artifacts = run.artifacts();
    let mut files: Vec<(String, Option<Digest>)> = artifacts
        .into_iter()
        .filter_map(|artifact| Some((plain(artifact.path?)?, artifact.digest)))
        .collect();
    let text = |node: &Node, key: &str| Some(node.as_map()?.get(key)?.as_written()?.to_owned());
    if let Some(node) = run.record().get("predictions")
        && let Some(path) =
            text(node, "path").or_else(|| text(node, "aggregates")).and_then(|path| plain(&path))
    {
        files.push((path, text(node, "digest").map(|digest| Digest::parse(&digest))));
    }
    files
}

/// A path in its shortest form; `None` if it leads out of the workspace, or is the workspace itself.
pub(super) fn plain(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Lists the first few records by name, and counts the rest.
pub(super) fn listed(runs: &[&Run]) -> String {
    let mut labels: Vec<String> = runs.iter().map(|run| run.document.label()).collect();
    labels.sort_unstable();
    labels.dedup();
    let more = labels.len().saturating_sub(LISTED);
    labels.truncate(LISTED);
    let names = labels.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// Says that a file of the change can't be read.
pub(super) fn unreadable(judgement: &mut RuleResult, path: &str, fault: &FileFault) {
    let why = match fault {
        FileFault::Missing => "it does not exist",
        FileFault::Outside => "it is outside the workspace",
        FileFault::NotAFile(what) => what,
        FileFault::Algorithm(why) | FileFault::Unreadable(why) => why,
    };
    let raised = Finding::new(UNREADABLE, format!("`{path}` can't be read: {why}"))
        .help("commit the file itself, or fetch it: links out of the workspace are not followed, and a sparse checkout omits files");
    judgement.fail(Comparison::exact(path, "linked", Outcome::Fail), raised.subject(path));
}
