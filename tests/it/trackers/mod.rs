//! Runs from trackers, read from files that the real tools wrote: `tests/fixtures/README.md` lists them.

mod dvc;
mod dvc_baseline;
mod dvc_models;
mod dvc_stale;
mod evaluations;
mod every_eval_ever;
mod found;
mod hugging_face;
mod lm_eval;
mod mlflow;
mod mlflow_alias;
mod mlflow_credentials;
mod mlflow_fake;
mod mlflow_gone;
mod mlflow_ill;
mod mlflow_recorded;
mod mlflow_server;
mod paths;
mod sacred;
mod same_verdict;
mod secrets;
mod seeds;
mod tensorboard;
mod twelve_facts;
mod wandb;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::project::{Project, Ran, here};

/// A fixture's path.
fn fixture(path: &str) -> PathBuf {
    here().join("tests/fixtures").join(path)
}

fn oracle(path: &str) -> Value {
    let text = fs::read_to_string(fixture(path)).expect("a fixture");
    // Python writes non-numbers as a token that JSON does not have.
    serde_json::from_str(&text.replace(": NaN", ": null")).expect("JSON")
}

/// A project with a copy of a fixture in it.
fn project_with(from: &str, to: &str) -> Project {
    let project = Project::new();
    copy(&fixture(from), &project.path().join(to));
    project
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(from, to).expect("a copy");
        return;
    }
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The record that `gate show` prints.
#[track_caller]
fn shown(project: &Project, reference: &str) -> Value {
    let ran = project.gate(&["show", reference, "--format", "json"]);
    ran.leaves_with(0);
    ran.json()
}

/// The value of a metric, without its other fields.
fn value(record: &Value, metric: &str) -> Option<Value> {
    let metric = record["metrics"].get(metric)?;
    Some(metric.get("value").unwrap_or(metric).clone())
}

/// A policy with one rule on `f1`.
const POLICY: &str = "version: 1\nrules:\n  holds-up:\n    metrics: { f1: { min: 0.5 } }\n";

/// Checks runs under a policy.
fn check(project: &Project, policy: &str, arguments: &[&str]) -> Ran {
    project.file("gate.yaml", policy);
    project.gate(&[&["check"], arguments].concat())
}

/// A repository whose policy on `main` compares with `baseline`, and a change of everything on a branch.
fn pull_request(from: &str, to: &str, baseline: &str, rules: &str) -> Project {
    let project = project_with(from, to);
    project.file("gate.yaml", format!("version: 1\nruns: {to}\nbaseline: {baseline}\n{rules}")).repository();
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project
}

#[test]
fn a_pull_request_does_not_bring_its_own_baseline() {
    let rules = "rules:\n  r: { metrics: { f1: { max_drop: 0.005 } } }\n";
    for (from, to, baseline) in [
        ("sacred/1", "kept", "sacred:kept"),
        ("wandb", "kept", "wandb:kept"),
        ("dvclive/churn-baseline-s0", "kept", "dvc:kept"),
        ("hf/churn-baseline", "kept", "hf:kept"),
        ("lm-eval/models__small", "kept", "lm-eval:kept"),
        ("mlflow/sqlite-3.17.db", "mlflow.db", "mlflow:models:/churn@champion"),
    ] {
        let project = pull_request(from, to, baseline, rules);
        project.file("run.json", "{\"metrics\": {\"f1\": 0.99}}").commit("a change");
        let ran = project.gate(&["check", "--trust", "main", "run.json"]);
        ran.leaves_with(2).says("read from the working tree, which the pull request can edit");
    }
    // A path on the base branch is a baseline, whatever the clone calls that branch.
    let project = pull_request(
        "hf/churn-baseline",
        "kept",
        "hf:kept@main",
        "comparable: [name]\nrules:\n  r: { metrics: { precision: { max_drop: 0.005 } } }\n",
    );
    project.edit("kept/README.md", "value: 0.844906", "value: 0.1");
    project.file("run.json", "{\"metrics\": {\"precision\": 0.5}}").commit("a lower bar");
    project.git(&["branch", "--quiet", "trusted", "main"]);
    project.git(&["branch", "--quiet", "--force", "main", "change"]);
    project.git(&["update-ref", "refs/remotes/origin/main", "refs/heads/trusted"]);
    let ran = project.gate(&["check", "--trust", "origin/main", "run.json"]);
    ran.leaves_with(1).says("0.844906");
}
