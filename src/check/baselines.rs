//! The runs that candidates are compared with, found in files, git, the ledger and trackers. A reference is
//! looked up once, when the first rule needs it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::Workspace;
use super::author::Authors;
use super::found::{Found, Item, ReferenceOrigin, read_all};
use super::lookup::look_up;
use super::previous::{Before, version_before};
use super::seeds::together;
use super::trust::below;
use crate::document::Diagnostic;
use crate::engine::{
    BaselineReference, BaselineSet, Baselines, Decision, NamedBy, PlannedRule, References, ResolvedBaseline,
    Task, not_found,
};
use crate::git::{Author, Commit};
use crate::policy::Policy;
use crate::rule::Baseline;
use crate::run::{Reference, Run};
use crate::source::BadRecord;

/// The baselines that were looked up so far.
pub(super) struct FoundBaselines<'w> {
    policy: &'w Policy,
    workspace: &'w Workspace,
    now: Timestamp,
    sets: Vec<FoundSet>,
    /// The set of each reference, or why it could not be found.
    by_reference: HashMap<BaselineReference, Result<usize, Box<Diagnostic>>>,
    /// For a candidate that is the only run of a set: its previous version.
    before: HashMap<(usize, String), Before>,
    /// Who made the baselines; `None` if the report does not say so, because there are many candidates.
    authors: Option<Authors>,
}

struct FoundSet {
    set: BaselineSet,
    /// The commit that a `git:` reference names.
    commit: Option<Commit>,
    /// The path of each file by its label, relative to the workspace's root.
    paths: HashMap<String, String>,
    /// What was found, so that two names of the same runs are one baseline.
    identity: Vec<String>,
    /// What to do if git ignores the records, so that no commit has them. Looked up for one candidate only.
    ignored: OnceLock<Option<String>>,
}

impl<'w> FoundBaselines<'w> {
    pub(super) fn new(policy: &'w Policy, workspace: &'w Workspace, now: Timestamp) -> Self {
        Self {
            policy,
            workspace,
            now,
            sets: Vec::new(),
            by_reference: HashMap::new(),
            before: HashMap::new(),
            authors: None,
        }
    }

    /// Also says who made the baselines of the next candidates.
    pub(super) fn name_authors(&mut self) {
        self.authors.get_or_insert_default();
    }

    /// Looks up the baselines that a candidate's plan needs. Returns notes for the reader.
    pub(super) fn need(
        &mut self,
        plan: &[PlannedRule<'_>],
        references: &References,
        candidate: &Run,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        for index in asked(plan) {
            let Some(reference) = references.list().get(index) else { continue };
            if !self.by_reference.contains_key(reference) {
                let found = self.look_up(reference, &mut notes);
                self.by_reference.insert(reference.clone(), found);
            }
            let Some(Ok(set)) = self.by_reference.get(reference) else { continue };
            self.need_version_before(*set, candidate);
        }
        notes
    }

    /// Whether all baselines of the plan were looked up.
    pub(super) fn has(&self, plan: &[PlannedRule<'_>], references: &References, candidate: &Run) -> bool {
        asked(plan).into_iter().filter_map(|index| references.list().get(index)).all(|reference| {
            match self.by_reference.get(reference) {
                Some(Ok(set)) => !self.wants_version_before(*set, candidate),
                Some(Err(_)) => true,
                None => false,
            }
        })
    }

    fn look_up(
        &mut self,
        reference: &BaselineReference,
        notes: &mut Vec<String>,
    ) -> Result<usize, Box<Diagnostic>> {
        let origin = match reference.named_by {
            NamedBy::CommandLine => ReferenceOrigin::TypedBaseline,
            NamedBy::Policy => ReferenceOrigin::Policy,
        };
        let found = find_baseline(&reference.text, origin, self.policy, self.workspace)?;
        notes.extend(found.notes.iter().cloned());
        let identity: Vec<String> =
            found.items.iter().map(|item| item.identity(found.commit.as_ref())).collect();
        let known = self.sets.iter().position(|known| known.identity == identity && !identity.is_empty());
        if let Some(known) = known {
            return Ok(known);
        }
        let commit = found.commit.clone();
        // Only a path in the working tree may be relative to the folder where the command was started.
        let is_from_root =
            origin == ReferenceOrigin::Policy || commit.is_some() || self.workspace.revisions().is_some();
        let folder = if is_from_root { String::new() } else { self.workspace.below() };
        let path = |item: &Item<'_>| Some((item.label(), below(&folder, item.path()?)?));
        // A run that combines several seeds is not a file with versions.
        let items = found.items.iter().filter(|_| self.policy.seeds.is_none());
        let paths = items.filter_map(path).collect();
        let mut set = read(&reference.text, found, self.policy);
        // A record that the policy's `where` excludes as a candidate is not a baseline of its `runs:` either.
        if let (Ok(Reference::Git { path: None, .. }), Some(runs)) =
            (Reference::parse(&reference.text), &self.policy.runs)
        {
            let (now, bad) = (self.now, &mut set.bad);
            set.runs.retain(|run| match runs.select(run, now) {
                Ok(selected) => selected,
                Err(why) => {
                    bad.push((None, BadRecord { label: run.label().to_owned(), problems: vec![*why] }));
                    false
                }
            });
        }
        notes.extend(unreadable(&set));
        self.sets.push(FoundSet { set, commit, paths, identity, ignored: OnceLock::new() });
        Ok(self.sets.len() - 1)
    }

    /// A candidate is never its own baseline: if a set has no other run, its previous version is used.
    fn need_version_before(&mut self, set: usize, candidate: &Run) {
        if !self.wants_version_before(set, candidate) {
            return;
        }
        let found = &self.sets[set];
        let Some(commit) = &found.commit else { return };
        let itself = found.set.runs.iter().find(|run| run.document.text == candidate.document.text);
        let Some(path) = itself.and_then(|run| found.path(run)) else { return };
        let before = version_before(candidate, &found.set, path, commit, self.policy, self.workspace);
        if let Some(before) = before {
            self.before.insert((set, candidate.label().to_owned()), before);
        }
    }

    fn wants_version_before(&self, set: usize, candidate: &Run) -> bool {
        self.sets[set].set.is_only(candidate)
            && !self.before.contains_key(&(set, candidate.label().to_owned()))
    }
}

/// The baselines that a plan asks for. Many rules share one.
fn asked(plan: &[PlannedRule<'_>]) -> BTreeSet<usize> {
    let of_rule = |planned: &PlannedRule<'_>| match planned.task {
        Task::Judge { baseline } => baseline,
        Task::Skip { .. } | Task::Fail(_) => None,
    };
    plan.iter().filter_map(of_rule).collect()
}

impl Baselines for FoundBaselines<'_> {
    fn resolve(
        &self,
        reference: &BaselineReference,
        candidate: &Run,
        decision: &Decision<'_>,
    ) -> ResolvedBaseline {
        match self.by_reference.get(reference) {
            Some(Ok(index)) => {
                let found = &self.sets[*index];
                let before = self.before.get(&(*index, candidate.label().to_owned()));
                let set = before.map_or(&found.set, |before| &before.set);
                let mut resolved = set.resolve(candidate, decision, *index);
                match &mut resolved.baseline {
                    Baseline::Missing(why) => {
                        why.help = self.ignored_by_git(found, candidate).or_else(|| why.help.take());
                    }
                    Baseline::Run { run, .. } => {
                        let author = self.authors.as_ref().and_then(|authors| match before {
                            Some(before) => authors.of(Some(&before.commit), &before.path, self.workspace),
                            None => authors.of(self.commit(found), found.path(run)?, self.workspace),
                        });
                        if let Some(Author { name, at }) = author {
                            resolved.credit(&name, at, self.now);
                        }
                    }
                    Baseline::First | Baseline::Unclear(_) => {}
                }
                resolved
            }
            Some(Err(why)) => not_found(&reference.text, (**why).clone(), self.failed(reference)),
            None => unreachable!("`need` looks up every reference of a plan"),
        }
    }
}

impl FoundSet {
    /// The path of a run of the set, if it is a file.
    fn path(&self, run: &Run) -> Option<&str> {
        self.paths.get(&*run.document.name).map(String::as_str)
    }
}

impl FoundBaselines<'_> {
    /// The commit that the files of a set are read from; `None` for the working tree.
    fn commit<'f>(&'f self, found: &'f FoundSet) -> Option<&'f Commit> {
        found.commit.as_ref().or(self.workspace.revisions().map(|revisions| &revisions.trusted))
    }

