//! A revision has one meaning everywhere, and the change that is judged can't influence it.

use crate::project::{CANDIDATE, Project, Ran, git_in};

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: git:main
rules: { holds-up: { metrics: { f1: { max_drop: 0.005 } } } }
";

fn record(f1: &str) -> String {
    CANDIDATE.replace("0.842", f1)
}

/// A repository whose `main` has a record with an F1 of 0.85, checked out on a branch `feature`.
fn repository() -> Project {
    let project = Project::new();
    project.file("gate.yaml", POLICY).file("runs/new.json", record("0.85")).repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project
}

/// The same repository, where the remote's `main` moved on to 0.90 and the local one did not.
fn behind() -> Project {
    let project = repository();
    project.file("runs/new.json", record("0.90")).commit("better");
    project.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    project
}

/// A commit on `feature` with a record.
fn train(project: &Project, f1: &str) {
    project.file("runs/new.json", record(f1)).commit("train");
}

/// Compares with another baseline.
fn against(project: &Project, baseline: &str) -> Ran {
    project.gate(&["check", "--trust", "main", "--baseline", baseline])
}

#[test]
fn main_is_the_branch_of_the_remote_and_the_report_says_so() {
    let project = behind();
    train(&project, "0.86");
    let local = project.git(&["rev-parse", "main"]);
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("origin/main")
        .says(&format!("the local branch is at {}", &local[..10]));
    project
        .gate(&["check", "--base", "main"])
        .leaves_with(1)
        .says("1 of 1 records changed since origin/main");
    project.gate(&["check", "--trust", "main"]).leaves_with(1);
    // A full reference names the local branch.
    project.gate(&["check", "--baseline", "git:refs/heads/main"]).leaves_with(0);
    project.git(&["branch", "--delete", "--force", "main"]);
    project.gate(&["check"]).leaves_with(1).says("0.90").never_says("local branch");
}

#[test]
fn main_is_the_branch_of_the_remote_for_the_history_of_code_too() {
    let project = behind();
    let head = project.git(&["rev-parse", "HEAD"]);
    project.file(
        "gate.yaml",
        "version: 1\nruns: runs/*.json\nrules: { c: { code: { clean: false, ancestor_of: main } } }\n",
    );
    project.file("runs/new.json", format!("{{\"git_commit\": \"{head}\"}}"));
    project.gate(&["check", "runs/new.json"]).leaves_with(0);
}

#[test]
fn two_things_of_one_name_are_an_error_that_lists_both() {
    let project = behind();
    train(&project, "0.2");
    project.git(&["tag", "main"]);
    for arguments in [&["check"][..], &["check", "--base", "main"], &["check", "--trust", "main"]] {
        project
            .gate(arguments)
            .leaves_with(2)
            .says("git/ambiguous")
            .says("tags/main")
            .says("remotes/origin/main");
    }
    project.git(&["tag", "--delete", "main"]);
    project.git(&["branch", "origin/main"]);
    project
        .gate(&["check", "--trust", "origin/main"])
        .leaves_with(2)
        .says("refs/heads/origin/main")
        .says("refs/remotes/origin/main");
    project.git(&["branch", "--delete", "--force", "origin/main"]);
    project.git(&["tag", "origin/main"]);
    project.gate(&["check", "--trust", "origin/main"]).leaves_with(2).says("refs/tags/origin/main");
    project.gate(&["check", "--trust", "refs/remotes/origin/main"]).leaves_with(1);
    // The default branch is no name that could be another's.
    project
        .gate(&["check", "--baseline", "git:refs/remotes/origin/main"])
        .leaves_with(1)
        .says("since origin/main");
}

