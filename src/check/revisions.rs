//! Which revisions of the repository a decision will need, so that a clone without them can fetch them first.

use std::path::Path;

use jiff::Timestamp;

use super::trust::{self, Revisions};
use super::{Request, policy_file};
use crate::git::Git;
use crate::policy::Policy;
use crate::run::Reference;

/// The revisions that the request and its policy name: for baselines, and for `ancestor_of`. Empty if the policy
/// can't be read; the check then reports why.
pub fn revisions_of_policy(request: &Request, folder: &Path, now: Timestamp) -> Vec<String> {
    let Some(policy) = policy(request, folder, now) else { return Vec::new() };
    let baselines = request
        .baseline
        .iter()
        .chain(&policy.baseline)
        .chain(policy.stages.values().filter_map(|stage| stage.baseline.as_ref()))
        .chain(policy.rules.iter().filter_map(|rule| rule.baseline.as_ref()));
    let runs = request.runs.iter();
    let of_rules = policy.rules.iter().filter_map(|rule| rule.requirement.revision().map(str::to_owned));
    baselines.chain(runs).filter_map(|reference| revision_in(reference)).chain(of_rules).collect()
}

fn policy(request: &Request, folder: &Path, now: Timestamp) -> Option<Policy> {
    let Some(base) = &request.trust else {
        let found = policy_file::find(request.policy.as_deref(), folder).ok()?;
        return policy_file::load(found, folder, now).ok().map(|loaded| loaded.policy);
    };
    let git = Git::open(folder).ok()?;
    let revisions = Revisions::resolve(base, &git).ok()?;
    [&revisions.base, &revisions.head].into_iter().find_map(|commit| {
        let found = trust::find(request, folder, &git, commit).ok()??;
        trust::load(found, &git, commit, now).ok().map(|(loaded, _)| loaded.policy)
    })
}

/// The revision in a reference: of `git:REV:PATH`, and of a tracker that keeps its runs in git, `dvc:DIR@REV`.
fn revision_in(reference: &str) -> Option<String> {
    match Reference::parse(reference).ok()? {
        Reference::Git { revision, .. } => Some(revision),
        Reference::Tracker { tracker: "dvc" | "hf", rest } => {
            rest.rsplit_once('@').map(|(_, revision)| revision.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::revision_in;

    #[test]
    fn the_revision_of_a_reference() {
        for (reference, expected) in [
            ("git:main", Some("main")),
            ("git:v1:runs/a.json", Some("v1")),
            ("dvc:training@release", Some("release")),
            ("hf:README.md@main", Some("main")),
            ("dvc:training", None),
            ("mlflow:models:/churn@champion", None),
            ("stage:production", None),
            ("runs/a@b.json", None),
        ] {
            assert_eq!(revision_in(reference).as_deref(), expected, "{reference}");
        }
    }
}
