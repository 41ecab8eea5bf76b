//! `.eval_results/*.yaml`: a list of values, each for a task of a dataset; the Hub's replacement for `model-index`.

use std::collections::HashMap;

use super::card::on_dataset;
use super::{BROKEN, TWICE};
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::{Origin, parse_date};
use crate::source::tracked::Tracked;

/// The run that some files describe, each given with its name for messages.
pub fn tracked(files: &[(String, Node)], label: String, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let mut metrics = Map::default();
    let mut datasets: Vec<(&str, Option<&str>)> = Vec::new();
    let mut newest: Option<&str> = None;
    for (label, node) in files {
        let broken = |what: &str| {
            Diagnostic::new(BROKEN, format!("`{label}`: {what}"))
                .help("see the Hub's page on evaluation results")
                .boxed()
        };
        let entries = node.as_list().ok_or_else(|| broken("this is not a list of results"))?;
        for entry in entries {
            let dataset = entry.get("dataset");
            let text = |key: &str| dataset.and_then(|dataset| dataset.get(key)?.as_written());
            let id = text("id").ok_or_else(|| broken("a result without `dataset.id`"))?;
            let value = entry.get("value").ok_or_else(|| broken("a result without `value`"))?;
            let name = text("task_id").map_or_else(|| id.to_owned(), |task| format!("{id}/{task}"));
            let node = on_dataset(value, id, text("revision"));
            if metrics.insert(name.as_str(), Span::default(), node).is_some() {
                return Err(Diagnostic::new(TWICE, format!("`{label}`: the result `{name}` occurs twice"))
                    .help("keep the right one")
                    .boxed());
            }
            if !datasets.contains(&(id, text("revision"))) {
                datasets.push((id, text("revision")));
            }
            newest = newest.max(entry.get("date").and_then(Node::as_written));
        }
    }
    // If the name after the dataset is always the same, the dataset prefix is dropped.
    let metrics = shorten(metrics);
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), ".eval_results");
    }
    if let [(id, revision)] = datasets.as_slice() {
        let at = Path::of(["validation"]);
        run.text(&at.key("split"), Some(id), ".eval_results: dataset.id");
        let digest = revision.map(|revision| format!("git:{revision}"));
        run.text(&at.key("digest"), digest.as_deref(), ".eval_results: dataset.revision");
    } else if datasets.len() > 1 {
        run.notes
            .push(format!("the results are on {} datasets, so there is no one `validation`", datasets.len()));
    }
    // The Hub allows a date without a time.
    let midnight = newest.filter(|date| parse_date(date).is_some()).map(|date| format!("{date}T00:00:00Z"));
    if midnight.is_some() {
        run.notes.push("`created_at` is a date without a time, and is read as its midnight in UTC".into());
    }
    let created = midnight.as_deref().or(newest);
    run.text(&Path::of(["created_at"]), created, ".eval_results: date, the newest");
    Ok(run)
}

fn shorten(metrics: Map) -> Map {
    let short = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut alike: HashMap<String, usize> = HashMap::new();
    for name in metrics.keys() {
        *alike.entry(short(name)).or_default() += 1;
    }
    let mut shortened = Map::default();
    for (name, entry) in metrics {
        let short = short(&name);
        let name = if alike.get(&short) == Some(&1) { short.into() } else { name };
        shortened.insert(name, Span::default(), entry.node);
    }
    shortened
}
