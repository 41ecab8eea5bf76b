//! A bill of materials of a model, in CycloneDX 1.6 (<https://cyclonedx.org/docs/1.6/json/>).

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json_of;
use crate::verdict::{FileFact, ModelFacts};

/// Writes a bill of materials of what is recorded.
pub fn ml_bom(facts: &ModelFacts, to: &mut dyn Write) -> io::Result<()> {
    let files: Vec<&FileFact> = facts.data.iter().chain(&facts.split).collect();
    let references: Vec<String> = (0..files.len()).map(|at| format!("data-{at}")).collect();
    let components: Vec<Value> =
        files.iter().zip(&references).map(|(file, reference)| dataset(file, reference)).collect();
    let mut metadata = json!({
        "tools": { "components": [{ "type": "application", "name": "gate", "version": env!("CARGO_PKG_VERSION") }] },
        "component": model(facts, &references),
    });
    // The time of the decision, not of the export, so that the same question has the same answer tomorrow.
    if let Some(promotion) = facts.promotion.as_ref().filter(|promotion| !promotion.at.is_empty()) {
        metadata["timestamp"] = promotion.at.as_str().into();
    }
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": [{ "ref": "model", "dependsOn": references }],
    });
    json_of(&bom, to)
}

fn model(facts: &ModelFacts, data: &[String]) -> Value {
    let metrics: Vec<Value> = facts
        .metrics
        .iter()
        .map(|metric| {
            let mut one = json!({ "type": metric.name, "value": metric.value });
            if let Some(slice) = &metric.slice {
                one["slice"] = slice.as_str().into();
            }
            one
        })
        .collect();
    let mut properties = Vec::new();
    let mut property = |name: &str, value: Option<&str>| {
        properties.extend(value.map(|value| json!({ "name": format!("gate:{name}"), "value": value })));
    };
    property("run_id", facts.run_id.as_deref());
    property("record", Some(&facts.record));
    property("git_commit", facts.git_commit.as_deref());
    property("source", facts.source.as_deref());
    property("created_at", facts.created_at.as_deref());
    property("data_version", facts.data_version.as_deref());
    if let Some(promotion) = &facts.promotion {
        property("stage", Some(&promotion.stage));
        property("promotion", Some(&promotion.number.to_string()));
        property("verdict", Some(&promotion.verdict));
        property("ended", promotion.ended.as_deref());
        property("policy", Some(&format!("{} sha256:{}", promotion.policy.0, promotion.policy.1)));
    }
    for (name, value) in &facts.params {
        property(&format!("param:{name}"), Some(value));
    }
    for file in &facts.artifacts {
        property("artifact", Some(&file.name));
    }
    let mut component = json!({
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": facts.model.as_deref().or(facts.run_id.as_deref()).unwrap_or("model"),
        "modelCard": {
            "modelParameters": { "datasets": data.iter().map(|reference| json!({ "ref": reference })).collect::<Vec<_>>() },
            "quantitativeAnalysis": { "performanceMetrics": metrics },
        },
        "properties": properties,
    });
    if let Some(version) = &facts.run_id {
        component["version"] = version.as_str().into();
    }
    // With several files, one component would have several digests, which identify none of them.
    if let [file] = facts.artifacts.as_slice()
        && let Some(hash) = hash(file)
    {
        component["hashes"] = json!([hash]);
    }
    component
}

fn dataset(file: &FileFact, reference: &str) -> Value {
    let mut properties = Vec::new();
    for (name, value) in [("role", &file.role), ("rows", &file.rows)] {
        properties
            .extend(value.as_ref().map(|value| json!({ "name": format!("gate:{name}"), "value": value })));
    }
    let mut component = json!({
        "type": "data",
        "bom-ref": reference,
        "name": file.name,
        "data": [{ "type": "dataset", "name": file.name }],
        "properties": properties,
    });
    if let Some(hash) = hash(file) {
        component["hashes"] = json!([hash]);
    }
    component
}

/// A digest as CycloneDX names it; `None` for an algorithm that it does not know.
fn hash(file: &FileFact) -> Option<Value> {
    let (algorithm, value) = file.digest.as_ref()?;
    let (name, digits) = match algorithm.as_str() {
        "md5" => ("MD5", 32),
        "sha256" => ("SHA-256", 64),
        _ => return None,
    };
    let is_whole = value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_whole.then(|| json!({ "alg": name, "content": value.to_ascii_lowercase() }))
}
