//! Posting to GitHub: one comment, edited in place; a check run that is complete at once; and an unchanged
//! verdict.

use std::time::Duration;

use mlgate::github::{Comment, Context, Posted, Posting, Scope, post};
use mlgate::verdict::Report;
use serde_json::json;

use crate::fake_github::{FakeGithub, Fault};
use crate::project::Project;

const HEAD: &str = "1111111111111111111111111111111111111111";

fn context(github: &FakeGithub, run: u64) -> Context {
    let variable = |key: &str| {
        let value = match key {
            "GITHUB_EVENT_NAME" => "pull_request".to_owned(),
            "GITHUB_REPOSITORY" => "acme/churn".to_owned(),
            "GITHUB_API_URL" => github.url.clone(),
            "GITHUB_RUN_ID" => "77".to_owned(),
            "GITHUB_RUN_NUMBER" => run.to_string(),
            "GITHUB_WORKFLOW" => "gate".to_owned(),
            _ => return None,
        };
        Some(value)
    };
    let event = json!({"number": 12, "pull_request": {
        "head": {"sha": HEAD, "ref": "f", "repo": {"full_name": "acme/churn"}},
        "base": {"sha": HEAD, "ref": "main"},
    }});
    Context::new(variable, &event)
}

fn posting() -> Posting {
    Posting {
        comment: Comment::Auto,
        scope: Scope::default(),
        check_run: None,
        judged: Some(HEAD.into()),
        token: Some("ghs_secret".into()),
        below: String::new(),
        claimed: false,
        pause: Some(Duration::ZERO),
    }
}

/// The report on a candidate with this f1, under a minimum of 0.8.
fn report(f1: &str) -> Report {
    let project = Project::churn();
    project.edit("runs/new.json", "0.842", f1);
    let ran = project.gate(&["check", "runs/new.json", "--now", "2026-06-01T00:00:00Z", "--format", "json"]);
    serde_json::from_str(&ran.out).expect("a report")
}

fn posted(github: &FakeGithub, run: u64, f1: &str) -> Posted {
    let posted = post(&report(f1), &context(github, run), &posting());
    github.contract_holds();
    posted
}

#[test]
fn one_comment_is_made_edited_and_turned_to_green() {
    let github = FakeGithub::start();
    let first = posted(&github, 1, "0.7");
    assert!(first.degraded.is_empty(), "{:?}", first.degraded);
    assert_eq!(first.comment_url.as_deref(), Some("https://github.com/c/1"));
    assert!(github.bodies()[0].contains("### ❌ gate: fail"), "{}", github.bodies()[0]);
    posted(&github, 2, "0.6");
    assert_eq!(github.bodies().len(), 1);
    assert!(github.bodies()[0].contains("0.6"));
    posted(&github, 3, "0.85");
    assert_eq!(github.bodies().len(), 1);
    assert!(github.bodies()[0].contains("### ✅ gate: pass"));
    let patches = github.count("PATCH");
    posted(&github, 3, "0.85");
    assert_eq!(github.count("PATCH"), patches, "what is the same is not written again");
}

#[test]
fn an_older_run_does_not_overwrite_a_newer_one() {
    let github = FakeGithub::start();
    posted(&github, 5, "0.85");
    let late = posted(&github, 4, "0.7");
    assert!(github.bodies()[0].contains("gate: pass"));
    assert!(late.notes[0].contains("a newer run"), "{:?}", late.notes);
}

#[test]
fn the_mark_alone_does_not_make_a_comment_ours() {
    let github = FakeGithub::start();
    posted(&github, 1, "0.7");
    let body = github.bodies()[0].clone();
    github.lock().comments.clear();
    let human = github.comment("eve", "User", &body);
    let other = github.comment("other-app[bot]", "Bot", &body);
    posted(&github, 2, "0.6");
    let state = github.lock();
    assert_eq!(state.comments.len(), 3, "a new one, and both others as they were");
    for id in [human, other] {
        let comment = state.comments.iter().find(|one| one["id"] == id).expect("still there");
        assert_eq!(comment["body"], body);
    }
}

#[test]
fn a_token_that_does_not_say_who_it_speaks_for() {
    let github = FakeGithub::start();
    github.lock().viewer.clear();
    posted(&github, 1, "0.7");
    posted(&github, 2, "0.6");
    assert_eq!(github.bodies().len(), 1);
}

#[test]
fn ours_is_found_behind_hundreds_of_others() {
    let github = FakeGithub::start();
    for number in 0..250 {
        github.comment("ada", "User", &format!("comment {number}"));
    }
    posted(&github, 1, "0.7");
    posted(&github, 2, "0.6");
    assert_eq!(github.bodies().len(), 251);
}

