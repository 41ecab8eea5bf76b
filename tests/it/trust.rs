//! Whom to trust in a pull request: the base branch decides, the change is data.

use insta::assert_snapshot;

use crate::project::{Project, Ran};

/// A repository with a policy and a baseline on `main`, on a branch `feature` with a new record.
fn pull_request(record: impl Fn(&Project)) -> Project {
    let project = Project::churn();
    project.remove("runs/new.json").repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", crate::project::CANDIDATE);
    record(&project);
    project.commit("train");
    project
}

fn check(project: &Project) -> Ran {
    project.gate(&["check", "--trust", "main", "--now", "2026-06-01T00:00:00Z"])
}

fn shown(ran: &Ran) -> String {
    let text = format!("exit code {}\n{}{}", ran.code, ran.out, ran.err);
    // Ids of commits follow from everything in them, the program's own version of git included.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let run = rest[at..].find(|c: char| !c.is_ascii_hexdigit()).map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..at]);
        out.push_str(if run - at == 10 { "COMMIT" } else { &rest[at..run] });
        rest = &rest[run..];
    }
    out + rest
}

#[test]
fn a_change_that_brings_only_a_record_is_judged_by_the_base() {
    let project = pull_request(|_| {});
    check(&project).leaves_with(0).says("policy and baseline come from main").says("1 of 1 records changed");
}

#[test]
fn a_change_that_loosens_its_own_policy_does_not_pass_by_it() {
    let project = pull_request(|project| {
        project.edit("runs/new.json", "0.842", "0.70");
        project.edit("gate.yaml", "min: 0.80, max_drop: 0.005", "min: 0.10");
    });
    let ran = check(&project);
    ran.leaves_with(1);
    assert_snapshot!(shown(&ran));
}

#[test]
fn a_change_of_the_baseline_does_not_count() {
    let project = pull_request(|project| {
        project.edit("runs/new.json", "0.842", "0.82");
        project.edit("approved.json", "0.847", "0.81");
    });
    check(&project).leaves_with(1).says("approved.json").says("with them, the verdict would be pass");
}

#[test]
fn a_new_expression_is_not_evaluated_before_it_is_merged() {
    let project = pull_request(|project| {
        let policy = project.read("gate.yaml");
        project.file("gate.yaml", format!("{policy}  mine:\n    expr: candidate.metrics.f1 > 0.1\n"));
    });
    check(&project).leaves_with(0).says("does not evaluate the new expression");
}

#[test]
fn a_change_that_removes_the_policy_is_no_pass() {
    let gone = pull_request(|project| {
        project.remove("gate.yaml");
    });
    check(&gone)
        .leaves_with(2)
        .says("the policy would be gone")
        .says("this change removes the policy that judges it");
}

#[test]
fn a_change_whose_own_policy_can_not_be_read_is_no_pass() {
    let mistyped = pull_request(|project| {
        project.file("gate.yaml", "version: 1\nrules: { r: { requier: [x] } }\n");
    });
    check(&mistyped)
        .leaves_with(2)
        .says("the policy of this change can't be read: unknown key `requier`")
        .says("gate.yaml:2");
    let extended = pull_request(|project| {
        project.edit("gate.yaml", "rules:", "extends: [{ path: org.yaml }]\nrules:");
    });
    check(&extended).leaves_with(2).says("the policy of this change can't be read: `org.yaml`");
    // A policy nearer to the folder that gate runs in than the base's policy.
    let nearer = pull_request(|project| {
        project.file("packages/a/gate.yaml", "version: 1\nrules: [\n");
    });
    nearer
        .gate(&["-C", "packages/a", "check", "--trust", "main"])
        .leaves_with(2)
        .says("the policy of this change can't be read");
}

/// A repository whose `main` has a policy that can't be read, and a branch with a new record.
fn broken_base(change: impl Fn(&Project)) -> Project {
    let project = pull_request(|_| {});
    project.git(&["checkout", "--quiet", "main"]);
    project.edit("gate.yaml", "max_drop", "max_dropp").commit("a slip");
    project.git(&["checkout", "--quiet", "-b", "mend"]);
    project.file("runs/new.json", crate::project::CANDIDATE);
    change(&project);
    project.commit("train");
    project
}

