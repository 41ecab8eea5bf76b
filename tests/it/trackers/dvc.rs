//! DVC: a real project with its branches and tags, and what DVCLive wrote.

use super::{POLICY, check, fixture, oracle, project_with, shown, value};
use crate::project::Project;

/// A clone of the project, on its branch `main`.
pub(super) fn project() -> Project {
    let project = Project::new();
    let bundle = fixture("dvc/churn.bundle").display().to_string();
    project.git(&["clone", "--quiet", &bundle, "."]);
    project.git(&["remote", "remove", "origin"]);
    for branch in ["better", "worse", "nan-metric", "old-data", "other-split", "renamed-metric", "deeper"] {
        project.git(&["fetch", "--quiet", &bundle, &format!("{branch}:{branch}")]);
    }
    project
}

#[test]
fn metrics_are_those_that_dvc_shows() {
    let project = project();
    let known = oracle("dvc/metrics_show_all_branches.json");
    let mut seen = 0;
    for (revision, theirs) in known.as_object().expect("revisions") {
        // The first commit predates any run.
        if revision == "workspace" || theirs["data"]["metrics.json"].get("data").is_none() {
            continue;
        }
        let record = shown(&project, &format!("dvc:.@{revision}"));
        let theirs = &theirs["data"]["metrics.json"]["data"];
        for metric in ["f1", "recall", "precision", "roc_auc", "f1_score"] {
            let (ours, theirs) = (value(&record, metric), theirs.get(metric));
            assert_eq!(
                ours.as_ref().and_then(serde_json::Value::as_f64),
                theirs.and_then(serde_json::Value::as_f64),
                "{metric} at {revision}"
            );
        }
        assert_eq!(
            value(&record, "slices.west.f1").map(|v| v.as_f64()),
            Some(theirs["slices"]["west"]["f1"].as_f64())
        );
        seen += 1;
    }
    assert_eq!(seen, 8);
}

#[test]
fn a_project_is_a_record() {
    let project = project();
    for name in [".", "dvc:.", "dvc:.@baseline", "dvc:@main"] {
        let record = shown(&project, name);
        assert_eq!(record["model"], "churn");
        assert_eq!(record["status"], "finished", "{name}");
        assert_eq!(record["git_commit"], "64a17f38dd4b6e0d1e52414a6f08254a6d857dcc");
        assert_eq!(
            (&record["git_dirty"], &record["created_at"]),
            (&false.into(), &"2026-11-23T08:27:38Z".into())
        );
        assert_eq!(record["params"]["train"]["max_depth"], 8);
        // In quotes it is a version, not a date.
        assert_eq!(record["params"]["data"]["version"], "2026-05-30");
        assert_eq!(
            record["data"][0],
            serde_json::json!({"path": "data", "digest": "md5dir:d45a12a9fc3a9b43a8a5d3d78a0ed290", "bytes": 1_623_904})
        );
        assert_eq!(
            record["artifact"],
            serde_json::json!({"path": "models/churn.pkl", "digest": "md5:5861444e1cbb1988ad772863c40ab78b", "bytes": 2_974_735})
        );
        assert_eq!(
            record["command"],
            serde_json::json!(["python src/prepare.py", "python src/train.py", "python src/evaluate.py"])
        );
    }
    let resolved = &shown(&project, "dvc:.@baseline")["origin"]["resolved"];
    assert_eq!(resolved, "commit 64a17f38dd of 2026-11-23");
}

#[test]
fn a_branch_is_compared_with_another() {
    let project = project();
    let policy = "version: 1\nbaseline: dvc:.@baseline\ncomparable: [data]\nrules:\n  holds-up: { metrics: { f1: { min: 0.8, max_drop: 0.005 } } }\n";
    check(&project, policy, &["dvc:.@better"]).leaves_with(0).says("commit 64a17f38dd of 2026-11-23");
    check(&project, policy, &["dvc:.@nan-metric"]).leaves_with(1);
    check(&project, policy, &["dvc:.@old-data"]).leaves_with(1).says("not comparable");
    check(&project, policy, &["dvc:.@renamed-metric"]).leaves_with(1).says("the metric `f1` is missing");
    check(&project, policy, &["dvc:.@nope"]).leaves_with(2).says("no revision `nope`");
}

