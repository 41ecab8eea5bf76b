//! `linked`: what a change adds, and whether a run accounts for it.

use crate::project::{Project, Ran};

const POLICY: &str = "\
version: 1
runs: runs/*.json
rules:
  measured:
    require: [metrics]
  linked:
    linked: true
";

/// The digest of the bytes `model`.
const MODEL: &str = "sha256:9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4";

fn run(artifact: &str, digest: &str) -> String {
    format!(
        "{{\"run_id\": \"r\", \"model\": \"churn\", \"metrics\": {{\"f1\": 0.8}}, \"artifact\": {{\"path\": \"{artifact}\", \"digest\": \"{digest}\"}}}}\n"
    )
}

fn notebook(output: &str) -> String {
    serde_json::json!({
        "cells": [{"cell_type": "code", "source": [], "outputs": [{"output_type": "stream", "text": [output]}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    })
    .to_string()
}

/// A repository whose base has a model with its record, and a branch that grows from it.
fn project() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", POLICY)
        .file("models/old.pkl", "model")
        .file("runs/old.json", run("models/old.pkl", MODEL))
        .file(".gitignore", "ignored/\n")
        .repository();
    project.git(&["switch", "--quiet", "--create", "work"]);
    project
}

fn shown(ran: &Ran, project: &Project) -> String {
    let base = project.git(&["rev-parse", "main"]);
    format!("exit code {}\n{}{}", ran.code, ran.out, ran.err).replace(&base[..10], "(base)")
}

#[test]
fn an_artifact_without_any_record() {
    let project = project();
    project.file("models/new.pkl", "other").commit("a model");
    let ran = project.gate(&["check"]);
    ran.leaves_with(1).never_says("nothing changed");
    insta::assert_snapshot!(shown(&ran, &project));
}

#[test]
fn committed_or_not_it_is_in_the_change() {
    let project = project();
    project.file("deep/down/new.onnx", "other");
    project.gate(&["check"]).leaves_with(1).says("adds `deep/down/new.onnx`, and no run record names it");
    project
        .commit("a model")
        .file("runs/new.json", run("deep/down/new.onnx", MODEL.replace("93", "94").as_str()));
    project.gate(&["check"]).leaves_with(1).says("is not the file that runs/new.json recorded");
    project.file("deep/down/new.onnx", "model").file("runs/new.json", run("deep/down/new.onnx", MODEL));
    project.gate(&["check", "-v"]).leaves_with(0).says("since main").says("artifact deep/down/new.onnx");
}

#[test]
fn no_record_at_all_fails_too() {
    let project = Project::new();
    project.file("gate.yaml", POLICY).repository();
    project.gate(&["check"]).leaves_with(2).says("matches no file");
    project.file("models/new.pkl", "other");
    project.gate(&["check"]).leaves_with(1).says("no run record names it").says("matches no file");
    project.gate(&["check", "--require-candidates"]).leaves_with(1);
}

#[test]
fn a_file_without_a_record_is_told_once() {
    let project = project();
    project.file("models/new.pkl", "other");
    for name in ["a", "b", "c"] {
        project
            .file(&format!("models/{name}.pkl"), "model")
            .file(&format!("runs/{name}.json"), run(&format!("models/{name}.pkl"), MODEL));
    }
    let ran = project.gate(&["check"]);
    ran.leaves_with(1).says("3 candidates: 3 passed · the change itself fails");
    assert_eq!(ran.out.matches("linked/no-record").count(), 1, "{}", ran.out);
    let report = project.gate(&["check", "--format", "json"]).json();
    assert_eq!(report["change"]["rules"][0]["findings"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["verdict"], "fail");
}

#[test]
fn a_candidate_whose_artifact_was_replaced() {
    let project = project();
    project
        .file("models/new.pkl", "model")
        .file("runs/new.json", run("models/new.pkl", MODEL))
        .commit("a model");
    project.gate(&["check"]).leaves_with(0);
    project.file("models/new.pkl", "swapped");
    let ran = project.gate(&["check"]);
    ran.leaves_with(1);
    insta::assert_snapshot!(shown(&ran, &project));
}

#[test]
fn an_old_record_whose_artifact_the_change_replaces() {
    let project = project();
    project.file("models/old.pkl", "swapped").commit("swap");
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("linked/replaced")
        .says("`models/old.pkl` is not the file that runs/old.json recorded");
    // A record without a digest can't account for other bytes.
    let project = Project::new();
    project
        .file("gate.yaml", POLICY)
        .file("models/old.pkl", "model")
        .file("runs/old.json", "{\"metrics\": {\"f1\": 1}, \"artifact\": \"models/old.pkl\"}")
        .repository();
    project.file("models/old.pkl", "swapped");
    project.gate(&["check"]).leaves_with(1).says("linked/no-digest");
}

#[test]
fn what_counts_as_an_artifact() {
    for path in [
        "models/readme.md",
        "models/net.py",
        "models/.gitkeep",
        "ignored/big.pkl",
        "notes.txt",
        "models/LICENSE",
        "models/config.yml",
        "models/x.pkl.dvc",
    ] {
        let project = project();
        project.file(path, "other");
        project.gate(&["check", "-v"]).leaves_with(0).says("0 artifacts, 0 notebooks");
    }
    for path in
        ["models/weights", "x.PT", "pytorch_model.bin", "a.pkl.gz", "src/models/a.bin", "a b/ü.safetensors"]
    {
        let project = project();
        project.file(path, "other");
        project.gate(&["check"]).leaves_with(1).says("linked/no-record");
    }
}

#[test]
fn globs_of_the_policy() {
    let project = project();
    project.edit(
        "gate.yaml",
        "linked: true",
        "linked: { artifacts: ['*.bin', 'out/**'], notebooks: 'lab/*.ipynb' }",
    );
    project
        .file("models/new.pkl", "other")
        .file("lab/deep/a.ipynb", notebook("f1: 0.9"))
        .file("b.ipynb", "{");
    project.gate(&["check", "-v"]).leaves_with(0).says("0 artifacts, 0 notebooks");
    project.file("a/b/x.bin", "other").file("out/y", "other").file("lab/a.ipynb", notebook("f1: 0.9"));
    let ran = project.gate(&["check"]);
    ran.leaves_with(1).says("`a/b/x.bin`").says("`out/y`").says("`lab/a.ipynb` show f1");
    project.edit("gate.yaml", "'*.bin'", "'[.bin'");
    project.gate(&["check"]).leaves_with(2).says("`[.bin` is not a glob");
    project.file("gate.yaml", POLICY.replace("linked: true", "linked: {}"));
    project.gate(&["check"]).leaves_with(2).says("`linked` requires nothing");
}

#[test]
fn a_notebook_as_the_only_record() {
    let project = project();
    project.file("churn.ipynb", notebook("F1 score: 0.84\n")).commit("a notebook");
    let ran = project.gate(&["check"]);
    ran.leaves_with(1);
    insta::assert_snapshot!(shown(&ran, &project));
    let covered = "{\"source\": \"churn.ipynb\", \"metrics\": {\"f1\": 0.84}}";
    project.file("runs/nb.json", covered);
    let ran = project.gate(&["check"]);
    ran.never_says("linked/notebook-only");
    // A record without metrics covers nothing.
    project.file("runs/nb.json", "{\"source\": \"churn.ipynb\"}");
    project.gate(&["check"]).leaves_with(1).says("linked/notebook-only");
    let by_command = "{\"command\": [\"jupyter\", \"nbconvert\", \"--execute\", \"./churn.ipynb\"], \"metrics\": {\"f1\": 0.84}}";
    project.file("runs/nb.json", by_command);
    project.gate(&["check"]).never_says("linked/notebook-only");
    project.remove("runs/nb.json").file("churn.ipynb", notebook("2000 rows read"));
    project.gate(&["check", "-v"]).leaves_with(0).says("notebook churn.ipynb");
    project.file("churn.ipynb", "not a notebook");
    project.gate(&["check"]).leaves_with(1).says("linked/unreadable");
}

#[test]
fn a_notebook_that_shows_other_numbers_than_its_record() {
    let project = project();
    let record = |metrics: &str| format!("{{\"source\": \"churn.ipynb\", \"metrics\": {metrics}}}");
    project
        .file("churn.ipynb", notebook("Epoch 1: f1=0.61\nEpoch 2: f1=0.84\n"))
        .file("runs/nb.json", record("{\"f1\": 0.842}"));
    project.gate(&["check", "-v"]).never_says("linked/notebook").says("notebook churn.ipynb");
    project.file("churn.ipynb", notebook("F1 score: 0.99, recall: 0.875\n"));
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("linked/notebook-differs")
        .says("shows f1 score 0.99, but its record, runs/nb.json, does not");
    // Intermediate values are not the final result.
    project.file("churn.ipynb", notebook("Epoch 1/2 - accuracy: 0.61\nEpoch 2/2 - accuracy: 0.83\n"));
    project.file("runs/nb.json", record("{\"accuracy\": 0.842}"));
    project.gate(&["check"]).never_says("linked/notebook");
    project.file("churn.ipynb", notebook("F1 score: 0.99, recall: 0.875\n"));
    // Another metric covers nothing, unless it has the same number under another name.
    project.file("runs/nb.json", record("{\"rows_per_s\": 1500}"));
    project.gate(&["check"]).leaves_with(1).says("linked/notebook-differs");
    project.file("runs/nb.json", record("{\"weighted\": 0.9899, \"rows_per_s\": 1500}"));
    project.gate(&["check"]).never_says("linked/notebook");
}

#[test]
fn a_notebook_without_outputs_is_one() {
    let project = project();
    project.file(
        "a.ipynb",
        r#"{"cells": [{"cell_type": "code", "outputs": null}, {"outputs": [{"data": null}]}]}"#,
    );
    project.gate(&["check", "-v"]).leaves_with(0).says("notebook a.ipynb");
}

#[test]
fn an_artifact_that_was_replaced_by_that_of_another_run() {
    let project = project();
    // The digest of the bytes `other`.
    let other = "sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";
    project
        .file("models/a.pkl", "model")
        .file("runs/a.json", run("models/a.pkl", MODEL))
        .file("models/b.pkl", "other")
        .file("runs/b.json", run("models/b.pkl", other))
        .commit("two models");
    project.gate(&["check"]).leaves_with(0);
    project.git(&["switch", "--quiet", "main"]);
    project.git(&["merge", "--quiet", "work"]);
    project.git(&["switch", "--quiet", "work"]);
    project.file("models/a.pkl", "other").commit("swap");
    project
        .gate(&["check"])
        .leaves_with(1)
        .says("linked/replaced")
        .says("`models/a.pkl` is not the file that runs/a.json recorded");
    // A copy under a name that no record has is still the run's.
    project.file("models/a.pkl", "model").file("models/current.pkl", "other");
    project.gate(&["check", "-v"]).leaves_with(0).says("artifact models/current.pkl");
}

#[test]
fn pointers_of_git_lfs_stand_for_their_files() {
    let project = project();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {MODEL}\nsize 5\n");
    project.git(&["switch", "--quiet", "main"]);
    project.file("models/big.pkl", pointer).commit("a pointer");
    project.gate(&["check", "-v"]).leaves_with(0).says("0 artifacts");
    project.file("models/big.pkl", "model");
    project.gate(&["check", "-v"]).leaves_with(0).says("0 artifacts");
    project.file("models/big.pkl", "other");
    project.gate(&["check"]).leaves_with(1).says("linked/no-record");
}

#[test]
fn levels_stages_and_waivers_hold_for_the_change() {
    let project = project();
    project.file("models/new.pkl", "other");
    project.file("gate.yaml", POLICY.replace("    linked:", "    level: warning\n    linked:"));
    project.gate(&["check"]).leaves_with(0).says("1 warning");
    project.file(
        "gate.yaml",
        POLICY
            .replace("    linked:", "    stages: [production]\n    linked:")
            .replace("rules:", "stages: { production: {} }\nrules:"),
    );
    project.gate(&["check"]).leaves_with(0);
    project.gate(&["check", "--stage", "production"]).leaves_with(1);
    let waiver = "waivers:\n  - { rule: linked, for: { path: models/new.pkl }, reason: bought, approved_by: ada, expires: 2999-01-01 }\n";
    project.file("gate.yaml", format!("{POLICY}{waiver}"));
    project.gate(&["check"]).leaves_with(0).says("waived until 2999-01-01").never_says("is not needed");
    project.file("gate.yaml", format!("{POLICY}{}", waiver.replace("new.pkl", "other.pkl")));
    project.gate(&["check"]).leaves_with(1).says("is not needed");
}

#[test]
fn without_a_repository_there_is_no_verdict() {
    let project = Project::new();
    project
        .file("gate.yaml", POLICY)
        .file("models/a.pkl", "model")
        .file("runs/a.json", run("models/a.pkl", MODEL));
    project
        .gate(&["check", "runs/a.json"])
        .leaves_with(2)
        .says("linked/cannot-tell")
        .says("is not in a git repository");
}

#[test]
fn in_a_pull_request_the_head_is_what_changes() {
    let project = project();
    project.file("models/new.pkl", "other").commit("a model");
    project.gate(&["check", "--trust", "main"]).leaves_with(1).says("linked/no-record");
    project
        .file("runs/new.json", run("models/new.pkl", MODEL))
        .file("models/new.pkl", "model")
        .commit("its record");
    project.gate(&["check", "--trust", "main"]).leaves_with(0);
    // The change excludes files that are only in the working tree; gate can't vouch for files that are not
    // checked out.
    project.file("models/local.pkl", "other");
    project.gate(&["check", "--trust", "main"]).leaves_with(0);
    project.remove("models/local.pkl");
    project.git(&["switch", "--quiet", "main"]);
    project.gate(&["check", "--trust", "main", "--head", "work"]).leaves_with(1).says("it does not exist");
}

#[test]
fn what_fails_for_the_change_is_told_everywhere() {
    let project = project();
    project.file("models/new.pkl", "other");
    for format in ["markdown", "github", "json"] {
        project.gate(&["check", "--format", format]).leaves_with(1).says("no run record names it");
    }
    project.gate(&["check", "--format", "json", "--output", "report.json"]).leaves_with(1);
    let honest = project.read("report.json");
    project
        .gate(&["report", "report.json", "--format", "human"])
        .leaves_with(1)
        .says("the change itself fails");
    project.file("report.json", honest.replacen("\"verdict\":\"fail\"", "\"verdict\":\"pass\"", 1));
    project
        .gate(&["report", "report.json", "--format", "human"])
        .leaves_with(2)
        .says("does not match its contents");
}
