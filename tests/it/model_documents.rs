//! What is recorded of a model, as documents that other tools read.

use serde_json::Value;

use crate::promoting;

const CARD: [&str; 4] = ["explain", "stage:staging", "--format", "model-card"];
const BOM: [&str; 4] = ["explain", "stage:staging", "--format", "ml-bom"];

#[test]
fn a_model_card_lists_results_data_and_approval() {
    let project = promoting::project();
    project.edit(
        "runs/one.json",
        "\"params\": {",
        "\"params\": {\"api_key\": \"sk-abcdefghijklmnopqrstuvwxyz123456\", ",
    );
    project.gate(&["promote", "runs/one.json", "--stage", "staging", "--first"]).leaves_with(0);
    let card = project.gate(&CARD).leaves_with(0).out.clone();
    let (metadata, body) = card
        .strip_prefix("---\nmodel-index:\n- ")
        .and_then(|rest| rest.split_once("\n---\n"))
        .expect("metadata");
    let index: Value = serde_json::from_str(metadata).expect("JSON, which is YAML");
    assert_eq!(index["name"], "churn");
    assert_eq!(index["results"][0]["dataset"]["name"], "holdout");
    assert_eq!(
        index["results"][0]["metrics"][0],
        serde_json::json!({"type": "f1", "name": "f1", "value": 0.8})
    );
    for part in [
        "# churn",
        "- code: `3f2a9c1`",
        "`data/train.csv`, 1200 rows, `sha256:aa11`",
        "Measured on `holdout`, 300 rows",
        "Promotion 1 to staging",
        "| measured | f1 | min 0.5 |",
    ] {
        assert!(body.contains(part), "{part} is not in\n{body}");
    }
    assert!(!card.contains("abcdefghij"), "no secret: {card}");
}

#[test]
fn a_bill_of_materials_names_the_model_its_data_and_its_metrics() {
    let project = promoting::project();
    project.gate(&["promote", "runs/one.json", "--stage", "staging", "--first"]).leaves_with(0);
    let bom = project.gate(&BOM).leaves_with(0).json();
    let model = &bom["metadata"]["component"];
    assert_eq!((&model["type"], &model["version"]), (&"machine-learning-model".into(), &"one".into()));
    assert_eq!(model["hashes"][0]["alg"], "SHA-256");
    let metrics = &model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"];
    assert_eq!(metrics[0], serde_json::json!({"type": "f1", "value": "0.80"}));
    let data: Vec<&Value> =
        bom["components"].as_array().expect("components").iter().map(|one| &one["name"]).collect();
    assert_eq!(data, ["data/train.csv", "holdout"]);
    assert_eq!(bom["components"][0]["hashes"], Value::Null, "aa11 is no whole digest");
    project.gate(&[&BOM[..], &["--output", "bom.json"]].concat()).leaves_with(0);
    assert_eq!(project.read("bom.json"), project.gate(&BOM).out, "the same question has the same answer");
}

#[test]
fn a_model_that_was_not_promoted_says_so_and_nothing_is_no_document() {
    let project = promoting::project();
    project.gate(&["explain", "three", "--format", "model-card"]).leaves_with(0).says("It was not promoted.");
    let ran = project.gate(&["explain", "nobody", "--format", "model-card"]);
    ran.leaves_with(1).says("promotion/not-found");
    assert_eq!(ran.out, "");
}

#[test]
fn an_audit_as_a_page_shows_every_stage() {
    let project = promoting::project();
    for stage in ["staging", "production"] {
        project.gate(&["promote", "runs/one.json", "--stage", stage, "--first"]).leaves_with(0);
    }
    project.remove("ledger/churn/production/000001.json");
    let audit = project.gate(&["audit"]);
    let page = project.gate(&["audit", "--format", "html"]);
    page.leaves_with(audit.code).says("gate audit: <span class=\"badge o f\">failed").says("audit/chain");
    assert_eq!(page.out.matches("<article").count(), 2);
    project.gate(&["audit", "--format", "html", "--output", "audit.html"]).leaves_with(audit.code);
}