#[test]
fn tags_of_gto_name_versions_and_stages() {
    let project = project();
    for (name, commit, resolved) in [
        ("churn@v1.0.0", "64a17f38dd", "commit 64a17f38dd"),
        ("churn@v1.1.0", "4758b68789", "commit 4758b68789"),
        ("churn#prod", "64a17f38dd", "churn#prod#1, commit 64a17f38dd"),
        ("churn#staging", "4758b68789", "churn#staging#2, commit 4758b68789"),
    ] {
        let record = shown(&project, &format!("dvc:.@{name}"));
        assert!(record["git_commit"].as_str().expect("a commit").starts_with(commit), "{name}");
        assert!(
            record["origin"]["resolved"].as_str().expect("text").starts_with(resolved),
            "{name}: {record}"
        );
    }
    project.git(&["tag", "churn#prod#10", "better"]);
    project.git(&["tag", "churn#prod#9", "baseline"]);
    assert!(
        shown(&project, "dvc:.@churn#prod")["origin"]["resolved"]
            .as_str()
            .expect("text")
            .starts_with("churn#prod#10")
    );
    project.git(&["tag", "churn#prod!#11", "better"]);
    assert!(
        shown(&project, "dvc:.@churn#prod")["origin"]["resolved"]
            .as_str()
            .expect("text")
            .starts_with("churn#prod#9")
    );
    project
        .gate(&["show", "dvc:.@churn#dev"])
        .leaves_with(2)
        .says("no tag of GTO assigns the stage `dev` to `churn`");
}

#[test]
fn a_stale_lock_fails() {
    let project = project();
    check(&project, POLICY, &["."]).leaves_with(0);
    for (path, from, to, says) in [
        (
            "params.yaml",
            "max_depth: 8",
            "max_depth: 9",
            "`train` in `params.yaml` is not what the stage `train` ran with",
        ),
        ("metrics.json", "0.80731", "0.99", "`metrics.json` is not what the stage `evaluate` wrote"),
        ("src/train.py", "import", "import os\nimport", "`src/train.py` is not what the stage `train` read"),
        (
            "dvc.yaml",
            "python src/train.py",
            "python src/train.py --fast",
            "the command of the stage `train` has changed",
        ),
        ("dvc.lock", "  train:\n", "  other:\n", "the stage `train` was never run"),
    ] {
        project.edit(path, from, to);
        check(&project, POLICY, &["."]).leaves_with(1).says("status is `stale`").says(says).says("dvc repro");
        project.git(&["checkout", "--quiet", path]);
    }
    project.remove("dvc.lock");
    check(&project, POLICY, &["."]).leaves_with(1).says("there is no `dvc.lock`");
    // It is stale even when committed: this branch has other parameters than the run used.
    check(&project, POLICY, &["dvc:.@worse"]).leaves_with(1).says("`train` in `params.yaml`");
}

#[test]
fn data_that_changed_is_seen_where_it_lies_there() {
    let project = Project::new();
    let file = |name: &str, text: &str| {
        project.file(&format!("data/{name}"), text);
    };
    file("a.csv", "1\n");
    file("b/c.csv", "2\n");
    // Computed as DVC does: the MD5 of `[{"md5": …, "relpath": "a.csv"}, {"md5": …, "relpath": "b/c.csv"}]`.
    let lock = "schema: '2.0'\nstages:\n  train:\n    cmd: train\n    deps:\n    - path: data\n      hash: md5\n      md5: d9b67e6359483492ac991b14c5e878da.dir\n      nfiles: 2\n    outs:\n    - path: m.json\n      hash: md5\n      md5: 9a84504a1a5a9976b21050ae12ea9cc2\n";
    project
        .file("dvc.yaml", "stages:\n  train:\n    cmd: train\n    deps: [data]\n    metrics: [m.json]\n")
        .file("dvc.lock", lock);
    project.file("m.json", "{\"f1\": 0.8}\n");
    check(&project, POLICY, &["."]).leaves_with(0);
    // Files that DVC ignores make no difference.
    project.file(".dvcignore", "# logs\n*.log\n!kept.log\n/data/tmp/\n");
    file("b/x.log", "");
    file("tmp/y", "");
    check(&project, POLICY, &["."]).leaves_with(0);
    file("kept.log", "");
    check(&project, POLICY, &["."]).leaves_with(1).says("`data` is not what the stage `train` read");
    project.remove("data/kept.log");
    check(&project, POLICY, &["."]).leaves_with(0);
    file("b/c.csv", "3\n");
    check(&project, POLICY, &["."]).leaves_with(1).says("`data` is not what the stage `train` read");
}

