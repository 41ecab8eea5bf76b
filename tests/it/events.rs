//! What the action judges on each event of a workflow, and against what.

use std::fs;

use serde_json::{Value, json};

use crate::action::Workflow;
use crate::project::{BASELINE, CANDIDATE, Project};

/// A record of the model `churn`, made in a month of 2026.
fn record(f1: &str, month: u32) -> String {
    CANDIDATE.replace("0.842", f1).replace("2026-05-30T12:00:00", &format!("2026-{month:02}-01T00:00:00"))
}

/// A workflow that an event of another name started, in a clone of one commit of the origin.
fn on(name: &'static str, reference: &str, event: impl Fn(&Project) -> Value) -> Workflow {
    let mut workflow = Workflow::pull_request(|_| {});
    workflow.name = name;
    workflow.event = event(&workflow.origin);
    workflow.check_out_again(reference);
    workflow
}

fn sha(origin: &Project, revision: &str) -> String {
    origin.git(&["rev-parse", revision])
}

#[test]
fn an_event_with_the_shape_of_a_pull_request_is_one_whatever_its_name() {
    for name in ["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"]
    {
        let lowered = |origin: &Project| {
            origin.edit("runs/new.json", "0.842", "0.7").edit("gate.yaml", "min: 0.80", "min: 0.1");
        };
        let mut bad = Workflow::pull_request(lowered);
        bad.name = name;
        bad.run().leaves_with(1).says("this change edits the rules that judge it (gate.yaml)");
        let mut good = Workflow::pull_request(|_| {});
        good.name = name;
        good.run().leaves_with(0).says("policy and baseline come from main");
    }
}

#[test]
fn a_payload_that_is_missing_or_incomplete_is_no_verdict() {
    let mut nowhere = Workflow::pull_request(|_| {});
    nowhere.set("GITHUB_EVENT_PATH", "/nowhere/event.json");
    nowhere.run().leaves_with(2).says("github/bad-payload").says("can't be read");
    assert_eq!((nowhere.output("verdict"), nowhere.output("exit-code")), ("none".into(), "2".into()));
    for missing in ["/pull_request/base/sha", "/pull_request/base", "/pull_request/head/sha", "/pull_request"]
    {
        let mut workflow = Workflow::pull_request(|_| {});
        *workflow.event.pointer_mut(missing).expect("it is there") = Value::Null;
        workflow.set("GATE_INPUT_CHECK_RUN", "gate");
        workflow.run().leaves_with(2).says("github/bad-payload");
        assert_eq!(workflow.github.lock().check_runs.len(), 0, "{missing}: nothing was judged");
    }
}

#[test]
fn events_that_name_nothing_to_judge_are_no_verdict_and_post_no_check_run() {
    for (name, event, says) in [
        ("workflow_run", json!({"workflow_run": {"head_sha": "1".repeat(40)}}), "from: gate-report.json"),
        ("issue_comment", json!({"issue": {"number": 12, "pull_request": {}}}), "on: pull_request"),
        (
            "check_suite",
            json!({"check_suite": {"head_sha": "1".repeat(40)}}),
            "start the job by pull_request",
        ),
    ] {
        let mut workflow = on(name, "main", |_| event.clone());
        workflow.set("GATE_INPUT_CHECK_RUN", "gate");
        workflow.run().leaves_with(2).says("github/other-event").says(says);
        assert_eq!(workflow.github.lock().check_runs.len(), 0, "{name}");
        assert_eq!(workflow.output("reporting"), "degraded", "{name}");
    }
}

#[test]
fn a_check_run_is_posted_on_the_head_of_a_pull_request() {
    let mut workflow = Workflow::pull_request(|_| {});
    workflow.set("GATE_INPUT_CHECK_RUN", "gate").set("GATE_INPUT_COMMENT", "never");
    workflow.run().leaves_with(0);
    let head = workflow.event["pull_request"]["head"]["sha"].clone();
    assert_eq!(workflow.github.lock().check_runs[0]["head_sha"], head);
}

/// A queue of two: `first` with 0.90 on top of main's 0.847, then `second` behind it.
fn queue(second: &str) -> Workflow {
    let mut workflow = Workflow::pull_request(|_| {});
    let origin = &workflow.origin;
    origin.git(&["checkout", "--quiet", "-b", "first", "main"]);
    origin.file("runs/b.json", record("0.90", 6)).commit("first");
    origin.git(&["checkout", "--quiet", "-b", "second"]);
    origin.file("runs/c.json", record(second, 7)).commit("second");
    let event = json!({"merge_group": {
        "head_sha": sha(origin, "second"), "base_sha": sha(origin, "first"), "base_ref": "refs/heads/main",
    }});
    origin.git(&["checkout", "--quiet", "main"]);
    workflow.name = "merge_group";
    workflow.event = event;
    workflow.check_out_again("second");
    workflow
}