#[test]
fn two_of_ours_become_one() {
    let github = FakeGithub::start();
    posted(&github, 1, "0.7");
    let body = github.bodies()[0].clone();
    github.comment("github-actions[bot]", "Bot", &body);
    posted(&github, 2, "0.6");
    assert_eq!(github.bodies().len(), 1);
}

#[test]
fn another_workflow_or_key_has_a_comment_of_its_own() {
    let github = FakeGithub::start();
    posted(&github, 1, "0.7");
    let scope = |folder: &str, policy: Option<&str>, stage: Option<&str>, key: &str| Scope {
        folder: folder.into(),
        policy: policy.map(str::to_owned),
        stage: stage.map(str::to_owned),
        key: key.into(),
    };
    let others = [
        scope("", None, None, "fraud"),
        scope("packages/a/", None, None, ""),
        scope("packages/b/", None, None, ""),
        scope("packages/b/", Some("strict.yaml"), None, ""),
        scope("packages/b/", Some("strict.yaml"), Some("production"), ""),
    ];
    for scope in &others {
        let other = Posting { scope: scope.clone(), ..posting() };
        post(&report("0.7"), &context(&github, 1), &other);
        post(&report("0.6"), &context(&github, 2), &other);
    }
    let mut elsewhere = context(&github, 1);
    elsewhere.workflow = "nightly".into();
    post(&report("0.7"), &elsewhere, &posting());
    let bodies = github.bodies();
    assert_eq!(bodies.len(), 7);
    assert!(bodies[0].contains("### ❌ gate: fail"), "{}", bodies[0]);
    for (body, title) in bodies[1..].iter().zip([
        "gate (fraud): fail",
        "gate (packages/a): fail",
        "gate (packages/b): fail",
        "gate (packages/b · strict.yaml): fail",
        "gate (packages/b · strict.yaml · stage production): fail",
    ]) {
        assert!(body.contains(title), "{title}: {body}");
    }
}

#[test]
fn only_where_there_is_something_to_say() {
    let github = FakeGithub::start();
    let on_failure = Posting { comment: Comment::OnFailure, ..posting() };
    post(&report("0.85"), &context(&github, 1), &on_failure);
    assert_eq!(github.bodies().len(), 0);
    post(&report("0.7"), &context(&github, 2), &on_failure);
    post(&report("0.85"), &context(&github, 3), &on_failure);
    assert!(github.bodies()[0].contains("gate: pass"), "one that is there is turned to green");
    let never = Posting { comment: Comment::Never, ..posting() };
    let requests = github.lock().requests.len();
    post(&report("0.7"), &context(&github, 4), &never);
    assert_eq!(github.lock().requests.len(), requests);
}

#[test]
fn an_answer_that_was_lost_makes_no_second_comment() {
    let github = FakeGithub::start();
    github.fault(Fault::new("POST", "/comments", 502, "Bad Gateway").after_it_was_done());
    let first = posted(&github, 1, "0.7");
    assert_eq!((github.bodies().len(), github.count("POST")), (1, 1));
    assert!(first.degraded.is_empty() && first.comment_url.is_some());
}

#[test]
fn a_call_that_was_not_done_is_made_again_once() {
    let github = FakeGithub::start();
    github.fault(Fault::new("POST", "/comments", 502, "Bad Gateway"));
    posted(&github, 1, "0.7");
    assert_eq!((github.bodies().len(), github.count("POST")), (1, 2));
    let github = FakeGithub::start();
    for _ in 0..9 {
        github.fault(Fault::new("POST", "/comments", 500, "Server Error"));
    }
    let failed = posted(&github, 1, "0.7");
    assert_eq!((github.bodies().len(), github.count("POST")), (0, 2), "and then no more");
    assert_eq!(failed.degraded.len(), 1);
}

#[test]
fn a_limit_is_waited_for_and_a_refusal_is_not() {
    let github = FakeGithub::start();
    github.fault(
        Fault::new("POST", "/comments", 403, "You have exceeded a secondary rate limit")
            .with("retry-after", "0"),
    );
    github.fault(Fault::new("GET", "/comments", 429, "too many").with("retry-after", "0"));
    assert!(posted(&github, 1, "0.7").degraded.is_empty());
    assert_eq!(github.bodies().len(), 1);
    for (status, message, help) in [
        (403, "Resource not accessible by integration", "pull-requests: write"),
        (401, "Bad credentials", "not valid any more"),
        (404, "Not Found", "may not see it"),
        (409, "Conflict", "please report it"),
        (422, "Validation Failed", "please report it"),
    ] {
        let github = FakeGithub::start();
        github.fault(Fault::new("POST", "/comments", status, message));
        let refused = posted(&github, 1, "0.7");
        assert_eq!(github.count("POST"), 1, "{status} is not tried again");
        let problem = &refused.degraded[0];
        assert!(problem.message.contains(message), "{problem:?}");
        assert!(problem.help.as_deref().is_some_and(|text| text.contains(help)), "{problem:?}");
        assert!(!format!("{problem:?}").contains("ghs_secret"));
    }
    let github = FakeGithub::start();
    github.fault(Fault::new("POST", "/comments", 429, "too many").with("retry-after", "3600"));
    assert_eq!(posted(&github, 1, "0.7").degraded.len(), 1, "an hour is not waited for");
}