#[test]
fn folders_are_hashed_as_dvc_hashes_them() {
    let project = Project::new();
    for (name, text) in [
        ("a.csv", "1\n"),
        ("a/x.csv", ""),
        ("a-b/x.csv", ""),
        ("ö/b c.csv", "3\n"),
        ("😀", ""),
        ("B.csv", ""),
    ] {
        project.file(&format!("data/{name}"), text);
    }
    project
        .file("m.json", "{\"f1\": 0.8}\n")
        .file("dvc.yaml", "stages:\n  ev:\n    cmd: ev\n    deps: [data]\n    metrics: [m.json]\n")
        .file("dvc.lock", "schema: '2.0'\nstages:\n  ev:\n    cmd: ev\n    deps:\n    - {path: data, hash: md5, md5: bff5639aad7ea73137e915a86aae1abd.dir}\n    outs:\n    - {path: m.json, hash: md5, md5: 9a84504a1a5a9976b21050ae12ea9cc2}\n");
    check(&project, POLICY, &["."]).leaves_with(0);
}

#[test]
fn files_of_toml_and_yaml_and_templates() {
    let project = Project::new();
    project
        .file("dvc.yaml", "stages:\n  eval:\n    foreach: [11, 12]\n    do:\n      cmd: eval ${item}\n      metrics:\n      - metrics/s${item}.yaml\n  report:\n    cmd: report\n    metrics: [report.toml]\n")
        .file("metrics/s11.yaml", "f1: 0.81\nloss: .nan\n")
        .file("metrics/s12.yaml", "f1: 0.83\nloss: 0.5\n")
        .file("report.toml", "auc = 0.9\n[valid]\nf1 = 1e-3\n");
    let lock = |name: &str, path: &str| {
        let digest = md5(&project.read(path));
        format!(
            "  {name}:\n    cmd: x\n    outs:\n    - path: {path}\n      hash: md5\n      md5: {digest}\n"
        )
    };
    let text = format!(
        "schema: '2.0'\nstages:\n{}{}{}",
        lock("eval@11", "metrics/s11.yaml").replace("cmd: x", "cmd: eval 11"),
        lock("eval@12", "metrics/s12.yaml").replace("cmd: x", "cmd: eval 12"),
        lock("report", "report.toml").replace("cmd: x", "cmd: report")
    );
    project.file("dvc.lock", text);
    let record = shown(&project, ".");
    assert_eq!(record["status"], "finished");
    assert_eq!(record["metrics"]["metrics.s11.f1"], 0.81);
    assert_eq!(record["metrics"]["metrics.s12.f1"], 0.83);
    assert_eq!((&record["metrics"]["auc"], &record["metrics"]["valid.f1"]), (&0.9.into(), &0.001.into()));
    assert!(record["metrics"].get("f1").is_none(), "never by itself");
    project.file("gate.yaml", "version: 1\nseeds: stage\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n");
    let record = shown(&project, ".");
    assert_eq!(record["metrics"]["f1"]["values"], serde_json::json!([0.81, 0.83]));
    assert_eq!(record["metrics"]["f1"]["value"], 0.82);
    // A metric that is not a number in one run is not a number in the combined run.
    let policy = "version: 1\nseeds: stage\nrules:\n  r: { metrics: { loss: { max: 5 } } }\n";
    check(&project, policy, &["."]).leaves_with(1).says("is not a finite number");
}

