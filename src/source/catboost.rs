//! `CatBoost`: `catboost_info/catboost_training.json`, which every training overwrites.
//!
//! No other file that `CatBoost` writes says whether higher is better for each metric.

use super::Tracker;
use super::tracked::{Tracked, directed, with_history};
use crate::document::{Map, Node, Path, Span, Value};
use crate::run::Origin;

/// The training that the file describes.
pub fn tracked(file: &Node, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let meta = file.get("meta");
    run.text(&Path::of(["name"]), meta.and_then(|meta| meta.get("name")?.as_written()), "meta.name");
    let rows = file.get("iterations").and_then(Node::as_list).unwrap_or_default();
    let sets = |key: &str| -> Vec<&str> {
        let sets = meta.and_then(|meta| meta.get(key)?.as_list()).unwrap_or_default();
        sets.iter().filter_map(Node::as_written).collect()
    };
    let (tests, learns) = (sets("test_sets"), sets("learn_sets"));
    let mut metrics = Map::default();
    for (at, set) in tests.iter().enumerate() {
        let prefix = if at == 0 { String::new() } else { format!("{set}.") };
        measured(rows, set, &prefix, &described(meta, "test_metrics"), &mut metrics);
    }
    for set in &learns {
        measured(rows, set, &format!("{set}."), &described(meta, "learn_metrics"), &mut metrics);
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "iterations");
    }
    run.notes.push(
        "this is the latest training run in the folder, whichever it was: each run overwrites it".into(),
    );
    if tests.is_empty() {
        run.notes.push(
            "there is no eval set, so what was measured is the error on the training data (`learn.…`)".into(),
        );
    }
    if rows.is_empty() {
        run.notes.push("no iteration was written: the training was interrupted".into());
        run.text(&Path::of(["status"]), Some("unknown"), "iterations");
    }
    kept(rows, tests.last().copied(), meta, &mut run);
    run
}

/// A metric, and whether higher is better, if known.
type Named<'n> = (&'n str, Option<bool>);

fn described<'n>(meta: Option<&'n Node>, key: &str) -> Vec<Named<'n>> {
    let metrics = meta.and_then(|meta| meta.get(key)?.as_list()).unwrap_or_default();
    metrics
        .iter()
        .filter_map(|metric| {
            let higher = match metric.get("best_value").and_then(Node::as_written) {
                Some("Max") => Some(true),
                Some("Min") => Some(false),
                // A metric with a target value has no direction.
                _ => None,
            };
            Some((metric.get("name")?.as_written()?, higher))
        })
        .collect()
}

/// Adds the metrics of one set. Each row lists a set's values in the order of `named`.
fn measured(rows: &[Node], set: &str, prefix: &str, named: &[Named<'_>], metrics: &mut Map) {
    for (at, (name, higher)) in named.iter().enumerate() {
        let points: Vec<(i64, Node)> = rows
            .iter()
            .filter_map(|row| Some((iteration(row)?, row.get(set)?.as_list()?.get(at)?.without_places())))
            .collect();
        if let Some((_, last)) = points.last() {
            let node = directed(with_history(last.value.clone(), &points), *higher);
            metrics.insert(format!("{prefix}{name}"), Span::default(), node);
        }
    }
}

fn iteration(row: &Node) -> Option<i64> {
    row.get("iteration")?.as_written()?.parse().ok()
}

/// Adds the metrics of the kept model. With `use_best_model`, the default if there is an eval set, the model
/// ends at the best iteration of the first metric on the last eval set.
fn kept(rows: &[Node], set: Option<&str>, meta: Option<&Node>, run: &mut Tracked) {
    let (Some(set), Some((name, Some(higher)))) = (set, described(meta, "test_metrics").first().copied())
    else {
        return;
    };
    let mut best: Option<(f64, &Node)> = None;
    for row in rows {
        let value =
            row.get(set).and_then(|values| values.as_list()?.first()?.as_written()?.parse::<f64>().ok());
        if let Some(value) = value.filter(|value| value.is_finite())
            && best.is_none_or(|(known, _)| if higher { value > known } else { value < known })
        {
            best = Some((value, row));
        }
    }
    let (Some((_, row)), Some(last)) = (best, rows.last().and_then(iteration)) else { return };
    let Some(at) = iteration(row) else { return };
    let mut metrics = Map::default();
    let tests = meta.and_then(|meta| meta.get("test_sets")?.as_list()).unwrap_or_default();
    for (index, test) in tests.iter().filter_map(Node::as_written).enumerate() {
        let prefix = if index == 0 { String::new() } else { format!("{test}.") };
        measured(std::slice::from_ref(row), test, &prefix, &described(meta, "test_metrics"), &mut metrics);
    }
    let path = Path::of(["best_model"]);
    run.put(
        &path.key("iteration"),
        Value::Number(at.to_string().into()),
        format!("the best {name} on {set}"),
    );
    run.put(&path.key("metrics"), Value::Map(metrics), format!("iteration {at}"));
    if at != last {
        run.notes.push(format!(
            "the metrics are those of the last iteration, {last}; the model that is kept (`use_best_model`) ends at {at}, the \
             best {name} on `{set}`. If you ship that one, say so in the policy: `fields: {{ metrics: best_model.metrics }}`"
        ));
    }
}

/// How to record what `CatBoost` leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "catboost",
    title: "CatBoost",
    advice: &[
        ("params", "gate record -- python train.py: the file holds none"),
        ("git_commit", "gate record -- python train.py"),
        ("data_version", "gate record --data-version 2026-05-30 -- python train.py"),
        ("validation", "gate record -- python train.py, with the files of the split as data"),
        ("artifact", "gate record --artifact model.cbm -- python train.py"),
        ("created_at", "gate record -- python train.py"),
        ("model", "`fields: { model: name }` in the policy, and CatBoost(name=\"churn\") in training"),
    ],
};
