use super::*;
use crate::document::{Document, Format};
use std::sync::Arc;

fn json(text: &str) -> Node {
    Arc::new(Document::new("x.json", text.as_bytes().to_vec(), Format::Json).expect("text"))
        .parse_long()
        .expect("JSON")
}

const SOURCE: &str =
    r#"{"dataset_name": "arc", "hf_repo": "allenai/ai2_arc", "hf_split": "test", "samples_number": 40}"#;

fn result(more: &str) -> String {
    format!(r#"{{"evaluation_name": "arc", "source_data": {SOURCE}, {more}}}"#)
}

fn file(results: &[String], more: &str) -> Node {
    json(&format!(
        r#"{{"schema_version": "0.2.2", "evaluation_id": "arc/m/1", "evaluation_timestamp": "1761001924.5",
            "source_metadata": {{"source_type": "evaluation_run"}}, "model_info": {{"id": "org/m"}},
            "eval_library": {{"name": "lm_eval", "version": "0.4.13"}}{more}, "evaluation_results": [{}]}}"#,
        results.join(",")
    ))
}

fn read(file: &Node, samples: Option<&Samples>) -> Tracked {
    tracked(file, samples, "x.json".into(), Origin::default())
}

fn at<'n>(run: &'n Tracked, path: &[&str]) -> Option<&'n str> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(run.record.get(first)?, |node, key| node.get(key))?.as_written()
}

const ACCURACY: &str = r#""metric_config": {"metric_id": "accuracy", "lower_is_better": false},
    "score_details": {"score": 0.5, "uncertainty": {"standard_error": {"value": 0.1}, "num_samples": 38}}"#;

#[test]
fn a_score_is_a_metric_with_what_is_known_of_it() {
    let run = read(&file(&[result(ACCURACY)], ""), None);
    for (path, value) in [
        (&["metrics", "arc.accuracy", "value"][..], "0.5"),
        (&["metrics", "arc.accuracy", "stderr"], "0.1"),
        (&["metrics", "arc.accuracy", "n"], "38"),
        (&["metrics", "arc.accuracy", "higher_is_better"], "true"),
        (&["metrics", "arc.accuracy", "dataset"], "arc allenai/ai2_arc test"),
        (&["run_id"], "arc/m/1"),
        (&["name"], "org/m"),
        (&["created_at"], "2025-10-20T23:12:04.5Z"),
        (&["environment", "packages", "lm_eval"], "0.4.13"),
    ] {
        assert_eq!(at(&run, path), Some(value), "{path:?}");
    }
    assert!(run.notes.iter().any(|note| note.contains("over 38 of 40 samples")), "{:?}", run.notes);
}

#[test]
fn another_judge_is_another_measure() {
    let judged = |judge: &str| {
        let more = format!(
            r#""metric_config": {{"metric_id": "accuracy", "lower_is_better": true, "llm_scoring": {{"judges": [{{"model_info": {{"id": "{judge}"}}}}]}}}},
               "score_details": {{"score": 0.5}}"#
        );
        read(&file(&[result(&more)], ""), None)
    };
    let path = ["metrics", "arc.accuracy", "dataset"];
    assert_ne!(at(&judged("big"), &path), at(&judged("small"), &path));
    assert_eq!(at(&judged("big"), &["metrics", "arc.accuracy", "higher_is_better"]), Some("false"));
}

#[test]
fn results_are_told_apart_or_not_read() {
    let old = |description: &str, score: &str| {
        result(&format!(
            r#""metric_config": {{"lower_is_better": false, "evaluation_description": "{description}"}}, "score_details": {{"score": {score}}}"#
        ))
    };
    let run = read(&file(&[old("accuracy", "0.5"), old("f1", "0.25")], ""), None);
    assert_eq!(at(&run, &["metrics", "arc.accuracy", "value"]), Some("0.5"));
    assert_eq!(at(&run, &["metrics", "arc.f1", "value"]), Some("0.25"));
    let run = read(&file(&[old("same", "0.5"), old("same", "0.9")], ""), None);
    assert!(run.record.get("metrics").is_none());
    assert!(run.notes.iter().any(|note| note.contains("be told apart")), "{:?}", run.notes);
}

#[test]
fn an_unknown_level_is_no_value() {
    let more = r#""metric_config": {"lower_is_better": true, "score_type": "levels", "has_unknown_level": true}, "score_details": {"score": -1}"#;
    let run = read(&file(&[result(more)], ""), None);
    assert_eq!(at(&run, &["metrics", "arc", "value"]), Some("NaN"), "and not lower than any limit");
}

fn rows() -> Samples {
    let row = |id: &str, error: &str, score: &str| {
        json(&format!(
            r#"{{"evaluation_id": "arc/m/1", "evaluation_name": "arc", "sample_id": "{id}", "sample_hash": "h{id}", "error": {error},
                "evaluation": {{"score": {score}, "is_correct": true}}, "metadata": {{"subject": "physics"}}}}"#
        ))
    };
    let rows = vec![row("1", "null", "1.0"), row("2", "\"timeout\"", "0.0"), row("3", "\"\"", "1.0")];
    Samples { label: "x_samples.jsonl".into(), digest: "abc".into(), rows }
}

#[test]
fn rows_that_broke_are_counted_apart_and_are_not_right() {
    let run = read(&file(&[result(ACCURACY)], ""), Some(&rows()));
    assert_eq!(at(&run, &["metrics", "errors", "value"]), Some("1"));
    assert!(run.notes.iter().any(|note| note.contains("1 of 3 rows are errors")), "{:?}", run.notes);
    let cases: Vec<(&str, bool, Option<bool>, bool)> =
        run.cases.iter().map(|case| (&*case.id, case.error, case.right, case.score.is_some())).collect();
    let right = (false, Some(true), true);
    assert_eq!(
        cases,
        [
            ("h1", right.0, right.1, right.2),
            ("h2", true, Some(false), false),
            ("h3", false, Some(true), true)
        ]
    );
    assert_eq!(run.cases[0].metric, "arc.accuracy");
    assert_eq!(at(&run, &["validation", "rows"]), Some("3"));
}

#[test]
fn samples_of_something_else_are_not_used() {
    let said = |said: &str| file(&[result(ACCURACY)], &format!(r#", "detailed_evaluation_results": {said}"#));
    assert_eq!(
        read(&said(r#"{"checksum": "ABC", "hash_algorithm": "sha256", "total_rows": 3}"#), Some(&rows()))
            .cases
            .len(),
        3
    );
    let mut other = rows();
    other.rows.push(json(r#"{"evaluation_id": "other/m/2", "evaluation_name": "arc", "sample_id": "4", "evaluation": {"score": 1}}"#));
    for (file, samples) in [
        (said(r#"{"checksum": "abd"}"#), rows()),
        (said(r#"{"checksum": "abc", "total_rows": 4}"#), rows()),
        (said("{}"), other),
    ] {
        let run = read(&file, Some(&samples));
        assert!(run.cases.is_empty() && at(&run, &["status"]) == Some("unknown"), "{:?}", run.notes);
    }
}
