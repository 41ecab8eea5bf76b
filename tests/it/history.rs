//! A metric of one model over time: from promotions, git history and the working tree.

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
    let text = project.read("page.md");
    assert!(text.contains("| `f1` | ▇▁█▇ 4 runs | 0.84 on 2026-05-01 | 0.845 on 2026-05-05 |"), "{text}");
    assert!(!text.contains("`f1` over time"), "a chart is of what fails: {text}");
    // No history is read unless a page was asked for.
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
}

/// A record that could be promoted.
fn with_file(id: &str, day: u32, f1: &str) -> String {
    record(id, day, f1).replacen('{', "{\"artifact\": \"gate.yaml\", ", 1)
}

/// A pull request that edits, adds and promotes appears as the last run; its own past does not appear.
#[test]
fn a_pull_request_is_drawn_behind_what_its_base_has() {
    let project = project();
    project.git(&["stash", "--quiet"]);
    project.file("runs/old.json", with_file("old", 4, "0.83")).commit("another record");
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/churn.json", record("forged", 3, "0.991")).commit("a better past");
    project.file("runs/more.json", with_file("more", 2, "0.992"));
    let promoted = ["promote", "runs/more.json", "--stage", "staging", "--first"];
    project.gate(&promoted).leaves_with(0);
    project.file("runs/churn.json", record("d", 5, "0.7")).commit("the record");
    let check = |format: &str| {
        let json = "--output=json=.git/report.json";
        project.gate(&[
            "check",
            "runs/churn.json",
            "--trust",
            "main",
            "--output=html=.git/page.html",
            json,
            "--format",
            format,
        ])
    };
    let page = check("markdown");
    page.leaves_with(1).says("`f1` over time").says("the earlier runs are those of main");
    page.says("| `f1` | █▅█▇▁ 5 runs | 0.84 on 2026-05-01 | 0.7 on 2026-05-05 |");
    page.never_says("0.991").never_says("0.992");
    let report: serde_json::Value = serde_json::from_str(&project.read(".git/report.json")).expect("JSON");
    let points = report["history"][0]["points"].as_array().expect("points").clone();
    let values: Vec<_> = points.iter().map(|point| point["value"].as_str().expect("a value")).collect();
    assert_eq!(
        values,
        ["0.84", "0.78", "0.85", "0.83", "0.7"],
        "the oldest first, then the run that is judged"
    );
    assert!(points.iter().all(|point| point["promoted"].is_null()), "the base has no ledger: {points:#?}");
    assert!(project.read(".git/page.html").contains("the earlier runs are those of main"));
    // Another value under the id of a run on the base is a different run.
    project.file("runs/churn.json", record("c", 3, "0.95")).commit("the id of the base");
    check("markdown").says("5 runs | 0.84 on 2026-05-01 | 0.95 on 2026-05-03 |");
    // A run that copies the id and the value of a run on the base is still shown.
    project.file("runs/churn.json", record("b", 6, "0.78")).commit("hidden behind an old run");
    check("markdown").says("5 runs | 0.84 on 2026-05-01 | 0.78 on 2026-05-06 |");
    // Promotions on the base are drawn as promotions.
    project.git(&["checkout", "--quiet", "main"]);
    project.gate(&["promote", "runs/old.json", "--stage", "staging", "--first"]).leaves_with(0);
    project.commit("promoted");
    project.git(&["checkout", "--quiet", "feature"]);
    check("markdown");
    let report: serde_json::Value = serde_json::from_str(&project.read(".git/report.json")).expect("JSON");
    let mut points = report["history"][0]["points"].as_array().expect("points").iter();
    assert!(
        points.any(|point| point["value"] == "0.83" && point["promoted"][0] == "staging 1"),
        "{report:#}"
    );
}

#[test]
fn of_a_base_with_very_many_records_some_are_read() {
    let project = project();
    for number in 0..205 {
        project.file(&format!("runs/r{number:03}.json"), record(&format!("r{number}"), 4, "0.84"));
    }
    project.commit("many");
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/churn.json", record("e", 6, "0.846")).commit("the record");
    let page = project.gate(&[
        "check",
        "--trust",
        "main",
        "--output=html=page.html",
        "--output=json=report.json",
        "--format",
        "markdown",
    ]);
    page.says("the records of 7 more files are left out").says("20 runs | ").says("| 0.846 on 2026-05-06 |");
    let report: serde_json::Value = serde_json::from_str(&project.read("report.json")).expect("JSON");
    // 199 of the new files, four versions of the record, and the run that is judged.
    assert_eq!(report["history"][0]["points"].as_array().map(Vec::len), Some(204));
}

#[test]
fn two_runs_are_no_line_and_a_base_without_a_policy_has_none() {
    let project = project();
    project.git(&["stash", "--quiet"]);
    project.git(&["checkout", "--quiet", "--orphan", "short"]);
    project.file("runs/churn.json", record("a", 1, "0.84")).commit("one version");
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/churn.json", record("e", 6, "0.846")).commit("the record");
    let check = |base: &str| {
        project.gate(&[
            "check",
            "runs/churn.json",
            "--baseline",
            &format!("git:{base}"),
            "--trust",
            base,
            "--output=html=.git/page.html",
            "--format",
            "markdown",
        ])
    };
    check("short").leaves_with(0).says("gate: pass").never_says("over time");
    project.git(&["checkout", "--quiet", "short"]);
    project.remove("gate.yaml").commit("no policy");
    project.git(&["checkout", "--quiet", "feature"]);
    check("short").never_says("over time");
}

#[test]
fn a_run_that_no_policy_matches_is_drawn_too() {
    let project = project();
    project.file("new/run.json", record("e", 9, "0.86"));
    let page = project.gate(&["check", "new/run.json", "--format", "html"]);
    page.says("5 runs, from 0.84 on 2026-05-01 to 0.86 on 2026-05-09");
}