#[test]
fn a_change_that_mends_the_policy_is_judged_by_its_own() {
    let mends = broken_base(|project| _ = project.edit("gate.yaml", "max_dropp", "max_drop"));
    let ran = check(&mends);
    ran.leaves_with(0).says("the policy of this change is used, since it fixes the one it replaces");
    let json = mends.gate(&["check", "--trust", "main", "--format", "json"]).json();
    let first = json["notes"][0].clone();
    let first = first.as_str().expect("a note").to_owned();
    assert!(first.contains("since it fixes") && first.contains("max_dropp"), "{first}");
    mends.gate(&["check", "--trust", "main", "--require-base-policy"]).leaves_with(2);
    let worse = broken_base(|project| {
        project.edit("gate.yaml", "max_dropp", "max_drop").edit("runs/new.json", "0.842", "0.7");
    });
    check(&worse).leaves_with(1);
}

#[test]
fn a_broken_policy_of_the_base_is_named_as_that() {
    let leaves_it = broken_base(|_| {});
    let ran = check(&leaves_it);
    ran.leaves_with(2).says("the policy on main (").says("can't be read: unknown key `max_dropp`");
    let id = leaves_it.git(&["rev-parse", "--short=10", "main"]);
    ran.says(&format!("{id}:gate.yaml:"));
    // A branch from before the mistake has a readable policy, and does not change the one on main.
    leaves_it.git(&["checkout", "--quiet", "feature"]);
    check(&leaves_it).leaves_with(2).says("the policy on main (");
}

#[test]
fn the_first_policy_is_used_and_the_report_says_so_first() {
    let project = Project::churn();
    project.remove("gate.yaml").remove("runs/new.json").repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", crate::project::CANDIDATE).file("gate.yaml", crate::project::POLICY);
    project.commit("train");
    let ran = check(&project);
    ran.leaves_with(0).says("has no policy yet, so the one of this change is used");
    project
        .gate(&["check", "--trust", "main", "--require-base-policy"])
        .leaves_with(2)
        .says("check/no-base-policy");
}

#[test]
fn what_a_policy_extends_comes_from_the_base_too() {
    let project = Project::churn();
    project
        .remove("runs/new.json")
        .file("org/strict.yaml", "version: 1\nrules:\n  strict: { metrics: { f1: { min: 0.99 } } }\n")
        .edit("gate.yaml", "rules:", "extends: [ { path: org/strict.yaml } ]\nrules:")
        .repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.file("runs/new.json", crate::project::CANDIDATE).edit("org/strict.yaml", "0.99", "0.10");
    project.commit("train");
    check(&project)
        .leaves_with(1)
        .says("`f1` is 0.842; at least 0.99 is required")
        .says("org/strict.yaml")
        .says("verdict would be pass");
}

#[test]
fn the_working_tree_does_not_count() {
    let project = pull_request(|_| {});
    project.edit("runs/new.json", "0.842", "0.10").edit("gate.yaml", "min: 0.80", "min: 0.01");
    check(&project).leaves_with(0).says("0.842");
    project.file("runs/uncommitted.json", "{}");
    check(&project).leaves_with(0).never_says("uncommitted");
    // Named, a record that a step before this one wrote is read where it is.
    project.gate(&["check", "--trust", "main", "runs/uncommitted.json"]).leaves_with(1);
}

#[test]
fn the_tip_of_the_base_decides_not_what_the_branch_grew_from() {
    let project = pull_request(|_| {});
    project.git(&["checkout", "--quiet", "main"]);
    project.edit("gate.yaml", "min: 0.80", "min: 0.90").commit("a higher bar");
    project.git(&["checkout", "--quiet", "feature"]);
    check(&project).leaves_with(1).says("0.9");
}

#[test]
fn a_baseline_named_by_the_base_branch_is_its_tip() {
    let project = Project::churn();
    project.edit("gate.yaml", "baseline: approved.json", "baseline: git:main").repository();
    project.git(&["branch", "--quiet", "trusted"]);
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.edit("runs/new.json", "0.842", "0.70").commit("train");
    project.git(&["update-ref", "refs/remotes/origin/main", "refs/heads/trusted"]);
    // A local branch of that name is not the base.
    project.git(&["branch", "--quiet", "--force", "main", "HEAD"]);
    project.gate(&["check", "--trust", "origin/main"]).leaves_with(1).says("0.842");
}

#[test]
fn in_a_folder_below_the_policy() {
    let project = pull_request(|project| {
        project.file("deep/er/x.txt", "");
    });
    let folder = project.path().join("deep/er");
    let ran = project.gate_in(&folder, &["check", "--trust", "main"], &[]);
    ran.leaves_with(0).says("../../gate.yaml at");
    project.gate_in(&folder, &["check", "--trust", "main", "../../runs/new.json"], &[]).leaves_with(0);
}