pub(super) fn md5(text: &str) -> String {
    use md5::Digest as _;
    mlgate::document::hex(&md5::Md5::digest(text.as_bytes()))
}

#[test]
fn data_is_what_is_no_code_and_no_metric() {
    let project = Project::new();
    let folder = "hash: md5, md5: d9b67e6359483492ac991b14c5e878da.dir";
    let file = "hash: md5, md5: 9a84504a1a5a9976b21050ae12ea9cc2";
    project
        .file("src/a.py", "run\n")
        .file("ev/m.json", "{\"f1\": 0.8}\n")
        .file("dvc.yaml", "stages:\n  ev:\n    cmd: ev\n    deps: [src, pulled]\n    metrics: [ev]\n  report:\n    cmd: report\n    deps: [ev/m.json]\n")
        .file("dvc.lock", format!("schema: '2.0'\nstages:\n  ev:\n    cmd: ev\n    deps:\n    - {{path: src, {folder}}}\n    - {{path: pulled, {folder}}}\n    outs:\n    - {{path: ev, {folder}}}\n  report:\n    cmd: report\n    deps:\n    - {{path: ev/m.json, {file}}}\n"))
        .file("other/.dvc/config", "")
        .file("other/x.csv.dvc", "broken: [");
    let record = shown(&project, ".");
    assert_eq!(record["data"].as_array().map(Vec::len), Some(1), "{record}");
    assert_eq!(record["data"][0]["path"], "pulled");
    // Metrics may be in a folder of files.
    assert_eq!(record["metrics"]["f1"], 0.8);
}

#[test]
fn a_matrix_of_models_and_seeds_is_not_seeds_of_one_run() {
    let project = Project::new();
    let mut lock = "schema: '2.0'\nstages:\n".to_owned();
    for model in ["cnn", "xgb"] {
        for seed in [80, 81] {
            let (path, text) = (format!("{model}-{seed}.json"), format!("{{\"f1\": 0.{seed}}}\n"));
            lock += &format!(
                "  ev@{model}-{seed}:\n    cmd: ev\n    outs:\n    - {{path: {path}, hash: md5, md5: {}}}\n",
                md5(&text)
            );
            project.file(&path, text);
        }
    }
    let matrix = |models: &str| {
        format!(
            "stages:\n  ev:\n    matrix:\n      model: {models}\n      seed: [80, 81]\n    cmd: ev\n    metrics: ['${{item.model}}-${{item.seed}}.json']\n"
        )
    };
    project.file("dvc.lock", lock).file("dvc.yaml", matrix("[cnn, xgb]"));
    let policy = "version: 1\nseeds: stage\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n";
    check(&project, policy, &["."]).leaves_with(2).says("also differ in `model`, not only in their seed");
    project.file("dvc.yaml", matrix("[cnn]"));
    check(&project, policy, &["."]).leaves_with(0);
    assert_eq!(shown(&project, ".")["metrics"]["f1"]["values"], serde_json::json!([0.8, 0.81]));
}

#[test]
fn what_no_commit_knows_was_not_made_at_its_time() {
    let project = Project::new();
    project.file("x", "").repository();
    project.file("dvc.yaml", "metrics: [m.json]\n").file("m.json", "{\"f1\": 0.8}\n");
    let record = shown(&project, ".");
    assert_eq!((&record["git_dirty"], record.get("created_at")), (&true.into(), None));
}

#[test]
fn digests_of_dvc_2_are_of_another_sort() {
    let project = project();
    let text = project.read("dvc.lock").replace("      hash: md5\n", "");
    project.file("dvc.lock", text);
    let record = shown(&project, ".");
    assert_eq!(record["artifact"]["digest"], "md5-dos2unix:5861444e1cbb1988ad772863c40ab78b");
    assert_eq!(record["data"][0]["digest"], "md5dir-dos2unix:d45a12a9fc3a9b43a8a5d3d78a0ed290");
}

