//! Output shows command lines, configurations and addresses from trackers without their secrets.

use super::{fixture, project_with, shown};
use crate::project::Project;

/// No output may contain this.
const SECRET: &str = "hunter2";

#[test]
fn no_secret_of_a_tracker_is_shown() {
    let project = project_with("mlflow/sqlite-3.17.db", "mlflow.db");
    let path = project.path().join("mlflow.db");
    rusqlite::Connection::open(path)
        .expect("a database")
        .execute_batch(
            "UPDATE tags SET value='https://x-access-token:hunter2@github.com/a/b.git' WHERE key='mlflow.source.name';
             INSERT INTO tags (key, value, run_uuid) SELECT 'mlflow.source.git.repoURL', 'https://u:hunter2@h/r?sig=hunter2&versionId=7', run_uuid FROM runs;
             INSERT INTO tags (key, value, run_uuid) SELECT 'note', 'with --api-key hunter2 --fast', run_uuid FROM runs;
             INSERT INTO params (key, value, run_uuid) SELECT 'hub.token', 'hunter2', run_uuid FROM runs;
             INSERT INTO params (key, value, run_uuid) SELECT 'tokenizer', 'bert', run_uuid FROM runs;",
        )
        .expect("a change");
    let record = shown(&project, "mlflow:models:/churn@champion");
    assert!(!record.to_string().contains(SECRET), "{record:#}");
    assert_eq!(record["tags"]["mlflow.source.git.repoURL"], "https://h/r?sig=***f52fbd32&versionId=7");
    assert_eq!(record["tags"]["note"], "with --api-key ***f52fbd32 --fast");
    assert_eq!(
        (&record["params"]["hub.token"], &record["params"]["tokenizer"]),
        (&"***f52fbd32".into(), &"bert".into())
    );
    project.gate(&["show", "mlflow:models:/churn@champion"]).leaves_with(0).never_says(SECRET);
    let policy = "version: 1\nrules:\n  r: { require: { params.nope: {}, tags.note: { equals: x } } }\n";
    super::check(&project, policy, &["mlflow:models:/churn@champion", "--format", "json"])
        .leaves_with(1)
        .never_says(SECRET);
}

#[test]
fn the_arguments_of_a_model_lose_their_token() {
    let project = Project::new();
    let folder = fixture("lm-eval/models__small");
    let name = std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .find(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("results_")));
    let text = std::fs::read_to_string(name.expect("results").path()).expect("text");
    let mut results: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    results["config"]["model_args"] = "pretrained=models/small,token=hunter2,dtype=float32".into();
    results["config"]["gen_kwargs"] = serde_json::json!({"api_key": SECRET, "until": ["\n"]});
    project.file("results_2026-11-23T08-31-51.889572.json", results.to_string());
    let ran = project.gate(&["show", "results_2026-11-23T08-31-51.889572.json", "--format", "json"]);
    ran.leaves_with(0).never_says(SECRET).says("***").says("dtype");
}
