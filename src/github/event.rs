//! What a workflow run has to judge: a pure function of the event's name and payload.
//!
//! The event decides whom gate trusts. So an unknown event, or a payload that lacks a required field, is an error, and
//! never treated as "some event without a base".

use serde_json::Value;

use super::payload::{is_sha, number, text_at};
use super::{BAD_PAYLOAD, OTHER_EVENT};
use crate::document::Diagnostic;

/// What to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A pull request: its head is judged by the policy and the baseline of its base.
    PullRequest(PullRequest),
    /// A merge queue entry.
    MergeGroup {
        /// The branch that the queue merges into, and the commit that this entry is built on: the entry ahead of it, or
        /// the branch's tip.
        base: Base,
        /// The commit of the entry.
        head: String,
    },
    /// Commits that were pushed to a branch.
    Push {
        /// The branch.
        branch: String,
        /// Its commit before the push; `None` if the push created the branch.
        before: Option<String>,
        /// Its commit after the push.
        after: Option<String>,
    },
    /// Not a change (a tag, a release, a schedule, a manual run): every record is judged.
    EveryRecord,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number, if it is in the payload.
    pub number: Option<u64>,
    /// The branch to merge into.
    pub base: Base,
    /// The last commit of its own branch.
    pub head: String,
    /// It is already merged, so the tip of its base contains it.
    pub merged: bool,
}

/// The branch that a change is to be merged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its name.
    pub branch: String,
    /// A commit of it, depending on the event.
    pub sha: String,
}

/// Events without a change, for which the runner has the relevant commit.
const EVERY_RECORD: [&str; 5] =
    ["workflow_dispatch", "repository_dispatch", "schedule", "release", "deployment"];

impl Event {
    /// Reads an event. `git_ref` is `GITHUB_REF`, for a payload that does not name the pushed ref.
    pub fn new(name: &str, payload: &Value, git_ref: Option<&str>) -> Result<Self, Box<Diagnostic>> {
        if !payload.is_object() {
            return Err(no_payload(name, "it is not a JSON object"));
        }
        // Match by shape: reviews of a pull request and comments on its lines have other event names.
        if payload.get("pull_request").is_some() || name.starts_with("pull_request") {
            return pull_request(name, payload).map(Self::PullRequest);
        }
        if payload.get("merge_group").is_some() || name == "merge_group" {
            let branch = required(name, payload, "/merge_group/base_ref")?.trim_start_matches("refs/heads/");
            let sha = required_sha(name, payload, "/merge_group/base_sha")?;
            let base = Base { branch: branch.to_owned(), sha };
            return Ok(Self::MergeGroup {
                base,
                head: required_sha(name, payload, "/merge_group/head_sha")?,
            });
        }
        if name == "push" {
            return push(payload, git_ref);
        }
        if EVERY_RECORD.contains(&name) { Ok(Self::EveryRecord) } else { Err(refused(name)) }
    }

    /// The commit to judge, if the event names it.
    pub fn head(&self) -> Option<&str> {
        match self {
            Self::PullRequest(pull) => Some(&pull.head),
            Self::MergeGroup { head, .. } => Some(head),
            Self::Push { .. } | Self::EveryRecord => None,
        }
    }
}

