//! A decision on a pull request: by the policy of the base branch and, if the pull request changes it, what the
//! verdict would be after the merge.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::trust::{self, FoundPolicy, PullRequestBase, Revisions};
use super::{CandidateSink, LoadedFile, NO_POLICY, Prepared, Request, Workspace, decide};
use crate::document::{Diagnostic, Location};
use crate::engine::{Parts, conclude};
use crate::git::{Commit, Git, UNANSWERED, short};
use crate::run::Reference;
use crate::store::{Revision, Selector, Store as _};
use crate::verdict::{ChangeReport, Outcome, Proposed};

/// Decides by the base's policy, and reports the verdict under the head's.
pub(super) fn decide_by_base(
    request: &Request,
    base: &PullRequestBase,
    folder: &Path,
    now: Timestamp,
    sink: &mut dyn CandidateSink,
) -> Result<Parts, Vec<Diagnostic>> {
    let git = Git::open(folder)?;
    let revisions = Revisions::resolve(base, &git)?;
    let change = Change { request, git: &git, revisions: &revisions, folder, now };
    let at_base = change.find(&revisions.base)?;
    if at_base.is_none() && base.require_policy {
        return Err(vec![*trust::no_base_policy(&revisions)]);
    }
    let Some(found) = at_base else {
        // There is nothing to trust yet; baselines still come from the base.
        let found = change.find(&revisions.head)?.ok_or_else(|| vec![no_policy(&revisions)])?;
        let (loaded, root, _) = change.load(found, &revisions.head)?;
        let parts = change.decide_by_own(&loaded, &root, sink);
        return Ok(with_first_note(
            parts,
            format!("{} has no policy yet, so the one of this change is used", revisions.words()),
        ));
    };
    let (loaded, root, read) = match change.load(found, &revisions.base) {
        Ok(loaded) => loaded,
        Err(problems) => {
            // The change can't fix history that is missing from this clone.
            if problems.iter().any(|problem| problem.code.is_any_of(&UNANSWERED)) {
                return Err(problems);
            }
            let problems = at_base_only(problems, &revisions);
            let Some((loaded, root)) = change.mended()?.filter(|_| !base.require_policy) else {
                return Err(problems);
            };
            let why = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            let note =
                format!("the policy of this change is used, since it fixes the one it replaces: {why}");
            return Ok(with_first_note(change.decide_by_own(&loaded, &root, sink), note));
        }
    };
    let workspace = change.workspace(&root, revisions.clone());
    let mut outcomes = Outcomes { of_candidates: BTreeMap::new(), sink };
    let (mut parts, _) = decide(request, &loaded, &workspace, now, &mut outcomes);
    let outcomes = with_change(outcomes.of_candidates, parts.change.as_ref());
    let (proposed, unreadable) = change.proposed(&outcomes, &loaded, &workspace, read)?;
    // After the merge there would be no verdict on anything.
    parts.troubles.extend(unreadable);
    let note = format!("policy and baseline come from {}", revisions.words());
    Ok(Parts { proposed, ..with_first_note(parts, note) })
}

/// Puts the most important notes first.
fn with_first_note(mut parts: Parts, note: String) -> Parts {
    parts.notes.insert(0, note);
    parts
}

/// Reports errors in the base's policy as such, because the lines are not those of the change.
fn at_base_only(problems: Vec<Diagnostic>, revisions: &Revisions) -> Vec<Diagnostic> {
    let elsewhere = |location: Location| {
        let file = format!("{}:{}", short(&revisions.base.id), location.file());
        location.called(&file)
    };
    let told = |problem: Diagnostic| Diagnostic {
        message: format!("the policy on {} can't be read: {}", revisions.words(), problem.message),
        location: problem.location.map(elsewhere),
        related: problem.related.map(elsewhere),
        ..problem
    };
    problems.into_iter().map(told).collect()
}

fn no_policy(revisions: &Revisions) -> Diagnostic {
    Diagnostic::new(
        NO_POLICY,
        format!("neither {} nor the change has a gate.yaml here or above", revisions.words()),
    )
    .help("create one with `gate init`, name one with --policy FILE, or try a built-in one: --policy gate:checklist")
}

