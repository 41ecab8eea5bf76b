//! The same training, kept by each tracker, gets the same verdict from the same policy.

use serde_json::Value;

use super::mlflow_fake::Server;
use super::{copy, fixture, value};
use crate::project::Project;

/// How a tracker names the runs of one scenario.
struct Kept {
    tracker: &'static str,
    /// The reference of a scenario's run with seed 0; `None` if the fixture has no such run.
    named: fn(&str) -> Option<String>,
    /// Fields that the tracker did not record for a scenario's run, so that rules on them fail.
    lacks: fn(&str) -> &'static [&'static str],
    /// Scenarios that the fixture has.
    scenarios: usize,
}

/// The trained scenarios, in the order of `tests/fixtures/README.md`.
const SCENARIOS: [&str; 11] = [
    "baseline",
    "better",
    "worse",
    "deeper",
    "other-split",
    "old-data",
    "nan-metric",
    "renamed-metric",
    "no-data-version",
    "no-artifact",
    "no-params",
];

/// Every rule, with the field that it reads.
const RULES: [(&str, &str); 8] = [
    ("code", "git_commit"),
    ("parameters", "params"),
    ("data", "data_version"),
    ("artifact", "artifact"),
    ("bar", "metrics"),
    ("recall", "metrics"),
    ("precision", "metrics"),
    ("loss", "metrics"),
];

/// The run with this name in MLflow's database.
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
    let run = ["baseline", "(seed 1)", "better", "(seed 1)", "worse", "nan-metric"]
        .iter()
        .position(|known| *known == scenario)?;
    Some(format!("sacred/{}", run + 1))
}

fn dvc(scenario: &str) -> Option<String> {
    match scenario {
        "baseline" => Some("dvc:churn@baseline".into()),
        "no-data-version" | "no-artifact" | "no-params" => None,
        _ => Some(format!("dvc:churn@origin/{scenario}")),
    }
}

/// The records that have every optional field.
fn extended(scenario: &str) -> Option<String> {
    let path = format!("extended/churn-{scenario}.json");
    fixture(&format!("plain/{path}")).is_file().then_some(path)
}

/// Only two scenarios logged the model, and one lacks the tag of its data.
fn not_logged(scenario: &str) -> &'static [&'static str] {
    match scenario {
        "baseline" | "better" => &[],
        "deeper" => &["artifact", "data_version"],
        _ => &["artifact"],
    }
}

const TRACKERS: [Kept; 8] = [
    Kept {
        tracker: "plain",
        named: |scenario| Some(format!("plain/churn-{scenario}-s0.json")),
        lacks: |_| &[],
        scenarios: 11,
    },
    Kept { tracker: "plain, with every field", named: extended, lacks: |_| &[], scenarios: 6 },
    Kept { tracker: "mlflow, a database", named: database, lacks: not_logged, scenarios: 7 },
    Kept { tracker: "mlflow, a server", named: database, lacks: not_logged, scenarios: 7 },
    Kept { tracker: "mlflow, a folder", named: folder, lacks: not_logged, scenarios: 4 },
    Kept { tracker: "dvc", named: dvc, lacks: |_| &["data_version"], scenarios: 8 },
    Kept { tracker: "wandb", named: wandb, lacks: |_| &["data_version", "artifact"], scenarios: 4 },
    Kept { tracker: "sacred", named: sacred, lacks: |_| &["data_version", "artifact"], scenarios: 4 },
];

fn project() -> Project {
    let project = Project::new();
    copy(&fixture("plain/runs"), &project.path().join("plain"));
    copy(&fixture("plain/extended"), &project.path().join("extended"));
    copy(&fixture("mlflow/sqlite-3.17.db"), &project.path().join("mlflow.db"));
    copy(&fixture("wandb"), &project.path().join("wandb"));
    copy(&fixture("sacred"), &project.path().join("sacred"));
    // The folder is beside the database, which MLflow would then overlook: every call names its store.
    copy(&fixture("mlflow/folder-3.17"), &project.path().join("mlruns"));
    let bundle = fixture("dvc/churn.bundle").display().to_string();
    project.git(&["clone", "--quiet", &bundle, "churn"]);
    project
}

/// The project, and the stores that MLflow's runs are in.
struct Runs {
    project: Project,
    database: String,
    server: Server,
}

impl Runs {
    fn new(policy: &str) -> Self {
        let project = project();
        project.file("gate.yaml", policy);
        let database = format!("sqlite:///{}", project.path().join("mlflow.db").display());
        Self { project, database, server: Server::of_oracle("mlflow/sqlite-3.17.json") }
    }

    fn gate(&self, kept: &Kept, arguments: &[&str]) -> Value {
        let store = if kept.tracker.ends_with("server") { &self.server.uri } else { &self.database };
        self.project.gate_with(arguments, &[("MLFLOW_TRACKING_URI", store)]).json()
    }
}

/// Each run of each tracker, with its scenario, and the plain record of that scenario.
fn each(judge: impl Fn(&Kept, &str, &str, &str)) {
    for kept in &TRACKERS {
        let names = SCENARIOS.map(|scenario| (scenario, (kept.named)(scenario)));
        assert_eq!(
            names.iter().filter(|(_, name)| name.is_some()).count(),
            kept.scenarios,
            "{}",
            kept.tracker
        );
        for (scenario, name) in names.iter().filter_map(|(scenario, name)| Some((scenario, name.as_ref()?))) {
            judge(kept, scenario, name, &format!("plain/churn-{scenario}-s0.json"));
        }
    }
}

