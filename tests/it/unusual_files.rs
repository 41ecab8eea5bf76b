//! Links, submodules and files that a clone lacks: the same answer on the disk and in a commit, and never
//! silence.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use crate::project::{Project, git_in};

const POLICY: &str = "\
version: 1
runs: runs/**/*.json
baseline: git:main
rules:
  good: { metrics: { f1: { min: 0.80, max_drop: 0.01 } } }
";

fn record(f1: &str, id: &str, month: u8) -> String {
    format!(
        "{{\"run_id\": \"{id}\", \"model\": \"churn\", \"metrics\": {{\"f1\": {f1}}}, \"created_at\": \"2026-0{month}-01T00:00:00Z\"}}\n"
    )
}

/// A branch of a repository with a policy and one record.
fn project() -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY).file("runs/new.json", record("0.85", "r0", 3)).repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project
}

fn link(project: &Project, target: &str, path: &str) {
    let path = project.path().join(path);
    let _ = fs::remove_file(&path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    symlink(target, path).expect("a link");
}

/// Checks that the working tree and the pull request get the same exit code and the same message.
#[track_caller]
fn both(project: &Project, code: i32, says: &str) {
    project.commit("change");
    project.gate(&["check"]).leaves_with(code).says(says);
    project.gate(&["check", "--trust", "main"]).leaves_with(code).says(says);
}

#[test]
fn a_record_behind_a_link_is_judged_by_what_it_leads_to() {
    let bad = project();
    bad.file("elsewhere/x.json", record("0.10", "r1", 4));
    link(&bad, "../elsewhere/x.json", "runs/new.json");
    both(&bad, 1, "0.10");
    let good = project();
    good.file("elsewhere/x.json", record("0.86", "r1", 4));
    link(&good, "../elsewhere/x.json", "runs/new.json");
    both(&good, 0, "runs/new.json pass");
}

#[test]
fn a_link_to_a_link_is_followed() {
    let project = project();
    project.file("c.json", record("0.10", "r1", 4));
    link(&project, "c.json", "b.json");
    link(&project, "../b.json", "runs/new.json");
    both(&project, 1, "0.10");
}

#[test]
fn a_linked_folder_is_looked_into_once() {
    let project = project();
    project.file("more/x.json", record("0.10", "r1", 4));
    link(&project, "../more", "runs/more");
    link(&project, "..", "runs/loop");
    both(&project, 1, "runs/more/x.json");
    let ran = project.gate(&["check"]);
    assert!(!ran.out.contains("runs/loop"), "{}", ran.out);
}

#[test]
fn a_link_that_leads_to_no_record_is_no_verdict() {
    let nowhere = project();
    link(&nowhere, "gone.json", "runs/new.json");
    both(&nowhere, 2, "`runs/new.json` is a symbolic link to `gone.json`, which does not exist");
    let circle = project();
    link(&circle, "other.json", "runs/new.json");
    link(&circle, "new.json", "runs/other.json");
    both(&circle, 2, "reference/broken-link");
    let outside = project();
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(elsewhere.path().join("x.json"), record("0.99", "r1", 4)).expect("a file");
    link(&outside, elsewhere.path().join("x.json").to_str().expect("UTF-8"), "runs/new.json");
    both(&outside, 2, "reference/outside");
    let folder = project();
    link(&folder, "gone", "runs/folder");
    both(&folder, 2, "runs/folder");
}

#[test]
fn a_link_out_of_a_workspace_that_is_a_folder_of_the_repository() {
    let project = Project::new();
    project
        .file("churn/gate.yaml", POLICY)
        .file("churn/runs/new.json", record("0.85", "r0", 3))
        .file("other/x.json", record("0.86", "r1", 4))
        .repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    link(&project, "../../other/x.json", "churn/runs/new.json");
    project.commit("link");
    for arguments in [&["-C", "churn", "check"][..], &["-C", "churn", "check", "--trust", "main"][..]] {
        project.gate(arguments).leaves_with(2).says("is outside the workspace");
    }
}

#[test]
fn records_in_a_submodule_are_no_verdict() {
    let project = project();
    let other = Project::new();
    other.file("x.json", record("0.99", "r1", 4)).repository();
    let url = format!("file://{}", other.path().display());
    project.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "runs/sub"]);
    both(&project, 2, "`runs/sub` is a submodule");
    // A clone that never checked out the submodule.
    project.git(&["submodule", "--quiet", "deinit", "--force", "runs/sub"]);
    project.gate(&["check"]).leaves_with(2).says("`runs/sub` is a submodule");
}

#[test]
fn a_submodule_where_the_folder_of_the_records_was() {
    let project = project();
    let other = Project::new();
    other.file("new.json", record("0.99", "r1", 4)).repository();
    project.git(&["rm", "--quiet", "-r", "runs"]);
    let url = format!("file://{}", other.path().display());
    project.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "runs"]);
    both(&project, 2, "reference/submodule");
}

#[test]
fn a_policy_may_be_a_link_inside_the_repository() {
    let project = Project::new();
    project.file("policies/prod.yaml", POLICY).file("runs/new.json", record("0.85", "r0", 3));
    link(&project, "policies/prod.yaml", "gate.yaml");
    project.repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("runs/new.json", record("0.50", "r1", 4));
    both(&project, 1, "0.50");
    project.file("runs/new.json", record("0.86", "r1", 4));
    both(&project, 0, "runs/new.json pass");
    // The target of the link decides, so gate reports a change to it.
    project.edit("policies/prod.yaml", "0.80", "0.10").commit("loosen");
    project
        .gate(&["check", "--trust", "main"])
        .leaves_with(0)
        .says("this change edits the rules that judge it (gate.yaml)");
}

