//! DVC projects with several models, experiments, merge keys, and tables that are pickles.

use super::{check, shown};
use crate::project::Project;

const PIPELINE: &str = "x-base: &base\n  cmd: python train.py\n  deps: [X_train.pkl, X_test.pkl, y_test.pkl]\nstages:\n  train:\n    \
    <<: *base\n    params: [lr, depth]\n    outs: [churn.pkl, fraud.pkl]\n    metrics: [{ metrics.json: { cache: false } }]\nartifacts:\n  \
    churn: { path: churn.pkl, type: model }\n  fraud: { path: fraud.pkl, type: model }\n";

fn md5(text: &str) -> String {
    use md5::Digest as _;
    md5::Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn project() -> Project {
    let project = Project::new();
    let entry = |name: &str, text: &str| {
        format!("    - path: {name}\n      hash: md5\n      md5: {}\n      size: {}\n", md5(text), text.len())
    };
    let (mut deps, mut outs) = (String::new(), String::new());
    for name in ["X_train.pkl", "X_test.pkl", "y_test.pkl"] {
        project.file(name, name);
        deps += &entry(name, name);
    }
    for name in ["churn.pkl", "fraud.pkl"] {
        project.file(name, name);
        outs += &entry(name, name);
    }
    project.file("metrics.json", "{\"f1\": 0.8}");
    outs += &entry("metrics.json", "{\"f1\": 0.8}");
    project.file("params.yaml", "common: &common { lr: 0.1 }\n<<: *common\ndepth: 1_000\n");
    project.file("dvc.yaml", PIPELINE);
    project.file(
        "dvc.lock",
        format!(
            "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    deps:\n{deps}    params:\n      params.yaml:\n        \
             depth: 1000\n        lr: 0.1\n    outs:\n{outs}"
        ),
    );
    project.repository();
    project
}

#[test]
fn merge_keys_of_a_pipeline_and_of_its_parameters_are_followed() {
    let project = project();
    let record = shown(&project, "dvc:.");
    assert_eq!((&record["status"], &record["params"]["lr"]), (&"finished".into(), &0.1.into()));
    project.edit("params.yaml", "lr: 0.1", "lr: 0.2");
    project.gate(&["show", "dvc:."]).says("stale");
}

#[test]
fn a_model_of_several_is_chosen_by_its_name() {
    let project = project();
    let whole = shown(&project, "dvc:.");
    assert!(whole.get("model").is_none() && whole.get("artifact").is_none());
    project.gate(&["show", "dvc:."]).says("`artifacts:` names 2 models").says("`dvc:DIR@churn`");
    for model in ["churn", "fraud"] {
        let record = shown(&project, &format!("dvc:.@{model}"));
        assert_eq!(record["model"], model);
        assert_eq!(record["artifact"]["path"], format!("{model}.pkl"));
        assert_eq!(record["artifacts"].as_array().map(Vec::len), Some(1));
    }
    // A version tag of GTO names its model.
    project.git(&["tag", "-a", "fraud@v1.0.0", "-m", "a version"]);
    assert_eq!(shown(&project, "dvc:.@fraud@v1.0.0")["model"], "fraud");
    project.gate(&["show", "dvc:.@nothing"]).leaves_with(2).says("churn, fraud");
}

#[test]
fn an_experiment_is_found_by_its_name_and_is_no_baseline() {
    let project = project();
    project.edit("metrics.json", "0.8", "0.9");
    project.git(&["stash", "--quiet"]);
    project.git(&["update-ref", "refs/exps/ab/cdef/bumpy-cats", "refs/stash"]);
    let record = shown(&project, "dvc:.@bumpy-cats");
    assert_eq!(record["metrics"]["f1"], 0.9);
    let policy = "version: 1\nrules:\n  r: { metrics: { f1: { max_drop: 0 } } }\n";
    let ran = check(&project, policy, &["dvc:.@bumpy-cats", "--baseline", "dvc:.@main"]);
    ran.leaves_with(1).says("stale");
    let ran = check(&project, policy, &["dvc:.", "--baseline", "dvc:.@bumpy-cats"]);
    ran.leaves_with(2).says("is a DVC experiment, which can't be a baseline");
    project.git(&["update-ref", "refs/exps/ab/other/bumpy-cats", "HEAD"]);
    project.gate(&["show", "dvc:.@bumpy-cats"]).leaves_with(2).says("2 DVC experiments are named");
}

#[test]
fn pickled_tables_are_data_with_a_role_and_one_split_in_parts() {
    let project = project();
    let record = shown(&project, "dvc:.");
    let data: Vec<(&str, &str)> = record["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| (file["path"].as_str().expect("a path"), file["role"].as_str().expect("a role")))
        .collect();
    assert_eq!(data, [("X_train.pkl", "train"), ("X_test.pkl", "test"), ("y_test.pkl", "test")]);
    assert_eq!(record["validation"]["split"], "X_test.pkl, y_test.pkl");
    assert!(record["validation"]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
}
