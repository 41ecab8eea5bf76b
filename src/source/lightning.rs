//! Lightning's `CSVLogger`, and Keras': a table with a row for each call of the logger, and empty cells for values that
//! the call did not log.

use super::Tracker;
use super::table::{Grid, History, whole};
use super::tracked::{Tracked, without_places};
use crate::document::{Diagnostic, Map, Node, Path, Span, Value};
use crate::run::Origin;

/// The files of a training.
#[derive(Debug, Default)]
pub struct Files {
    /// `metrics.csv`
    pub metrics: Vec<u8>,
    /// Its name in messages.
    pub metrics_label: String,
    /// `hparams.yaml`
    pub hparams: Option<Node>,
    /// Python tags in `hparams.yaml`, which are ignored.
    pub left_out: Vec<String>,
}

/// The training that a folder such as `version_0` describes.
pub fn tracked(files: Files, name: &str, label: String, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    run.text(&Path::of(["name"]), Some(name), "the name of the folder");
    metrics(&files.metrics_label, files.metrics, &mut run)?;
    let mut params = Map::default();
    for (key, node) in files.hparams.as_ref().and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        params.insert(key, Span::default(), without_places(node));
    }
    if let Some(Value::Number(seed)) = params.get("seed").map(|node| &node.value) {
        let seed = seed.clone();
        run.put(&Path::of(["seed"]), Value::Number(seed), "hparams.yaml: seed");
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "hparams.yaml");
    }
    if !files.left_out.is_empty() {
        run.notes.push(format!(
            "`hparams.yaml` contains Python objects ({}), which gate never creates, so those values are left out",
            files.left_out.join(", ")
        ));
    }
    Ok(run)
}

/// The training in a file that Keras' `CSVLogger` wrote.
pub fn of_keras(bytes: Vec<u8>, label: &str, origin: Origin) -> Result<Tracked, Box<Diagnostic>> {
    let mut run = Tracked { label: label.into(), origin, ..Tracked::default() };
    metrics(label, bytes, &mut run)?;
    Ok(run)
}

fn metrics(label: &str, bytes: Vec<u8>, run: &mut Tracked) -> Result<(), Box<Diagnostic>> {
    let grid = Grid::parse(label, bytes)?;
    // Prefer steps, which never decrease: rows of `trainer.test()` have an epoch past the last one.
    let column = grid.column(&["step"]).or_else(|| grid.column(&["epoch"]));
    let position = |row: &super::table::Row| column.and_then(|at| whole(&row.cells[at].text));
    let positions: Vec<Option<i64>> = grid.rows.iter().map(position).collect();
    let mut history = History::of(&grid, &positions);
    run.notes.append(&mut history.notes);
    let found = history.metrics(&|name| !matches!(name, "epoch" | "step" | ""));
    let metrics = Node::made(Value::Map(found)).without_places();
    if metrics.as_map().is_some_and(|map| !map.is_empty()) {
        run.put(&Path::of(["metrics"]), metrics.value, "the last filled cell of each column");
    }
    Ok(())
}

/// How to record what Lightning leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "lightning",
    title: "Lightning",
    advice: &[
        ("params", "in the module: self.save_hyperparameters()"),
        ("git_commit", "gate record -- python train.py"),
        ("data_version", "gate record --data-version 2026-05-30 -- python train.py"),
        ("validation", "gate record -- python train.py, with the files of the split as data"),
        ("artifact", "gate record --artifact model.ckpt -- python train.py"),
        ("created_at", "gate record -- python train.py"),
        ("model", "`fields: { model: params.model }` in the policy, where it is a hyperparameter"),
    ],
};

/// How to record what Keras leaves out.
pub const KERAS: Tracker = Tracker {
    name: "keras",
    title: "Keras",
    advice: &[
        ("params", "gate record -- python train.py: the log holds none"),
        ("git_commit", "gate record -- python train.py"),
        ("data_version", "gate record --data-version 2026-05-30 -- python train.py"),
        ("validation", "gate record -- python train.py, with the files of the split as data"),
        ("artifact", "gate record --artifact model.keras -- python train.py"),
        ("created_at", "gate record -- python train.py"),
    ],
};