/// The outcome of one rule in a report.
fn outcome(report: &Value, rule: &str) -> String {
    let rules = report["candidates"][0]["rules"].as_array().expect("rules");
    let found = rules
        .iter()
        .find(|known| known["id"] == rule)
        .unwrap_or_else(|| panic!("no rule {rule}: {report:#}"));
    found["outcome"].as_str().expect("an outcome").to_owned()
}

/// The parameter with this name at any depth, as text: some trackers keep no numbers.
fn parameter(params: &Value, name: &str) -> Option<String> {
    let map = params.as_object()?;
    match map.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(value) if !value.is_object() => Some(value.to_string()),
        _ => map.values().find_map(|below| parameter(below, name)),
    }
}

#[test]
fn each_record_says_what_the_plain_one_does() {
    let runs = Runs::new("version: 1\nrules:\n  r: { require: [params] }\n");
    each(|kept, scenario, name, plain| {
        let what = format!("{} / {scenario}", kept.tracker);
        let (ours, theirs) = (
            runs.gate(kept, &["show", name, "--format", "json"]),
            runs.gate(kept, &["show", plain, "--format", "json"]),
        );
        for metric in ["f1", "f1_score", "recall", "precision", "accuracy", "roc_auc", "log_loss"] {
            let number = |record| value(record, metric).and_then(|value| value.as_f64());
            assert_eq!(number(&ours), number(&theirs), "{metric}: {what}");
        }
        let commit = |record: &Value| record["git_commit"].as_str().map(|id| id[..7].to_owned());
        // DVC's metric was renamed in a commit of its own.
        if scenario == "renamed-metric" && kept.tracker == "dvc" {
            assert!(commit(&ours).is_some(), "{what}");
        } else {
            assert_eq!(commit(&ours), commit(&theirs), "{what}");
        }
        for key in theirs["params"].as_object().into_iter().flat_map(serde_json::Map::keys) {
            let of = |record: &Value| parameter(&record["params"], key).or_else(|| parameter(record, key));
            assert_eq!(of(&ours), of(&theirs), "{key}: {what}");
        }
        if !(kept.lacks)(scenario).contains(&"data_version") {
            assert_eq!(ours["data_version"], theirs["data_version"], "{what}");
        }
    });
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
  loss: { metrics: { log_loss: { max: 0.3 } } }
";
    let runs = Runs::new(POLICY);
    each(|kept, scenario, name, plain| {
        let ours = runs.gate(kept, &["check", name, "--format", "json"]);
        let theirs = runs.gate(kept, &["check", plain, "--format", "json"]);
        for (rule, field) in RULES {
            let expected =
                if (kept.lacks)(scenario).contains(&field) { "fail".into() } else { outcome(&theirs, rule) };
            assert_eq!(outcome(&ours, rule), expected, "{rule}: {} / {scenario}", kept.tracker);
        }
    });
    // The outcomes of the plain record are checked too.
    let plain = |scenario: &str, rule: &str| {
        let name = format!("plain/churn-{scenario}-s0.json");
        outcome(&runs.gate(&TRACKERS[0], &["check", &name, "--format", "json"]), rule)
    };
    for (scenario, fails) in [
        ("baseline", &[][..]),
        ("better", &[]),
        ("worse", &["bar", "recall", "loss"]),
        ("nan-metric", &["bar", "recall", "precision", "loss"]),
        ("old-data", &["bar", "recall", "loss"]),
        ("other-split", &[]),
        ("renamed-metric", &["bar", "recall"]),
        ("no-params", &["parameters"]),
        ("no-data-version", &["data"]),
        ("no-artifact", &["artifact"]),
    ] {
        for (rule, _) in RULES {
            let expected = if fails.contains(&rule) { "fail" } else { "pass" };
            assert_eq!(plain(scenario, rule), expected, "{rule}: {scenario}");
        }
    }
}

#[test]
fn against_the_baseline_of_the_same_tracker() {
    let runs = Runs::new(
        "version: 1\nrules:\n  holds-up: { metrics: { f1: { max_drop: 0.005 }, log_loss: { max_rise: 0.01 } } }\n",
    );
    each(|kept, scenario, name, plain| {
        if scenario == "baseline" {
            return;
        }
        let what = format!("{} / {scenario}", kept.tracker);
        let against = |name: &str, baseline: &str| {
            runs.gate(kept, &["check", name, "--baseline", baseline, "--format", "json"])
        };
        let ours = against(name, &(kept.named)("baseline").expect("a baseline"));
        let theirs = against(plain, "plain/churn-baseline-s0.json");
        let comparability = ours["candidates"][0]["baselines"][0]["comparability"].clone();
        // Some trackers keep no split, and the report says so. If a split is kept, runs on different splits
        // are not compared.
        let keeps_split = kept.tracker.starts_with("mlflow") || kept.tracker == "plain, with every field";
        // MLflow's digest of the same rows changes with their index.
        let other_digest = scenario == "old-data" && kept.tracker.starts_with("mlflow");
        match (keeps_split, scenario) {
            (true, _) if scenario == "other-split" || other_digest => {
                assert!(ours.to_string().contains("baseline/not-comparable"), "{what}: {comparability}");
                assert_eq!(outcome(&ours, "holds-up"), "fail", "{what}");
                return;
            }
            (true, _) => assert_eq!(comparability["split"], "same", "{what}: {comparability}"),
            (false, _) => assert_eq!(comparability["split"], "unshown", "{what}: {comparability}"),
        }
        assert_eq!(outcome(&ours, "holds-up"), outcome(&theirs, "holds-up"), "{what}");
        // The lock of this run is stale, which fails without a rule.
        if kept.tracker == "dvc" && scenario == "worse" {
            assert!(ours.to_string().contains("stale"), "{what}");
        }
        assert_eq!(ours["candidates"][0]["verdict"], theirs["candidates"][0]["verdict"], "{what}");
    });
}
