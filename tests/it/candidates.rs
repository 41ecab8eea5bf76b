//! Which records are judged when nobody names them: those that changed.

use std::fs;

use crate::project::{BASELINE, CANDIDATE, Project};

/// A repository whose `main` has a policy, a baseline and one record.
fn repository() -> Project {
    let project = Project::churn();
    project.file("runs/kept.json", BASELINE).remove("runs/new.json").repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project
}

/// The candidates that a check found, by the path that they were read from.
fn found(project: &Project, arguments: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> =
        ["check", "--format", "json"].into_iter().chain(arguments.iter().copied()).collect();
    let report = project.gate(&arguments).json();
    let candidates = report["candidates"].as_array().expect("candidates");
    candidates.iter().map(|one| one["run"]["source"].as_str().expect("a place").to_owned()).collect()
}

#[test]
fn what_changed_on_the_branch_committed_staged_and_not() {
    let project = repository();
    project.file("runs/committed.json", CANDIDATE).commit("one");
    project.file("runs/staged.json", CANDIDATE).git(&["add", "--all"]);
    project.file("runs/untracked.json", CANDIDATE);
    let all = ["runs/committed.json", "runs/staged.json", "runs/untracked.json"];
    assert_eq!(found(&project, &[]), all);
    project.edit("runs/kept.json", "0.847", "0.848");
    assert_eq!(found(&project, &[]).len(), 4, "an edited one too");
    project.file(".gitignore", "runs/untracked.json\n");
    assert_eq!(found(&project, &[]).len(), 4, "that git ignores it does not make it right");
}

#[test]
fn what_changed_on_the_base_alone_is_not_a_candidate() {
    let project = repository();
    project.file("runs/mine.json", CANDIDATE).commit("mine");
    project.git(&["checkout", "--quiet", "main"]);
    project.file("runs/theirs.json", CANDIDATE).edit("runs/kept.json", "0.847", "0.85").commit("theirs");
    project.git(&["checkout", "--quiet", "feature"]);
    assert_eq!(found(&project, &[]), ["runs/mine.json"]);
}

#[test]
fn a_record_that_is_taken_back_is_unchanged() {
    let project = repository();
    project.edit("runs/kept.json", "0.847", "0.5").commit("worse");
    project.file("runs/kept.json", BASELINE);
    project.gate(&["check"]).leaves_with(0).says("has not changed since main").says("nothing was judged");
    project.gate(&["check", "--require-candidates"]).leaves_with(2).says("check/no-candidates");
    let other_line_ends = BASELINE.replace('\n', "\r\n");
    project.file("runs/kept.json", other_line_ends);
    project.gate(&["check"]).leaves_with(0).says("nothing was judged");
}

#[test]
fn a_record_that_is_gone_or_moved() {
    let project = repository();
    project.remove("runs/kept.json").file("runs/moved.json", BASELINE);
    // A record that was only moved is the same record.
    project.gate(&["check"]).leaves_with(0).says("has not changed since main");
    project.remove("runs/moved.json");
    project.gate(&["check"]).leaves_with(2).says("matches no file");
}

#[test]
fn names_of_every_sort() {
    let project = repository();
    let names =
        ["a b.json", "ünï.json", "-x.json", "quote'\".json", "[x].json", "new\nline.json", "git:main.json"];
    for name in names {
        project.file(&format!("runs/{name}"), CANDIDATE);
    }
    assert_eq!(found(&project, &[]).len(), names.len());
    project.commit("all");
    assert_eq!(found(&project, &[]).len(), names.len());
    for name in ["runs/a b.json", "runs/[x].json", "./runs/-x.json"] {
        assert_eq!(found(&project, &[name]).len(), 1, "{name}");
    }
}

#[test]
fn the_base_that_is_named_and_the_default_branch() {
    let project = repository();
    project.file("runs/one.json", CANDIDATE).commit("one");
    project.git(&["checkout", "--quiet", "-b", "next"]);
    project.file("runs/two.json", CANDIDATE).commit("two");
    assert_eq!(found(&project, &[]).len(), 2);
    assert_eq!(found(&project, &["--base", "feature"]), ["runs/two.json"]);
    project.git(&["branch", "--quiet", "--move", "main", "trunk"]);
    project.gate(&["check"]).leaves_with(2).says("say which branch to compare with: --base BRANCH");
    project.git(&["update-ref", "refs/remotes/origin/trunk", "trunk"]);
    project.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    assert_eq!(found(&project, &[]).len(), 2);
    project.gate(&["check", "--base", "nowhere"]).leaves_with(2).says("git/unknown-revision");
}

#[test]
fn every_record_that_matches() {
    let project = repository();
    assert_eq!(found(&project, &["--all"]), ["runs/kept.json"]);
    let outside = Project::churn();
    assert_eq!(found(&outside, &["--all"]), ["runs/new.json"], "no repository is needed");
}

#[test]
fn some_of_them_by_what_they_hold() {
    let project = repository();
    project.edit(
        "gate.yaml",
        "runs: runs/*.json",
        "runs: { path: [runs/*.json], where: has(tags.promote) && tags.promote == \"yes\" }",
    );
    project.file("runs/tried.json", CANDIDATE);
    project.gate(&["check"]).leaves_with(2).says("check/none-selected");
    project.file("runs/meant.json", CANDIDATE.replacen('{', "{\"tags\": {\"promote\": \"yes\"},", 1));
    assert_eq!(found(&project, &[]), ["runs/meant.json"]);
    project.gate(&["check"]).leaves_with(0).says("`where` leaves out 1 of the records");
    assert_eq!(found(&project, &["runs/tried.json"]), ["runs/tried.json"], "named is meant");
}

#[test]
fn a_field_that_where_reads_and_a_record_lacks_is_no_answer() {
    let project = repository();
    project.edit(
        "gate.yaml",
        "runs: runs/*.json",
        "runs: { path: [runs/*.json], where: tags.experiment != \"yes\" }",
    );
    project.file("runs/tried.json", CANDIDATE);
    project.gate(&["check"]).leaves_with(2).says("check/where-failed").says("has(");
}

#[test]
fn from_a_folder_below_and_from_elsewhere() {
    let project = repository();
    project.file("runs/new.json", CANDIDATE).file("src/deep/x.py", "");
    let ran = project.gate_in(&project.path().join("src/deep"), &["check"], &[]);
    ran.leaves_with(0).says("../../runs/new.json");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = project.path().to_str().expect("UTF-8");
    project.gate_in(elsewhere.path(), &["-C", folder, "check"], &[]).leaves_with(0).says("runs/new.json");
    project
        .gate_in(elsewhere.path(), &["-C", "none", "check"], &[])
        .leaves_with(2)
        .says("there is no such folder");
}

#[cfg(unix)]
#[test]
fn what_a_pattern_finds_outside_the_workspace_is_not_read() {
    let project = repository();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let secret = elsewhere.path().join("secret.json");
    fs::write(&secret, CANDIDATE).expect("a file");
    std::os::unix::fs::symlink(&secret, project.path().join("runs/link.json")).expect("a link");
    let ran = project.gate(&["check"]);
    ran.leaves_with(2).says("runs/link.json").never_says("0.842");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let project = Project::churn();
    let made = std::process::Command::new("mkfifo").arg(project.path().join("runs/pipe.json")).status();
    assert!(made.expect("mkfifo").success());
    project.gate(&["check", "runs/pipe.json"]).leaves_with(2).says("not a regular file");
    project.gate(&["check", "--all"]).leaves_with(2).says("runs/new.json pass");
}
