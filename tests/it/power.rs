//! `gate power`: what a validation split can show, before any training.

use serde_json::Value;

use crate::project::Project;

/// A baseline that gets every tenth case wrong, and another run that gets different cases wrong.
fn project() -> Project {
    let project = Project::new();
    let csv = |shift: usize| -> String {
        let row = |case: usize| {
            let label = case.is_multiple_of(3);
            let region = if case.is_multiple_of(2) { "EU" } else { "US" };
            let wrong = (case + shift).is_multiple_of(10);
            format!("c{case},{},{},{region}\n", u8::from(label), u8::from(label != wrong))
        };
        std::iter::once("id,y_true,y_pred,region\n".to_owned()).chain((0..3_000).map(row)).collect()
    };
    let record = |name: &str| {
        format!(
            "{{\"run_id\": \"{name}\", \"metrics\": {{\"accuracy\": 0.9, \"latency_ms\": 12}}, \"predictions\": {{\"path\": \"{name}.csv\"}}}}"
        )
    };
    project
        .file("a.csv", csv(0))
        .file("b.csv", csv(3))
        .file("a.json", record("a"))
        .file("b.json", record("b"));
    project
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let all: Vec<&str> =
        ["power"].into_iter().chain(arguments.iter().copied()).chain(["--format", "json"]).collect();
    project.gate(&all).leaves_with(0).json()
}

#[test]
fn a_count_is_enough_for_a_first_answer() {
    let project = Project::new();
    project
        .gate(&["power", "--cases", "5000", "--changed", "5%"])
        .leaves_with(0)
        .says("5,000 cases")
        .says("0.0079");
    let found = json(&project, &["--cases", "5000", "--changed", "0.05", "--margin", "0.01"]);
    assert_eq!(found["power"][0]["cases"]["80%"], 3092);
    project.gate(&["power"]).leaves_with(2);
    project.gate(&["power", "--cases", "0"]).leaves_with(2);
    project.gate(&["power", "--cases", "9", "--confidence", "40%"]).leaves_with(2).says("above 50%");
}

#[test]
fn the_metrics_of_a_baseline_are_shown_overall_and_by_slice() {
    let project = project();
    project.gate(&["power", "a.json"]).leaves_with(0).says("3,000 cases").says("accuracy [region=EU]");
    let found = json(&project, &["a.json"]);
    let rows = found["power"].as_array().expect("a list");
    let named: Vec<_> = rows.iter().map(|row| (row["slice"].as_str(), row["metric"].as_str())).collect();
    assert_eq!(
        named,
        [
            (None, Some("accuracy")),
            (Some("region=EU"), Some("accuracy")),
            (Some("region=US"), Some("accuracy"))
        ],
        "a latency is not computed from decisions"
    );
    let margin = |row: &Value| row["margin"]["80%"].as_f64().expect("a margin");
    // 5 % of 3,000 decisions: (1.645 + 0.842)·√(0.05/3000).
    assert!((margin(&rows[0]) - 0.010_15).abs() < 1e-4, "{found}");
    assert!(margin(&rows[1]) > margin(&rows[0]), "half of the cases show less");
}

#[test]
fn another_run_says_how_much_two_runs_differ() {
    let project = project();
    let found = json(&project, &["a.json", "--against", "b.json"]);
    assert_eq!(found["changed"], 0.2);
    let margin = found["power"][0]["margin"]["80%"].as_f64().expect("a margin");
    assert!((margin - 0.0203).abs() < 2e-4, "{found}");
    project.gate(&["power", "a.json", "--metric", "latency_ms"]).leaves_with(2).says("power/not-computed");
    project.file("b.csv", "id,y_true,y_pred,region\nc0,1,1,EU\n");
    project
        .gate(&["power", "a.json", "--against", "b.json"])
        .leaves_with(2)
        .says("do not have the same cases");
}

#[test]
fn a_run_without_predictions_is_told_what_to_record() {
    let project = Project::new();
    project.file("a.json", "{\"metrics\": {\"f1\": 0.8}}");
    project
        .gate(&["power", "a.json"])
        .leaves_with(2)
        .says("records no predictions")
        .says("show/no-predictions");
}
