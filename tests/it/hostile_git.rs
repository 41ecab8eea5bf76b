//! The surroundings of gate can't choose its repository or make it run a program: variables, configuration,
//! folders that look like repositories.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{CANDIDATE, Project, git_in};

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: git:main
rules:
  holds-up: { metrics: { f1: { max_drop: 0.005 } } }
  from-code: { level: warning, reproducible: true }
  nothing-lost: { level: warning, linked: true }
";

/// Everything in the configuration of a repository that names a program, which then writes the file `RAN`.
fn booby_trap(config: &Path, folder: &Path) -> PathBuf {
    let marker = folder.join("RAN");
    let run = format!("echo ran >> '{}'", marker.display());
    let text = format!(
        "\
[core]
\tfsmonitor = \"{run}\"
\tsshCommand = \"{run}\"
\tgitProxy = \"{run}\"
\tpager = \"{run}\"
\teditor = \"{run}\"
\taskPass = \"{run}\"
\thooksPath = {hooks}
\talternateRefsCommand = \"{run}\"
[credential]
\thelper = \"!{run}\"
[credential \"https://127.0.0.1\"]
\thelper = \"!{run}\"
[filter \"trap\"]
\tclean = \"{run}; cat\"
\tsmudge = \"{run}; cat\"
\trequired = true
[filter \"trap process\"]
\tprocess = \"{run}\"
[hook \"trap\"]
\tcommand = \"{run}\"
\tevent = reference-transaction
\tevent = post-checkout
\tevent = post-index-change
[diff]
\texternal = \"{run}\"
[diff \"trap\"]
\tcommand = \"{run}\"
\ttextconv = \"{run}\"
[merge \"trap\"]
\tdriver = \"{run}\"
[gpg]
\tprogram = \"{run}\"
[log]
\tshowSignature = true
[gc]
\tauto = 1
\trecentObjectsHook = \"{run}\"
[protocol]
\tallow = always
[protocol \"ext\"]
\tallow = always
[alias]
\trev-parse = \"!{run}\"
\tcat-file = \"!{run}\"
\tstatus = \"!{run}\"
[remote \"trap\"]
\turl = \"ext::sh -c {quoted}\"
\tpromisor = true
\tpartialclonefilter = blob:none
[submodule]
\trecurse = true
",
        hooks = folder.join("hooks").display(),
        quoted = run.replace(' ', "% "),
    );
    let before = fs::read_to_string(config).unwrap_or_default();
    fs::write(config, before + &text).expect("the configuration");
    fs::create_dir_all(folder.join("hooks")).expect("a folder");
    for hook in ["reference-transaction", "post-checkout", "post-index-change"] {
        let path = folder.join("hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\n{run}\n")).expect("a hook");
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("rights");
    }
    marker
}

/// A repository whose `main` has a record, with a branch `feature` that changes it.
fn repository(better: &str) -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY).file("runs/new.json", CANDIDATE).repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", CANDIDATE.replace("0.842", better)).commit("train");
    project
}

/// A folder that git takes for a repository, although it has no `.git`.
fn embed(project: &Project, folder: &str, config: &str) {
    for kept in ["objects/keep", "refs/keep"] {
        project.file(&format!("{folder}/{kept}"), "");
    }
    project
        .file(&format!("{folder}/HEAD"), "ref: refs/heads/main\n")
        .file(&format!("{folder}/config"), config);
}

#[test]
fn no_program_of_the_configuration_is_run_by_a_check() {
    let project = repository("0.9");
    let other = tempfile::tempdir().expect("a folder");
    project
        .file(".gitattributes", "*.json filter=trap diff=trap merge=trap\n*.pkl filter=\"trap process\"\n");
    project.commit("attributes").file("runs/new.json", CANDIDATE.replace("0.842", "0.91"));
    let marker = booby_trap(&project.path().join(".git/config"), other.path());
    for arguments in [&["check"][..], &["check", "--trust", "main"], &["check", "--base", "main"]] {
        project.gate(arguments).leaves_with(0);
        assert!(!marker.exists(), "{arguments:?}");
    }
    project.gate(&["record", "--", "echo", "metrics.f1=0.9"]);
    project.gate(&["diff", "git:main:runs/new.json", "runs/new.json"]);
    project.gate(&["reproduce", "runs/new.json"]);
    assert!(!marker.exists());
    // Git itself would have run them.
    project.git(&["status"]);
    assert!(marker.exists());
}

#[test]
fn a_configuration_that_is_included_from_the_working_tree_runs_nothing_either() {
    let project = repository("0.9");
    let other = tempfile::tempdir().expect("a folder");
    project.file(".gitattributes", "*.json filter=trap\n");
    let marker = booby_trap(&project.path().join("included.gitconfig"), other.path());
    project.commit("settings").file("runs/new.json", CANDIDATE.replace("0.842", "0.91"));
    project.git(&["config", "include.path", "../included.gitconfig"]);
    project.gate(&["check"]).leaves_with(0);
    project.gate(&["record", "--", "echo", "metrics.f1=0.9"]);
    assert!(!marker.exists());
}

#[test]
fn a_bare_repository_inside_the_working_tree_is_no_repository() {
    let project = Project::new();
    project.file("m/gate.yaml", POLICY).file("m/runs/new.json", CANDIDATE).repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("m/runs/new.json", CANDIDATE.replace("0.842", "0.1"));
    let other = tempfile::tempdir().expect("a folder");
    embed(&project, "m", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
    let marker = booby_trap(&project.path().join("m/config"), other.path());
    project.commit("train");
    let folder = project.path().join("m");
    project.gate_in(&folder, &["check", "--trust", "main"], &[]).leaves_with(1).says("0.842");
    // Setting a working tree changes nothing.
    project.file("m/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n");
    project.gate_in(&folder, &["check", "--trust", "main"], &[]).leaves_with(1).says("0.842");
    assert!(!marker.exists());
}

#[test]
fn without_a_repository_around_it_a_folder_that_looks_like_one_is_none() {
    let project = Project::churn();
    embed(&project, "runs", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n");
    project
        .gate_in(&project.path().join("runs"), &["check", "new.json", "--baseline", "git:main"], &[])
        .leaves_with(2)
        .says("is not in a git repository");
}

#[test]
fn a_broken_git_folder_does_not_hide_the_repository_around_it() {
    let project = repository("0.1");
    project.file("sub/.git/nothing", "").file("sub/gate.yaml", POLICY);
    let ran = project.gate_in(&project.path().join("sub"), &["show", "git:main:none.json"], &[]);
    ran.leaves_with(2).never_says("not in a git repository");
}

#[test]
fn variables_of_the_caller_choose_neither_repository_nor_programs() {
    let project = repository("0.1");
    let other = repository("0.1");
    other.git(&["checkout", "--quiet", "main"]);
    other.file("runs/new.json", CANDIDATE.replace("0.842", "0.1")).commit("an easy bar");
    let marker = other.path().join("RAN");
    let run = format!("echo ran >> '{}'; false", marker.display());
    let easy = other.path().join(".git").display().to_string();
    let objects = other.path().join(".git/objects").display().to_string();
    let index = other.path().join(".git/index").display().to_string();
    let worktree = other.path().display().to_string();
    let parameters = format!("'core.fsmonitor={}'", run.replace('\'', "'\\''"));
    let variables: [&[(&str, &str)]; 7] = [
        &[("GIT_DIR", &easy), ("GIT_WORK_TREE", &worktree), ("GIT_INDEX_FILE", &index)],
        &[("GIT_COMMON_DIR", &easy)],
        &[("GIT_OBJECT_DIRECTORY", &objects), ("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects)],
        &[("GIT_NAMESPACE", "elsewhere"), ("GIT_CEILING_DIRECTORIES", &worktree)],
        &[("GIT_EXTERNAL_DIFF", &run), ("GIT_PAGER", &run), ("GIT_SSH_COMMAND", &run), ("GIT_ASKPASS", &run)],
        &[("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "core.fsmonitor"), ("GIT_CONFIG_VALUE_0", &run)],
        &[("GIT_CONFIG_PARAMETERS", &parameters)],
    ];
    for variables in variables {
        for arguments in [&["check"][..], &["check", "--trust", "main"]] {
            project.gate_with(arguments, variables).leaves_with(1).says("0.842");
        }
        assert!(!marker.exists(), "{variables:?}");
    }
}

#[test]
fn in_a_hook_of_a_linked_worktree() {
    let project = Project::new();
    project.file("gate.yaml", POLICY).file("runs/new.json", CANDIDATE.replace("0.842", "0.1"));
    project.file("proj/gate.yaml", POLICY).file("proj/runs/new.json", CANDIDATE).repository();
    let other = tempfile::tempdir().expect("a folder");
    let tree = other.path().join("tree");
    project.git(&["worktree", "add", "--quiet", "-b", "feature", tree.to_str().expect("UTF-8")]);
    let git = git_in(&tree, &["rev-parse", "--absolute-git-dir"]);
    fs::write(tree.join("proj/runs/new.json"), CANDIDATE.replace("0.842", "0.11")).expect("a record");
    // The variables that git sets for its hooks.
    let variables = [("GIT_DIR", git.as_str()), ("GIT_PREFIX", ""), ("GIT_INDEX_FILE", "index")];
    project.gate_in(&tree, &["-C", "proj", "check"], &variables).leaves_with(1).says("0.842");
}

#[test]
fn in_a_submodule() {
    let inner = repository("0.9");
    inner.git(&["checkout", "--quiet", "main"]);
    let outer = Project::new();
    outer.file("README.md", "").repository();
    let url = inner.path().to_str().expect("UTF-8");
    outer.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "models"]);
    let folder = outer.path().join("models");
    git_in(&folder, &["checkout", "--quiet", "feature"]);
    outer.gate_in(&folder, &["check"], &[]).leaves_with(0).says("1 of 1 records changed");
}

#[test]
fn a_graft_does_not_forge_history() {
    let project = repository("0.1");
    let bad = project.git(&["rev-parse", "HEAD"]);
    project.git(&["checkout", "--quiet", "-b", "other", "main"]);
    project.commit("elsewhere");
    let head = project.git(&["rev-parse", "HEAD"]);
    project.file(".git/info/grafts", format!("{head} {bad}\n"));
    project
        .file("gate.yaml", "version: 1\nruns: runs/*.json\nrules: { c: { code: { clean: false } } }\n")
        .file("runs/new.json", format!("{{\"git_commit\": \"{bad}\"}}"));
    project.gate(&["check", "runs/new.json"]).leaves_with(1).says("code/not-an-ancestor");
}

#[test]
fn what_a_partial_clone_lacks_is_not_taken_for_absent() {
    let project = repository("0.9");
    project.git(&["checkout", "--quiet", "main"]);
    project.git(&["config", "uploadpack.allowFilter", "true"]);
    let other = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", project.path().display());
    git_in(other.path(), &["clone", "--quiet", "--filter=blob:none", "--branch", "feature", &url, "c"]);
    let folder = other.path().join("c");
    // The record of `main` was never fetched, so this is not a first model.
    project.gate_in(&folder, &["check", "--first"], &[]).leaves_with(2).says("partial clone");
}
