//! The records themselves, without a decision.

use std::path::Path;

use jiff::Timestamp;

use super::{Workspace, candidates, policy_file};
use crate::run::Run;
use crate::verdict::Trouble;

/// The canonical records of the runs that are named, and what could not be read.
pub fn show(names: &[String], policy: Option<&str>, folder: &Path) -> (Vec<Run>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let mut runs = Vec::new();
    let found = match policy_file::find(policy, folder) {
        Ok(found) => {
            let root = found.folder.clone();
            policy_file::load(found, folder, Timestamp::UNIX_EPOCH).map(|loaded| (root, Some(loaded.policy)))
        }
        // Without a policy a record is shown as it is; one that was named must be there.
        Err(_) if policy.is_none() => Ok((folder.to_owned(), None)),
        Err(problem) => Err(vec![*problem]),
    };
    let (root, policy) = match found {
        Ok(found) => found,
        Err(problems) => return (runs, problems.iter().map(Trouble::from).collect()),
    };
    let workspace = Workspace::new(folder, &root);
    match candidates::named_runs(names, policy.as_ref(), &workspace) {
        Err(problem) => troubles.push(Trouble::from(&*problem)),
        Ok(chosen) => {
            let fields = policy.as_ref().map(|policy| policy.fields.clone()).unwrap_or_default();
            for read in (0..chosen.len()).flat_map(|index| chosen.read(index, &fields)) {
                match read {
                    Ok(run) => runs.push(run),
                    Err(problems) => troubles.extend(problems.iter().map(Trouble::from)),
                }
            }
        }
    }
    (runs, troubles)
}
