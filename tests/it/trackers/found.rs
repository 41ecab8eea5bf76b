//! Where gate finds runs: a policy's `runs:` that names a tracker's folder, and runs in commits.

use super::project_with;
use crate::project::Project;

/// A repository with a run of MLflow's folder store, as a team commits it.
fn with_mlruns() -> Project {
    let project = Project::new();
    let run = "mlruns/0/0d8653353e3e43beb89442a8bca1a94d";
    project
        .file("mlruns/0/meta.yaml", "artifact_location: file:///x/mlruns/0\nexperiment_id: '0'\nlifecycle_stage: active\nname: Default\n")
        .file(
            &format!("{run}/meta.yaml"),
            "artifact_uri: file:///x/a\nexperiment_id: '0'\nlifecycle_stage: active\nrun_id: 0d8653353e3e43beb89442a8bca1a94d\nstart_time: 1748257990910\nend_time: 1748257992525\nstatus: 3\n",
        )
        .file(&format!("{run}/artifacts/model/conda.yaml"), "name: env\nthreads: 3\n")
        .file(&format!("{run}/metrics/f1"), "1748257991000 0.9 0\n");
    project
}

fn policy(runs: &str, more: &str) -> String {
    format!("version: 1\nruns: {runs}\n{more}rules:\n  good: {{ metrics: {{ f1: {{ min: 0.8 }} }} }}\n")
}

#[test]
fn runs_of_mlflow_are_candidates_by_any_of_their_folders() {
    let project = with_mlruns();
    for runs in ["mlruns", ".", "mlruns/0", "'mlruns/0/*'", "'mlruns/*/*'"] {
        project.file("mlruns/0/0d8653353e3e43beb89442a8bca1a94d/metrics/f1", "1748257991000 0.9 0\n");
        project.file("gate.yaml", policy(runs, ""));
        let ran = project.gate(&["check", "--all"]);
        ran.leaves_with(0).says("1 candidate").never_says("conda.yaml");
        project.file("mlruns/0/0d8653353e3e43beb89442a8bca1a94d/metrics/f1", "1748257991000 0.1 0\n");
        project.gate(&["check", "--all"]).leaves_with(1);
    }
}

#[test]
fn a_run_that_did_not_change_is_no_candidate() {
    let project = with_mlruns();
    project.file("gate.yaml", policy("mlruns", "")).repository();
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project.file("mlruns/0/0d8653353e3e43beb89442a8bca1a94d/metrics/f1", "1748257991000 0.1 0\n");
    project.gate(&["check", "--base", "main"]).leaves_with(1);
}

#[test]
fn a_committed_run_is_read_as_on_the_disk() {
    let project = with_mlruns();
    let run = "mlruns/0/0d8653353e3e43beb89442a8bca1a94d";
    project.file("gate.yaml", policy("mlruns", "")).repository();
    project.file(&format!("{run}/metrics/f1"), "1748257991000 0.895 0\n");
    let committed = format!("git:main:{run}");
    project.gate(&["show", run]).leaves_with(0).says("0.895");
    project.gate(&["show", &committed]).leaves_with(0).says("finished").says("0.9 ").never_says("0.895");
}

#[test]
fn hidden_folders_and_installed_packages_hold_no_records() {
    let project = Project::new();
    project
        .file("runs/a.json", "{\"metrics\": {\"f1\": 0.9}}")
        .file(".venv/lib/b.json", "{\"metrics\": {\"f1\": 0.1}}")
        .file("venv/lib/c.json", "{\"metrics\": {\"f1\": 0.1}}")
        .file(".github/workflows/ci.yaml", "on: push\n")
        .file("gate.yaml", policy("'**/*.json'", ""));
    project.gate(&["check", "--all"]).leaves_with(0).says("1 candidate");
}

#[test]
fn a_dvc_project_is_judged_by_either_of_its_files() {
    let project = Project::new();
    project.file("dvc.yaml", "metrics: [metrics.json]\n").file("metrics.json", "{\"f1\": 0.9}").repository();
    project.file("gate.yaml", policy("dvc.yaml", ""));
    project.gate(&["check", "--base", "main"]).leaves_with(0).says("dvc");
    project.file("metrics.json", "{\"f1\": 0.1}");
    project.gate(&["check", "--base", "main"]).leaves_with(1);
}

#[test]
fn runs_of_a_tracker_that_did_not_change_are_no_candidates_and_removed_ones_are_said() {
    for (from, folder, gone) in
        [("evals/ultralytics/runs/detect", "yolo", "yolo/early"), ("sacred", "runs", "runs/5")]
    {
        let project = project_with(from, folder);
        project
            .file("gate.yaml", format!("version: 1\nruns: {folder}\nrules:\n  r: {{ require: [name] }}\n"));
        project.repository();
        project.git(&["checkout", "--quiet", "-b", "change"]);
        project.gate(&["check"]).leaves_with(0).says("none changed since").never_says("deletes");
        project.git(&["rm", "-rq", gone]);
        project.commit("one less");
        let ran = project.gate(&["check"]);
        ran.leaves_with(0).says(&format!("the change deletes the record `{gone}`")).says("nothing changed");
    }
}
