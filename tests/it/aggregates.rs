//! Aggregates in place of predictions: counted by the program, named by a record, and judged as rows are.

use insta::assert_snapshot;
use serde_json::Value;

use crate::project::{Project, Ran};

const POLICY: &str = "\
version: 1
runs: runs/*.json
baseline: approved.json
rules:
  no-worse:
    metrics:
      f1: { max_drop: 0.05, confidence: 95% }
      accuracy: { max_drop: 0.05, min: 0.8, confidence: 95% }
      log_loss: { max_rise: 0.05, confidence: 95% }
      roc_auc: { max_drop: 0.05, confidence: 95% }
  regions:
    metrics: { recall: { max_drop: 0.1, confidence: 90% } }
    slices: { by: region, min_rows: 100 }
  gap:
    metrics: { recall: { max_gap: 0.2 } }
    slices: { by: region }
  few-surprises:
    churn: { max_broken: 5%, max_changed: 10% }
  honest-numbers:
    consistent: true
  same-cases:
    same: [cases.ids]
";

/// The share of one small number in another.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn share(part: usize, of: u32) -> f64 {
    part as f64 / f64::from(of)
}

/// Predictions of a model that gets some cases wrong.
fn predictions(n: usize, wrong: impl Fn(usize) -> bool) -> String {
    let mut text = String::from("id,y_true,y_pred,score,region\n");
    for case in 0..n {
        let truth = case % 3 == 0;
        let says = truth != wrong(case);
        let score = if says { 0.55 + share(case % 40, 100) } else { 0.05 + share(case % 40, 100) };
        let region = ["EU", "ΗΠΑ", "a, \"b\""][case % 7 % 3];
        let region = region.replace('"', "\"\"");
        text.push_str(&format!(
            "cäse {case},{},{},{score:.2},\"{region}\"\n",
            u8::from(truth),
            u8::from(says)
        ));
    }
    text
}

fn record(name: &str, file: &str, accuracy: &str) -> String {
    format!(
        "{{\"run_id\": \"{name}\", \"model\": \"churn\", \"predictions\": {file}, \"validation\": {{\"rows\": 3000}}, \
         \"metrics\": {{\"accuracy\": {accuracy}, \"f1\": {}, \"log_loss\": {}, \"roc_auc\": {}, \"recall\": {}}}}}",
        METRICS[usize::from(name == "new")][0],
        METRICS[usize::from(name == "new")][1],
        METRICS[usize::from(name == "new")][2],
        METRICS[usize::from(name == "new")][3],
    )
}

/// F1, log loss, area and recall of both models, computed from their predictions.
const METRICS: [[&str; 4]; 2] =
    [["0.8571", "0.4163", "0.9000", "0.9"], ["0.8612", "0.4132", "0.9030", "0.9"]];

fn project() -> Project {
    let project = Project::new();
    project
        .file("gate.yaml", POLICY)
        .file("old.csv", predictions(3000, |case| case.is_multiple_of(10)))
        .file(
            "new.csv",
            predictions(3000, |case| case.is_multiple_of(10) && case % 200 != 10 || case % 500 == 1),
        );
    project
}

fn check(project: &Project) -> Ran {
    project.gate(&["check", "runs/new.json", "--format", "json"])
}

fn count(project: &Project) {
    let ran =
        project.gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv", "--output", "agg.csv"]);
    ran.leaves_with(0);
}

/// Each comparison of a report: its rule, metric, word, slice, outcome and interval.
fn comparisons(ran: &Ran) -> Vec<String> {
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let mut all = Vec::new();
    for rule in report["candidates"][0]["rules"].as_array().into_iter().flatten() {
        for one in rule["comparisons"].as_array().into_iter().flatten() {
            all.push(format!(
                "{} {} {} {} {} {}",
                rule["id"], one["subject"], one["word"], one["slice"], one["outcome"], one["interval"]
            ));
        }
    }
    all
}

fn codes(ran: &Ran) -> Vec<String> {
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let rules = report["candidates"][0]["rules"].as_array().cloned().unwrap_or_default();
    let findings = rules.iter().flat_map(|rule| rule["findings"].as_array().cloned().unwrap_or_default());
    findings.filter_map(|finding| finding["code"].as_str().map(str::to_owned)).collect()
}

#[test]
fn aggregates_give_the_verdict_of_their_rows() {
    let project = project();
    project
        .file("approved.json", record("old", "\"old.csv\"", "0.9"))
        .file("runs/new.json", record("new", "\"new.csv\"", "0.903"));
    let by_rows = check(&project);
    count(&project);
    project
        .file("approved.json", record("old", "null", "0.9"))
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    let by_aggregates = check(&project);
    assert_snapshot!(project.gate(&["check", "runs/new.json", "--verbose"]).out);
    assert_eq!(by_rows.code, by_aggregates.code, "{}{}", by_rows.out, by_aggregates.out);
    by_aggregates.leaves_with(0);
    let counted =
        "{\"aggregates\": \"agg.csv\", \"engine\": \"DuckDB 2.0.1\", \"statements\": \"sha256:77\"}";
    project.file("runs/new.json", record("new", counted, "0.903"));
    let ran = project.gate(&["check", "runs/new.json", "--format", "json"]);
    ran.says("from aggregates that DuckDB 2.0.1 counted by the statements sha256:77, tied to the baseline by a value");
    let of_sums = |line: &&String| !line.contains("log_loss");
    let [rows, aggregates] = [&by_rows, &by_aggregates].map(comparisons);
    assert_eq!(rows.len(), aggregates.len());
    assert!(rows.len() > 15, "{rows:?}");
    assert_eq!(
        rows.iter().filter(of_sums).collect::<Vec<_>>(),
        aggregates.iter().filter(of_sums).collect::<Vec<_>>()
    );
}

#[test]
fn a_file_of_aggregates_is_sorted_and_the_same_bytes_each_time() {
    let project = project();
    count(&project);
    let first = project.read("agg.csv");
    let ran = project.gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv"]);
    assert_eq!(ran.out, first);
    let lines: Vec<&str> = first.lines().collect();
    let some: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.starts_with("cell") && !line.starts_with("score"))
        .collect();
    let few = lines
        .iter()
        .copied()
        .filter(|line| line.starts_with("cell") || line.starts_with("score"))
        .step_by(400);
    assert_snapshot!(some.into_iter().chain(few).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_policy_can_name_them() {
    let project = project();
    count(&project);
    project
        .edit("gate.yaml", "rules:\n", "cases: { aggregates: agg.csv }\nrules:\n")
        .file("approved.json", record("old", "null", "0.9").replace("\"predictions\": null, ", ""))
        .file("runs/new.json", record("new", "null", "0.903").replace("\"predictions\": null, ", ""));
    check(&project).leaves_with(0);
}

#[test]
fn a_file_that_is_not_the_recorded_one_is_refused() {
    let project = project();
    count(&project);
    let digest = format!("sha256:{}", "0".repeat(64));
    let predictions = format!("{{\"aggregates\": \"agg.csv\", \"digest\": \"{digest}\"}}");
    project
        .file("approved.json", record("old", "null", "0.9"))
        .file("runs/new.json", record("new", &predictions, "0.903"));
    let ran = check(&project);
    ran.leaves_with(1);
    assert!(codes(&ran).contains(&"cases/changed".to_owned()), "{:?}", codes(&ran));
}

#[test]
fn unsound_cases_leave_no_cells_and_no_verdict() {
    let project = project();
    project.edit("new.csv", "cäse 17,", "cäse 16,");
    let ran =
        project.gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv", "--output", "agg.csv"]);
    ran.leaves_with(2);
    assert_snapshot!(ran.err);
    assert!(!project.read("agg.csv").contains("\ncell,"), "no cells");
    project
        .file("approved.json", record("old", "null", "0.9"))
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    let ran = check(&project);
    ran.leaves_with(1);
    assert!(codes(&ran).contains(&"cases/ids".to_owned()), "{:?}", codes(&ran));
}

#[test]
fn aggregates_of_another_baseline_are_refused() {
    let project = project();
    count(&project);
    project.file("other.csv", predictions(3000, |case| case % 10 == 3));
    project.gate(&["cases", "aggregate", "other.csv", "--output", "other-agg.csv"]).leaves_with(0);
    project.gate(&["cases", "aggregate", "old.csv", "--output", "old-agg.csv"]).leaves_with(0);
    project.file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    project.file("approved.json", record("old", "{\"aggregates\": \"old-agg.csv\"}", "0.9"));
    check(&project).leaves_with(0);
    project.file("approved.json", record("old", "{\"aggregates\": \"other-agg.csv\"}", "0.9"));
    let ran = check(&project);
    ran.leaves_with(1);
    assert!(codes(&ran).contains(&"aggregates/other-baseline".to_owned()), "{:?}", codes(&ran));
}

#[test]
fn a_reported_value_that_the_cells_do_not_give_is_a_finding() {
    let project = project();
    count(&project);
    project
        .file("approved.json", record("old", "null", "0.9"))
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.95"));
    let ran = check(&project);
    ran.leaves_with(1);
    assert!(codes(&ran).contains(&"cases/not-recomputed".to_owned()), "{:?}", codes(&ran));
}

#[test]
fn what_aggregates_do_not_give_is_inconclusive_and_says_what_would() {
    let project = project();
    project.edit(
        "gate.yaml",
        "      f1: {",
        "      average_precision: { max_drop: 0.05, confidence: 95% }\n      f1: {",
    );
    let ran =
        project.gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv", "--output", "agg.csv"]);
    ran.leaves_with(0).says("`average_precision` can't be computed from aggregates");
    let with = |text: String| text.replace("\"f1\"", "\"average_precision\": 0.9, \"f1\"");
    project
        .file("approved.json", with(record("old", "null", "0.9")))
        .file("runs/new.json", with(record("new", "{\"aggregates\": \"agg.csv\"}", "0.903")));
    let ran = project.gate(&["check", "runs/new.json"]);
    ran.leaves_with(1).says("`average_precision` can't be computed from aggregates");
    ran.says("record the files of predictions").says("evidence/none");
}

/// A record with one metric.
fn small(predictions: &str, metric: &str, value: &str) -> String {
    format!(
        "{{\"run_id\": \"r\", \"model\": \"m\", \"predictions\": {predictions}, \"metrics\": {{\"{metric}\": {value}}}}}"
    )
}

fn small_policy(limits: &str) -> String {
    format!(
        "version: 1\nruns: runs/*.json\nbaseline: approved.json\nrules: {{ a: {{ metrics: {{ {limits} }} }} }}\n"
    )
}

/// Scores of five decimals.
fn fine_scores(model: usize) -> String {
    let mut text = String::from("id,y_true,y_pred,score\n");
    for case in 0..600 {
        let truth = case % 3 == 0;
        let own = if case % 5 == 0 { (case * 7919 + model * 104_729) % 1000 } else { case * 7919 % 1000 };
        let score = f64::from(u8::from(truth)) * 0.25 + 0.7 * share(own, 1000) + share(case % 37, 100_000);
        text.push_str(&format!("c{case},{},{},{score:.5}\n", u8::from(truth), u8::from(score > 0.5)));
    }
    text
}

#[test]
fn an_area_by_bins_is_no_surer_than_its_bins() {
    let project = Project::new();
    project.file("old.csv", fine_scores(1)).file("new.csv", fine_scores(2));
    project
        .file("approved.json", small("null", "roc_auc", "0.7875"))
        .file("runs/new.json", small("{\"aggregates\": \"agg.csv\"}", "roc_auc", "0.7801"));
    let check = |limits: &str| {
        project.file("gate.yaml", small_policy(limits));
        project
            .gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv", "--output", "agg.csv"])
            .leaves_with(0);
        project.gate(&["check", "runs/new.json"])
    };
    let ran = check("roc_auc: { max_drop: 0.03, confidence: 95% }");
    ran.leaves_with(0);
    assert_snapshot!(ran.out);
    // The bins alone keep this margin from passing.
    let ran = check("roc_auc: { max_drop: 0.0285, confidence: 95% }");
    ran.leaves_with(1).says("evidence/inconclusive").says("the aggregates are too coarse for this margin");
    check("roc_auc: { max_drop: 0.0279, confidence: 95% }").leaves_with(1).never_says("too coarse");
}

#[test]
fn numbers_in_clusters_are_judged_by_buckets() {
    let project = Project::new();
    let rents = |error: &dyn Fn(u32) -> f64| {
        let mut text = String::from("id,y_true,y_pred,house\n");
        for case in 0..400_u32 {
            let truth = 500.0 + f64::from(case * 37 % 900);
            text.push_str(&format!("{case},{truth},{},haus {}\n", truth + error(case), case / 4));
        }
        text
    };
    project
        .file("old.csv", rents(&|case| f64::from(case * 31 % 101) - 50.0))
        .file("new.csv", rents(&|case| f64::from(case * 31 % 101) - 50.0 + f64::from(case % 3) - 1.0))
        .file(
            "gate.yaml",
            format!(
                "{}cases: {{ cluster: house }}\n",
                small_policy("rmse: { max_rise: 2, confidence: 95% }")
            ),
        )
        .file("approved.json", small("null", "rmse", "29.17"))
        .file("runs/new.json", small("{\"aggregates\": \"agg.csv\"}", "rmse", "29.17"));
    project
        .gate(&["cases", "aggregate", "new.csv", "--baseline", "old.csv", "--output", "agg.csv"])
        .leaves_with(0);
    let ran = project.gate(&["check", "runs/new.json", "--verbose"]);
    assert_snapshot!(ran.out);
    ran.leaves_with(0).says("jackknife over buckets");
    // Aggregates counted without the policy's clusters, or by another column, are refused.
    project.file("gate.yaml", small_policy("rmse: { max_rise: 2, confidence: 95% }"));
    let check = || project.gate(&["check", "runs/new.json"]);
    check()
        .leaves_with(1)
        .says("aggregates/other-policy")
        .says("by `house`, but the policy names no cluster");
    for (cases, names) in [
        ("cluster: street", "the column of the cluster is `house`, but the policy names `street`"),
        (
            "cluster: house, prediction: rent",
            "the column of the prediction is `y_pred`, but the policy names `rent`",
        ),
    ] {
        let policy = small_policy("rmse: { max_rise: 2, confidence: 95% }");
        project.file("gate.yaml", format!("{policy}cases: {{ {cases} }}\n"));
        check().leaves_with(1).says("aggregates/other-policy").says(names);
    }
}

/// A policy that slices by a column of another name.
#[test]
fn slices_that_were_not_counted_are_named_beside_those_that_were() {
    let project = project();
    count(&project);
    project
        .edit("gate.yaml", "slices: { by: region, min_rows: 100 }", "slices: { by: area, min_rows: 100 }")
        .file("approved.json", record("old", "null", "0.9"))
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    check(&project).leaves_with(1).says("the aggregates have no slices by `area`, only by `region`");
}

/// Bins of scores take many rows, so they are counted only for slices whose area a rule asks for.
#[test]
fn slices_have_bins_of_scores_where_a_rule_asks_for_their_area() {
    let project = project();
    count(&project);
    assert!(!project.read("agg.csv").contains("\nscore,region,"));
    project.edit("gate.yaml", "metrics: { recall: { max_drop: 0.1", "metrics: { roc_auc: { max_drop: 0.1");
    let approved = record("old", "null", "0.9");
    project
        .file("approved.json", &*approved)
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    check(&project).leaves_with(1).says("the aggregates have no bins of scores: count them with this policy");
    count(&project);
    assert!(project.read("agg.csv").contains("\nscore,region,region=EU,"));
    check(&project).leaves_with(0);
    project.edit(
        "gate.yaml",
        "metrics: { recall: { max_gap: 0.2 } }",
        "metrics: { roc_auc: { max_gap: 0.2 } }",
    );
    check(&project).leaves_with(0);
    project.edit("agg.csv", "score,region,region=EU,", "fact,");
    check(&project).leaves_with(1);
}

#[test]
fn an_empty_cell_is_one_slice_from_rows_and_from_aggregates() {
    let project = Project::new();
    let rows: String =
        (0..60).map(|case| format!("c{case},{0},{0},{1}\n", case % 2, ["", "EU"][case % 2])).collect();
    project.file("new.csv", format!("id,y_true,y_pred,region\n{rows}")).file(
        "gate.yaml",
        "version: 1\nrules: { r: { metrics: { accuracy: { min: 0.5 } }, slices: { by: region } } }\n",
    );
    let check = |predictions: &str| {
        project.file("new.json", small(predictions, "accuracy", "1"));
        comparisons(&project.gate(&["check", "new.json", "--format", "json"]))
    };
    let rows = check("\"new.csv\"");
    project.gate(&["cases", "aggregate", "new.csv", "--output", "agg.csv"]).leaves_with(0);
    assert!(rows.iter().any(|line| line.contains("region=(none)")), "{rows:?}");
    assert_eq!(check("{\"aggregates\": \"agg.csv\"}"), rows);
}

/// What the report says when the two runs record different sorts of evidence.
#[test]
fn rows_on_one_side_and_aggregates_on_the_other() {
    let project = project();
    project.gate(&["cases", "aggregate", "old.csv", "--output", "old-agg.csv"]).leaves_with(0);
    project
        .file("approved.json", record("old", "{\"aggregates\": \"old-agg.csv\"}", "0.9"))
        .file("runs/new.json", record("new", "\"new.csv\"", "0.903"));
    let said = "the baseline records aggregates, but the candidate records predictions";
    let ran = check(&project);
    ran.leaves_with(1).says(&format!("`cases.ids` can't be compared: {said}"));
    ran.says(&format!("it is not known how certain `f1` is: {said}")).never_says("records no predictions");
    ran.says("gate cases aggregate CANDIDATE --baseline BASELINE");
    project.gate(&["cases", "aggregate", "new.csv", "--output", "alone.csv"]).leaves_with(0);
    project.file("runs/new.json", record("new", "{\"aggregates\": \"alone.csv\"}", "0.903"));
    let ran = check(&project);
    ran.leaves_with(1).says("the aggregates of the candidate were counted without the baseline");
    ran.never_says("records no predictions").never_says("no labels with predictions");
}

/// A baseline without predictions is known to be the counted one only if a value that it reports matches.
#[test]
fn only_reported_values_tie_aggregates_to_a_baseline_without_predictions() {
    let project = project();
    count(&project);
    project
        .file(
            "gate.yaml",
            "version: 1\nruns: runs/*.json\nbaseline: approved.json\nrules: { few: { churn: { max_broken: 5% } } }\n",
        )
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"));
    let approved = |metrics: &str| {
        project.file(
            "approved.json",
            format!("{{\"run_id\": \"old\", \"model\": \"churn\", \"metrics\": {metrics}}}"),
        );
        check(&project)
    };
    let ran = approved("{\"loss\": 3}");
    ran.leaves_with(1).says("aggregates/other-baseline");
    ran.says("it records no predictions, and reports no metric that the aggregates give");
    let ran = approved("{\"accuracy\": 0.7, \"loss\": 3}");
    ran.leaves_with(1).says(
        "it records no predictions, and reports other values: `accuracy` is 0.7, and 0.9000 in the aggregates",
    );
    approved("{\"accuracy\": 0.9, \"loss\": 3}")
        .leaves_with(0)
        .says("only a value that the baseline reports");
}

#[test]
fn statements_are_printed_for_people_and_programs() {
    let project = project();
    let tables = ["--candidate", "ml.new", "--baseline", "ml.old"];
    let ran = project.gate(&[&["cases", "sql", "--engine", "duckdb"], &tables[..]].concat());
    ran.leaves_with(0);
    let heads: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("-- ")).collect();
    assert_snapshot!(heads.join("\n"));
    let ran =
        project.gate(&[&["cases", "sql", "--engine", "spark", "--format", "json"], &tables[..]].concat());
    let json: Value = serde_json::from_str(&ran.out).expect("JSON");
    let names: Vec<&Value> =
        json["statements"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["guards", "cells", "scores"]);
    assert_eq!(
        (&json["engine"], &json["task"], &json["version"]),
        (&"spark".into(), &"classification".into(), &1.into())
    );
    project.file("gate.yaml", "version: 1\nrules: { r: { require: [git_commit] } }\n");
    let ran = project.gate(&[&["cases", "sql", "--engine", "spark"], &tables[..]].concat());
    ran.leaves_with(2).says("aggregates/impossible").says("--task classification");
    project.gate(&["cases", "sql", "--engine", "oracle", "--candidate", "t"]).leaves_with(2).says("postgres");
}

/// The baseline that was counted must be the one that the policy names, if its rows are known.
#[test]
fn aggregates_of_another_baseline_than_the_recorded_rows_are_refused() {
    let project = project();
    project.file("weak.csv", predictions(3000, |case| case.is_multiple_of(5)));
    project
        .gate(&["cases", "aggregate", "new.csv", "--baseline", "weak.csv", "--output", "agg.csv"])
        .leaves_with(0);
    project
        .file("runs/new.json", record("new", "{\"aggregates\": \"agg.csv\"}", "0.903"))
        .file("approved.json", record("old", "\"old.csv\"", "0.9"));
    let ran = check(&project);
    assert!(codes(&ran).contains(&"aggregates/other-baseline".to_owned()), "{}", ran.out);
    ran.leaves_with(1);
}

/// Scores of rare events all fall into the lowest bin: a value that may be off by half can't decide.
#[test]
fn an_area_that_is_too_coarse_passes_no_limit_without_an_interval() {
    let project = Project::new();
    let rows = |good: bool| -> String {
        let mut text = "id,y_true,y_pred,score,region\n".to_owned();
        for case in 0..400 {
            let truth = case % 4 == 0;
            let high = truth == (good || case % 2 == 0);
            let region = ["EU", "US"][usize::from(case % 8 > 3)];
            text.push_str(&format!(
                "c{case},{},0,0.000{},{region}\n",
                u8::from(truth),
                if high { 4 } else { 1 }
            ));
        }
        text
    };
    project
        .file(
            "gate.yaml",
            "version: 1\nrules:\n  gap: { metrics: { roc_auc: { max_gap: 0.05 } }, slices: { by: region } }\n  \
             regions: { metrics: { roc_auc: { min: 0.3 } }, slices: { by: region } }\n  honest: { consistent: true }\n",
        )
        .file("new.csv", rows(false))
        .file(
            "new.json",
            "{\"predictions\": {\"aggregates\": \"agg.csv\"}, \"validation\": {\"rows\": 400}, \"metrics\": {\"roc_auc\": 0.97}}",
        );
    project.gate(&["cases", "aggregate", "new.csv", "--output", "agg.csv"]).leaves_with(0);
    let ran = project.gate(&["check", "new.json", "--format", "json"]);
    let found = codes(&ran);
    for code in ["slices/no-gap", "slices/none", "cases/not-recomputed"] {
        assert!(found.contains(&code.to_owned()), "{code}: {}", ran.out);
    }
    ran.leaves_with(1);
}
