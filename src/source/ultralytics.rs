//! Ultralytics YOLO: `args.yaml` and `results.csv` in a training folder.
//!
//! `best.pt` is not from the last row, and the best values of the columns are not all from one model, so the row of
//! `best.pt` is kept separately, in `best_pt`.

use super::Tracker;
use super::table::{Grid, History};
use super::tracked::{Tracked, directed, without_places};
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::Origin;
use smol_str::SmolStr;

/// The files of a training.
#[derive(Debug, Default)]
pub struct Files {
    /// `results.csv`
    pub results: Vec<u8>,
    /// Its name in messages.
    pub results_label: String,
    /// `args.yaml`
    pub args: Option<Node>,
    /// The path from the workspace to `weights/best.pt`, if it exists.
    pub weights: Option<String>,
}

/// The training that some files describe; `name` is the name of its folder.
pub fn tracked(files: Files, name: &str, label: String, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    run.text(&Path::of(["name"]), Some(name), "the name of the folder");
    let grid = Grid::parse(&files.results_label, files.results)?;
    let rows = epochs(&grid);
    let history = History::new(&grid, rows);
    let args = files.args.as_ref();
    let text = |key: &str| args.and_then(|args| args.get(key)?.as_written());
    let dataset: Vec<&str> = [text("data"), text("split")].into_iter().flatten().collect();
    let mut metrics = history.metrics(&is_metric);
    for (metric, node) in take(&mut metrics) {
        let mut node = directed(node.without_places(), direction(&metric));
        if let (Value::Map(map), false) = (&mut node.value, dataset.is_empty()) {
            map.insert("dataset", Span::default(), Node::text(dataset.join(" ")));
        }
        metrics.insert(metric, Span::default(), node);
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "results.csv, the last row");
    }
    params(args, &mut run);
    run.text(&Path::of(["validation", "split"]), text("split"), "args.yaml: split");
    let whole = text("fraction").and_then(|part| part.parse::<f64>().ok()).is_none_or(|part| part >= 1.0);
    if !whole {
        run.notes.push(format!(
            "trained on a part of the data: fraction {}",
            text("fraction").unwrap_or_default()
        ));
    }
    if let Some(weights) = &files.weights {
        run.put(&Path::of(["artifact", "path"]), Value::String(weights.as_str().into()), "weights/best.pt");
    }
    let best = best_row(&grid, &history);
    best_pt(&grid, &history, best, &mut run);
    status(args, &history, best, &mut run);
    Ok(run)
}

fn take(map: &mut Map) -> Vec<(SmolStr, Node)> {
    std::mem::take(map).into_iter().map(|(name, entry)| (name, entry.node)).collect()
}

/// The rows by epoch; if an epoch is repeated, as after resuming, the later row counts.
fn epochs(grid: &Grid) -> Vec<(i64, &super::table::Row)> {
    let column = grid.column(&["epoch"]);
    let mut rows: Vec<(i64, &super::table::Row)> = Vec::new();
    for (at, row) in grid.rows.iter().enumerate() {
        let epoch = column.and_then(|column| super::table::whole(&row.cells[column].text));
        let epoch = epoch.unwrap_or(i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1));
        rows.retain(|(known, _)| *known < epoch);
        rows.push((epoch, row));
    }
    rows
}

fn is_metric(name: &str) -> bool {
    !matches!(name, "epoch" | "time" | "") && !name.starts_with("lr/")
}

/// Metrics are better when higher, losses when lower.
fn direction(name: &str) -> Option<bool> {
    if name.starts_with("metrics/") {
        Some(true)
    } else if name.ends_with("loss") {
        Some(false)
    } else {
        None
    }
}

