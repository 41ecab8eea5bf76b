//! Five ways to make a model look better than it is, each caught by a policy of at most six lines.

use crate::project::{Project, Ran};

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
rules:
  no-worse: { metrics: { accuracy: { max_drop: 0.02, confidence: 95% } }, slices: { by: region } }
";

const CASES: usize = 4_000;

/// One row of predictions: number, label, prediction and region.
type Row = (usize, u8, Option<u8>, &'static str);

/// The decisions of a model that is wrong in every eighth case, and in every third of the hard region.
fn decisions() -> Vec<Row> {
    let row = |case: usize| {
        let label = u8::from(case.is_multiple_of(3));
        let is_hard = case % 20 == 7;
        let region = if is_hard { "islands" } else { "mainland" };
        let wrong = if is_hard { (case / 20).is_multiple_of(3) } else { case.is_multiple_of(8) };
        (case, label, Some(if wrong { 1 - label } else { label }), region)
    };
    (0..CASES).map(row).collect()
}

fn csv(rows: &[Row]) -> String {
    let lines = rows.iter().map(|(case, label, prediction, region)| {
        let prediction = prediction.map_or_else(String::new, |class| class.to_string());
        format!("c{case},{label},{prediction},{region}\n")
    });
    std::iter::once("id,y_true,y_pred,region\n".to_owned()).chain(lines).collect()
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn accuracy(rows: &[Row]) -> f64 {
    rows.iter().filter(|(_, label, prediction, _)| *prediction == Some(*label)).count() as f64
        / rows.len() as f64
}

fn record(name: &str, accuracy: f64) -> String {
    format!(
        "{{\"run_id\": \"{name}\", \"metrics\": {{\"accuracy\": {accuracy:.4}}}, \"predictions\": {{\"path\": \"{name}.csv\"}}}}"
    )
}

/// A candidate with these predictions, which reports this accuracy.
fn judged(rows: &[Row], reported: f64) -> Ran {
    assert!(POLICY.lines().count() <= 6);
    let project = Project::new();
    let base = decisions();
    project
        .file("gate.yaml", POLICY)
        .file("old.csv", csv(&base))
        .file("approved.json", record("old", accuracy(&base)))
        .file("new.csv", csv(rows))
        .file("runs/new.json", record("new", reported));
    project.gate(&["check", "runs/new.json"])
}

/// The candidate, which decides three cases differently from the baseline.
fn honest() -> Vec<Row> {
    let mut rows = decisions();
    for case in [11, 111, 1_111] {
        let (_, label, prediction, _) = &mut rows[case];
        *prediction = Some(*label);
    }
    rows
}

#[test]
fn honest_work_passes() {
    let rows = honest();
    judged(&rows, accuracy(&rows)).leaves_with(0);
}

#[test]
fn a_forged_metric_is_caught() {
    let rows = honest();
    judged(&rows, 0.95)
        .leaves_with(1)
        .says("`accuracy` of the candidate is reported as 0.9500")
        .says("cases/not-recomputed");
}

#[test]
fn shuffled_predictions_are_caught() {
    let mut rows = honest();
    let decided: Vec<Option<u8>> = rows.iter().map(|row| row.2).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        row.2 = decided[(place * 37 + 5) % CASES];
    }
    judged(&rows, accuracy(&honest())).leaves_with(1).says("cases/not-recomputed");
    // Reporting the file's real accuracy does not help.
    judged(&rows, accuracy(&rows)).leaves_with(1).says("limit/drop");
}

#[test]
fn a_hard_slice_that_was_dropped_is_caught() {
    let mut rows = honest();
    rows.retain(|row| row.3 != "islands");
    judged(&rows, accuracy(&rows))
        .leaves_with(1)
        .says("200 are only in the baseline (c7, c27, c47)")
        .says("cases/other-ids");
}

#[test]
fn a_changed_label_file_is_caught() {
    let mut rows = honest();
    for row in rows.iter_mut().filter(|row| row.3 == "islands") {
        row.1 = row.2.unwrap_or(row.1);
    }
    judged(&rows, accuracy(&rows)).leaves_with(1).says("the label differs in").says("cases/labels-changed");
}

#[test]
fn errors_left_out_of_an_evaluation_are_caught() {
    let mut rows = honest();
    let is_wrong = |row: &Row| row.2 != Some(row.1);
    // The evaluation claims that these timed out, and reports the mean over the others.
    for row in rows.iter_mut().filter(|row| is_wrong(row) && row.0 % 2 == 0) {
        row.2 = None;
    }
    let scored: Vec<Row> = rows.iter().copied().filter(|row| row.2.is_some()).collect();
    judged(&rows, accuracy(&scored)).leaves_with(1).says("were not scored").says("cases/unscored");
    // The evaluation leaves them out of the file as well.
    judged(&scored, accuracy(&scored)).leaves_with(1).says("cases/other-ids");
}
