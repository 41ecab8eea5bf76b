//! A section of a Hugging Face model card, with the metadata by which evaluation results are listed
//! (<https://huggingface.co/docs/hub/model-cards>).

use std::io::{self, Write};

use serde_json::{Value, json};

use super::markdown::{code, text};
use crate::verdict::{FileFact, ModelFacts};

/// Writes a model card of what is recorded.
pub fn model_card(facts: &ModelFacts, to: &mut dyn Write) -> io::Result<()> {
    let name = facts.model.as_deref().or(facts.run_id.as_deref()).unwrap_or("model");
    // JSON is YAML, and its strings need no knowledge of what YAML takes for a date or a boolean.
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
        writeln!(to, "- {what}: {}", value.as_deref().map_or_else(|| "not recorded".into(), code))?;
    }
    for file in &facts.data {
        let role = file.role.as_ref().map(|role| format!(" ({})", text(role))).unwrap_or_default();
        writeln!(to, "- data{role}: {}", of_file(file))?;
    }
    for file in &facts.artifacts {
        writeln!(to, "- file: {}", of_file(file))?;
    }
    if !facts.params.is_empty() {
        writeln!(to, "\n| parameter | value |\n|---|---|")?;
        for (name, value) in &facts.params {
            writeln!(to, "| {} | {} |", text(name), text(value))?;
        }
    }
    writeln!(to, "\n## Evaluation\n")?;
    match &facts.split {
        Some(split) => writeln!(to, "Measured on {}.\n", of_file(split))?,
        None => writeln!(to, "What it was measured on is not recorded.\n")?,
    }
    writeln!(to, "| metric | on | value |\n|---|---|---|")?;
    for metric in &facts.metrics {
        let on = metric.slice.as_deref().map_or_else(|| "all".into(), text);
        writeln!(to, "| {} | {on} | {} |", text(&metric.name), text(&metric.value))?;
    }
    approval(facts, to)
}

fn of_file(file: &FileFact) -> String {
    let rows = file.rows.as_ref().map(|rows| format!(", {} rows", text(rows))).unwrap_or_default();
    let digest = match &file.digest {
        Some((algorithm, value)) => code(&format!("{algorithm}:{value}")),
        None => "no digest recorded".into(),
    };
    format!("{}{rows}, {digest}", code(&file.name))
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
    if !promotion.limits.is_empty() {
        writeln!(to, "\n| rule | metric | limit | baseline | value | outcome |\n|---|---|---|---|---|---|")?;
    }
    for limit in &promotion.limits {
        writeln!(
            to,
            "| {} | {} | {} | {} | {} | {} |",
            text(&limit.rule),
            text(&limit.subject),
            text(&limit.limit),
            text(limit.baseline.as_deref().unwrap_or_default()),
            text(&limit.candidate),
            text(&limit.outcome)
        )?;
    }
    Ok(())
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
