//! Every Eval Ever: an evaluation in the shared schema, with the samples beside it.

use sha2::{Digest as _, Sha256};

use super::{check, shown, value};
use crate::project::Project;

const UUID: &str = "0d03a117-82c9-4823-a256-439a728d0ead";

/// A row for a sample; `EVALUATION` stands for the id of the evaluation.
fn row(sample: u32, correct: bool, error: &str) -> String {
    format!(
        "{{\"schema_version\": \"0.2.2\", \"evaluation_id\": \"EVALUATION\", \"model_id\": \"org/m\", \
         \"evaluation_name\": \"arc\", \"sample_id\": \"{sample}\", \"sample_hash\": \"h{sample}\", \
         \"interaction_type\": \"single_turn\", \"input\": {{\"raw\": \"?\", \"reference\": [\"A\"]}}, \
         \"answer_attribution\": [], \"evaluation\": {{\"score\": {}, \"is_correct\": {correct}}}, \"error\": {error}}}\n",
        f64::from(u8::from(correct))
    )
}

/// A model's evaluation in a folder, as converters write it.
fn evaluation(project: &Project, folder: &str, score: f64, rows: &str) {
    let id = format!("{folder}/1761001924");
    let rows = rows.replace("EVALUATION", &id);
    let digest: String = Sha256::digest(rows.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let file = serde_json::json!({
        "schema_version": "0.2.2", "evaluation_id": id, "evaluation_timestamp": "1761001924.0",
        "retrieved_timestamp": "1770570009.016365",
        "source_metadata": {"source_name": "inspect_ai", "source_type": "evaluation_run",
            "source_organization_name": "unknown", "evaluator_relationship": "first_party"},
        "eval_library": {"name": "inspect_ai", "version": "0.3.285"},
        "model_info": {"name": "m", "id": "org/m"},
        "evaluation_results": [{
            "evaluation_name": "arc",
            "source_data": {"source_type": "hf_dataset", "dataset_name": "arc", "hf_repo": "allenai/ai2_arc",
                "hf_split": "test", "samples_number": 3},
            "metric_config": {"metric_id": "accuracy", "lower_is_better": false, "score_type": "continuous",
                "min_score": 0.0, "max_score": 1.0},
            "score_details": {"score": score, "uncertainty": {"num_samples": 3}},
        }],
        "detailed_evaluation_results": {"format": "jsonl", "file_path": "elsewhere.jsonl",
            "hash_algorithm": "sha256", "checksum": digest, "total_rows": rows.lines().count()},
    });
    project.file(&format!("{folder}/{UUID}.json"), file.to_string());
    project.file(&format!("{folder}/{UUID}_samples.jsonl"), rows);
}

#[test]
fn an_evaluation_is_read_with_its_samples() {
    let project = Project::new();
    let rows = row(1, true, "null") + &row(2, true, "null") + &row(3, false, "null");
    evaluation(&project, "data/arc/org/m", 0.6667, &rows);
    let better = row(1, true, "null") + &row(2, true, "null") + &row(3, true, "null");
    evaluation(&project, "data/arc/org/better", 1.0, &better);
    let record = shown(&project, &format!("data/arc/org/m/{UUID}.json"));
    assert_eq!(value(&record, "arc.accuracy"), Some(0.6667.into()));
    assert_eq!((&record["validation"]["rows"], value(&record, "errors")), (&3.into(), Some(0.into())));
    let policy = "version: 1\nruns: data/arc\nrules:\n  r: { metrics: { arc.accuracy: { min: 0.5, max_drop: 0 }, errors: { max: 0 } } }\n";
    let (worse, better) = ("data/arc/org/m", "data/arc/org/better");
    check(&project, policy, &[better, "--baseline", worse]).leaves_with(0).says("same validation split");
    check(&project, policy, &[worse, "--baseline", better]).leaves_with(1);
    // The samples are not a record, and don't make their folder ambiguous.
    project
        .gate(&["show", &format!("{worse}/{UUID}_samples.jsonl")])
        .leaves_with(2)
        .says("samples of an evaluation");
}

#[test]
fn samples_that_broke_are_counted_and_others_are_not_believed() {
    let project = Project::new();
    let rows = row(1, true, "null") + &row(2, false, "\"timeout\"");
    evaluation(&project, "out", 1.0, &rows);
    let policy = "version: 1\nrules:\n  r: { metrics: { errors: { max: 0 } } }\n";
    check(&project, policy, &["out"]).leaves_with(1).says("1 of 2 rows are errors");
    project.edit(&format!("out/{UUID}_samples.jsonl"), "\"timeout\"", "null");
    check(&project, policy, &["out"]).leaves_with(1).says("its checksum differs");
}

#[test]
fn a_committed_evaluation_is_the_same_with_its_samples() {
    let project = Project::new();
    evaluation(&project, "out", 1.0, &(row(1, true, "null") + &row(2, false, "\"timeout\"")));
    project.file("gate.yaml", "version: 1\nrules: { r: { require: [name] } }\n").repository();
    for name in [format!("git:HEAD:out/{UUID}.json"), "git:HEAD:out".to_owned()] {
        let record = shown(&project, &name);
        assert_eq!(
            (value(&record, "errors"), &record["validation"]["rows"]),
            (Some(1.into()), &2.into()),
            "{name}"
        );
    }
}