#[test]
fn a_tag_is_taken_where_only_a_tag_has_the_name() {
    let project = repository();
    project.git(&["tag", "v1", "main"]);
    project.git(&["tag", "--annotate", "--message", "x", "v2", "main"]);
    train(&project, "0.2");
    for baseline in ["git:v1", "git:v2", "git:refs/tags/v2", "git:tags/v1"] {
        project.gate(&["check", "--baseline", baseline]).leaves_with(1).says("0.85");
        against(&project, baseline).leaves_with(1).says("0.85");
    }
}

#[test]
fn first_digits_that_are_also_a_name_are_an_error() {
    let project = repository();
    train(&project, "0.2");
    let digits = &project.git(&["rev-parse", "main"])[..8];
    project.gate(&["check", "--baseline", &format!("git:{digits}")]).leaves_with(1);
    project.git(&["branch", digits]);
    for trust in [&[][..], &["--trust", "main"]] {
        let baseline = format!("git:{digits}");
        let arguments: Vec<&str> = ["check", "--baseline", &baseline].iter().chain(trust).copied().collect();
        project.gate(&arguments).leaves_with(2).says(&format!("refs/heads/{digits}")).says("the commit");
    }
}

#[test]
fn relative_revisions_start_from_what_the_name_means() {
    let project = behind();
    project.file("runs/new.json", record("0.95")).commit("best");
    project.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    train(&project, "0.86");
    project.gate(&["check", "--baseline", "git:main~1"]).leaves_with(1).says("0.90");
    project.gate(&["check", "--baseline", "git:main~2"]).leaves_with(0);
    project.gate(&["check", "--baseline", "git:HEAD~1"]).leaves_with(1).says("0.95");
}

#[test]
fn what_the_change_can_shape_is_no_baseline() {
    let project = repository();
    train(&project, "0.1");
    let middle = project.git(&["rev-parse", "HEAD"]);
    train(&project, "0.11");
    project.git(&["update-ref", "ORIG_HEAD", "HEAD~1"]);
    project.git(&["tag", "old", "HEAD~1"]);
    project.git(&["branch", "mine", "HEAD"]);
    project.git(&["update-ref", "refs/remotes/origin/mine", "HEAD"]);
    let names = [
        "HEAD",
        "HEAD~1",
        "HEAD^",
        "@",
        "@~1",
        "@{1}",
        "HEAD@{1}",
        "main@{0}",
        "main~0",
        "ORIG_HEAD",
        "old",
        "refs/tags/old",
        "feature",
        "mine",
        "refs/heads/mine",
        "origin/mine",
        &middle,
        &middle[..10],
    ];
    for name in names {
        let ran = against(&project, &format!("git:{name}:runs/new.json"));
        ran.leaves_with(2).says("git/not-trusted");
    }
    for name in ["main", "heads/main", "refs/heads/main", &project.git(&["rev-parse", "main"])] {
        against(&project, &format!("git:{name}:runs/new.json")).leaves_with(1).says("0.85");
    }
}

#[test]
fn a_branch_of_this_clone_that_has_commits_of_the_change_is_no_baseline() {
    let project = repository();
    let base = project.git(&["rev-parse", "main"]);
    train(&project, "0.1");
    // A runner tries the change by merging it.
    project.git(&["checkout", "--quiet", "-b", "trial", "main"]);
    project.git(&["merge", "--quiet", "--no-ff", "--message", "trial", "feature"]);
    project.git(&["checkout", "--quiet", "feature"]);
    train(&project, "0.11");
    project
        .gate(&["check", "--trust", &base, "--baseline", "git:trial"])
        .leaves_with(2)
        .says("git/not-trusted");
    // The server's branch may have merged it.
    project.git(&["update-ref", "refs/remotes/origin/stage", "trial"]);
    project.gate(&["check", "--trust", &base, "--baseline", "git:origin/stage"]).leaves_with(0);
}

