//! What the base of a pull request has, shown beside a verdict. It contains nothing from the pull request.

use std::path::Path;

use jiff::Timestamp;

use super::candidates::record_files;
use super::trust::{self, PullRequestBase, Revisions};
use super::{Request, Workspace};
use crate::document::Diagnostic;
use crate::git::{Commit, Git, short};
use crate::policy::Policy;
use crate::run::{Origin, Reference, Run};
use crate::source;
use crate::store::{Revision, Selector, Store as _};

/// The base of a pull request, with its own policy.
#[derive(Debug)]
pub struct Base {
    /// The workspace, whose ledger is that of the base.
    pub workspace: Workspace,
    /// The policy of the base.
    pub policy: Policy,
    /// The tip of the base.
    pub commit: Commit,
    /// The name of the base: `main (19a2155624)`.
    pub name: String,
    /// The plain records that its policy matches.
    pub records: BaseRecords,
}

/// The records of a base.
#[derive(Debug, Default)]
pub struct BaseRecords {
    /// The runs of each file, with its path relative to the policy's folder.
    pub files: Vec<(String, Vec<Run>)>,
    /// Files beyond the limit, which were not read.
    pub left_out: usize,
    /// Records that can't be read.
    pub unreadable: usize,
}

impl Base {
    /// The base that a pull request is judged by, with the records of a limited number of files: the named
    /// ones first, then those whose names sort last, since names often contain a date. `None` if the base has
    /// no policy.
    pub fn open(
        request: &Request,
        base: &PullRequestBase,
        folder: &Path,
        (first, most): (&[String], usize),
    ) -> Result<Option<Self>, Vec<Diagnostic>> {
        let git = Git::open(folder)?;
        let revisions = Revisions::resolve(base, &git)?;
        let Some(found) = trust::find(request, folder, &git, &revisions.base)? else { return Ok(None) };
        let root = found.folder().to_owned();
        let (loaded, _) = trust::load(found, &git, &revisions.base, Timestamp::UNIX_EPOCH)?;
        let (commit, name) = (revisions.trusted.clone(), revisions.words());
        let workspace = Workspace::new(folder, &root).with_revisions(revisions);
        let records = read_records(&workspace, &loaded.policy, &commit, (first, most))?;
        Ok(Some(Self { workspace, policy: loaded.policy, commit, name, records }))
    }
}

fn read_records(
    workspace: &Workspace,
    policy: &Policy,
    commit: &Commit,
    (first, most): (&[String], usize),
) -> Result<BaseRecords, Box<Diagnostic>> {
    let paths = policy.runs.as_ref().map(|runs| &*runs.paths).unwrap_or_default();
    let plain = paths.iter().filter(|path| !matches!(Reference::parse(path), Ok(Reference::Tracker { .. })));
    let selectors = plain.map(|path| Selector::of_records(path)).collect::<Result<Vec<_>, _>>()?;
    let store = Revision::new(workspace.git()?, short(&commit.id), commit.clone());
    let mut entries = record_files(&store, &selectors, workspace)?;
    let up = workspace.up();
    let is_first = |path: &str| first.iter().any(|label| label.strip_prefix(&up) == Some(path));
    entries.sort_by(|one, other| {
        is_first(&other.path).cmp(&is_first(&one.path)).then_with(|| other.path.cmp(&one.path))
    });
    let mut records = BaseRecords { left_out: entries.len().saturating_sub(most), ..BaseRecords::default() };
    for entry in entries.into_iter().take(most) {
        let label = store.label(&entry.path);
        let Ok(bytes) = store.read(&entry, source::most(&label)) else {
            records.unreadable += 1;
            continue;
        };
        let read = source::read(&label, bytes, &policy.fields, &Origin::default());
        let number = read.len();
        let runs: Vec<Run> = read.into_iter().flatten().collect();
        records.unreadable += number - runs.len();
        records.files.push((entry.path, runs));
    }
    Ok(records)
}
