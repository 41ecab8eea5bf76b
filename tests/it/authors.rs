//! Who made a baseline: the author of its commit, or the user of its run.

use serde_json::Value;

use crate::project::{BASELINE, CANDIDATE, Project, git_in};

const CHECK: [&str; 4] = ["check", "runs/new.json", "--now", "2026-07-01T12:00:00Z"];

/// Grace wrote the baseline on `main`. Ada has changed something else since.
fn project() -> Project {
    let project = Project::churn();
    project.remove("approved.json").file("runs/new.json", BASELINE);
    project.edit("gate.yaml", "baseline: approved.json", "baseline: git:main");
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    commit(&project, "Grace Hopper");
    project.file("README.md", "text").commit("more");
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    // A change can't rename the author.
    project
        .file("runs/new.json", CANDIDATE)
        .file(".mailmap", "Mallory <grace@example.org>\n")
        .commit("train");
    project.git(&["config", "log.mailmap", "true"]);
    project
}

fn commit(project: &Project, name: &str) {
    project.git(&["add", "--all"]);
    let author = format!("--author={name} <grace@example.org>");
    project.git(&["commit", "--quiet", &author, "--message", "a record"]);
}

fn baseline(project: &Project, more: &[&str]) -> Value {
    let report = project.gate(&[&CHECK[..], &["--format", "json"], more].concat()).json();
    report["candidates"][0]["baselines"][0].clone()
}

#[test]
fn a_record_in_git_names_the_author_of_its_commit_in_every_format() {
    let project = project();
    let outputs = ["markdown", "html", "json"].map(|format| format!("--output={format}=out.{format}"));
    let mut arguments = CHECK.to_vec();
    arguments.extend(outputs.iter().map(String::as_str));
    project.gate(&arguments).leaves_with(0).says("by Grace Hopper, 2 months old").never_says("Mallory");
    for format in ["markdown", "html"] {
        let page = project.read(&format!("out.{format}"));
        assert!(page.contains("by Grace Hopper, 2 months old"), "{format}: {page}");
    }
    assert_eq!(baseline(&project, &[])["author"], "Grace Hopper");
    assert_eq!(baseline(&project, &["--trust", "main"])["author"], "Grace Hopper");
    assert_eq!(baseline(&project, &["--baseline", "git:main:runs/new.json"])["author"], "Grace Hopper");
}

#[test]
fn a_record_without_a_time_is_as_old_as_its_commit() {
    let project = project();
    project.git(&["checkout", "--quiet", "main"]);
    project.edit("runs/new.json", ",\n  \"created_at\": \"2026-05-02T12:00:00Z\"", "");
    commit(&project, "Grace");
    project.git(&["checkout", "--quiet", "feature"]);
    let now = |now: &str| {
        let report = project.gate(&["check", "runs/new.json", "--now", now, "--format", "json"]).json();
        report["candidates"][0]["baselines"][0].clone()
    };
    let young = now("2026-07-01T12:00:00Z");
    assert_eq!((&young["age"], &young["refresh"]), (&"30 days old".into(), &Value::Null));
    assert!(now("2027-07-01T12:00:00Z")["refresh"].is_string(), "an old one says how to refresh it");
}

#[test]
fn the_version_before_the_candidate_has_its_own_author() {
    let project = project();
    project.git(&["checkout", "--quiet", "main"]);
    project.file("runs/new.json", CANDIDATE).commit("by Ada");
    let found = baseline(&project, &[]);
    assert_eq!(found["author"], "Grace Hopper", "{found:#}");
    assert!(found["resolved"].as_str().is_some_and(|text| text.contains("the version before")), "{found:#}");
}

