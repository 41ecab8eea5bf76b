//! Resolves the name of a run to readable items, in the same way for candidates, baselines and every other
//! command.

use std::sync::Arc;

use super::autodetect::tracker_at;
use super::found::{Found, Item, ReferenceOrigin, around, files, tracked};
use super::{NOTHING_NAMED, Workspace};
use crate::document::Diagnostic;
use crate::ledger::{Ledger, StageHistory, Standing};
use crate::policy::Policy;
use crate::run::{LEDGER, Origin, Reference};
use crate::source::BadRecord;
use crate::store::{Entry, NOT_FOUND, NOTHING_MATCHED, Revision, Selector, Store};

/// Looks up a reference. A missing file is an error, except at a revision.
pub(super) fn look_up<'c>(
    reference: &str,
    by: ReferenceOrigin,
    policy: Option<&Policy>,
    workspace: &'c Workspace,
) -> Result<Found<'c>, Box<Diagnostic>> {
    let parsed = Reference::parse(reference)?;
    match &parsed {
        Reference::Files(path) => {
            let around = around(by, policy, workspace);
            if let Some(tracker) = tracker_at(path, policy, workspace, &around)? {
                return tracked(tracker, path, reference, &around, workspace.revisions().is_some());
            }
            let path = &workspace.seen_from_root(path, by == ReferenceOrigin::Policy);
            let store = store(path, by, workspace)?;
            let entries = existing(&*store, path).map_err(|why| below_root(why, path, workspace))?;
            let exact =
                entries.len() == 1 && entries.first().is_some_and(|entry| reference.ends_with(&*entry.path));
            let items = files(&store, entries, reference, None);
            Ok(Found {
                items,
                resolved: None,
                exact,
                siblings: Vec::new(),
                broken: Vec::new(),
                commit: None,
                notes: Vec::new(),
            })
        }
        Reference::Git { revision, path } => {
            let git = workspace.git()?;
            let found = workspace.resolve(git, revision, by.role())?;
            let resolved = Some(found.in_words());
            let commit = found.commit;
            let store = Revision::new(git, revision, commit.clone());
            let mut entries = Vec::new();
            let (mut of_trackers, mut tracked_items) = (Vec::new(), Vec::new());
            let mut siblings = Vec::new();
            for pattern in revision_paths(path.as_deref(), policy)? {
                let at = super::tracker_runs::at_revision(
                    reference,
                    revision,
                    &pattern,
                    &store,
                    (by, policy),
                    workspace,
                )?;
                if let Some(found) = at {
                    of_trackers.push(found.exact);
                    siblings.extend(found.siblings);
                    tracked_items.extend(found.items);
                    continue;
                }
                match existing(&store, &pattern) {
                    Ok(found) => entries.extend(found),
                    Err(_) if by != ReferenceOrigin::Typed => {}
                    Err(mut problem) => {
                        if path.is_none() {
                            problem.help = Some(format!(
                                "the policy's `runs:` matches no record at `{revision}`: name a newer revision, or a file \
                                 that `{revision}` has: `git:{revision}:PATH`"
                            ));
                        }
                        return Err(problem);
                    }
                }
            }
            let exact =
                entries.len() == 1 && entries.first().is_some_and(|entry| reference.ends_with(&*entry.path));
            let exact = exact || entries.is_empty() && of_trackers == [true];
            let store: Arc<dyn Store + Send + 'c> = Arc::new(store);
            let mut items = files(&store, entries, reference, resolved.clone());
            items.extend(tracked_items);
            Ok(Found {
                items,
                resolved,
                exact,
                siblings,
                broken: Vec::new(),
                commit: Some(commit),
                notes: Vec::new(),
            })
        }
        Reference::Stage(stage) => staged(stage, reference, by, policy, workspace),
        Reference::Tracker { tracker, rest } => {
            tracked(tracker, rest, reference, &around(by, policy, workspace), workspace.revisions().is_some())
        }
    }
}