#[test]
fn what_is_no_json_or_no_answer_is_a_failure_to_report() {
    let github = FakeGithub::start();
    for _ in 0..3 {
        github.fault(Fault { body: "<html>oops".into(), ..Fault::new("GET", "/comments", 502, "") });
    }
    assert_eq!(posted(&github, 1, "0.7").degraded.len(), 1);
    let cut = FakeGithub::start();
    for _ in 0..3 {
        cut.fault(Fault { body: "[{\"id\": 1, \"bo".into(), ..Fault::new("GET", "/comments", 200, "") });
    }
    assert_eq!(posted(&cut, 1, "0.7").degraded.len(), 1, "half a list is no list");
    let mut nowhere = context(&github, 1);
    nowhere.api_url = "http://127.0.0.1:1".into();
    assert_eq!(post(&report("0.7"), &nowhere, &posting()).degraded.len(), 1);
    let no_token = Posting { token: None, ..posting() };
    assert!(post(&report("0.7"), &context(&github, 1), &no_token).degraded[0].message.contains("no token"));
}

#[test]
fn a_token_that_can_only_read_is_not_tried() {
    let github = FakeGithub::start();
    let mut fork = context(&github, 1);
    fork.read_only = Some("the pull request comes from a fork, so the token can only read");
    let quiet = post(&report("0.7"), &fork, &posting());
    assert!(quiet.degraded.is_empty() && quiet.notes[0].contains("summary of the job"));
    let asked = Posting { comment: Comment::Always, ..posting() };
    assert_eq!(post(&report("0.7"), &fork, &asked).degraded.len(), 1);
    assert_eq!(github.lock().requests.len(), 0);
}

#[test]
fn a_fork_is_looked_up_by_its_head_and_nothing_else_is_believed() {
    let github = FakeGithub::start();
    let pull = |number: u64, sha: &str| json!({"number": number, "head": {"sha": sha}});
    let mut run = context(&github, 1);
    run.pull_request = None;
    run.head_label = Some("eve:feature branch&x=1".into());
    github.lock().pulls = vec![pull(3, &"2".repeat(40)), pull(4, HEAD)];
    let claimed = Posting { claimed: true, ..posting() };
    let done = post(&report("0.7"), &run, &claimed);
    assert!(done.comment_url.is_some(), "{done:?}");
    assert!(github.bodies()[0].contains("which its author can change"));
    assert!(github.lock().requests.iter().any(|one| one.path.contains("/issues/4/comments")));
    github.contract_holds();
    github.lock().pulls = vec![pull(3, HEAD), pull(4, HEAD)];
    assert_eq!(post(&report("0.7"), &run, &claimed).degraded.len(), 1);
    github.lock().pulls.clear();
    assert!(post(&report("0.7"), &run, &claimed).notes[0].contains("no open pull request"));
    // A check run from a report that someone else's workflow wrote could be forged.
    let check = Posting { check_run: Some("gate".into()), ..claimed };
    assert!(post(&report("0.85"), &run, &check).degraded[0].message.contains("forged"));
}

#[test]
fn a_check_run_is_complete_from_its_first_request() {
    let github = FakeGithub::start();
    let check = Posting { comment: Comment::Never, check_run: Some("promotion gate".into()), ..posting() };
    let done = post(&report("0.7"), &context(&github, 1), &check);
    assert!(done.check_url.is_some(), "{done:?}");
    github.contract_holds();
    let run = github.lock().check_runs[0].clone();
    assert_eq!((run["status"].as_str(), run["conclusion"].as_str()), (Some("completed"), Some("failure")));
    assert_eq!(run["head_sha"], HEAD);
    assert_eq!(run["output"]["annotations"][0]["path"], "runs/new.json");
    assert_eq!(run["output"]["annotations"][0]["annotation_level"], "failure");
    post(&report("0.85"), &context(&github, 2), &check);
    assert_eq!(github.lock().check_runs[1]["conclusion"], "success");
    // A report without an evaluation is a failure too.
    let trouble = mlgate::engine::conclude(mlgate::engine::Parts::default());
    post(&trouble, &context(&github, 3), &check);
    assert_eq!(github.lock().check_runs[2]["conclusion"], "failure");
}

