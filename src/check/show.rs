//! Shows records without a decision.

use std::path::Path;

use jiff::Timestamp;

use super::{NO_PREDICTIONS, ONE_RUN, Workspace, candidates, policy_file};
use crate::cases::CaseColumns;
use crate::document::Diagnostic;
use crate::facts::Workspace as Files;
use crate::policy::Policy;
use crate::rule::{Facts, NoCases};
use crate::run::Run;
use crate::scorer::{CasesSummary, summary, summary_of_tally};

/// The workspace of a policy, and the policy. Without a policy here or above, the workspace is this folder.
pub fn open(
    policy: Option<&str>,
    ledger: Option<&Path>,
    folder: &Path,
) -> Result<(Workspace, Option<Policy>), Vec<Diagnostic>> {
    match policy_file::find(policy, folder) {
        Ok(found) => {
            let workspace = Workspace::new(folder, &found.folder).with_ledger(ledger);
            let loaded = policy_file::load(found, folder, Timestamp::UNIX_EPOCH)?;
            Ok((workspace, Some(loaded.policy)))
        }
        Err(_) if policy.is_none() => Ok((Workspace::new(folder, folder).with_ledger(ledger), None)),
        Err(problem) => Err(vec![*problem]),
    }
}

/// Like [`open`], for commands that need only the ledger's location from the policy: if the ledger is named,
/// an unreadable policy does not matter.
pub fn open_ledger(
    ledger: Option<&Path>,
    folder: &Path,
) -> Result<(Workspace, Option<Policy>), Vec<Diagnostic>> {
    if ledger.is_none() {
        return open(None, None, folder);
    }
    let root = policy_file::find(None, folder).map_or_else(|_| folder.to_owned(), |found| found.folder);
    Ok((Workspace::new(folder, &root).with_ledger(ledger), None))
}

/// The one run that a reference names.
pub(super) fn one_run(
    name: &str,
    policy: Option<&Policy>,
    workspace: &Workspace,
) -> Result<Run, Vec<Diagnostic>> {
    let names = [name.to_owned()];
    let chosen = candidates::named_runs(&names, policy, workspace)?;
    let fields = policy.map(|policy| policy.fields.clone()).unwrap_or_default();
    let mut runs = Vec::new();
    for read in (0..chosen.len()).flat_map(|index| chosen.read(index, &fields)) {
        runs.push(read?);
    }
    match (runs.pop(), runs.len()) {
        (Some(run), 0) => Ok(run),
        (run, more) => {
            let number = more + usize::from(run.is_some());
            let message = format!("`{name}` names {number} runs, but exactly one is needed");
            Err(vec![Diagnostic::new(ONE_RUN, message).help("name one file, such as runs/churn.json")])
        }
    }
}

/// The canonical records of the named runs, and errors for those that could not be read.
pub fn show(names: &[String], policy: Option<&str>, folder: &Path) -> (Vec<Run>, Vec<Diagnostic>) {
    let mut troubles = Vec::new();
    let mut runs = Vec::new();
    let (workspace, policy) = match open(policy, None, folder) {
        // `gate show` also shows the best value, not only the last.
        Ok((workspace, policy)) => (workspace.with_history(), policy),
        Err(problems) => return (runs, problems.clone()),
    };
    match candidates::named_runs(names, policy.as_ref(), &workspace) {
        Err(problem) => troubles.push(*problem),
        Ok(chosen) => {
            let fields = policy.as_ref().map(|policy| policy.fields.clone()).unwrap_or_default();
            for read in (0..chosen.len()).flat_map(|index| chosen.read(index, &fields)) {
                match read {
                    Ok(run) => runs.push(run),
                    Err(problems) => troubles.extend(problems.iter().cloned()),
                }
            }
        }
    }
    (runs, troubles)
}

/// The metrics computed from the predictions of the named runs, each with its run, and errors for those that
/// could not be read.
pub fn show_cases(
    names: &[String],
    policy: Option<&str>,
    folder: &Path,
) -> (Vec<(String, CasesSummary)>, Vec<Diagnostic>) {
    let (runs, mut wrong) = show(names, policy, folder);
    let (workspace, policy) = match open(policy, None, folder) {
        Ok(opened) => opened,
        Err(problems) => return (Vec::new(), problems),
    };
    let columns = policy.map_or_else(CaseColumns::default, |policy| policy.cases);
    let facts = Files::new(workspace.root(), &workspace);
    let mut summaries = Vec::new();
    for run in runs {
        let found = match facts.tally(&run, &columns) {
            Some((tally, cases)) => Ok(summary_of_tally(&tally, &cases)),
            None => facts
                .cases(&run, &columns)
                .and_then(|cases| summary(&cases).map_err(|error| NoCases::of(run.label(), error))),
        };
        match found {
            Ok(found) => summaries.push((run.label().to_owned(), found)),
            Err(NoCases::Unusable(diagnostic)) => wrong.push(*diagnostic),
            Err(NoCases::NotRecorded) => wrong.push(no_predictions(&run)),
        }
    }
    (summaries, wrong)
}

/// The error for a run without recorded predictions; it says how to record them.
pub(super) fn no_predictions(run: &Run) -> Diagnostic {
    let recorded = run.record().get("predictions");
    if recorded.is_some_and(|node| node.get("aggregates").is_some()) {
        let message = format!(
            "`{}` records aggregates of its predictions, but not the predictions themselves",
            run.label()
        );
        return Diagnostic::new(NO_PREDICTIONS, message)
            .help("`gate check --verbose` shows what they give; for more, record the file of predictions");
    }
    Diagnostic::new(NO_PREDICTIONS, format!("`{}` records no predictions", run.label())).help(
        "write `\"predictions\": {\"path\": \"predictions.csv\", \"digest\": \"sha256:…\"}` into the record",
    )
}