/// Where a path is read.
fn store<'c>(
    path: &str,
    by: ReferenceOrigin,
    workspace: &'c Workspace,
) -> Result<Arc<dyn Store + Send + 'c>, Box<Diagnostic>> {
    let Some(revisions) = workspace.revisions() else {
        return Ok(match by {
            ReferenceOrigin::Typed | ReferenceOrigin::TypedBaseline => Arc::new(workspace.named()),
            ReferenceOrigin::Policy => Arc::new(workspace.found()),
        });
    };
    let git = workspace.git()?;
    if by == ReferenceOrigin::Typed {
        let head = Revision::shown_plainly(git, revisions.head.clone()).shown_behind(&workspace.up());
        // No commit has a file that an earlier step wrote.
        let committed = !head.select(&Selector::new(path)?)?.is_empty();
        return Ok(if committed { Arc::new(head) } else { Arc::new(workspace.found()) });
    }
    let name = revisions.names.get(1).unwrap_or(&revisions.names[0]);
    Ok(Arc::new(Revision::new(git, name, revisions.trusted.clone())))
}

/// The files of a reference at a revision: its path, else those that the policy's `runs:` matches.
fn revision_paths(path: Option<&str>, policy: Option<&Policy>) -> Result<Vec<String>, Box<Diagnostic>> {
    match (path, policy.and_then(|policy| policy.runs.as_ref())) {
        (Some(path), _) => Ok(vec![path.to_owned()]),
        (None, Some(runs)) => Ok(runs.paths.clone()),
        (None, None) => Err(Diagnostic::new(
            NOTHING_NAMED,
            "`git:REV` means the records that the policy's `runs:` matches, but the policy has no `runs:`",
        )
        .help("add `runs: runs/*.json` to the policy, or write `git:REV:PATH`")
        .boxed()),
    }
}

/// The current promotion of each model at a stage.
fn staged<'c>(
    stage: &str,
    reference: &str,
    by: ReferenceOrigin,
    policy: Option<&Policy>,
    workspace: &Workspace,
) -> Result<Found<'c>, Box<Diagnostic>> {
    // If a policy declares stages, it declares all of them: a typo in a name must not pass for a first model.
    if let Some(policy) = policy.filter(|policy| !policy.stages.is_empty()) {
        super::known_stage(policy, Some(stage))?;
    }
    let ledger = workspace.ledger(policy)?;
    let lines = ledger.at_stage(stage)?;
    let mut items = Vec::new();
    let mut resolved = None;
    let mut broken = Vec::new();
    for line in &lines {
        match promoted(&ledger, line, by) {
            Ok(None) => {}
            Ok(Some(Promoted { label, record, what })) => {
                let origin = Origin {
                    tracker: LEDGER.into(),
                    reference: reference.to_owned(),
                    resolved: Some(what.clone()),
                };
                resolved = (lines.len() == 1).then_some(what);
                items.push(Item::Kept { label, bytes: record, origin });
            }
            // Another model's error does not affect this one.
            Err(problem) => {
                let label = ledger.label(&format!("{}/", line.folder()));
                broken.push((line.model.clone(), BadRecord { label, problems: vec![*problem] }));
            }
        }
    }
    if let (true, ReferenceOrigin::Typed, Some((_, bad))) = (items.is_empty(), by, broken.first_mut()) {
        return Err(bad.problems.remove(0).boxed());
    }
    if items.is_empty() && by == ReferenceOrigin::Typed {
        let message = format!("nothing is promoted to the stage `{stage}` in this ledger");
        return Err(Diagnostic::new(super::NOTHING_PROMOTED, message)
            .help("promote a run: gate promote RUN --stage STAGE; for a ledger elsewhere, use --ledger DIR")
            .boxed());
    }
    Ok(Found { items, resolved, exact: false, siblings: Vec::new(), broken, commit: None, notes: Vec::new() })
}

/// The current promotion of a line.
struct Promoted {
    /// The display name of its record.
    label: String,
    record: Vec<u8>,
    /// A description of the promotion.
    what: String,
}

