//! Sacred: folders that its file observer wrote.

use super::{POLICY, check, project_with, shown, value};
use crate::project::Project;

#[test]
fn a_run_is_read_from_its_folder() {
    let project = project_with("sacred", "runs");
    for name in ["runs/3", "sacred:runs/3"] {
        let record = shown(&project, name);
        assert_eq!((record["run_id"].as_str(), record["name"].as_str()), (Some("3"), Some("better")));
        assert_eq!(value(&record, "f1"), Some(0.81152.into()));
        assert_eq!(record["git_commit"], "4758b68789fd7ddd0ad4ba770d0bd8d0df85ff42");
        // Sacred is the only tracker that records it by itself.
        assert_eq!(record["git_dirty"], false);
        assert_eq!(record["params"]["train"]["model"], "gbm");
        assert_eq!((&record["seed"], &record["environment"]["python"]), (&0.into(), &"3.11.7".into()));
        let loss = &record["metrics"]["valid_log_loss"];
        assert_eq!(
            (&loss["value"], &loss["best"]["min"], &loss["points"]),
            (&0.260_296.into(), &0.249_449.into(), &16.into())
        );
    }
    let ran = check(&project, "version: 1\nrules:\n  r: { require: [run_id] }\n", &["runs"]);
    ran.leaves_with(0).says("5 candidates");
    project.gate(&["show", "runs/3"]).says("`created_at` has no zone, and was read as UTC");
}

#[test]
fn only_what_completed_is_judged() {
    for (written, status) in [
        ("FAILED", "failed"),
        ("INTERRUPTED", "killed"),
        ("RUNNING", "running"),
        ("QUEUED", "queued"),
        ("TIMEOUT", "timeout"),
    ] {
        let project = project_with("sacred/1", "runs/1");
        check(&project, POLICY, &["runs/1"]).leaves_with(0);
        project.edit("runs/1/run.json", "\"COMPLETED\"", &format!("\"{written}\""));
        check(&project, POLICY, &["runs/1"]).leaves_with(1).says(&format!("status is `{status}`"));
    }
    let project = project_with("sacred/1", "runs/1");
    project.edit("runs/1/run.json", "\"status\"", "\"other\"");
    check(&project, POLICY, &["runs/1"]).leaves_with(1).says("status is `running`");
}

#[test]
fn a_run_may_be_called_anything() {
    let project = project_with("sacred/1", "runs/baseline of May");
    assert_eq!(shown(&project, "runs/baseline of May")["run_id"], "baseline of May");
}

#[test]
fn data_that_was_opened_has_its_digest() {
    let project = project_with("sacred-files", "runs");
    let record = shown(&project, "runs/1");
    assert_eq!(
        record["data"],
        serde_json::json!([{"uri": "/workspace/churn/data.csv", "digest": "md5:f69f5b72bc79a92dc70c63c9aa142e36"}])
    );
    for (copy, digest) in [
        ("9e107d9d372bb6826bd81d3542a419d6", Some("md5:9e107d9d372bb6826bd81d3542a419d6")),
        // It was in the observer's folder, and was not copied.
        ("/workspace/churn/runs/data.csv", None),
        ("runs/_resources/data_f69f.csv", None),
    ] {
        let project = project_with("sacred-files", "runs");
        project.edit("runs/1/run.json", "runs/_resources/data_f69f5b72bc79a92dc70c63c9aa142e36.csv", copy);
        assert_eq!(shown(&project, "runs/1")["data"][0]["digest"].as_str(), digest, "{copy}");
    }
}

#[test]
fn what_the_run_added_lies_in_its_folder() {
    let project = project_with("sacred-files", "kept/runs");
    let record = shown(&project, "kept/runs/1");
    let paths = serde_json::json!([{"path": "kept/runs/1/model.pkl"}, {"path": "kept/runs/1/other.pkl"}]);
    assert_eq!(record["artifacts"], paths);
    // The policy says which of them is the model.
    let policy = "version: 1\nfields: { artifact: \"artifacts[0]\" }\nrules:\n  r: { require: [artifact] }\n  there: { artifact: true }\n";
    check(&project, policy, &["kept/runs/1"]).leaves_with(0);
    project.remove("kept/runs/1/model.pkl");
    check(&project, policy, &["kept/runs/1"]).leaves_with(1).says("kept/runs/1/model.pkl");
}

#[test]
fn a_folder_of_runs_is_known_by_any_of_them() {
    let project = project_with("sacred/1", "runs/7");
    super::copy(&super::fixture("sacred/2"), &project.path().join("runs/8"));
    let ran = check(&project, "version: 1\nrules:\n  r: { require: [run_id] }\n", &["runs"]);
    ran.leaves_with(0).says("2 candidates");
    assert_eq!(shown(&project, "runs/7/run.json")["run_id"], "7");
    // Other tools use these file names too.
    let project = Project::new();
    project.file("runs/run.json", "{\"run_id\": \"a\", \"metrics\": {\"f1\": 0.8}}");
    project.file("runs/config.json", "{}");
    check(&project, POLICY, &["runs/run.json"]).leaves_with(0);
}

