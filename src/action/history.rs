//! Fetches what a workflow's clone lacks: the commits of the event, their common history, and the revisions that the
//! policy names.

use std::path::Path;

use crate::check::{PullRequestBase, Pushed};
use crate::document::Diagnostic;
use crate::git::{Credentials, Git};
use crate::github::{Base, PullRequest, is_sha};

/// The ref for the base's tip.
const BASE: &str = "refs/gate/base";
/// The ref for the head.
const HEAD: &str = "refs/gate/head";
/// How much history is fetched in successive attempts, until it is enough.
const DEPTHS: [Option<u32>; 4] = [Some(50), Some(500), Some(5_000), None];

/// A clone, and the server that it can fetch from.
pub(super) struct Clone<'c> {
    pub(super) git: Git,
    pub(super) folder: &'c Path,
    pub(super) credentials: Option<&'c Credentials>,
}

impl<'c> Clone<'c> {
    pub(super) fn open(
        folder: &'c Path,
        credentials: Option<&'c Credentials>,
    ) -> Result<Self, Box<Diagnostic>> {
        Ok(Self { git: Git::open(folder)?, folder, credentials })
    }

    /// Fetches the tip of the base and the head of a pull request, and returns whom to trust: the tip. For a merged
    /// pull request, whose head the tip contains, it is the base from before the merge.
    pub(super) fn pull_request(&self, pull: &PullRequest) -> Result<PullRequestBase, Box<Diagnostic>> {
        let head = match pull.number {
            // A fork's commit is available through the pull request.
            Some(number) => format!("refs/pull/{number}/head:{HEAD}"),
            None => format!("{}:{HEAD}", pull.head),
        };
        let base_at = |tip: &str| {
            let merged = self.contains(tip, &pull.head) && !self.contains(&pull.base.sha, &pull.head);
            if pull.merged || merged { pull.base.sha.clone() } else { tip.to_owned() }
        };
        let refs = [format!("refs/heads/{}:{BASE}", pull.base.branch), head];
        let base = match self.deepen(&refs, || self.meet(&base_at(BASE), &pull.head)) {
            Ok(()) => base_at(BASE),
            // A full checkout has just fetched it. A base older than the event must not decide.
            Err(problem) => {
                let tip = remote(&pull.base.branch);
                let current = self.is_whole(&pull.head) && self.contains(&tip, &pull.base.sha);
                if !current {
                    return Err(problem);
                }
                base_at(&tip)
            }
        };
        self.git.commit(&pull.head)?;
        Ok(trust(base, &pull.head, &pull.base.branch))
    }

    /// Whom to trust for a merge queue entry: the commit that it is built on, and the branch itself. Usually the entry
    /// is alone, and both are the same.
    pub(super) fn merge_group(
        &self,
        base: &Base,
        head: &str,
    ) -> Result<Vec<PullRequestBase>, Box<Diagnostic>> {
        let refs = [format!("refs/heads/{}:{BASE}", base.branch), format!("{head}:{HEAD}")];
        let tip = match self.deepen(&refs, || self.meet(BASE, head) && self.meet(&base.sha, head)) {
            Ok(()) => BASE.to_owned(),
            Err(problem) => {
                let tip = remote(&base.branch);
                if !(self.is_whole(head) && self.contains(&base.sha, &tip)) {
                    return Err(problem);
                }
                tip
            }
        };
        let (ahead, branch) = (self.git.commit(&base.sha)?, self.git.commit(&tip)?);
        let mut all = vec![trust(base.sha.clone(), head, &base.branch)];
        if ahead.id != branch.id {
            all.push(trust(tip, head, &base.branch));
        }
        Ok(all)
    }

