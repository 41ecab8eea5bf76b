//! The same training, kept by each tracker, gets the same verdict from the same policy.

use serde_json::Value;

use super::mlflow_fake::Server;
use super::{copy, fixture};
use crate::project::Project;

/// How a tracker names the runs of one scenario.
struct Kept {
    tracker: &'static str,
    /// The reference of a scenario's run with seed 0; none where the fixture has none.
    named: fn(&str) -> Option<String>,
    /// Fields that the tracker does not record, so that rules on them fail.
    lacks: &'static [&'static str],
}

/// Every scenario, and whether `f1` holds up against the baseline.
const SCENARIOS: [(&str, bool); 4] =
    [("baseline", true), ("better", true), ("worse", false), ("nan-metric", false)];

/// The run of a name in MLflow's database.
fn database(scenario: &str) -> Option<String> {
    let path = fixture("mlflow/sqlite-3.17.db");
    let name = format!("churn-{scenario}-s0");
    let connection =
        rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let id: String =
        connection.query_row("SELECT run_uuid FROM runs WHERE name = ?1", [name], |row| row.get(0)).ok()?;
    Some(format!("mlflow:runs:/{id}"))
}

fn folder(scenario: &str) -> Option<String> {
    let id = match scenario {
        "baseline" => "ccd98d1a893c4901acb5886d4434ad20",
        "better" => "d4be4020f91d47b8a07fbc9603cb5b7c",
        "worse" => "87104b3c56594013aa79f05e8f544633",
        "nan-metric" => "004ffc4bf0054b01bbc99a452477dfa7",
        _ => return None,
    };
    Some(format!("mlruns/336426615295345085/{id}"))
}

fn wandb(scenario: &str) -> Option<String> {
    let run = match scenario {
        "baseline" => "085125-5vot4blv",
        "better" => "085137-gnwzqsk6",
        "worse" => "085146-kn1l27pu",
        "nan-metric" => "085155-g71wye3i",
        _ => return None,
    };
    Some(format!("wandb/offline-run-20261123_{run}"))
}

fn sacred(scenario: &str) -> Option<String> {
    let run =
        ["baseline", "", "better", "", "worse", "nan-metric"].iter().position(|known| *known == scenario)?;
    Some(format!("sacred/{}", run + 1))
}

const TRACKERS: [Kept; 7] = [
    Kept { tracker: "plain", named: |scenario| Some(format!("plain/churn-{scenario}-s0.json")), lacks: &[] },
    Kept { tracker: "mlflow, a database", named: database, lacks: &[] },
    Kept { tracker: "mlflow, a server", named: database, lacks: &[] },
    Kept { tracker: "mlflow, a folder", named: folder, lacks: &[] },
    // The branch `worse` of this project is stale: it fails either way.
    Kept {
        tracker: "dvc",
        named: |scenario| {
            Some(format!(
                "dvc:churn@{}",
                if scenario == "baseline" { "baseline".to_owned() } else { format!("origin/{scenario}") }
            ))
        },
        lacks: &["data_version"],
    },
    Kept { tracker: "wandb", named: wandb, lacks: &["data_version", "artifact"] },
    Kept { tracker: "sacred", named: sacred, lacks: &["data_version", "artifact"] },
];

fn project() -> Project {
    let project = Project::new();
    copy(&fixture("plain/runs"), &project.path().join("plain"));
    copy(&fixture("mlflow/sqlite-3.17.db"), &project.path().join("mlflow.db"));
    copy(&fixture("wandb"), &project.path().join("wandb"));
    copy(&fixture("sacred"), &project.path().join("sacred"));
    let bundle = fixture("dvc/churn.bundle").display().to_string();
    project.git(&["clone", "--quiet", &bundle, "churn"]);
    project
}

/// What a report says of one rule.
fn outcome(report: &Value, rule: &str) -> String {
    let rules = report["candidates"][0]["rules"].as_array().expect("rules");
    let found = rules
        .iter()
        .find(|known| known["id"] == rule)
        .unwrap_or_else(|| panic!("no rule {rule}: {report:#}"));
    found["outcome"].as_str().expect("an outcome").to_owned()
}

