//! What a reference resolves to: files of records, runs of trackers, or records of the ledger, each read one by one.

use std::sync::Arc;

use super::Workspace;
use super::new_lines::{Before, only_new};
use crate::document::Diagnostic;
use crate::git::Commit;
use crate::ledger::MOST;
use crate::parallel::in_order;
use crate::policy::Policy;
use crate::run::{FieldMap, Origin, Run};
use crate::signing::BESIDE;
use crate::source::{self, BadRecord, Tracked};
use crate::store::{Entry, Reach, Selector, Store};
use crate::tracker::{self, FetchContext, Role, Wanted};

/// The items that a reference resolves to, read one by one.
pub(super) struct Found<'c> {
    pub(super) items: Vec<Item<'c>>,
    /// What a moving name currently resolves to.
    pub(super) resolved: Option<String>,
    /// The reference names one run, whatever the name of its model.
    pub(super) exact: bool,
    /// Runs of the same group that were not named.
    pub(super) siblings: Vec<Tracked>,
    /// Models with an expected record that can't be read.
    pub(super) broken: Vec<(String, BadRecord)>,
    /// The commit that a `git:` reference names.
    pub(super) commit: Option<Commit>,
    /// Notes for the reader.
    pub(super) notes: Vec<String>,
}

/// One file of records, one record of the ledger, one run of a tracker, or one run combined from several.
#[derive(Clone)]
pub(super) enum Item<'c> {
    /// `before` is the base's version of a file with many records: then only new ones are meant.
    File {
        store: Arc<dyn Store + Send + 'c>,
        entry: Entry,
        origin: Origin,
        signed: bool,
        before: Option<Before>,
    },
    Kept {
        label: String,
        bytes: Vec<u8>,
        origin: Origin,
    },
    Tracked {
        label: String,
        /// Shared, because a whole experiment is large and is needed twice.
        run: Arc<Result<Tracked, Vec<Diagnostic>>>,
    },
    Made(Box<Result<Run, BadRecord>>),
}

/// Who wrote a reference, which decides what its paths are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReferenceOrigin {
    /// A person, on the command line: relative to the folder where the command was started, and may be
    /// anywhere.
    Typed,
    /// Like `Typed`, but for a baseline: a path that does not exist at a revision yet means a first model,
    /// not a typo.
    TypedBaseline,
    /// The policy, for a baseline: relative to it, and inside the workspace.
    Policy,
}

impl ReferenceOrigin {
    pub(super) fn role(self) -> Role {
        if self == Self::Typed { Role::Candidate } else { Role::Baseline }
    }
}

impl Item<'_> {
    /// Its name in messages; two items with the same name are the same.
    pub(super) fn label(&self) -> String {
        match self {
            Self::File { store, entry, .. } => store.label(&entry.path),
            Self::Kept { label, .. } | Self::Tracked { label, .. } => label.clone(),
            Self::Made(made) => match &**made {
                Ok(run) => run.label().to_owned(),
                Err(bad) => bad.label.clone(),
            },
        }
    }

    /// The file or folder that contains a tracker's run, relative to the workspace.
    pub(super) fn files(&self) -> Option<&str> {
        match self {
            Self::Tracked { run, .. } => run.as_ref().as_ref().ok()?.files.as_deref(),
            _ => None,
        }
    }

    /// Marks a tracker's run as read at a revision.
    pub(super) fn came_from(&mut self, revision: &str, reference: &str) {
        let Self::Tracked { label, run } = self else { return };
        if !label.contains(&format!("@{revision}")) {
            *label = format!("git:{revision}:{}", label.trim_start_matches("./"));
        }
        if let Ok(run) = Arc::make_mut(run) {
            run.label.clone_from(label);
            reference.clone_into(&mut run.origin.reference);
            run.files = None;
        }
    }

    /// Renames a run that was read at a revision to its name in the working tree; `None` for a project or a
    /// card.
    pub(super) fn called_as_here(self, revision: &str) -> Option<Self> {
        let Self::Tracked { label, mut run } = self else { return None };
        let label = label.strip_prefix(&format!("git:{revision}:")).unwrap_or(&label).to_owned();
        if let Ok(run) = Arc::make_mut(&mut run) {
            if matches!(&*run.origin.tracker, "dvc" | "hf") {
                return None;
            }
            run.label.clone_from(&label);
        }
        Some(Self::Tracked { label, run })
    }

    /// Its identity, independent of how it was named: the path at a commit, else the label.
    pub(super) fn identity(&self, commit: Option<&Commit>) -> String {
        match (self.path(), commit) {
            (Some(path), Some(commit)) => format!("{}:{path}", commit.id),
            _ => self.label(),
        }
    }

    /// Its path in its store, if it is a file.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::File { entry, .. } => Some(&entry.path),
            Self::Kept { .. } | Self::Tracked { .. } | Self::Made(_) => None,
        }
    }

    /// Whether it is the parent of its siblings, and not one of them.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Tracked { run, .. } if run.as_ref().as_ref().is_ok_and(|run| run.is_whole))
    }

    /// Its runs.
    pub(super) fn read(&self, fields: &FieldMap) -> Vec<Result<Run, BadRecord>> {
        let label = self.label();
        match self {
            Self::File { store, entry, origin, signed, before } => {
                match store.read(entry, source::most(&label)) {
                    Ok(bytes) => {
                        let bytes = match before {
                            Some(before) => only_new(&bytes, before).unwrap_or_default(),
                            None => bytes,
                        };
                        let mut runs = source::read(&label, bytes, fields, origin);
                        // A file with many records has no signature beside it.
                        if let (true, [Ok(run)]) = (*signed, runs.as_mut_slice()) {
                            run.signature = signature(&**store, entry);
                        }
                        runs
                    }
                    Err(problem) => vec![Err(BadRecord { label, problems: vec![*problem] })],
                }
            }
            // A record of the ledger is canonical, so the `fields:` map does not apply.
            Self::Kept { bytes, origin, .. } => {
                source::read(&label, bytes.clone(), &FieldMap::default(), origin)
            }
            Self::Made(made) => vec![(**made).clone()],
            Self::Tracked { run, .. } => {
                let run = (**run).clone().and_then(|run| run.into_run(fields));
                vec![run.map_err(|problems| BadRecord { label, problems })]
            }
        }
    }
}

