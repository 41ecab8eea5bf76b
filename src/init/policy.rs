//! Writes the text of the policy.

use super::Layout;
use super::limits::{better, limits};
use super::look::Repository;
use super::margins::Margins;
use super::runs::Summary;

/// The URL of the policy language's schema, for editors.
const SCHEMA: &str = "https://raw.githubusercontent.com/gate-ci/gate/main/docs/schemas/policy.v1.json";

/// A commented policy that fits the runs.
pub(super) fn text(repository: &Repository, layout: Layout, summary: &Summary, margins: &Margins) -> String {
    let mut text = format!(
        "# yaml-language-server: $schema={SCHEMA}\n\
         # What must be true before a model is merged. `gate check` judges it, `gate rules` lists every kind of rule.\n\
         version: 1\n"
    );
    text += &places(repository, layout, summary);
    text += "\nrules:\n";
    text += &recorded(summary, layout);
    if let [first, ..] = summary.validation.as_slice() {
        let fields: Vec<String> =
            if summary.validation.contains(&"digest") && summary.validation.contains(&"split") {
                vec!["validation.split".into(), "validation.digest".into()]
            } else {
                vec![format!("validation.{first}")]
            };
        text += "\n  # Metrics on different validation splits can't be compared.\n  same-split:\n";
        text += &format!("    same: [{}]\n", fields.join(", "));
    }
    text += &held_up(summary, margins);
    text
}

fn places(repository: &Repository, layout: Layout, summary: &Summary) -> String {
    let branch = repository.branch.as_deref().unwrap_or("main");
    let first = "# A first model has nothing to be compared with. Remove this line once there is a baseline.\n\
                 on_missing_baseline: pass\n";
    match layout {
        Layout::Plain => {
            let globs: Vec<String> = repository.globs().iter().map(|glob| quoted(glob)).collect();
            let runs = match globs.as_slice() {
                [one] => one.clone(),
                many => format!("[{}]", many.join(", ")),
            };
            format!(
                "# Where the run records are. Without arguments, `gate check` judges those that changed.\n\
                 runs: {runs}\n\
                 # What they are compared with: the newest record of the same model on {branch}.\n\
                 baseline: {}\n{first}",
                quoted(&format!("git:{branch}"))
            )
        }
        Layout::Dvc => format!(
            "# Judge the project with `gate check dvc:.`; it is compared with the one on {branch}.\n\
             baseline: {}\n{first}",
            quoted(&format!("dvc:.@{branch}"))
        ),
        Layout::Mlflow => {
            let store = repository.mlflow.as_ref();
            let model = store.and_then(|store| store.models.first());
            let name = model
                .map(|(name, _)| name.clone())
                .or_else(|| summary.models.first().cloned())
                .unwrap_or_else(|| "MODEL".into());
            let alias = model.and_then(|(_, alias)| alias.as_deref()).unwrap_or("champion");
            format!(
                "# Judge a version with `gate check mlflow:models:/{name}/VERSION`, or a run with `gate check mlflow:runs:/ID`.\n\
                 baseline: {}\n{first}",
                quoted(&format!("mlflow:models:/{name}@{alias}"))
            )
        }
    }
}

fn recorded(summary: &Summary, layout: Layout) -> String {
    let mut fields: Vec<String> = summary.fields.clone();
    let metric = summary.metrics.keys().find(|name| better(name).is_some());
    fields.extend(metric.map(|name| format!("metrics.{}", in_a_path(name))));
    if summary.runs == 0 {
        fields = match layout {
            Layout::Plain => vec!["params".into(), "metrics".into(), "git_commit".into(), "artifact".into()],
            Layout::Dvc | Layout::Mlflow => vec!["metrics".into()],
        };
    } else if fields.is_empty() {
        fields.push("metrics".into());
    }
    let mut text =
        String::from("  # Without these, nobody can tell later which code and which data made the model.\n");
    text += "  recorded:\n";
    let listed: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    text += &format!("    require: [{}]\n", listed.join(", "));
    if summary.runs > 0 && !summary.missing.is_empty() {
        let missing = summary.missing.join(", ");
        text += &format!("    # Not in every run yet, and worth adding: {missing}\n");
    }
    text
}

fn held_up(summary: &Summary, margins: &Margins) -> String {
    let mut text = String::from("\n  # No metric gets worse. Adjust each limit to what matters to you.\n");
    let mut entries = String::new();
    let mut unclear = Vec::new();
    for (name, values) in &summary.metrics {
        let Some(way) = better(name) else {
            unclear.push(name.clone());
            continue;
        };
        let shown = margins.of.get(name).copied();
        let Some(limits) = limits(values, way, summary.rows, shown) else { continue };
        let range = match values.as_slice() {
            [one] => one.written().to_owned(),
            many => {
                let key = |value: &&crate::run::Decimal| value.written().parse::<f64>().unwrap_or(f64::NAN);
                let low = many.iter().min_by(|a, b| key(a).total_cmp(&key(b)));
                let high = many.iter().max_by(|a, b| key(a).total_cmp(&key(b)));
                let written = |value: Option<&crate::run::Decimal>| {
                    value.map_or("", |value| value.written()).to_owned()
                };
                format!("{} to {} in {} runs", written(low), written(high), many.len())
            }
        };
        let cases =
            shown.map(|_| format!(", a drop that {} cases can show", margins.cases)).unwrap_or_default();
        entries += &format!("      {}: {{ {limits} }} # now {range}{cases}\n", quoted(name));
    }
    if entries.is_empty() {
        return "\n  # No metric gets worse. Write the names of yours.\n  # holds-up:\n  #   metrics:\n  \
                #     f1: { min: 0.80, max_drop: 0.005 }\n  #     latency_p95_ms: { max: 120, max_rise: 5% }\n"
            .into();
    }
    text += "  holds-up:\n    metrics:\n";
    text += &entries;
    if !unclear.is_empty() {
        text += &format!("      # no limit yet: {}\n", unclear.join(", "));
    }
    text
}

/// A metric's name as part of a field path.
fn in_a_path(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// Text for YAML, quoted only if necessary.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./@*:".contains(c))
        && !text.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