    /// Fetches the state of a branch before a push. `None` if it no longer exists anywhere, or if the job checked out
    /// something other than what was pushed.
    pub(super) fn before_push(
        &self,
        branch: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Option<Pushed> {
        let before = before?;
        let here = self.git.commit("HEAD").ok()?.id;
        if after.is_some_and(|after| after != here) {
            return None;
        }
        if self.git.is_shallow() || self.git.commit(before).is_err() {
            let refs = [format!("{before}:{BASE}"), format!("{here}:{HEAD}")];
            let _ = self.deepen(&refs, || self.meet(before, &here));
        }
        self.git.commit(before).ok()?;
        Some(Pushed { branch: branch.to_owned(), before: before.to_owned() })
    }

    /// Fetches the branches or tags with these names, if the server has them, with enough history to reach what is
    /// judged. Failures are ignored here: looking the name up reports what is missing.
    pub(super) fn named(&self, names: &[String], head: &str) {
        for refs in names.iter().filter_map(|name| refspecs(name)) {
            // One at a time: git fetches nothing at all if one ref is missing.
            for one in refs {
                // The last fetch may have completed the clone.
                let Ok(clone) = Self::open(self.folder, self.credentials) else { return };
                let there = one.rsplit(':').next().unwrap_or_default().to_owned();
                let _ = clone.deepen(&[one], || clone.meet(&there, head));
            }
        }
    }

    /// Fetches refs, deeper and deeper until it is enough.
    fn deepen(&self, refs: &[String], enough: impl Fn() -> bool) -> Result<(), Box<Diagnostic>> {
        let depths: &[Option<u32>] = if self.git.is_shallow() { &DEPTHS } else { &[None] };
        for depth in depths {
            self.git.fetch(refs, *depth, self.credentials)?;
            if enough() {
                break;
            }
        }
        Ok(())
    }

    /// Whether the clone has the common history of two commits.
    fn meet(&self, one: &str, other: &str) -> bool {
        let (Ok(one), Ok(other)) = (self.git.commit(one), self.git.commit(other)) else { return false };
        self.git.merge_bases(&one, &other).is_ok()
    }

    /// Whether `id` is `revision` or one of its ancestors.
    fn contains(&self, revision: &str, id: &str) -> bool {
        let (Ok(tip), Ok(id)) = (self.git.commit(revision), self.git.commit(id)) else { return false };
        self.git.is_ancestor(&id.id, &tip.id).unwrap_or(false)
    }

    /// Whether the clone has the full history of the head.
    fn is_whole(&self, head: &str) -> bool {
        !self.git.is_shallow() && self.git.commit(head).is_ok()
    }
}

fn trust(base: String, head: &str, branch: &str) -> PullRequestBase {
    PullRequestBase {
        base,
        head: Some(head.to_owned()),
        branch: Some(branch.to_owned()),
        require_policy: false,
    }
}

/// The clone's ref for a branch on the server.
fn remote(branch: &str) -> String {
    format!("refs/remotes/origin/{branch}")
}

/// The refs to fetch for a revision in a policy, as `SOURCE:DESTINATION`; `None` if no server has it.
fn refspecs(revision: &str) -> Option<Vec<String>> {
    // `main~3` is in the history of `main`.
    let name = revision.split(['~', '^', '@']).next().unwrap_or_default();
    if is_sha(name) {
        return Some(vec![format!("{name}:refs/gate/{name}")]);
    }
    let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    let known = name.strip_prefix("refs/heads/").map(|name| ("heads", name));
    let known = known.or_else(|| name.strip_prefix("refs/tags/").map(|name| ("tags", name)));
    let valid = |name: &str| {
        let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
        name != "HEAD" && !name.is_empty() && !name.starts_with(['-', '.', '/']) && name.chars().all(plain)
    };
    let branch = |name: &str| format!("refs/heads/{name}:{}", remote(name));
    let tag = |name: &str| format!("refs/tags/{name}:refs/tags/{name}");
    let (kind, name) = known.unwrap_or(("", name));
    valid(name).then(|| match kind {
        "heads" => vec![branch(name)],
        "tags" => vec![tag(name)],
        _ => vec![branch(name), tag(name)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_names_is_fetched_as_a_branch_or_a_tag() {
        let branch = "refs/heads/main:refs/remotes/origin/main";
        let tag = |name: &str| format!("refs/tags/{name}:refs/tags/{name}");
        let sha = "1".repeat(40);
        for (name, expected) in [
            ("main", Some(vec![branch.to_owned(), tag("main")])),
            ("origin/main", Some(vec![branch.to_owned(), tag("main")])),
            ("refs/heads/main", Some(vec![branch.to_owned()])),
            ("refs/remotes/origin/main", Some(vec![branch.to_owned(), tag("main")])),
            ("main~3", Some(vec![branch.to_owned(), tag("main")])),
            ("refs/tags/v1.2", Some(vec![tag("v1.2")])),
            (&sha, Some(vec![format!("{sha}:refs/gate/{sha}")])),
            ("HEAD", None),
            ("HEAD~1", None),
            ("@", None),
            ("", None),
            ("--upload-pack=x", None),
            ("a:b", None),
            ("*", None),
        ] {
            assert_eq!(refspecs(name), expected, "{name}");
        }
    }
}