#[test]
fn code_of_several_repositories_is_no_one_commit() {
    let project = project_with("sacred/1", "runs/1");
    let one = "{\"commit\": \"64a17f38dd4b6e0d1e52414a6f08254a6d857dcc\", \"dirty\": true, \"url\": \"x\"},";
    project.edit("runs/1/run.json", "\"repositories\": [", &format!("\"repositories\": [{one}"));
    let ran = project.gate(&["show", "runs/1"]);
    ran.leaves_with(0).says("2 repositories, so there is no one commit").never_says("git_commit 64a17");
    let policy = "version: 1\nfields: { git_commit: \"repositories[0].commit\" }\nrules: { r: { require: [git_commit] } }\n";
    check(&project, policy, &["runs/1"]).leaves_with(0);
}

#[test]
fn seeds_are_runs_of_one_experiment() {
    let project = project_with("sacred/1", "runs/1");
    super::copy(&super::fixture("sacred/2"), &project.path().join("runs/2"));
    project.file("gate.yaml", "version: 1\nseeds: name\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n");
    assert_eq!(shown(&project, "runs/1")["metrics"]["f1"]["values"], serde_json::json!([0.80731, 0.806_899]));
    // The configuration contains the seed, and the runs may differ in nothing else.
    project.edit("runs/2/config.json", "\"max_depth\": 8", "\"max_depth\": 9");
    project.gate(&["show", "runs/1"]).leaves_with(2).says("differ in `params.train.max_depth`");
}

#[test]
fn half_a_file_is_no_record() {
    let project = project_with("sacred/1", "runs/1");
    let text = project.read("runs/1/metrics.json");
    project.file("runs/1/metrics.json", &text[..text.len() / 2]);
    check(&project, POLICY, &["runs/1"]).leaves_with(2).says("runs/1/metrics.json");
}

#[test]
fn what_the_advice_says_fills_the_field() {
    let project = project_with("sacred-files", "runs");
    let config = "{\"data_version\": \"2026-05-30\", \"validation\": {\"split\": \"test\"}, \"lockfile\": {\"path\": \"uv.lock\", \"digest\": \"sha256:ca94\"}}";
    project.file("runs/1/config.json", config);
    let fields = "fields: { model: name, artifact: \"artifacts[0]\" }\n";
    project.file("gate.yaml", format!("version: 1\n{fields}rules: {{ r: {{ require: [run_id] }} }}\n"));
    let record = shown(&project, "runs/1");
    assert_eq!((&record["model"], &record["data_version"]), (&"churn".into(), &"2026-05-30".into()));
    assert_eq!(record["validation"]["split"], "test");
    assert_eq!(record["environment"]["lockfile"]["path"], "uv.lock");
    assert_eq!(record["artifact"]["path"], "runs/1/model.pkl");
}

#[test]
fn what_main_returned_and_the_info_are_reached() {
    let project = project_with("sacred/1", "runs/1");
    let metrics = project.read("runs/1/metrics.json");
    project.edit(
        "runs/1/run.json",
        "\"result\": 0.80731",
        "\"result\": {\"f1\": {\"py/object\": \"numpy.float64\", \"dtype\": \"float64\", \"value\": 0.7}}",
    );
    project.file("runs/1/info.json", "{\"scores\": {\"recall\": 0.6}}");
    // Logged metrics take precedence over what `main` returned.
    assert_eq!(value(&shown(&project, "runs/1"), "f1"), Some(0.80731.into()));
    assert_eq!(shown(&project, "runs/1")["result"]["f1"], 0.7);
    project.file("runs/1/metrics.json", "{}");
    assert_eq!(value(&shown(&project, "runs/1"), "f1"), Some(0.7.into()));
    let policy =
        "version: 1\nfields: { metrics: info.scores }\nrules:\n  r: { metrics: { recall: { min: 0.5 } } }\n";
    check(&project, policy, &["runs/1"]).leaves_with(0).says("reads `metrics` from `info.scores`");
    assert!(metrics.contains("f1"));
}

#[test]
fn an_export_of_the_database_holds_runs() {
    let run = |id: u32, status: &str| {
        format!(
            "{{\"_id\":{id},\"experiment\":{{\"name\":\"churn\",\"repositories\":[{{\"url\":\"u\",\"commit\":\
             \"64a17f38dd4b6e0d1e52414a6f08254a6d857dcc\",\"dirty\":false}}]}},\"command\":\"main\",\"host\":{{\"python_version\":\
             \"3.11.7\"}},\"start_time\":{{\"$date\":\"2026-11-23T08:51:23.000Z\"}},\"config\":{{\"seed\":{{\"$numberInt\":\"7\"}}}},\
             \"status\":\"{status}\",\"info\":{{}},\"result\":null}}\n"
        )
    };
    let project = Project::new();
    project.file("dump/runs.json", run(1, "COMPLETED") + &run(2, "FAILED"));
    let series = |id: u32, last: &str| {
        format!(
            "{{\"_id\":{{\"$oid\":\"a{id}\"}},\"name\":\"f1\",\"run_id\":{id},\"steps\":[0,1],\"values\":[0.5,{{\"$numberDouble\":\"{last}\"}}]}}\n"
        )
    };
    project.file("dump/metrics.json", series(1, "0.84") + &series(2, "NaN"));
    let ran = check(&project, POLICY, &["dump/runs.json"]);
    ran.leaves_with(1).says("2 candidates: 1 failed, 1 passed").says("status is `failed`");
    project.file("dump/runs.json", run(1, "COMPLETED"));
    let record = shown(&project, "dump/runs.json");
    assert_eq!((value(&record, "f1"), &record["seed"]), (Some(0.84.into()), &7.into()));
    assert_eq!(record["created_at"], "2026-11-23T08:51:23.000Z");
}
