//! What gate records about a model, as documents that other tools read.

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

const DOCUMENTATION: [&str; 4] = ["explain", "stage:staging", "--format", "technical-documentation"];

#[test]
fn a_technical_documentation_has_what_the_ledger_has_and_names_what_it_lacks() {
    let project = promoting::project();
    project.gate(&["key", "new", "a.key"]).leaves_with(0);
    project
        .gate(&["promote", "runs/one.json", "--stage", "staging", "--first", "--key", "a.key"])
        .leaves_with(0);
    let ece = "\"ece\": {\"value\": 0.03, \"values\": [0.02, 0.04]}}, \"slices\": {\"sex=f\": {\"rows\": 140, \
               \"metrics\": {\"f1\": 0.45}}, \"sex=m\": {\"rows\": 160, \"metrics\": {\"f1\": 0.9}}}";
    project
        .file("gate.yaml", GROUPS)
        .edit("runs/two.json", "\"rows\": 300}", "\"rows\": 300, \"folds\": 5}")
        .edit("runs/two.json", "\"ece\": 0.03}", ece);
    let ran = project.gate(&["promote", "runs/two.json", "--stage", "staging", "--key", "a.key"]);
    ran.leaves_with(0);
    let ran = project.gate(&DOCUMENTATION);
    let document = ran.leaves_with(0).out.clone();
    for part in [
        "# Validation and performance of `churn`",
        "promotion 2 to the stage `staging` (promote)",
        "- verdict of the policy: pass",
        "- signed by the keys `",
        "- validation split: `holdout`, 300 rows, `sha256:bb22`",
        "- folds: 5",
        "- predictions on it: *not recorded*",
        "| f1 | sex&#61;f | 0.45 |  | 140 |",
        "| by-sex | f1 &#91;sex&#61;f&#93; | min 0.5 |  | 0.45 | exact | waived |",
        "| measured | f1 | max&#95;drop 0.01 | 0.80 | 0.84 | point estimate | pass |",
        "- compared with: stage&#58;staging&#58; run one at ",
        "| ece | all | 0.02, 0.04 |",
        "few &#124; cases &#60;b&#62; | @\u{200b}ada | 2099-01-01 |",
        "- lockfile: *not recorded*",
        "gate verify models/two.bin --stage staging",
        "## What the provider has to add",
    ] {
        assert!(document.contains(part), "{part} is not in\n{document}");
    }
    assert_eq!(document, project.gate(&DOCUMENTATION).out, "the same question has the same answer");
    // The card tells slices apart too.
    project.gate(&CARD).says("| by-sex | f1 &#91;sex&#61;f&#93; |");
    // Before any promotion, the document is shorter and shows nothing that looks like an approval.
    let ran = project.gate(&["explain", "three", "--format", "technical-documentation"]);
    ran.leaves_with(0).says("The model was not promoted").says("limits: *not recorded*");
    ran.says("values for persons or groups of persons: *not recorded*").never_says("pass |");
    ran.says("values of several seeds or folds: *not recorded*");
    assert_eq!(project.gate(&["explain", "nobody", "--format", "technical-documentation"]).out, "");
}

#[test]
fn a_document_says_that_a_model_is_no_longer_deployed() {
    let project = promoting::project();
    for (name, more) in [("one", &["--first"][..]), ("two", &[])] {
        let run = format!("runs/{name}.json");
        project.gate(&[&["promote", &run, "--stage", "staging"], more].concat()).leaves_with(0);
    }
    let ran = project.gate(&["explain", "models/one.bin", "--format", "technical-documentation"]);
    ran.leaves_with(0).says("no longer deployed at this stage:** superseded by promotion 2");
    ran.says("promotion 1 to the stage").never_says("gate verify");
    project.gate(&["retire", "--stage", "staging", "--reason", "too slow"]).leaves_with(0);
    let ran = project.gate(&DOCUMENTATION);
    ran.leaves_with(0).says("promotion 3 retired it at 20").says("the reason&#58; too slow");
    ran.says("promotion 2 to the stage `staging` (promote)").says("- verdict of the policy: pass");
    ran.says("| measured | f1 | max&#95;drop 0.01 | 0.80 | 0.84 |")
        .says("- compared with: stage&#58;staging");
    ran.never_says("gate verify");
    project
        .gate(&CARD)
        .says("the verdict is pass")
        .says("It is no longer deployed there: promotion 3 retired it");
}

#[test]
fn a_document_has_no_secrets_and_a_command_that_a_shell_reads() {
    let project = promoting::project();
    let secret = "\"command\": [\"train\", \"--api-key\", \"a hunter2\"], \"source\": \"https://ada:hunter2@host/train.py\", \
                  \"predictions\": \"s3://bucket/p.csv?sig=hunter2\", \"params\": {";
    project
        .edit("runs/one.json", "\"params\": {", secret)
        .edit("runs/one.json", "\"holdout\"", "\"s3://ada:hunter2@bucket/holdout\"")
        .edit("runs/one.json", "models/one.bin", "models/a | b.bin")
        .file("models/a | b.bin", "the weights of one\n");
    project.gate(&["promote", "runs/one.json", "--stage", "staging", "--first"]).leaves_with(0);
    let ran = project.gate(&DOCUMENTATION);
    ran.leaves_with(0).never_says("hunter2").says("train --api-key").says("host/train.py");
    ran.says("- verify every digest:\n\n```sh\ngate verify 'models/a | b.bin' --stage staging\n```\n");
    project.gate(&CARD).leaves_with(0).never_says("hunter2");
}

const GROUPS: &str = "\
version: 1
runs: runs/*.json
stages: { staging: {} }
rules:
  measured: { metrics: { f1: { min: 0.5, max_drop: 0.01 } } }
  by-sex: { metrics: { f1: { min: 0.5 } }, slices: { by: sex } }
waivers:
  - { rule: by-sex, for: { metric: f1, slice: sex=f }, model: churn, down_to: { min: 0.4 },
      reason: 'few | cases <b>', approved_by: '@ada', expires: 2099-01-01 }
";

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