/// The row where `best.pt` was written: the highest fitness, which is mAP50-95, summed over heads, or for
/// classification the mean of top-1 and top-5 accuracy; ties go to the later row.
fn best_row(grid: &Grid, history: &History<'_>) -> Option<usize> {
    let detected = grid.names.iter().any(|name| name.starts_with("metrics/mAP50-95"));
    let wanted = |name: &str| {
        if detected { name.starts_with("metrics/mAP50-95") } else { name.starts_with("metrics/accuracy_top") }
    };
    let columns: Vec<usize> =
        grid.names.iter().enumerate().filter(|(_, name)| wanted(name)).map(|(at, _)| at).collect();
    let fitness = |row: &super::table::Row| -> Option<f64> {
        columns
            .iter()
            .map(|at| row.cells[*at].text.parse::<f64>().ok().filter(|value| value.is_finite()))
            .sum()
    };
    if columns.is_empty() {
        return None;
    }
    let mut best: Option<(f64, usize)> = None;
    for (at, (_, row)) in history.rows().iter().enumerate() {
        if let Some(value) = fitness(row)
            && best.is_none_or(|(known, _)| value >= known)
        {
            best = Some((value, at));
        }
    }
    best.map(|(_, at)| at)
}

fn best_pt(grid: &Grid, history: &History<'_>, best: Option<usize>, run: &mut Tracked) {
    let (Some((epoch, row)), Some((last, _))) =
        (best.and_then(|at| history.rows().get(at)), history.rows().last())
    else {
        return;
    };
    let mut metrics = Map::default();
    for (name, cell) in grid.names.iter().zip(&row.cells) {
        if let Some(node) = cell.node().filter(|_| is_metric(name)) {
            let node = directed(node.without_places(), direction(name));
            metrics.insert(name.as_str(), Span::default(), node);
        }
    }
    let at = Path::of(["best_pt"]);
    run.put(&at.key("epoch"), Value::Number(epoch.to_string().into()), "results.csv, the highest fitness");
    run.put(&at.key("metrics"), Value::Map(metrics), format!("results.csv, epoch {epoch}"));
    if epoch != last {
        run.notes.push(format!(
            "the metrics are those of the last epoch, {last}; `best.pt` is of epoch {epoch}. If you ship \
             that one, say so in the policy: `fields: {{ metrics: best_pt.metrics }}`"
        ));
    }
}

fn params(args: Option<&Node>, run: &mut Tracked) {
    let mut params = Map::default();
    for (key, node) in args.and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        params.insert(key, Span::default(), without_places(node));
    }
    if let Some(Value::Number(seed)) = params.get("seed").map(|node| &node.value) {
        let seed = seed.clone();
        run.put(&Path::of(["seed"]), Value::Number(seed), "args.yaml: seed");
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "args.yaml");
    }
}

/// Training that ended early counts as finished if `patience` explains it: the best epoch is at least that
/// many epochs back. Otherwise the status is unknown.
fn status(args: Option<&Node>, history: &History<'_>, best: Option<usize>, run: &mut Tracked) {
    let number = |key: &str| args?.get(key)?.as_written()?.parse::<i64>().ok();
    let Some(asked) = number("epochs") else { return };
    let rows = history.rows();
    let (last, best) = (rows.last().map_or(0, |(epoch, _)| *epoch), best.and_then(|at| rows.get(at)));
    let stopped = || Some(last - best?.0 >= number("patience").filter(|patience| *patience > 0)?);
    let status = if last >= asked || stopped().unwrap_or_default() { "finished" } else { "unknown" };
    if status == "unknown" {
        run.notes.push(format!(
            "only {last} of {asked} epochs are in `results.csv`, and patience does not explain why: the training may have crashed"
        ));
    }
    run.text(&Path::of(["status"]), Some(status), "results.csv, args.yaml: epochs, patience");
}

/// How to record what Ultralytics leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "ultralytics",
    title: "Ultralytics",
    advice: &[
        (
            "git_commit",
            "gate record -- yolo train …: the commit is only inside of best.pt, which is never opened",
        ),
        ("data_version", "gate record --data-version 2026-05-30 -- yolo train …"),
        ("created_at", "gate record -- yolo train …"),
        ("validation.digest", "gate record -- yolo train …, with the files of the split as data"),
        ("model", "`fields: { model: name }` in the policy, where folders are named after models"),
        ("environment", "gate record -- yolo train …"),
    ],
};
