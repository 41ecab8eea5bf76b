//! A metric of one line of models over time: what was promoted, what git remembers, and what is here.

use insta::assert_snapshot;

use crate::project::Project;
use crate::promoting;

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: git:main
stages: { staging: {} }
rules:
  holds-up: { metrics: { f1: { min: 0.80, max_drop: 0.02 } } }
";

fn record(id: &str, day: u32, f1: &str) -> String {
    format!(
        "{{\"run_id\": \"{id}\", \"model\": \"churn\", \"git_commit\": \"3f2a9c1\", \
         \"validation\": {{\"split\": \"holdout\"}}, \"metrics\": {{\"f1\": {f1}, \"recall\": 0.9}}, \
         \"created_at\": \"2026-05-{day:02}T12:00:00Z\"}}\n"
    )
}

/// Three versions of one record in git, a newer one that is not committed, and a run of another model.
fn project() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", POLICY)
        .file("runs/other.json", record("other", 4, "0.5").replace("churn", "fraud"))
        .file("runs/churn.json", record("a", 1, "0.84"))
        .repository();
    project.file("runs/churn.json", record("b", 2, "0.78")).commit("worse");
    project.file("runs/churn.json", record("c", 3, "0.85")).commit("better");
    project.file("runs/churn.json", record("d", 5, "0.845"));
    project
}

const HISTORY: [&str; 4] = ["history", "churn", "--metric", "f1"];

#[test]
fn versions_in_git_and_the_record_that_is_here() {
    let project = project();
    let answer = project.gate(&[&HISTORY[..], &["--format", "json"]].concat()).leaves_with(0).json();
    let points = answer["points"].as_array().expect("points");
    let values: Vec<_> = points.iter().map(|point| point["value"].as_str().expect("a value")).collect();
    assert_eq!(values, ["0.84", "0.78", "0.85", "0.845"], "the oldest first");
    assert_eq!(points[3]["source"], "runs/churn.json");
    let limits: Vec<_> =
        answer["limits"].as_array().expect("limits").iter().map(|one| &one["value"]).collect();
    assert_eq!(limits, ["0.80", "0.83"], "the bar, and what the newest may fall to");
    project.gate(&HISTORY).leaves_with(0).says("f1 of churn · 4 runs").never_says("fraud");
}

#[test]
fn as_a_person_reads_it() {
    // The commits have fixed names and dates, and so fixed ids.
    assert_snapshot!(project().gate(&HISTORY).leaves_with(0).out);
}

#[test]
fn for_a_page_and_for_a_browser() {
    let project = project();
    let markdown = project.gate(&[&HISTORY[..], &["--format", "markdown"]].concat());
    markdown.leaves_with(0).says("| 2026-05-02 | 0.78 | `b` |");
    let page = project.gate(&[&HISTORY[..], &["--format", "html"]].concat());
    page.leaves_with(0).says("<polyline").says("max_drop 0.02 = 0.83 (holds-up)").says("beyond a limit");
    assert_eq!(page.out.matches("<circle").count(), 4);
    project.gate(&[&HISTORY[..], &["--format", "html", "--output", "f1.html"]].concat()).leaves_with(0);
    assert_eq!(project.read("f1.html"), page.out);
}

#[test]
fn promotions_are_marked_and_a_stage_shows_only_its_own() {
    let project = promoting::project();
    for name in ["one", "two"] {
        let path = format!("runs/{name}.json");
        project.gate(&["promote", &path, "--stage", "staging", "--first"]).leaves_with(0);
    }
    project.gate(&["rollback", "--stage", "staging", "--reason", "it was slow"]).leaves_with(0);
    let answer = project.gate(&[&HISTORY[..], &["--format", "json"]].concat()).leaves_with(0).json();
    let promoted: Vec<_> =
        answer["points"].as_array().expect("points").iter().map(|point| &point["promoted"]).collect();
    assert_eq!(promoted.len(), 3, "each run once: {answer:#}");
    assert!(promoted.contains(&&serde_json::json!(["staging 1", "staging 3 (rollback)"])), "{promoted:?}");
    let of_stage = project.gate(&[&HISTORY[..], &["--stage", "staging", "--format", "json"]].concat()).json();
    assert_eq!(of_stage["points"].as_array().expect("points").len(), 2);
}

#[test]
fn a_name_that_leads_to_nothing_is_answered_with_one_that_does() {
    let project = project();
    project
        .gate(&["history", "churn", "--metric", "f2"])
        .leaves_with(2)
        .says("its metrics are `f1`, `recall`");
    project.gate(&["history", "chrun", "--metric", "f1"]).leaves_with(2).says("did you mean `churn`");
    let answer =
        project.gate(&["history", "churn", "--metric", "f2", "--format", "json"]).leaves_with(2).json();
    assert_eq!(answer["troubles"][0]["code"], "promotion/not-found");
}

#[test]
fn a_page_of_a_check_draws_the_metrics_of_its_runs_with_the_limits() {
    let project = project();
    let check = |more: &[&str]| {
        project.gate(&[&["check", "runs/churn.json", "--baseline", "runs/churn.json"], more].concat())
    };
    let page = check(&["--format", "html", "--output", "json=report.json", "--output", "markdown=page.md"]);
    page.says("<h2 id=\"history\">Over time</h2>")
        .says("4 runs, from 0.84 on 2026-05-01 to 0.845 on 2026-05-05");
    assert_eq!(page.out.matches("<circle class=\"now\"").count(), 1, "the run that is judged");
    assert!(page.out.contains("class=\"limit\""), "the limit is a line");
    let report: serde_json::Value = serde_json::from_str(&project.read("report.json")).expect("JSON");
    assert_eq!(report["history"][0]["points"].as_array().map(Vec::len), Some(4), "{report:#}");
    assert_eq!(project.gate(&["report", "report.json", "--format", "html"]).out, page.out);
    assert!(!project.read("page.md").contains("over time"), "only what fails");
    // Nobody waits for it where no page was asked for.
    let report = check(&["--format", "json"]).json();
    assert_eq!(report.get("history"), None);
}

#[test]
fn what_fails_is_drawn_over_time_in_a_comment_that_is_made_beside_a_page() {
    let project = project();
    project.edit("runs/churn.json", "0.845", "0.7");
    let arguments = ["check", "runs/churn.json", "--output", "html=page.html", "--format", "markdown"];
    let page = project.gate(&arguments);
    page.leaves_with(1).says("`f1` over time").says("2026-05-05 0.7 ");
    let trusted = project.gate(&[&arguments[..], &["--trust", "main"]].concat());
    trusted.never_says("over time");
}

#[test]
fn a_run_that_no_policy_matches_is_drawn_too() {
    let project = project();
    project.file("new/run.json", record("e", 9, "0.86"));
    let page = project.gate(&["check", "new/run.json", "--format", "html"]);
    page.says("5 runs, from 0.84 on 2026-05-01 to 0.86 on 2026-05-09");
}