/// The runs of all items, and the records that can't be read.
pub(super) fn read_all(items: &[Item<'_>], fields: &FieldMap) -> (Vec<Run>, Vec<BadRecord>) {
    let (mut runs, mut bad) = (Vec::new(), Vec::new());
    for record in in_order(items, |item| item.read(fields)).into_iter().flatten() {
        match record {
            Ok(run) => runs.push(run),
            Err(record) => bad.push(record),
        }
    }
    (runs, bad)
}

/// The signature file beside a record.
fn signature(store: &dyn Store, record: &Entry) -> Option<Vec<u8>> {
    let path = format!("{}{BESIDE}", record.path);
    let found = store.select(&Selector::new(&path).ok()?).ok()?;
    let beside = found.into_iter().find(|entry| entry.path == path)?;
    store.read(&beside, MOST).ok()
}

/// The context for a tracker's reader.
pub(super) fn around<'w>(
    by: ReferenceOrigin,
    policy: Option<&Policy>,
    workspace: &'w Workspace,
) -> FetchContext<'w> {
    let (folder, reach) = match by {
        ReferenceOrigin::Typed | ReferenceOrigin::TypedBaseline => (workspace.folder(), Reach::Anywhere),
        ReferenceOrigin::Policy => (workspace.root(), Reach::Inside),
    };
    let siblings = policy.is_some_and(|policy| policy.seeds.is_some());
    let history = workspace.wants_history() || policy.is_some_and(|policy| policy.reads_history);
    let wanted = Wanted { history, siblings };
    let role = by.role();
    let (started_in, root) = (workspace.folder(), workspace.root());
    FetchContext { folder, started_in, root, role, wanted, reach, git: workspace }
}

pub(super) fn tracked<'c>(
    tracker: &str,
    rest: &str,
    reference: &str,
    around: &FetchContext<'_>,
    protected: bool,
) -> Result<Found<'c>, Box<Diagnostic>> {
    let fetched = tracker::fetch(tracker, rest, around)?;
    // A pull request must not supply its own baseline.
    if fetched.in_tree && around.role == Role::Baseline && protected {
        let message = format!(
            "`{reference}` is read from the working tree, which the pull request can edit, so it can't be a baseline here"
        );
        return Err(Diagnostic::new(super::BASELINE_IN_CHANGE, message)
            .help("name a baseline that it can't edit: a server, `dvc:DIR@main`, `hf:DIR@main`, `git:main:PATH`, `stage:NAME`")
            .boxed());
    }
    let items = fetched
        .runs
        .into_iter()
        .map(|run| {
            let label = run.as_ref().map_or_else(|_| reference.to_owned(), |run| run.label.clone());
            Item::Tracked { label, run: Arc::new(run) }
        })
        .collect();
    Ok(Found {
        items,
        resolved: fetched.resolved,
        exact: fetched.exact,
        siblings: fetched.siblings,
        broken: Vec::new(),
        commit: None,
        notes: Vec::new(),
    })
}

/// Files of plain records.
pub(super) fn files<'c>(
    store: &Arc<dyn Store + Send + 'c>,
    entries: Vec<Entry>,
    reference: &str,
    resolved: Option<String>,
) -> Vec<Item<'c>> {
    let origin = Origin { tracker: "plain".into(), reference: reference.to_owned(), resolved };
    entries
        .into_iter()
        .map(|entry| Item::File {
            store: Arc::clone(store),
            entry,
            origin: origin.clone(),
            signed: false,
            before: None,
        })
        .collect()
}