    /// What to do if a revision has no record because git ignores the files of records.
    fn ignored_by_git(&self, found: &FoundSet, candidate: &Run) -> Option<String> {
        let reference = Reference::parse(&found.set.reference).ok()?;
        if !found.set.runs.is_empty() || !matches!(reference, Reference::Git { .. }) {
            return None;
        }
        let ask = || {
            let label = candidate.label();
            let by = self.workspace.git().ok()?.ignored_by(label.strip_prefix(&self.workspace.up())?)?;
            Some(format!(
                "git ignores `{label}` ({}: `{}`), so `{reference}` can't have it: remove that line, and commit the \
                 record",
                by.place, by.pattern
            ))
        };
        found.ignored.get_or_init(ask).clone()
    }

    /// Gives a reference that could not be found an identity of its own.
    fn failed(&self, reference: &BaselineReference) -> usize {
        let mut failed: Vec<_> = self.by_reference.iter().filter(|(_, found)| found.is_err()).collect();
        failed
            .sort_unstable_by_key(|(reference, _)| (&reference.text, reference.named_by == NamedBy::Policy));
        let place = failed.iter().position(|(known, _)| *known == reference).unwrap_or_default();
        self.sets.len() + place
    }
}

/// Looks up what a baseline names.
pub(super) fn find_baseline<'w>(
    reference: &str,
    origin: ReferenceOrigin,
    policy: &Policy,
    workspace: &'w Workspace,
) -> Result<Found<'w>, Box<Diagnostic>> {
    look_up(reference, origin, Some(policy), workspace).map_err(|why| {
        let message = format!("the baseline can't be found: {}", why.message);
        Box::new(Diagnostic { message, ..*why })
    })
}

/// Reads every run of a set.
fn read(reference: &str, found: Found<'_>, policy: &Policy) -> BaselineSet {
    let items = match &policy.seeds {
        Some(by) => together(&found.items, found.siblings, by, &policy.fields, |_| true),
        None => found.items,
    };
    let (runs, unreadable) = read_all(&items, &policy.fields);
    let broken = found.broken.into_iter().map(|(model, bad)| (Some(model), bad));
    BaselineSet {
        reference: reference.to_owned(),
        resolved: found.resolved,
        runs: runs.into_iter().map(Arc::new).collect(),
        bad: broken.chain(unreadable.into_iter().map(|bad| (None, bad))).collect(),
        exact: found.exact,
    }
}

/// A broken record at the base must not block every change, including the one that fixes it; but the report mentions
/// it.
fn unreadable(set: &BaselineSet) -> Vec<String> {
    if set.runs.is_empty() {
        return Vec::new();
    }
    let one = |bad: &BadRecord| {
        let why = bad.problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
        format!("the record `{}` can't be read, so it can't be a baseline: {why}", bad.label)
    };
    set.bad.iter().map(|(_, bad)| one(bad)).collect()
}
