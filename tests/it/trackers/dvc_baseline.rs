//! DVC: when a baseline can be trusted, and the cache that may contain its metrics.

use super::dvc::{md5, project};
use super::{POLICY, check};
use crate::project::Project;

#[test]
fn a_metric_in_the_cache_is_read_and_one_that_is_nowhere_is_said() {
    let project = Project::new();
    let metrics = "{\"f1\": 0.8}\n";
    let digest = md5(metrics);
    project
        .file(".dvc/config", "")
        .file("sub/dvc.yaml", "stages:\n  train:\n    cmd: train\n    metrics: [m.json]\n")
        .file("sub/dvc.lock", format!("schema: '2.0'\nstages:\n  train:\n    cmd: train\n    outs:\n    - path: m.json\n      hash: md5\n      md5: {digest}\n"));
    check(&project, POLICY, &["sub"])
        .leaves_with(1)
        .says("recorded but not fetched: run `dvc pull sub/m.json`");
    let cached = format!(".dvc/cache/files/md5/{}/{}", &digest[..2], &digest[2..]);
    project.file(&cached, metrics);
    check(&project, POLICY, &["sub"]).leaves_with(0);
    // DVC may put a link to its cache there.
    #[cfg(unix)]
    {
        let link = project.path().join("sub/m.json");
        std::os::unix::fs::symlink(project.path().join(&cached), link).expect("a link");
        check(&project, POLICY, &["sub"]).leaves_with(0);
        project.file(&cached, "{\"f1\": 0.99}");
        check(&project, POLICY, &["sub"]).leaves_with(2).says("is not the file that its name says");
    }
}

#[test]
fn a_pull_request_does_not_lower_the_bar_through_the_cache() {
    let project = Project::new();
    let lock = |metrics: &str| {
        format!(
            "schema: '2.0'\nstages:\n  ev:\n    cmd: ev\n    outs:\n    - {{path: m.json, hash: md5, md5: {}}}\n",
            md5(metrics)
        )
    };
    let cached = |metrics: &str| {
        let digest = md5(metrics);
        format!(".dvc/cache/files/md5/{}/{}", &digest[..2], &digest[2..])
    };
    let (good, bad) = ("{\"f1\": 0.8}\n", "{\"f1\": 0.5}\n");
    project
        .file("gate.yaml", "version: 1\nbaseline: dvc:.@main\ncomparable: [model]\nrules:\n  r: { metrics: { f1: { max_drop: 0.005 } } }\n")
        .file("dvc.yaml", "stages:\n  ev:\n    cmd: ev\n    metrics: [m.json]\n")
        .file("dvc.lock", lock(good))
        .repository();
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project.file("dvc.lock", lock(bad)).commit("worse");
    project.file(&cached(good), good).file(&cached(bad), bad);
    project.gate(&["check", "--trust", "main", "dvc:.@change"]).leaves_with(1);
    project.file(&cached(good), "{\"f1\": 0.1}\n").commit("a forged bar");
    project
        .gate(&["check", "--trust", "main", "dvc:.@change"])
        .leaves_with(2)
        .says("is not the file that its name says");
}

#[test]
fn a_baseline_must_have_finished() {
    let project = project();
    let policy = "version: 1\nbaseline: dvc:.@worse\ncomparable: [model]\nrules:\n  r: { metrics: { f1: { max_drop: 0.5 } } }\n";
    // This branch was committed with other parameters than the run used.
    check(&project, policy, &["dvc:.@better"])
        .leaves_with(2)
        .says("has the status `stale`, so its values can't be used for a comparison");
    // An experiment, by its name or by a commit that no branch contains.
    let commit = project.git(&["commit-tree", "better^{tree}", "-p", "main", "-m", "tried"]);
    let commit = commit.trim();
    project.git(&["update-ref", "refs/exps/64/a17f/tried", commit]);
    for name in ["dvc:.@refs/exps/64/a17f/tried", &format!("dvc:.@{commit}")] {
        let policy = policy.replace("dvc:.@worse", name);
        check(&project, &policy, &["dvc:.@main"])
            .leaves_with(2)
            .says("is a DVC experiment, which can't be a baseline");
        project.gate(&["show", name]).leaves_with(0);
    }
    // Once a branch contains it, it is a committed run.
    project.git(&["branch", "--quiet", "kept", commit]);
    check(&project, &policy.replace("dvc:.@worse", &format!("dvc:.@{commit}")), &["dvc:.@main"])
        .leaves_with(0);
}

#[test]
fn what_is_to_be_known_of_a_baseline_is_said() {
    let project = Project::new();
    let policy = "version: 1\nbaseline: dvc:.@main\ncomparable: [model]\nrules:\n  r: { metrics: { f1: { max_drop: 0.005 } } }\n";
    project
        .file("gate.yaml", policy)
        .file("dvc.yaml", "metrics: [m.json, gone.json]\n")
        .file("m.json", "{\"f1\": 0.8}\n")
        .repository();
    project.file("run.json", "{\"metrics\": {\"f1\": 0.8}}\n");
    check(&project, policy, &["run.json"])
        .leaves_with(0)
        .says("the baseline `dvc:.@main`: the metrics file `gone.json` is missing");
}
