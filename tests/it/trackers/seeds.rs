//! Runs that differ only in their seed count as one run if the policy says so, and never because fields are
//! missing.

use serde_json::{Value, json};

use super::{check, copy, fixture, shown};
use crate::project::Project;

const HEAD: &str = "version: 1\nseeds: tags.group\nrules:\n";

/// A run of the group `g` with one seed and one metric.
fn run(seed: u32, f1: f64) -> Value {
    json!({
        "run_id": format!("r{seed}"), "model": "churn", "git_commit": "3f2a9c1", "git_dirty": false,
        "seed": seed, "tags": {"group": "g"}, "validation": {"split": "holdout"},
        "metrics": {"f1": {"value": f1, "dataset": "holdout"}}
    })
}

fn with(mut run: Value, pointer: &str, value: Value) -> Value {
    let (above, key) = pointer.rsplit_once('/').expect("a pointer");
    run.pointer_mut(above).expect("a field")[key] = value;
    run
}

fn project(runs: &[Value]) -> Project {
    let project = Project::new();
    for (index, run) in runs.iter().enumerate() {
        project.file(&format!("s/{index}.json"), run.to_string());
    }
    project
}

fn policy(rules: &str) -> String {
    format!("{HEAD}{rules}")
}

#[test]
fn a_metric_that_one_seed_lacks_is_no_metric_of_the_group() {
    let project = project(&[run(1, 0.9), with(run(2, 0.9), "/metrics", json!({})), run(3, 0.9)]);
    let bar = policy("  bar: { metrics: { f1: { min: 0.5 } } }\n");
    let ran = check(&project, &bar, &["s/0.json", "s/1.json", "s/2.json"]);
    ran.leaves_with(1)
        .says("`f1` is missing in some of its seeds or folds")
        .says("`s/1.json`, one of the seeds, has no `f1`");
    check(&project, &policy("  bar: { metrics: { '*': { min: 0.5 } } }\n"), &["s/"]).leaves_with(1);
    // It is not a baseline either.
    project.file("new.json", with(run(9, 0.9), "/tags/group", json!("other")).to_string());
    let drop = policy("  r: { metrics: { f1: { max_drop: 0.1 } } }\n");
    check(&project, &drop, &["new.json", "--baseline", "s/"])
        .leaves_with(1)
        .says("the baseline's `f1` is missing");
}

#[test]
fn the_order_of_names_decides_nothing() {
    let project = project(&[run(1, 0.80), run(2, 0.83)]);
    for (bar, code) in [("0.815", 0), ("0.816", 1)] {
        let policy = policy(&format!("  bar: {{ metrics: {{ f1: {{ min: {bar} }} }} }}\n"));
        for names in [["s/0.json", "s/1.json"], ["s/1.json", "s/0.json"], ["s/", "s/*.json"]] {
            let ran = check(&project, &policy, &names);
            ran.leaves_with(code).says("2 runs of one group").says("the value of a metric is their mean");
        }
    }
    let record = shown(&project, "s/");
    assert_eq!(
        record["metrics"]["f1"],
        json!({"dataset": "holdout", "value": 0.815, "values": [0.80, 0.83]})
    );
    assert_eq!(record["run_id"], "r1", "the first in the order of seeds");
    // A baseline of several runs is their mean as well: 0.815 to 0.82 is a rise.
    project.file("new.json", with(run(9, 0.82), "/tags/group", json!("other")).to_string());
    let rise = policy("  r: { metrics: { f1: { min_rise: 0.005 } } }\n");
    check(&project, &rise, &["new.json", "--baseline", "s/"]).leaves_with(0);
}

#[test]
fn what_a_rule_asks_of_one_seed_holds_for_all() {
    let clean = policy("  r: { require: { git_dirty: { equals: false } } }\n");
    let dirty = project(&[run(1, 0.9), with(run(2, 0.9), "/git_dirty", json!(true))]);
    check(&dirty, &clean, &["s/"])
        .leaves_with(1)
        .says("`s/1.json`, one of the seeds, had uncommitted changes");
    let silent = project(&[run(1, 0.9), with(run(2, 0.9), "/git_dirty", Value::Null)]);
    check(&silent, &clean, &["s/"]).leaves_with(1).says("does not record whether it had uncommitted changes");
    let killed = project(&[run(1, 0.9), with(run(2, 0.9), "/status", json!("killed"))]);
    check(&killed, &clean, &["s/"]).leaves_with(1).says("status is `killed`");
    for (field, value) in [
        ("/model", json!("fraud")),
        ("/git_commit", json!("64a17f3")),
        ("/data_version", json!("2026-05-30")),
        ("/validation/split", json!("test")),
        ("/metrics/f1/dataset", json!("test")),
        ("/params", json!({"max_depth": 9})),
        ("/environment", json!({"lockfile": {"path": "uv.lock", "digest": "sha256:aa"}})),
    ] {
        let project = project(&[run(1, 0.9), with(run(2, 0.9), field, value)]);
        let said = if field == "/environment" {
            "environment.lockfile".into()
        } else {
            field[1..].replace('/', ".")
        };
        check(&project, &clean, &["s/"]).leaves_with(2).says(&format!("differ in `{said}"));
    }
}

#[test]
fn one_run_is_not_two_seeds() {
    let bar = policy("  bar: { metrics: { f1: { min: 0.5 } } }\n");
    for (runs, says) in [
        ([run(1, 0.9), run(1, 0.9)], "have the same text"),
        ([run(1, 0.9), with(run(2, 0.8), "/run_id", json!("r1"))], "have the same `run_id`"),
        ([run(1, 0.9), with(run(1, 0.8), "/run_id", json!("r2"))], "have the same seed, `seed` 1"),
    ] {
        check(&project(&runs), &bar, &["s/"]).leaves_with(2).says(says);
    }
}

