//! Runs as trackers keep them, read from what the real tools wrote: `tests/fixtures/README.md` says which.

mod dvc;
mod hugging_face;
mod mlflow;
mod mlflow_server;
mod sacred;
mod same_verdict;
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
    // Python writes what is no number as a token that JSON does not have.
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

/// The value of a metric, whatever else is known of it.
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
