//! What a workflow run is about: every event, from its environment and its payload alone.

use mlgate::github::{Base, Context};
use serde_json::{Value, json};

const HEAD: &str = "1111111111111111111111111111111111111111";
const MERGE: &str = "2222222222222222222222222222222222222222";
const TIP: &str = "3333333333333333333333333333333333333333";

fn context(name: &str, event: &Value) -> Context {
    let variable = |key: &str| {
        let value = match key {
            "GITHUB_EVENT_NAME" => name,
            "GITHUB_REPOSITORY" => "acme/churn",
            "GITHUB_SHA" => MERGE,
            "GITHUB_RUN_ID" => "77",
            "GITHUB_RUN_NUMBER" => "5",
            "GITHUB_RUN_ATTEMPT" => "2",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Context::new(variable, event)
}

fn pull_request(head: &Value, sender: &str) -> Value {
    json!({
        "number": 12,
        "pull_request": {
            "head": {"sha": HEAD, "ref": "feature", "repo": head},
            "base": {"sha": TIP, "ref": "main"},
        },
        "sender": {"login": sender},
    })
}

fn same() -> Value {
    json!({"full_name": "acme/churn"})
}

#[test]
fn a_pull_request_reports_on_its_head_and_never_on_the_merge_commit() {
    let context = context("pull_request", &pull_request(&same(), "ada"));
    assert_eq!(context.head_sha.as_deref(), Some(HEAD));
    assert_eq!(context.pull_request, Some(12));
    assert_eq!(context.base, Some(Base { branch: "main".into(), sha: TIP.into() }));
    assert_eq!(context.read_only, None);
    assert_eq!((context.run_number, context.run_attempt), (5, 2));
    assert_eq!(context.run_url().as_deref(), Some("https://github.com/acme/churn/actions/runs/77"));
    assert_eq!(context.api_url, "https://api.github.com");
}

#[test]
fn the_token_of_a_fork_and_of_dependabot_can_only_read() {
    let fork = context("pull_request", &pull_request(&json!({"full_name": "eve/churn"}), "eve"));
    assert!(fork.read_only.expect("a reason").contains("fork"));
    let deleted = context("pull_request", &pull_request(&Value::Null, "eve"));
    assert!(deleted.read_only.expect("a reason").contains("fork"));
    let dependabot = context("pull_request", &pull_request(&same(), "dependabot[bot]"));
    assert!(dependabot.read_only.expect("a reason").contains("Dependabot"));
    let target = context("pull_request_target", &pull_request(&json!({"full_name": "eve/churn"}), "eve"));
    assert_eq!((target.read_only, target.head_sha.as_deref()), (None, Some(HEAD)));
}

#[test]
fn a_merge_group_has_a_base_and_no_pull_request_to_comment_on() {
    let event = json!({"merge_group": {"head_sha": HEAD, "base_sha": TIP, "base_ref": "refs/heads/main"}});
    let context = context("merge_group", &event);
    assert_eq!(context.head_sha.as_deref(), Some(HEAD));
    assert_eq!(context.pull_request, None);
    assert_eq!(context.base, Some(Base { branch: "main".into(), sha: TIP.into() }));
}

#[test]
fn other_events_report_on_their_own_commit() {
    for name in ["push", "release", "workflow_dispatch", "schedule", "something_new"] {
        let context = context(name, &json!({}));
        assert_eq!(context.head_sha.as_deref(), Some(MERGE), "{name}");
        assert_eq!((context.pull_request, context.base), (None, None), "{name}");
    }
}

#[test]
fn a_workflow_run_names_its_pull_request_or_the_branch_it_came_from() {
    let event = |pulls: Value| {
        json!({"workflow_run": {
            "head_sha": HEAD, "head_branch": "feature", "pull_requests": pulls,
            "head_repository": {"owner": {"login": "eve"}},
        }})
    };
    let own = context("workflow_run", &event(json!([{"number": 12}])));
    assert_eq!((own.pull_request, own.head_sha.as_deref()), (Some(12), Some(HEAD)));
    let fork = context("workflow_run", &event(json!([])));
    assert_eq!((fork.pull_request, fork.head_label.as_deref()), (None, Some("eve:feature")));
}

#[test]
fn what_is_no_commit_is_not_taken_for_one() {
    for sha in ["", "main", "--upload-pack=x", "11111111", &"g".repeat(40)] {
        let mut event = pull_request(&same(), "ada");
        event["pull_request"]["head"]["sha"] = json!(sha);
        assert_eq!(context("pull_request", &event).head_sha, None, "{sha}");
    }
    let nothing = context("pull_request", &Value::Null);
    assert_eq!((nothing.head_sha, nothing.pull_request, nothing.base), (None, None, None));
}

#[test]
fn a_server_of_ones_own_is_honoured() {
    let variable = |key: &str| match key {
        "GITHUB_API_URL" => Some("https://ghes.example.org/api/v3/".to_owned()),
        "GITHUB_SERVER_URL" => Some("https://ghes.example.org".to_owned()),
        "GITHUB_REPOSITORY" => Some("a/b".to_owned()),
        "GITHUB_RUN_ID" => Some("1".to_owned()),
        _ => None,
    };
    let context = Context::new(variable, &Value::Null);
    assert_eq!(context.api_url, "https://ghes.example.org/api/v3");
    assert_eq!(context.run_url().as_deref(), Some("https://ghes.example.org/a/b/actions/runs/1"));
}
