//! What the clone of a workflow lacks, and fetching it: the tip of the base, the head, and what they have in common.

use crate::check::PullRequestBase;
use crate::document::Diagnostic;
use crate::git::{Credentials, Git};
use crate::github::{Base, is_sha};

/// Where the base's tip is put.
const BASE: &str = "refs/gate/base";
/// Where the head is put.
const HEAD: &str = "refs/gate/head";
/// How much history is fetched, attempt after attempt, until the two meet.
const DEPTHS: [Option<u32>; 4] = [Some(50), Some(500), Some(5_000), None];

/// Makes sure that the base's tip and the head are here, and says whom to trust.
pub(super) fn of_change(
    git: &Git,
    base: &Base,
    head: &str,
    pull_request: Option<u64>,
    credentials: Option<&Credentials>,
) -> Result<PullRequestBase, Box<Diagnostic>> {
    let trust = |base_rev: &str| PullRequestBase {
        base: base_rev.to_owned(),
        head: Some(head.to_owned()),
        branch: Some(base.branch.clone()),
        require_policy: false,
    };
    let mut refs = vec![format!("refs/heads/{}:{BASE}", base.branch)];
    // A fork's commit is reached through the pull request.
    refs.push(match pull_request {
        Some(number) => format!("refs/pull/{number}/head:{HEAD}"),
        None if is_sha(head) => format!("{head}:{HEAD}"),
        None => format!("HEAD:{HEAD}"),
    });
    let depths: &[Option<u32>] = if git.is_shallow() { &DEPTHS } else { &[None] };
    for depth in depths {
        if let Err(problem) = git.fetch(&refs, *depth, credentials) {
            return if fetched_before(git, base, head) { Ok(trust(&remote(base))) } else { Err(problem) };
        }
        let (tip, commit) = (git.commit(BASE)?, git.commit(head)?);
        if git.merge_bases(&commit, &tip).is_ok() {
            break;
        }
    }
    Ok(trust(BASE))
}

/// The base as the clone knows it.
fn remote(base: &Base) -> String {
    format!("refs/remotes/origin/{}", base.branch)
}

/// Whether the clone has the history already, with a base that is no older than the event: a checkout of everything
/// fetched it a moment ago, and a stale one must not decide.
fn fetched_before(git: &Git, base: &Base, head: &str) -> bool {
    let Ok(tip) = git.commit(&remote(base)) else { return false };
    !git.is_shallow() && git.commit(head).is_ok() && git.is_ancestor(&base.sha, &tip.id).unwrap_or(false)
}

/// Makes sure that the commit before a push is here; nothing where there is none to compare with.
pub(super) fn before_push(git: &Git, before: &str, credentials: Option<&Credentials>) -> Option<String> {
    if !is_sha(before) || before.bytes().all(|byte| byte == b'0') {
        return None;
    }
    if git.commit(before).is_ok() && !git.is_shallow() {
        return Some(before.to_owned());
    }
    for depth in DEPTHS {
        git.fetch(&[format!("{before}:{BASE}"), format!("HEAD:{HEAD}")], depth, credentials).ok()?;
        let (Ok(here), Ok(tip)) = (git.commit("HEAD"), git.commit(before)) else { continue };
        if git.merge_bases(&here, &tip).is_ok() {
            return Some(before.to_owned());
        }
    }
    None
}