/// The change being judged.
struct Change<'c> {
    request: &'c Request,
    git: &'c Git,
    revisions: &'c Revisions,
    folder: &'c Path,
    now: Timestamp,
}

/// A policy, the folder that it applies to, and the files that were read for it.
type Loaded = (LoadedFile, PathBuf, BTreeSet<String>);

impl Change<'_> {
    fn find(&self, commit: &Commit) -> Result<Option<FoundPolicy>, Vec<Diagnostic>> {
        trust::find(self.request, self.folder, self.git, commit).map_err(Vec::from)
    }

    fn load(&self, found: FoundPolicy, commit: &Commit) -> Result<Loaded, Vec<Diagnostic>> {
        let root = found.folder().to_owned();
        trust::load(found, self.git, commit, self.now).map(|(loaded, read)| (loaded, root, read))
    }

    fn workspace(&self, root: &Path, revisions: Revisions) -> Workspace {
        Workspace::new(self.folder, root).with_revisions(revisions)
    }

    /// Decides by the policy of the change itself, with the baselines of the base.
    fn decide_by_own(&self, loaded: &LoadedFile, root: &Path, sink: &mut dyn CandidateSink) -> Parts {
        let workspace = self.workspace(root, self.revisions.clone());
        decide(self.request, loaded, &workspace, self.now, sink).0
    }

    /// The policy of the change, if it will be in effect after the merge. A branch that merely started when
    /// the base's policy was still readable does not fix it.
    fn mended(&self) -> Result<Option<(LoadedFile, PathBuf)>, Vec<Diagnostic>> {
        let Some(found) = self.find(&self.revisions.head)? else { return Ok(None) };
        let Ok((loaded, root, read)) = self.load(found, &self.revisions.head) else { return Ok(None) };
        let differing = self.differing(&read)?;
        let changed = trust::changed(differing.clone(), self.git, self.revisions)?;
        Ok((changed.len() == differing.len() && !changed.is_empty()).then_some((loaded, root)))
    }

    /// The files among `paths` whose version at the base differs.
    fn differing(&self, paths: &BTreeSet<String>) -> Result<Vec<String>, Box<Diagnostic>> {
        let mut differing = Vec::new();
        for path in paths {
            let (base, head) = (&self.revisions.base, &self.revisions.head);
            if self.git.look_up_from_top(base, path)? != self.git.look_up_from_top(head, path)? {
                differing.push(path.clone());
            }
        }
        Ok(differing)
    }

    /// Which policy files the change edits, and what the verdict would be with them; nothing if it edits none. Also
    /// errors in the changed policy, if it can't be read.
    fn proposed(
        &self,
        current: &RuleOutcomes,
        trusted: &LoadedFile,
        workspace: &Workspace,
        read: BTreeSet<String>,
    ) -> Result<(Option<Proposed>, Vec<Diagnostic>), Box<Diagnostic>> {
        let mut paths = read;
        paths.extend(self.baseline_files(trusted, workspace)?);
        let found = trust::find(self.request, self.folder, self.git, &self.revisions.head)?;
        paths.extend(found.as_ref().and_then(FoundPolicy::path).map(str::to_owned));
        let proposal = found.map(|found| self.load(found, &self.revisions.head));
        if let Some(Ok((loaded, _, read))) = &proposal {
            paths.extend(read.iter().cloned());
            paths.extend(self.baseline_files(loaded, workspace)?);
        }
        let files = trust::changed(paths, self.git, self.revisions)?;
        if files.is_empty() {
            return Ok((None, Vec::new()));
        }
        let unknown = |files, why: String| Some(Proposed { files, verdict: None, differences: vec![why] });
        let (loaded, root) = match proposal {
            None => {
                let why = Diagnostic::new(NO_POLICY, "this change removes the policy that judges it")
                    .help(
                        "keep the file; to move it, name the new one in the same change where gate is called",
                    )
                    .boxed();
                return Ok((unknown(files, "the policy would be gone".into()), vec![*why]));
            }
            Some(Err(problems)) => {
                let told = |problem: Diagnostic| Diagnostic {
                    message: format!("the policy of this change can't be read: {}", problem.message),
                    ..problem
                };
                let why = "once it is merged, nothing could be judged: the policy can't be read";
                return Ok((unknown(files, why.into()), problems.into_iter().map(told).collect()));
            }
            Some(Ok((loaded, root, _))) => (loaded, root),
        };
        // Expressions that a stranger wrote into a policy are parsed but not evaluated.
        if let Some(new) = loaded.expressions.iter().find(|text| !trusted.expressions.contains(text)) {
            let why =
                format!("unknown: gate does not evaluate the new expression `{new}` until it is merged");
            return Ok((unknown(files, why), Vec::new()));
        }
        let workspace = self.workspace(&root, self.revisions.proposed());
        let mut kept = Outcomes { of_candidates: BTreeMap::new(), sink: &mut Forget };
        let (parts, _) = decide(self.request, &loaded, &workspace, self.now, &mut kept);
        let would_be = with_change(kept.of_candidates, parts.change.as_ref());
        let report = conclude(parts);
        let differences = differences(&report.troubles, current, &would_be);
        Ok((Some(Proposed { files, verdict: report.verdict, differences }), Vec::new()))
    }

    /// The baseline files that are named by path, on either side.
    fn baseline_files(
        &self,
        loaded: &LoadedFile,
        workspace: &Workspace,
    ) -> Result<Vec<String>, Box<Diagnostic>> {
        let policy = &loaded.policy;
        let names = self
            .request
            .baseline
            .iter()
            .chain(&policy.baseline)
            .chain(policy.stages.values().filter_map(|stage| stage.baseline.as_ref()))
            .chain(policy.rules.iter().filter_map(|rule| rule.baseline.as_ref()));
        let git = workspace.git()?;
        let mut files = Vec::new();
        for name in names {
            let Ok(Reference::Files(path)) = Reference::parse(name) else { continue };
            let selector = Selector::new(&path)?;
            for commit in [&self.revisions.base, &self.revisions.head] {
                let entries = Revision::shown_plainly(git, commit.clone()).select(&selector)?;
                files.extend(entries.into_iter().map(|entry| format!("{}{}", git.prefix(), entry.path)));
            }
        }
        Ok(files)
    }
}