#[test]
fn a_check_run_is_about_the_commit_that_was_judged_or_there_is_none() {
    let github = FakeGithub::start();
    let other = "2222222222222222222222222222222222222222";
    let check = Posting { comment: Comment::Never, check_run: Some("gate".into()), ..posting() };
    post(&report("0.7"), &context(&github, 1), &Posting { judged: Some(other.into()), ..check.clone() });
    assert_eq!(github.lock().check_runs[0]["head_sha"], other);
    let none = post(&report("0.85"), &context(&github, 2), &Posting { judged: None, ..check });
    assert!(none.degraded[0].message.contains("no commit was judged"), "{none:?}");
    assert_eq!(github.lock().check_runs.len(), 1);
}

#[test]
fn many_annotations_go_in_fifties_and_none_goes_twice() {
    let project = Project::new();
    let metrics: Vec<String> = (0..130).map(|number| format!("\"m{number}\": 0.{number:03}")).collect();
    project.file("a.json", format!("{{\"metrics\": {{\n{}\n}}}}", metrics.join(",\n")));
    project.file("gate.yaml", "version: 1\nrules: { r: { metrics: { \"m*\": { min: 1 } } } }\n");
    let report: Report =
        serde_json::from_str(&project.gate(&["check", "a.json", "--format", "json"]).out).expect("a report");
    let github = FakeGithub::start();
    let check = Posting { comment: Comment::Never, check_run: Some("gate".into()), ..posting() };
    post(&report, &context(&github, 1), &check);
    github.contract_holds();
    let all = github.lock().check_runs[0]["output"]["annotations"].as_array().expect("a list").clone();
    let mut lines: Vec<u64> = all.iter().map(|one| one["start_line"].as_u64().expect("a line")).collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((all.len(), lines.len()), (130, 130));
    // If it is unclear whether a part arrived, gate leaves it out: a finding must not appear twice.
    let github = FakeGithub::start();
    github.fault(Fault::new("PATCH", "/check-runs", 502, "Bad Gateway").after_it_was_done());
    let done = post(&report, &context(&github, 1), &check);
    assert_eq!((done.degraded.len(), github.count("PATCH")), (1, 1));
}

#[test]
fn a_check_run_whose_answer_was_lost_is_not_made_twice() {
    let github = FakeGithub::start();
    github.fault(Fault::new("POST", "/check-runs", 502, "Bad Gateway").after_it_was_done());
    let check = Posting { comment: Comment::Never, check_run: Some("gate".into()), ..posting() };
    assert!(post(&report("0.7"), &context(&github, 1), &check).check_url.is_some());
    assert_eq!(github.lock().check_runs.len(), 1);
}

#[test]
fn a_report_of_any_size_fits() {
    let project = Project::new();
    for number in 0..40 {
        let metrics: Vec<String> =
            (0..60).map(|m| format!("\"metric_{m}_with_a_long_name\": 0.{m:03}")).collect();
        project.file(&format!("runs/{number}.json"), format!("{{\"metrics\": {{{}}}}}", metrics.join(",")));
    }
    project.file("gate.yaml", "version: 1\nrules: { r: { metrics: { \"*\": { min: 1 } } } }\n");
    let report: Report =
        serde_json::from_str(&project.gate(&["check", "runs/", "--format", "json"]).out).expect("a report");
    let github = FakeGithub::start();
    let check = Posting { check_run: Some("gate".into()), ..posting() };
    let done = post(&report, &context(&github, 1), &check);
    assert!(done.degraded.is_empty(), "{:?}", done.degraded);
    github.contract_holds();
    let body = &github.bodies()[0];
    assert!(body.len() > 30_000 && body.len() <= 60_000, "{}", body.len());
    let note = body.find("Cut to fit").expect("it says so");
    assert!(note < 500, "at the top");
}

#[test]
fn the_token_stays_with_its_host() {
    let github = FakeGithub::start();
    let other = FakeGithub::start();
    github.fault(
        Fault::new("GET", "/comments", 302, "")
            .with("location", &format!("{}/repos/acme/churn/issues/12/comments", other.url)),
    );
    post(&report("0.7"), &context(&github, 1), &posting());
    let leaked = other.lock().requests.iter().any(|request| request.header("authorization").is_some());
    assert!(!leaked);
}