#[test]
fn a_file_of_the_working_tree_has_an_author_while_it_is_as_committed() {
    let project = Project::churn();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    commit(&project, "Grace");
    assert_eq!(baseline(&project, &[])["author"], "Grace");
    project.edit("approved.json", "0.876", "0.877");
    assert_eq!(baseline(&project, &[])["author"], Value::Null, "nobody committed this");
    project.file("approved/other.json", BASELINE);
    assert_eq!(baseline(&project, &["--baseline", "approved/other.json"])["author"], Value::Null);
    // Paths on the command line are relative to the current folder.
    project.git(&["checkout", "--quiet", "approved.json"]);
    let ran = project.gate_in(
        &project.path().join("runs"),
        &["check", "new.json", "--baseline", "../approved.json", "--now", "2026-06-01T00:00:00Z"],
        &[],
    );
    ran.leaves_with(0).says("by Grace");
}

#[test]
fn a_policy_below_the_top_of_the_repository_finds_author_and_earlier_versions() {
    let project = Project::new();
    project
        .file("team/gate.yaml", crate::project::POLICY.replace("approved.json", "git:main"))
        .file("team/runs/new.json", BASELINE);
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    commit(&project, "Grace");
    let folder = project.path().join("team");
    let check = |baseline: &str| {
        let ran = project.gate_in(&folder, &["check", "runs/new.json", "--format", "json"], &[]);
        let report = ran.json();
        let found = report["candidates"][0]["baselines"][0].clone();
        assert_eq!(found["author"], baseline, "{found:#}");
        found
    };
    project.file("team/runs/new.json", CANDIDATE);
    check("Grace");
    project.commit("train");
    let found = check("Grace");
    assert!(found["resolved"].as_str().is_some_and(|text| text.contains("the version before")), "{found:#}");
}

#[test]
fn a_shallow_clone_names_nobody_whom_it_can_not_know() {
    let project = project();
    let clone = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", project.path().display());
    for (depth, author) in [("1", Value::Null), ("9", "Grace Hopper".into())] {
        git_in(clone.path(), &["clone", "--quiet", "--depth", depth, "--no-single-branch", &url, depth]);
        let folder = clone.path().join(depth);
        git_in(&folder, &["checkout", "--quiet", "feature"]);
        let arguments = ["check", "runs/new.json", "--baseline", "git:origin/main", "--format", "json"];
        let report = project.gate_in(&folder, &arguments, &[]).json();
        assert_eq!(report["candidates"][0]["baselines"][0]["author"], author, "depth {depth}");
    }
}

#[test]
fn a_name_is_text_and_no_markup() {
    let project = project();
    project.git(&["checkout", "--quiet", "main"]);
    project.edit("runs/new.json", "0.876", "0.877");
    commit(&project, "@team **x** [y](https://evil.example) `z`\u{202e}");
    project.git(&["checkout", "--quiet", "feature"]);
    let page = project.gate(&[&CHECK[..], &["--format", "markdown"]].concat()).leaves_with(0).out.clone();
    let line = page.lines().find(|line| line.contains(", by ")).expect("the baseline").to_owned();
    for markup in ["@team", "**x", "](", "://", "`z`", "\u{202e}"] {
        assert!(!line.contains(markup), "{markup} is in {line}");
    }
}

#[test]
fn a_name_is_short_and_shows_no_secret() {
    let project = project();
    project.git(&["checkout", "--quiet", "main"]);
    project.edit("runs/new.json", "0.876", "0.877");
    commit(&project, &format!("https://u:hunter2@example.org/{}", "x".repeat(5000)));
    project.git(&["checkout", "--quiet", "feature"]);
    let author = baseline(&project, &[])["author"].as_str().expect("a name").to_owned();
    assert!(author.len() <= 100 && !author.contains("hunter2"), "{author}");
}

#[test]
fn of_many_runs_nobody_is_looked_up() {
    let project = project();
    for run in 0..11 {
        let candidate = CANDIDATE.replace("\"r2\"", &format!("\"r{run}\""));
        project.file(&format!("runs/more-{run}.json"), candidate);
    }
    let report = project.gate(&["check", "--now", "2026-07-01T12:00:00Z", "--format", "json"]).json();
    let candidates = report["candidates"].as_array().expect("candidates");
    assert!(candidates.len() > 10, "{report:#}");
    assert!(candidates.iter().all(|one| one["baselines"][0]["author"].is_null()), "{report:#}");
}