#[test]
fn a_base_that_is_an_id_is_what_main_means() {
    let project = repository();
    let base = project.git(&["rev-parse", "main"]);
    train(&project, "0.1");
    project.git(&["branch", "--force", "main"]);
    train(&project, "0.11");
    // The local `main` contains the change.
    project.gate(&["check", "--trust", &base]).leaves_with(1).says("0.85");
    project.git(&["tag", "main"]);
    project.gate(&["check", "--trust", &base]).leaves_with(1).says("0.85");
    project.git(&["update-ref", "refs/remotes/origin/main", &base]);
    project.gate(&["check", "--trust", &base]).leaves_with(1).says("0.85");
}

#[test]
fn what_differs_from_any_of_several_merge_bases_is_a_candidate() {
    let project = repository();
    project.file("gate.yaml", POLICY.replace("max_drop: 0.005", "min: 0.8")).commit("policy");
    project.git(&["checkout", "--quiet", "-B", "main"]);
    train(&project, "0.1");
    project.git(&["checkout", "--quiet", "-B", "feature"]);
    project.file("README.md", "").commit("docs");
    project.git(&["checkout", "--quiet", "main"]);
    train(&project, "0.90");
    let better = project.git(&["rev-parse", "HEAD"]);
    project.git(&["merge", "--quiet", "--no-ff", "--message", "merge", "feature"]);
    project.git(&["checkout", "--quiet", "feature"]);
    project.git(&["merge", "--quiet", "--strategy", "ours", "--message", "merge main", &better]);
    assert_eq!(project.git(&["merge-base", "--all", "feature", "main"]).lines().count(), 2);
    project.gate(&["check"]).leaves_with(1).says("1 of 1 records changed");
    project.gate(&["check", "--trust", "main"]).leaves_with(1);
}

#[test]
fn without_common_history() {
    let project = repository();
    project.git(&["checkout", "--quiet", "--orphan", "new"]);
    project.commit("alone");
    project.gate(&["check"]).leaves_with(2).says("git/no-merge-base").says("no common history");
}

#[test]
fn code_takes_the_ids_of_commits_only() {
    let project = repository();
    let head = project.git(&["rev-parse", "HEAD"]);
    project.git(&["tag", "--annotate", "--message", "x", "v1"]);
    let tag = project.git(&["rev-parse", "refs/tags/v1"]);
    let tree = project.git(&["rev-parse", "HEAD^{tree}"]);
    project.git(&["branch", "deadbee"]);
    project.git(&["tag", "cafe1234"]);
    project.git(&["update-ref", "refs/remotes/abcdef0/HEAD", "HEAD"]);
    project.file("gate.yaml", "version: 1\nruns: runs/*.json\nrules: { c: { code: { clean: false } } }\n");
    let check = |id: &str| {
        project.file("runs/new.json", format!("{{\"git_commit\": \"{id}\"}}"));
        project.gate(&["check", "runs/new.json"])
    };
    for id in ["deadbee", "cafe1234", "abcdef0", &tag, &tag[..12], &tree] {
        check(id).leaves_with(1).says("code/unknown-commit");
    }
    // A branch with the name of a commit does not hide the commit.
    let digits = &head[..9];
    project.git(&["branch", digits, &project.git(&["commit-tree", "-m", "x", &tree])]);
    for id in [&head, digits, &head.to_uppercase()] {
        check(id).leaves_with(0);
    }
}

#[test]
fn what_is_only_on_the_server_is_named_as_that() {
    let server = repository();
    server.git(&["branch", "release"]);
    server.git(&["checkout", "--quiet", "main"]);
    let other = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", server.path().display());
    git_in(other.path(), &["clone", "--quiet", "--single-branch", &url, "c"]);
    let check = |folder: &str| {
        let arguments = ["check", "runs/new.json", "--baseline", "git:release"];
        server.gate_in(&other.path().join(folder), &arguments, &[])
    };
    check("c").leaves_with(2).says("git fetch origin release");
    git_in(other.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    check("shallow").leaves_with(2).says("this clone is shallow").says("fetch-depth: 0");
}