#[test]
fn of_says_which_number_is_meant() {
    let project = project(&[run(1, 0.70), run(2, 0.90), run(3, 0.86)]);
    let bar = |limits: &str| policy(&format!("  bar: {{ metrics: {{ f1: {{ {limits} }} }} }}\n"));
    for (limits, code) in [
        ("min: 0.9, of: best", 0),
        ("min: 0.91, of: best", 1),
        ("max: 0.7, of: best", 0),
        ("min: 0.82, of: mean", 0),
        ("min: 0.821, of: mean", 1),
        ("min: 0.86, of: median", 0),
        ("max: 0.859, of: median", 1),
        ("min: 0.7, of: worst", 0),
        ("min: 0.71, of: worst", 1),
        ("max: 0.89, of: worst", 1),
        ("min: 0.82, of: last", 0),
    ] {
        check(&project, &bar(limits), &["s/"]).leaves_with(code);
    }
    let ran = check(&project, &bar("min: 0.71, of: worst"), &["s/"]);
    ran.says("the worst `f1` is 0.7; at least 0.71 is required").says("f1 (worst)");
    // The same `of` picks the baseline's value, and a single number has no worst.
    for index in 0..3 {
        let run = with(run(index, 0.8), "/tags/group", json!("old"));
        project.file(&format!("old/{index}.json"), run.to_string());
    }
    let drop = bar("max_drop: 0.05, of: worst");
    let ran = check(&project, &drop, &["s/", "--baseline", "old/"]);
    ran.leaves_with(1).says("the worst `f1` fell by 0.1, from 0.8 to 0.7");
    check(&project, &drop, &["s/", "--baseline", "old/0.json"])
        .leaves_with(1)
        .says("the baseline's `f1` has no `values`");
    check(&project, &bar("min: 0.5, of: mean"), &["s/0.json"]).leaves_with(1).says("has no `values`");
    // The best value of a history is one of the recorded values.
    let kept = json!({"metrics": {"f1": {"value": 0.7, "best": {"min": 0.1, "max": 0.9}}}});
    project.file("kept.json", kept.to_string());
    check(&project, &bar("min: 0.9, of: best"), &["kept.json"]).leaves_with(0);
    check(&project, &bar("min: 0.9, of: worst"), &["kept.json"]).leaves_with(1);
    for (limits, says) in [
        ("max_change: 0.1, of: best", "policy/which-way"),
        ("min: 0.1, max: 0.9, of: worst", "policy/which-way"),
        ("min: 0.1, of: average", "`of` can't be `average`"),
        ("of: mean", "say nothing"),
    ] {
        check(&project, &bar(limits), &["s/"]).leaves_with(2).says(says);
    }
}

#[test]
fn the_whole_of_a_matrix_is_no_seed_of_its_own() {
    let project = Project::new();
    let item = |seed: u32| {
        format!(
            "  eval@{seed}:\n    cmd: x\n    outs:\n    - path: m/{seed}.json\n      hash: md5\n      md5: a\n"
        )
    };
    let lock = item(11) + &item(12) + &item(13);
    project
        .file("dvc.yaml", "stages:\n  eval:\n    matrix: {s: [11, 12, 13]}\n    cmd: x\n    metrics: ['m/${item.s}.json']\n")
        .file("dvc.lock", format!("schema: '2.0'\nstages:\n{lock}"));
    for (seed, f1) in [(11, 0.8), (12, 0.8), (13, 0.83)] {
        project.file(&format!("m/{seed}.json"), format!("{{\"f1\": {f1}}}"));
    }
    project.file("gate.yaml", "version: 1\nseeds: stage\nrules:\n  r: { metrics: { f1: { min: 0.81 } } }\n");
    let ran = project.gate(&["show", "dvc:."]);
    ran.leaves_with(0).says("3 runs of one group").says("their mean");
    assert_eq!(shown(&project, "dvc:.")["metrics"]["f1"]["value"], 0.81);
}

#[test]
fn a_named_child_keeps_its_own_value() {
    let project = Project::new();
    copy(&fixture("wandb"), &project.path().join("wandb"));
    project.file("gate.yaml", "version: 1\nseeds: group\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n");
    let (first, second) =
        ("wandb/offline-run-20261123_085125-5vot4blv", "wandb/offline-run-20261123_085133-jc3a2gi6");
    let f1 = |names: &[&str]| {
        let ran = project.gate(&[&["show", "--format", "json"], names].concat());
        ran.leaves_with(0).json()["metrics"]["f1"]["value"].clone()
    };
    assert_eq!((f1(&[first]), f1(&[second])), (json!(0.80731), json!(0.806_899)));
    assert_eq!(f1(&[second, first]), json!(0.807_104_5));
}

#[test]
fn a_change_of_one_seed_is_a_change_of_the_whole() {
    let project = project(&[run(1, 0.80), run(2, 0.80), run(3, 0.80)]);
    let other = with(run(1, 0.1), "/tags/group", json!("other"));
    let policy =
        "version: 1\nseeds: tags.group\nruns: s/*.json\nrules:\n  bar: { metrics: { f1: { min: 0.81 } } }\n";
    project.file("gate.yaml", policy).file("s/z.json", other.to_string()).repository();
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project.file("s/1.json", run(2, 0.82).to_string());
    let ran = project.gate(&["check"]);
    ran.leaves_with(1).says("3 runs of one group").says("`f1` is 0.806666666666667").says("1 candidate");
    project.file("s/1.json", run(2, 0.83).to_string());
    project.gate(&["check"]).leaves_with(0);
    // An unreadable run is judged where it changed.
    project.file("s/y.json", "{").commit("broken");
    project.gate(&["check"]).leaves_with(2).says("s/y.json");
}