fn pull_request(name: &str, payload: &Value) -> Result<PullRequest, Box<Diagnostic>> {
    let branch = required(name, payload, "/pull_request/base/ref")?.to_owned();
    Ok(PullRequest {
        number: number(payload),
        base: Base { branch, sha: required_sha(name, payload, "/pull_request/base/sha")? },
        head: required_sha(name, payload, "/pull_request/head/sha")?,
        merged: payload.pointer("/pull_request/merged").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn push(payload: &Value, git_ref: Option<&str>) -> Result<Event, Box<Diagnostic>> {
    let sha = |pointer: &str| {
        text_at(payload, pointer)
            .filter(|sha| is_sha(sha) && sha.bytes().any(|byte| byte != b'0'))
            .map(str::to_owned)
    };
    if payload.get("deleted").and_then(Value::as_bool) == Some(true) {
        return Err(Diagnostic::new(OTHER_EVENT, "the push deletes a branch, so there is nothing to judge")
            .help("skip the job: `if: ${{ !github.event.deleted }}`")
            .boxed());
    }
    let name = text_at(payload, "/ref").or(git_ref).unwrap_or_default();
    match name.strip_prefix("refs/heads/") {
        Some(branch) => {
            Ok(Event::Push { branch: branch.to_owned(), before: sha("/before"), after: sha("/after") })
        }
        // A tag is not a change.
        None => Ok(Event::EveryRecord),
    }
}

fn required<'p>(name: &str, payload: &'p Value, pointer: &str) -> Result<&'p str, Box<Diagnostic>> {
    text_at(payload, pointer).ok_or_else(|| incomplete(name, pointer))
}

fn required_sha(name: &str, payload: &Value, pointer: &str) -> Result<String, Box<Diagnostic>> {
    let sha = required(name, payload, pointer)?;
    if is_sha(sha) { Ok(sha.to_owned()) } else { Err(incomplete(name, pointer)) }
}

/// An unreadable payload.
pub fn no_payload(name: &str, why: &str) -> Box<Diagnostic> {
    Diagnostic::new(BAD_PAYLOAD, format!("the payload of the event `{name}` can't be read: {why}"))
        .help("GITHUB_EVENT_PATH must name the file that the runner wrote; without it gate does not know what to judge")
        .boxed()
}

fn incomplete(name: &str, pointer: &str) -> Box<Diagnostic> {
    let field = pointer.trim_start_matches('/').replace('/', ".");
    Diagnostic::new(BAD_PAYLOAD, format!("the payload of the event `{name}` has no valid `{field}`"))
        .help("without it gate does not know what to judge; run the job again, or start it by `on: pull_request`")
        .boxed()
}

fn refused(name: &str) -> Box<Diagnostic> {
    let (message, help) = match name {
        "workflow_run" => (
            "on `workflow_run`, the runner has the default branch, not the commit that the other workflow ran for"
                .to_owned(),
            "run gate in that other workflow; to post its report from here, name it: `from: gate-report.json`",
        ),
        "issue_comment" => (
            "on `issue_comment`, the runner has the default branch, not the pull request".to_owned(),
            "start the job by `on: pull_request` with `types: [opened, synchronize, reopened, edited]`",
        ),
        "" => (
            "GITHUB_EVENT_NAME is not set, so gate does not know what to judge".to_owned(),
            "`gate action` runs in a workflow of GitHub Actions; elsewhere, use `gate check`",
        ),
        _ => (
            format!("gate does not know what to judge on the event `{name}`"),
            "start the job by pull_request, merge_group, push, release, schedule or workflow_dispatch",
        ),
    };
    Diagnostic::new(OTHER_EVENT, message).help(help).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEAD: &str = "1111111111111111111111111111111111111111";
    const TIP: &str = "3333333333333333333333333333333333333333";
    const NONE: &str = "0000000000000000000000000000000000000000";

    fn pull() -> Value {
        json!({"number": 12, "pull_request": {"head": {"sha": HEAD}, "base": {"sha": TIP, "ref": "main"}}})
    }

    fn group() -> Value {
        json!({"merge_group": {"head_sha": HEAD, "base_sha": TIP, "base_ref": "refs/heads/main"}})
    }

    fn without(mut payload: Value, pointer: &str) -> Value {
        *payload.pointer_mut(pointer).expect("it is there") = Value::Null;
        payload
    }

    #[test]
    fn each_event_says_what_to_judge() {
        let base = || Base { branch: "main".into(), sha: TIP.into() };
        let of_pull = Event::PullRequest(PullRequest {
            number: Some(12),
            base: base(),
            head: HEAD.into(),
            merged: false,
        });
        let pushed = |before: Option<&str>| Event::Push {
            branch: "a/b".into(),
            before: before.map(str::to_owned),
            after: Some(HEAD.into()),
        };
        let push = |before: &str| json!({"before": before, "after": HEAD, "ref": "refs/heads/a/b"});
        for (name, payload, expected) in [
            ("pull_request", pull(), of_pull.clone()),
            ("pull_request_target", pull(), of_pull.clone()),
            ("pull_request_review", pull(), of_pull.clone()),
            ("pull_request_review_comment", pull(), of_pull.clone()),
            ("whatever comes", pull(), of_pull),
            ("merge_group", group(), Event::MergeGroup { base: base(), head: HEAD.into() }),
            ("push", push(TIP), pushed(Some(TIP))),
            ("push", push(NONE), pushed(None)),
            ("push", push("main"), pushed(None)),
            ("push", json!({"before": TIP, "after": HEAD, "ref": "refs/tags/v1"}), Event::EveryRecord),
            ("workflow_dispatch", json!({}), Event::EveryRecord),
            ("repository_dispatch", json!({}), Event::EveryRecord),
            ("schedule", json!({}), Event::EveryRecord),
            ("release", json!({"release": {}}), Event::EveryRecord),
            ("deployment", json!({}), Event::EveryRecord),
        ] {
            assert_eq!(Event::new(name, &payload, None).expect(name), expected, "{name} {payload}");
        }
        let of_ref = Event::new("push", &json!({"before": TIP, "after": HEAD}), Some("refs/heads/a/b"));
        assert_eq!(of_ref.expect("the runner says the ref"), pushed(Some(TIP)));
    }

    #[test]
    fn what_is_not_known_is_no_event_without_a_base() {
        for (name, payload, says) in [
            ("pull_request", Value::Null, "can't be read"),
            ("schedule", Value::Null, "can't be read"),
            ("pull_request", json!({}), "pull_request.base.ref"),
            ("pull_request", json!({"pull_request": null}), "pull_request.base.ref"),
            ("pull_request", without(pull(), "/pull_request/base/sha"), "pull_request.base.sha"),
            ("pull_request_review", without(pull(), "/pull_request/base/sha"), "pull_request.base.sha"),
            ("pull_request", without(pull(), "/pull_request/head/sha"), "pull_request.head.sha"),
            ("push", without(pull(), "/pull_request/base"), "pull_request.base.ref"),
            ("merge_group", json!({}), "merge_group.base_ref"),
            ("merge_group", without(group(), "/merge_group/base_sha"), "merge_group.base_sha"),
            ("merge_group", without(group(), "/merge_group/head_sha"), "merge_group.head_sha"),
            ("push", json!({"deleted": true, "ref": "refs/heads/x"}), "deletes a branch"),
            ("workflow_run", json!({"workflow_run": {"head_sha": HEAD}}), "on `workflow_run`"),
            ("issue_comment", json!({"issue": {"pull_request": {}}}), "on `issue_comment`"),
            ("check_suite", json!({"check_suite": {"pull_requests": [pull()]}}), "`check_suite`"),
            ("", json!({}), "GITHUB_EVENT_NAME"),
        ] {
            let problem = Event::new(name, &payload, None).expect_err(name);
            assert!(problem.message.contains(says), "{name}: {}", problem.message);
            assert!(problem.help.is_some(), "{name}");
        }
    }

    #[test]
    fn only_whole_commit_ids_are_commits() {
        for sha in ["", "main", "--upload-pack=x", "11111111", &"g".repeat(40)] {
            let mut payload = pull();
            payload["pull_request"]["base"]["sha"] = json!(sha);
            assert!(Event::new("pull_request", &payload, None).is_err(), "{sha}");
        }
    }
}