#[test]
fn files_that_are_tracked_by_themselves_are_data() {
    let project = project();
    project.file(
        "raw/test.csv.dvc",
        "outs:\n- md5: 9e107d9d372bb6826bd81d3542a419d6\n  size: 10\n  hash: md5\n  path: test.csv\n",
    );
    let record = shown(&project, ".");
    assert_eq!(record["data"][1]["path"], "raw/test.csv");
    // The metrics are measured on the one file whose name says so.
    assert_eq!(
        record["validation"],
        serde_json::json!({"split": "raw/test.csv", "digest": "md5:9e107d9d372bb6826bd81d3542a419d6"})
    );
    project.file(
        "raw/valid.csv.dvc",
        "outs:\n- md5: 9e107d9d372bb6826bd81d3542a419d7\n  hash: md5\n  path: valid.csv\n",
    );
    let ran = project.gate(&["show", "."]);
    ran.leaves_with(0)
        .says("which of these the metrics were measured on is not recorded")
        .never_says("validation.split raw");
}

#[test]
fn nothing_outside_is_read() {
    let project = Project::new();
    project.file("secret.json", "{\"f1\": 0.99}\n");
    project.file("p/dvc.yaml", "metrics: [../secret.json, /etc/hostname]\n");
    let ran = project.gate(&["show", "p", "--format", "json"]);
    ran.leaves_with(0).never_says("0.99");
    // A policy names what is below it.
    project.file(
        "p/gate.yaml",
        "version: 1\nbaseline: dvc:../q\nrules:\n  r: { metrics: { f1: { max_drop: 1 } } }\n",
    );
    project.file("q/dvc.yaml", "metrics: [m.json]\n").file("q/m.json", "{\"f1\": 0.5}");
    project.file("p/run.json", "{\"metrics\": {\"f1\": 0.5}}");
    let ran = project.gate_in(&project.path().join("p"), &["check", "run.json"], &[]);
    ran.leaves_with(2).says("is outside the workspace");
}

#[test]
fn what_is_broken_is_said_with_its_place() {
    let project = project();
    for (path, text, says) in [
        ("metrics.json", "{\"f1\": 0.8", "metrics.json"),
        ("metrics.json", "{\"f1\": 0.8, \"f1\": 0.9}", "duplicate"),
        ("dvc.yaml", "stages: [1]", "`stages` is not an object"),
        ("dvc.lock", "train: {}", "only schema 2 is read"),
    ] {
        let before = project.read(path);
        project.file(path, text);
        project.gate(&["show", "."]).leaves_with(2).says(says);
        project.file(path, before);
    }
    // Rows are not metrics, and don't hide the metrics of other files.
    project.file("metrics.json", "[1]");
    project.gate(&["show", "."]).leaves_with(0).says("is a list, and not names with numbers");
    let empty = Project::new();
    empty.gate(&["show", "dvc:."]).leaves_with(2).says("dvc/no-project");
}

#[test]
fn dvclive_leaves_a_record_with_its_history() {
    let project = project_with("dvclive/churn-better-s0", "live");
    let record = shown(&project, "live");
    let loss = &record["metrics"]["valid.log_loss"];
    assert_eq!(
        (&loss["value"], &loss["best"]["min"], &loss["points"]),
        (&0.260_296.into(), &0.249_449.into(), &16.into())
    );
    assert_eq!(value(&record, "test.f1"), Some(0.81152.into()));
    assert_eq!(record["params"]["train"]["model"], "gbm");
    assert!(record["metrics"].get("step").is_none(), "its own counter is no metric");
}

#[test]
fn dvclive_spells_what_is_no_number_in_two_ways() {
    let project = project_with("dvclive/churn-nan-metric-s0", "live");
    let text = project.read("live/metrics.json");
    assert!(text.contains("\"nan\"") || text.contains("NaN"), "{text}");
    for spelling in ["\"nan\"", "NaN"] {
        project.file("live/metrics.json", format!("{{\"test\": {{\"precision\": {spelling}}}}}"));
        let policy = "version: 1\nrules:\n  r: { metrics: { test.precision: { max: 1 } } }\n";
        check(&project, policy, &["live"]).leaves_with(1).says("not a finite number");
    }
}