#[test]
fn the_second_of_a_merge_queue_must_hold_against_the_first() {
    let worse = queue("0.86");
    worse.run().leaves_with(1).says("0.90").says("merge queue: judged against the entry ahead");
    assert_eq!(worse.output("failed"), "1");
    assert_eq!(worse.github.lock().requests.len(), 0, "several pull requests may be in it: no comment");
    queue("0.91").run().leaves_with(0).says("merge queue");
    let below_main = queue("0.70");
    below_main.run().leaves_with(1);
    assert_eq!(below_main.output("failed"), "1", "a record that fails against both is told once");
}

#[test]
fn one_entry_alone_in_a_merge_queue_is_judged_against_the_branch() {
    for (f1, code) in [("0.86", 0), ("0.70", 1)] {
        let mut workflow = queue("0.86");
        let origin = &workflow.origin;
        origin.git(&["checkout", "--quiet", "-b", "alone", "main"]);
        origin.file("runs/c.json", record(f1, 7)).commit("alone");
        workflow.event["merge_group"]["head_sha"] = json!(sha(origin, "alone"));
        workflow.event["merge_group"]["base_sha"] = json!(sha(origin, "main"));
        origin.git(&["checkout", "--quiet", "main"]);
        workflow.check_out_again("alone");
        let ran = workflow.run();
        ran.leaves_with(code).never_says("merge queue");
    }
}

/// A push to main that changes its record; `git:main` is the baseline.
fn push(f1: &str) -> Workflow {
    on("push", "main", |origin| {
        let before = sha(origin, "main");
        origin.file("runs/new.json", record(f1, 6)).commit("train");
        json!({"before": before, "after": sha(origin, "main"), "ref": "refs/heads/main"})
    })
}

#[test]
fn a_push_is_compared_with_what_the_branch_was_before() {
    let mut better = push("0.86");
    better.set("GATE_INPUT_CHECK_RUN", "gate");
    better
        .run()
        .leaves_with(0)
        .says("1 of 1 records changed since main before this push")
        .says("`git:main` means what it was before this push");
    assert_eq!(better.github.lock().check_runs[0]["head_sha"], better.event["after"]);
    push("0.82").run().leaves_with(1).says("0.847");
}

#[test]
fn a_push_without_a_before_judges_every_record() {
    for before in ["0".repeat(40), "1234567890".repeat(4)] {
        for (f1, code) in [("0.86", 0), ("0.5", 1)] {
            let mut workflow = push(f1);
            workflow.event["before"] = json!(before);
            workflow.set("GATE_INPUT_BASELINE", "approved.json");
            let ran = workflow.run();
            ran.leaves_with(code)
                .says("every record is judged: what `main` was before this push is not known");
        }
    }
}

#[test]
fn a_push_that_rewrites_history_is_compared_with_what_it_replaces() {
    let mut workflow = push("0.90");
    let origin = &workflow.origin;
    let replaced = sha(origin, "main");
    // The branch returns to the earlier record, 0.847: no file differs from the merge base.
    origin.git(&["update-ref", "refs/gone", &replaced]);
    origin.git(&["reset", "--quiet", "--hard", "main~1"]);
    origin.file("notes.txt", "x").commit("rewritten");
    workflow.event = json!({
        "before": replaced, "after": sha(origin, "main"), "ref": "refs/heads/main", "forced": true,
    });
    origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    workflow.check_out_again("main");
    workflow.run().leaves_with(1).says("0.90");
}

#[test]
fn a_job_that_checks_out_something_else_than_what_was_pushed_judges_every_record() {
    let mut workflow = push("0.86");
    workflow.event["after"] = json!("2".repeat(40));
    workflow.set("GATE_INPUT_BASELINE", "approved.json");
    workflow.run().leaves_with(0).says("every record is judged");
}

#[test]
fn events_without_a_change_judge_every_record() {
    for name in ["workflow_dispatch", "repository_dispatch", "schedule", "release", "deployment", "push"] {
        for (f1, code) in [("0.86", 0), ("0.5", 1)] {
            let mut workflow = on(name, "main", |origin| {
                origin.file("runs/new.json", record(f1, 6)).commit("train");
                json!({"ref": "refs/tags/v1", "repository": {"default_branch": "main"}})
            });
            workflow.set("GATE_INPUT_BASELINE", "approved.json");
            workflow.run().leaves_with(code).says("1 candidate");
        }
    }
}

#[test]
fn a_change_of_the_target_branch_is_judged_against_the_new_one() {
    let mut workflow = Workflow::pull_request(|_| {});
    let origin = &workflow.origin;
    origin.git(&["checkout", "--quiet", "-b", "release", "main"]);
    origin.edit("gate.yaml", "min: 0.80", "min: 0.99").commit("a higher bar");
    let base = json!({"sha": sha(origin, "release"), "ref": "release"});
    origin.git(&["checkout", "--quiet", "main"]);
    workflow.event["action"] = json!("edited");
    workflow.event["pull_request"]["base"] = base;
    workflow.run().leaves_with(1).says("0.99").says("policy and baseline come from release");
}

