//! Paths without a prefix: their contents decide how they are read; if two ways are possible, that is an error.

use super::Workspace;
use crate::document::{Diagnostic, FileKind};
use crate::policy::Policy;
use crate::run::{MetricFault, Origin, Run};
use crate::source;
use crate::tracker::{self, AMBIGUOUS, FetchContext, Role};

/// The tracker whose runs are at a path, if nothing else is there.
pub(super) fn tracker_at(
    path: &str,
    policy: Option<&Policy>,
    workspace: &Workspace,
    around: &FetchContext<'_>,
) -> Result<Option<&'static str>, Box<Diagnostic>> {
    let Some(name) = tracker::recognise(path, around)? else { return Ok(None) };
    let title = source::tracker(name).map_or(name, |tracker| tracker.title);
    let shown = if path == "/" { path } else { path.trim_end_matches('/') };
    if workspace.revisions().is_some() && around.role == Role::Candidate {
        let message = format!(
            "`{path}` was recognised as a run of {title} by its contents, which the pull request may have put there"
        );
        return Err(Diagnostic::new(AMBIGUOUS, message)
            .help(format!("say what you mean: `{name}:{shown}`, or a glob for plain records"))
            .boxed());
    }
    let folder = around.folder.join(path);
    if !folder.is_dir() {
        return Ok(Some(name));
    }
    let fields = policy.map(|policy| policy.fields.clone()).unwrap_or_default();
    let ledger = workspace.ledger_folder(policy);
    let is_record = |full: &std::path::Path, label: &str, bytes: Vec<u8>| {
        let runs = source::read(label, bytes, &fields, &Origin::default());
        !full.starts_with(&ledger) && runs.iter().flatten().any(is_run)
    };
    let Some(record) = tracker::record_beside(name, &folder, around.reach, &is_record) else {
        return Ok(Some(name));
    };
    let before = if shown == "." { String::new() } else { format!("{shown}/") };
    let message = format!(
        "`{path}` can be read as more than one thing: as a run of {title}, and as plain records such as \
         `{before}{record}`"
    );
    Err(Diagnostic::new(AMBIGUOUS, message)
        .help(format!("say which you mean: `{name}:{shown}` or `{before}{}`", glob(&record)))
        .boxed())
}

/// Whether something that parses as a record is one: it contains numbers, or says which run it describes.
pub(super) fn is_run(run: &Run) -> bool {
    let measured = run.metrics().any(|metric| match metric.value() {
        Ok(_) | Err(MetricFault::NotFinite(_)) => true,
        Err(_) => false,
    });
    // Numbers alone do not make a run: any settings file has some.
    measured && !run.is_flat() || run.text("git_commit").is_some() || run.text("run_id").is_some()
}

/// A glob that matches a record and its siblings.
pub(super) fn glob(record: &str) -> String {
    let (folder, name) =
        record.rsplit_once('/').map_or((None, record), |(folder, name)| (Some(folder), name));
    let ending = name.rsplit_once('.').map_or("json", |(_, ending)| ending);
    debug_assert!(FileKind::of(name).is_some());
    folder.map_or_else(|| format!("*.{ending}"), |folder| format!("{folder}/*.{ending}"))
}