/// The outcome of each rule, by run and rule id.
type RuleOutcomes = BTreeMap<(String, String), Outcome>;

/// Remembers the outcome of each rule, and passes the reports on.
struct Outcomes<'s> {
    of_candidates: RuleOutcomes,
    sink: &'s mut dyn CandidateSink,
}

impl CandidateSink for Outcomes<'_> {
    // Outcomes need the reports unserialized.
    fn candidate(&mut self, prepared: Prepared) {
        let Prepared::Report(report) = prepared else { return };
        for rule in report.rules.iter() {
            self.of_candidates.insert((report.run.source.clone(), rule.id.clone()), rule.outcome);
        }
        self.sink.candidate(Prepared::Report(report));
    }
}

/// Keeps nothing.
struct Forget;

impl CandidateSink for Forget {
    fn candidate(&mut self, _: Prepared) {}
}

fn with_change(mut outcomes: RuleOutcomes, change: Option<&ChangeReport>) -> RuleOutcomes {
    let rules = change.iter().flat_map(|change| &change.rules);
    outcomes.extend(rules.map(|rule| (("the change".to_owned(), rule.id.clone()), rule.outcome)));
    outcomes
}

/// What would be different, rule by rule.
fn differences(troubles: &[Diagnostic], now: &RuleOutcomes, then: &RuleOutcomes) -> Vec<String> {
    let mut differences: Vec<String> =
        troubles.iter().map(|why| format!("no verdict: {}", why.message)).collect();
    let keys: BTreeSet<_> = now.keys().chain(then.keys()).collect();
    differences.extend(keys.into_iter().filter_map(|key| {
        let (run, rule) = key;
        match (now.get(key), then.get(key)) {
            (Some(one), Some(other)) if one == other => None,
            (Some(one), Some(other)) => Some(format!("{run}: {rule} is {one}, but would be {other}")),
            (Some(one), None) => Some(format!("{run}: {rule} is {one}, but would be gone")),
            (None, Some(other)) => Some(format!("{run}: {rule} would be new, and {other}")),
            (None, None) => None,
        }
    }));
    if differences.is_empty() {
        differences.push("every rule would give the same result for these candidates".into());
    }
    differences
}