#[test]
fn each_tracker_and_scenario() {
    const POLICY: &str = "\
version: 1
rules:
  code: { require: [git_commit] }
  parameters: { require: [params] }
  data: { require: [data_version] }
  artifact: { require: [artifact] }
  bar: { metrics: { f1: { min: 0.8 } } }
  recall: { metrics: { recall: { min: 0.7 } } }
  precision: { metrics: { precision: { min: 0.5 } } }
";
    let project = project();
    // The folder lies beside the database, which MLflow would then overlook.
    copy(&fixture("mlflow/folder-3.17"), &project.path().join("mlruns"));
    project.file("gate.yaml", POLICY);
    let database = format!("sqlite:///{}", project.path().join("mlflow.db").display());
    let server = Server::of_oracle("mlflow/sqlite-3.17.json");
    for (scenario, good) in SCENARIOS {
        for kept in &TRACKERS {
            let name = (kept.named)(scenario).unwrap_or_else(|| panic!("{} lacks {scenario}", kept.tracker));
            let store = if kept.tracker.ends_with("server") { &server.uri } else { &database };
            let ran =
                project.gate_with(&["check", &name, "--format", "json"], &[("MLFLOW_TRACKING_URI", store)]);
            let report = ran.json();
            let what = format!("{} / {scenario}", kept.tracker);
            for rule in ["bar", "recall"] {
                assert_eq!(outcome(&report, rule), if good { "pass" } else { "fail" }, "{rule}: {what}");
            }
            // NaN in every spelling.
            assert_eq!(
                outcome(&report, "precision"),
                if scenario == "nan-metric" { "fail" } else { "pass" },
                "{what}"
            );
            for rule in ["code", "parameters"] {
                assert_eq!(outcome(&report, rule), "pass", "{rule}: {what}");
            }
            for (rule, field) in [("data", "data_version"), ("artifact", "artifact")] {
                // In MLflow only these two were logged as models.
                if field == "artifact" && !good && kept.tracker.starts_with("mlflow") {
                    continue;
                }
                let expected = if kept.lacks.contains(&field) { "fail" } else { "pass" };
                assert_eq!(outcome(&report, rule), expected, "{rule}: {what}");
            }
        }
    }
}

#[test]
fn against_the_baseline_of_the_same_tracker() {
    let project = project();
    copy(&fixture("mlflow/folder-3.17"), &project.path().join("mlruns"));
    let database = format!("sqlite:///{}", project.path().join("mlflow.db").display());
    let server = Server::of_oracle("mlflow/sqlite-3.17.json");
    // What all of them record of the data is enough to compare: some keep no split.
    project.file("gate.yaml", "version: 1\ncomparable: [status]\nrules:\n  holds-up: { metrics: { f1: { max_drop: 0.005 }, log_loss: { max_rise: 0.01 } } }\n");
    for kept in &TRACKERS {
        let Some(baseline) = (kept.named)("baseline") else { continue };
        if kept.tracker == "plain" {
            continue;
        }
        for (scenario, good) in SCENARIOS.into_iter().skip(1) {
            let name = (kept.named)(scenario).expect("a run");
            let store = if kept.tracker.ends_with("server") { &server.uri } else { &database };
            let ran = project.gate_with(
                &["check", &name, "--baseline", &baseline, "--format", "json"],
                &[("MLFLOW_TRACKING_URI", store)],
            );
            let report = ran.json();
            let verdict = report["candidates"][0]["verdict"].as_str().unwrap_or_default();
            assert_eq!(
                verdict,
                if good { "pass" } else { "fail" },
                "{} / {scenario}: {report:#}",
                kept.tracker
            );
            if scenario != "worse" || kept.tracker != "dvc" {
                assert_eq!(outcome(&report, "holds-up"), verdict, "{} / {scenario}", kept.tracker);
            }
        }
    }
}