#[test]
fn a_policy_that_is_a_link_to_nowhere_gives_way_to_none_above() {
    let project = Project::new();
    project
        .file("gate.yaml", "version: 1\nruns: '**/*.json'\nrules: { lax: { require: [metrics] } }\n")
        .file("churn/runs/new.json", record("0.10", "r0", 3));
    link(&project, "../common/strict.yaml", "churn/gate.yaml");
    project.repository();
    let says = "`gate.yaml` can't be read";
    project.gate(&["-C", "churn", "check", "runs/new.json"]).leaves_with(2).says(says);
    project.gate(&["-C", "churn", "check", "--trust", "main", "--all"]).leaves_with(2).says("symbolic link");
}

#[test]
fn what_a_policy_names_may_be_a_link_too() {
    let project = Project::new();
    project
        .file("org/real.yaml", "version: 1\nrules: { strict: { metrics: { f1: { min: 0.99 } } } }\n")
        .file("gate.yaml", POLICY.replace("rules:", "extends: [{ path: strict.yaml }]\nrules:"))
        .file("runs/new.json", record("0.85", "r0", 3));
    link(&project, "org/real.yaml", "strict.yaml");
    project.repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("runs/new.json", record("0.86", "r1", 4));
    both(&project, 1, "0.99");
}

#[test]
fn a_baseline_may_be_a_link() {
    let project = Project::new();
    project
        .file("gate.yaml", POLICY.replace("git:main", "approved.json"))
        .file("best/r0.json", record("0.90", "r0", 3))
        .file("runs/old.json", record("0.90", "r0", 3));
    link(&project, "best/r0.json", "approved.json");
    project.repository();
    project.git(&["switch", "--quiet", "--create", "feature"]);
    project.file("runs/new.json", record("0.85", "r1", 4));
    both(&project, 1, "0.9");
}

#[test]
fn what_a_sparse_checkout_left_out_is_not_gone() {
    let project = project();
    project.file("src/train.py", "").file("runs/second.json", record("0.10", "r1", 4)).commit("train");
    project.git(&["sparse-checkout", "set", "--no-cone", "/*", "!runs/second.json"]);
    assert!(!project.path().join("runs/second.json").exists());
    project.gate(&["check"]).leaves_with(2).says("this sparse checkout omits it").says("runs/second.json");
}

#[test]
fn what_a_partial_clone_lacks_is_named_as_that() {
    let project = project();
    project.file("runs/new.json", record("0.86", "r1", 4)).commit("train");
    project.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", project.path().display());
    git_in(clone.path(), &["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, "."]);
    git_in(clone.path(), &["update-ref", "refs/heads/main", "refs/remotes/origin/main"]);
    // Only the policy is here.
    git_in(clone.path(), &["checkout", "--quiet", "origin/feature", "--", "gate.yaml"]);
    let ran = project.gate_in(clone.path(), &["check", "--trust", "main", "--all"], &[]);
    ran.leaves_with(2).says("this is a partial clone");
}

#[test]
fn a_policy_that_a_partial_clone_lacks_gives_way_to_none_of_the_change() {
    let project = project();
    project
        .edit("gate.yaml", "rules:", "# Another version of the policy, and not in the clone of main.\nrules:")
        .file("runs/new.json", record("0.10", "r1", 4))
        .commit("worse, and a policy of its own");
    project.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", project.path().display());
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let other = tempfile::tempdir().expect("a folder");
        git_in(other.path(), &["clone", "--quiet", filter, "--branch", "feature", &url, "c"]);
        let ran = project.gate_in(&other.path().join("c"), &["check", "--trust", "origin/main"], &[]);
        ran.leaves_with(2).says("this is a partial clone").never_says("is used");
    }
}

#[test]
fn a_policy_that_a_sparse_checkout_left_out_gives_way_to_none_above() {
    let project = project();
    project
        .file("team/gate.yaml", project.read("gate.yaml"))
        .file("team/readme", "")
        .commit("a policy of the team");
    project.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/team/gate.yaml"]);
    let ran = project.gate_in(&project.path().join("team"), &["check", "--all"], &[]);
    ran.leaves_with(2).says("this sparse checkout omits it");
}

/// A commit whose folders lead to too many files to list.
#[test]
fn a_commit_with_countless_paths_ends_with_a_limit() {
    let project = project();
    let blob = project.git(&["rev-parse", "HEAD:gate.yaml"]);
    let make = |entries: &str| {
        project.file("entries", entries);
        let name = project.path().join("entries");
        let made = std::process::Command::new("git")
            .arg("-C")
            .arg(project.path())
            .arg("mktree")
            .stdin(std::fs::File::open(name).expect("it was just written"))
            .output()
            .expect("git starts");
        String::from_utf8(made.stdout).expect("an id").trim().to_owned()
    };
    let mut tree = make(&format!("100644 blob {}\ta.json\n", blob.trim()));
    for _ in 0..12 {
        tree = make(&(0..10).map(|at| format!("040000 tree {tree}\td{at}\n")).collect::<String>());
    }
    let runs = project.git(&["rev-parse", "HEAD:runs"]);
    let root = make(&format!(
        "040000 tree {tree}\tfar\n100644 blob {}\tgate.yaml\n040000 tree {}\truns\n",
        blob.trim(),
        runs.trim()
    ));
    project.remove("entries");
    let commit = project.git(&["commit-tree", "-m", "many", "-p", "HEAD", &root]);
    let check = ["check", "--trust", "main", "--head", commit.trim()];
    project.gate(&check).leaves_with(0).says("nothing changed");
    project.git(&["switch", "--quiet", "main"]);
    project
        .file("gate.yaml", project.read("gate.yaml") + "  named: { linked: true }\n")
        .commit("look at models");
    project.gate(&check).leaves_with(2).says("more than 300000 files and folders");
}