#[test]
fn a_pull_request_that_is_merged_already_is_judged_as_before_the_merge() {
    for (f1, code) in [("0.86", 0), ("0.7", 1)] {
        let workflow = Workflow::pull_request(|origin| _ = origin.file("runs/new.json", record(f1, 6)));
        workflow.origin.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "feature"]);
        workflow.run().leaves_with(code).says("1 of 1 records changed");
    }
}

#[test]
fn a_tag_that_only_the_server_has_is_fetched_for_the_baseline() {
    for (f1, code) in [("0.86", 0), ("0.80", 1)] {
        let mut workflow = Workflow::pull_request(|origin| _ = origin.file("runs/new.json", record(f1, 6)));
        let origin = &workflow.origin;
        origin.git(&["tag", "approved", "main"]);
        origin.edit("gate.yaml", "git:main", "git:approved");
        origin.file("runs/new.json", record("0.82", 5)).commit("a weaker record");
        workflow.event["pull_request"]["base"]["sha"] = json!(sha(origin, "main"));
        workflow.run().leaves_with(code).says("0.847");
    }
}

#[test]
fn the_first_pull_request_passes_where_a_missing_baseline_is_accepted() {
    let first = |policy: &str| {
        let mut workflow = Workflow::pull_request(|_| {});
        let origin = &workflow.origin;
        origin.remove("gate.yaml").remove("runs/new.json").file("README.md", "x").commit("nothing yet");
        origin.git(&["checkout", "--quiet", "-b", "start"]);
        origin.file("runs/new.json", CANDIDATE);
        let text = crate::project::POLICY.replace("baseline: approved.json", policy);
        origin.file("gate.yaml", text).commit("begin");
        let head = sha(origin, "start");
        origin.git(&["update-ref", "refs/pull/12/head", &head]);
        workflow.event["pull_request"]["head"]["sha"] = json!(head);
        workflow.event["pull_request"]["base"]["sha"] = json!(sha(origin, "main"));
        origin.git(&["checkout", "--quiet", "main"]);
        workflow.check_out_again("start");
        workflow
    };
    first("baseline: git:main").run().leaves_with(1).says("on_missing_baseline: pass");
    let mut by_input = first("baseline: git:main");
    by_input.set("GATE_INPUT_FIRST", "true");
    by_input.run().leaves_with(0).says("a missing baseline is accepted").says("has no policy yet");
    assert!(by_input.github.bodies()[0].contains("a missing baseline is accepted"));
    first("baseline: git:main\non_missing_baseline: pass").run().leaves_with(0);
}

#[test]
fn two_folders_of_one_workflow_have_a_comment_each() {
    let mut workflow = Workflow::pull_request(|origin| {
        for (package, f1) in [("a", "0.5"), ("b", "0.86")] {
            origin.file(&format!("packages/{package}/runs/r.json"), record(f1, 6));
        }
    });
    let origin = &workflow.origin;
    for package in ["a", "b"] {
        let folder = format!("packages/{package}");
        let policy = crate::project::POLICY.replace("baseline: approved.json", "baseline: git:main");
        origin.file(&format!("{folder}/gate.yaml"), policy);
        origin.file(&format!("{folder}/runs/r.json"), BASELINE);
    }
    origin.commit("packages");
    workflow.event["pull_request"]["base"]["sha"] = json!(sha(origin, "main"));
    workflow.set("GATE_WORKING_DIRECTORY", "packages/a");
    workflow.run().leaves_with(1);
    workflow.set("GATE_WORKING_DIRECTORY", "packages/b");
    workflow.run().leaves_with(0);
    let bodies = workflow.github.bodies();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].contains("gate (packages/a): fail"), "{}", bodies[0]);
    assert!(bodies[1].contains("gate (packages/b): pass"), "{}", bodies[1]);
    assert!(workflow.file("summary").contains("gate (packages/a): fail"));
}

#[test]
fn the_output_failed_counts_what_the_change_as_a_whole_failed() {
    let mut workflow = Workflow::pull_request(|origin| {
        // No record changes, so there is no candidate.
        origin.file("runs/new.json", BASELINE).file("models/stray.pkl", "weights");
    });
    let origin = &workflow.origin;
    origin.edit("gate.yaml", "rules:", "rules:\n  accounted-for: { linked: true }").commit("linked");
    workflow.event["pull_request"]["base"]["sha"] = json!(sha(origin, "main"));
    workflow.run().leaves_with(1).says("models/stray.pkl");
    assert_eq!(workflow.output("failed"), "1");
}

#[test]
fn the_readme_names_every_kind_of_event_that_a_required_check_needs() {
    let page = fs::read_to_string(crate::project::here().join("README.md")).expect("README.md");
    for part in ["types: [opened, synchronize, reopened, edited]", "merge_group:"] {
        assert!(page.contains(part), "README.md does not say {part}");
    }
}
