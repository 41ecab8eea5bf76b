//! A section of a Hugging Face model card, with the metadata for listing evaluation results
//! (<https://huggingface.co/docs/hub/model-cards>).

use std::io::{self, Write};

use serde_json::{Value, json};

use super::model_facts::{NOT_RECORDED, code, file, limits, metrics, table, text};
use crate::verdict::ModelFacts;

/// Writes a model card of what is recorded.
pub fn model_card(facts: &ModelFacts, to: &mut dyn Write) -> io::Result<()> {
    let name = facts.model.as_deref().or(facts.run_id.as_deref()).unwrap_or("model");
    // JSON is valid YAML, and its strings can't be mistaken for dates or booleans.
    writeln!(to, "---\nmodel-index:\n- {}\n---\n", index(facts, name))?;
    writeln!(to, "# {}\n", text(name))?;
    writeln!(to, "## Training\n")?;
    for (what, value) in [
        ("run", &facts.run_id),
        ("code", &facts.git_commit),
        ("script", &facts.source),
        ("started", &facts.created_at),
        ("data version", &facts.data_version),
    ] {
        writeln!(to, "- {what}: {}", value.as_deref().map_or_else(|| NOT_RECORDED.into(), code))?;
    }
    for data in &facts.data {
        let role = data.role.as_ref().map(|role| format!(" ({})", text(role))).unwrap_or_default();
        writeln!(to, "- data{role}: {}", file(data))?;
    }
    for artifact in &facts.artifacts {
        writeln!(to, "- file: {}", file(artifact))?;
    }
    if !facts.params.is_empty() {
        writeln!(to)?;
        let rows = facts.params.iter().map(|(name, value)| vec![text(name), text(value)]);
        table(&["parameter", "value"], rows, to)?;
    }
    writeln!(to, "\n## Evaluation\n")?;
    match &facts.split {
        Some(split) => writeln!(to, "Measured on {}.\n", file(split))?,
        None => writeln!(to, "What it was measured on is not recorded.\n")?,
    }
    metrics(facts.metrics.iter(), to)?;
    approval(facts, to)
}

fn approval(facts: &ModelFacts, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\n## Approval\n")?;
    let Some(promotion) = &facts.promotion else { return writeln!(to, "It was not promoted.") };
    let (policy, digest) = &promotion.policy;
    writeln!(
        to,
        "Promotion {} to {}, at {}: the verdict is {}, by the policy {} ({}).",
        promotion.number,
        text(&promotion.stage),
        text(&promotion.at),
        text(&promotion.verdict),
        code(policy),
        code(&format!("sha256:{digest}"))
    )?;
    if let Some(ended) = &promotion.ended {
        writeln!(to, "\nIt is no longer deployed there: {}.", text(ended))?;
    }
    if promotion.limits.is_empty() {
        return Ok(());
    }
    writeln!(to)?;
    limits(promotion.limits.iter(), to)
}

/// The results of the whole split. The card's format asks for a task, which no record names.
fn index(facts: &ModelFacts, name: &str) -> Value {
    let split = facts.split.as_ref();
    let dataset = split.map_or("validation", |split| split.name.as_str());
    let metrics: Vec<Value> = facts
        .metrics
        .iter()
        .filter(|metric| metric.slice.is_none())
        .filter_map(|metric| {
            let value: f64 = metric.value.parse().ok()?;
            Some(json!({ "type": metric.name, "name": metric.name, "value": value }))
        })
        .collect();
    let mut dataset = json!({ "name": dataset, "type": dataset, "split": "validation" });
    if let Some(version) = &facts.data_version {
        dataset["revision"] = version.as_str().into();
    }
    json!({ "name": name, "results": [{ "task": { "type": "other" }, "dataset": dataset, "metrics": metrics }] })
}