/// For a candidate, the promotion in service. For a baseline, the newest one that passed without an override
/// or waiver, since neither lowers the bar.
fn promoted(
    ledger: &Ledger<'_>,
    line: &StageHistory,
    by: ReferenceOrigin,
) -> Result<Option<Promoted>, Box<Diagnostic>> {
    let Some(Standing { newest, baseline }) = ledger.standing(line)? else { return Ok(None) };
    let number = newest.number;
    let entry = match by {
        ReferenceOrigin::Typed => {
            Some(newest).filter(|newest| !newest.statement().is_ok_and(|it| it.retires()))
        }
        ReferenceOrigin::TypedBaseline | ReferenceOrigin::Policy => baseline,
    };
    let Some(entry) = entry else { return Ok(None) };
    let (uri, record) = promoted_record(ledger, line, &entry)?;
    let when = entry.statement()?.predicate(&["timeVerified"]).unwrap_or_default().to_owned();
    let who =
        entry.statement()?.own_text(&["requestedBy", "actor"]).map(|who| format!(", requested by {who}"));
    let who = who.unwrap_or_default();
    let mut what = format!("promotion {} of {}, {when}{who}", entry.number, line.model);
    if entry.number != number {
        what = format!(
            "{what}; promotion {number}, the newest, passed only with an override or waiver and is not used as a baseline"
        );
    }
    Ok(Some(Promoted { label: ledger.label(&uri), record, what }))
}

/// The record of a promotion, and its path in the ledger.
pub(super) fn promoted_record(
    ledger: &Ledger<'_>,
    line: &StageHistory,
    entry: &crate::ledger::Entry,
) -> Result<(String, Vec<u8>), Box<Diagnostic>> {
    let statement = entry.statement()?;
    let (Some(uri), Some(digest)) =
        (statement.own_text(&["record", "uri"]), statement.own_text(&["record", "digest", "sha256"]))
    else {
        let message = format!("`{}` does not say which record was promoted", entry.label);
        return Err(Diagnostic::new(crate::ledger::BROKEN, message).help("restore it from git").boxed());
    };
    let bytes = ledger.by_digest(line, uri, digest)?;
    Ok((format!("{}/{uri}", line.folder()), bytes))
}

/// The files that a name matches; an error if none match.
fn existing(store: &dyn Store, path: &str) -> Result<Vec<Entry>, Box<Diagnostic>> {
    let selector = Selector::of_records(path)?;
    let entries = store.select(&selector)?;
    if entries.is_empty() {
        let label = store.label(selector.written());
        return Err(if selector.is_glob() || path.ends_with('/') {
            Diagnostic::new(NOTHING_MATCHED, format!("`{label}` matches no run record"))
                .help("in a folder, the names of records end in .json, .jsonl, .ndjson, .yaml or .yml")
                .boxed()
        } else {
            let hint = Reference::meant(path).or_else(|| {
                neighbour(store, selector.written()).map(|near| format!("did you mean `{near}`?"))
            });
            let help = hint.unwrap_or_else(|| {
                "paths are relative to the current folder; use `-C DIR` to start in another one".into()
            });
            Diagnostic::new(NOT_FOUND, format!("`{label}` does not exist, or has no run record"))
                .help(help)
                .boxed()
        });
    }
    Ok(entries)
}

/// Names the path from the current folder, where one was typed that the policy's folder has.
fn below_root(mut why: Box<Diagnostic>, path: &str, workspace: &Workspace) -> Box<Diagnostic> {
    let up = workspace.up();
    let found = || workspace.found().select(&Selector::of_records(path)?);
    if !up.is_empty() && found().is_ok_and(|found| !found.is_empty()) {
        why.help = Some(format!("paths are relative to the current folder: did you mean `{up}{path}`?"));
    }
    why
}

/// A record with a similar name, for a path that does not exist.
fn neighbour(store: &dyn Store, path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let pattern = if folder.is_empty() { "*".to_owned() } else { format!("{folder}/*") };
    let beside = store.select(&Selector::new(&pattern).ok()?).ok()?;
    let names: Vec<&str> = beside.iter().filter_map(|entry| entry.path.rsplit('/').next()).collect();
    let near = crate::document::nearest(name, names)?;
    Some(store.label(&if folder.is_empty() { near.to_owned() } else { format!("{folder}/{near}") }))
}
