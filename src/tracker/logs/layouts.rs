//! The files that each tool writes, and how to read them.

use std::path::Path;
use std::sync::Arc;

use super::found::{Found, MAX_BYTES};
use crate::document::limits::{JSON_LINES_BYTES, YAML_BYTES};
use crate::document::{Diagnostic, Document, Format, Node, sha256};
use crate::source::{
    Tracked, catboost, deepeval, every_eval_ever, inspect, lightning, promptfoo, tensorboard, ultralytics,
};
use crate::tracker::peek::{Peek, has_ending, json_lines, names};

/// The files that a tool writes.
pub(super) struct Layout {
    pub(super) name: &'static str,
    /// An example reference, for messages.
    pub(super) example: &'static str,
    /// Whether a file or a folder is a run.
    pub(super) is_run: fn(&Peek) -> bool,
    /// Reads the runs in a file or folder.
    pub(super) read: fn(&Found<'_>) -> Result<Vec<Tracked>, Box<Diagnostic>>,
}

pub(super) const ULTRALYTICS: Layout = Layout {
    name: "ultralytics",
    example: "ultralytics:runs/detect/train",
    is_run: |peek| {
        peek.inside("args.yaml").is_file() && {
            let results = peek.inside("results.csv");
            results.head().contains("epoch") && results.head().contains("train/")
        }
    },
    read: |found| {
        let weights = found.place.path.join(found.path("weights/best.pt"));
        let files = ultralytics::Files {
            results: found.read("results.csv", MAX_BYTES)?,
            results_label: found.label_of("results.csv"),
            args: found.yaml("args.yaml")?,
            weights: if weights.is_file() { found.around.below_root(&weights) } else { None },
        };
        let run =
            ultralytics::tracked(files, &found.folder_name(), found.folder_label(), found.origin.clone())?;
        Ok(vec![run])
    },
};

pub(super) const CATBOOST: Layout = Layout {
    name: "catboost",
    example: "catboost:catboost_info",
    is_run: |peek| peek.inside("catboost_training.json").is_file(),
    read: |found| {
        let file = found.json("catboost_training.json")?;
        Ok(vec![catboost::tracked(&file, found.folder_label(), found.origin.clone())])
    },
};

pub(super) const LIGHTNING: Layout = Layout {
    name: "lightning",
    example: "lightning:lightning_logs/version_0",
    is_run: |peek| {
        peek.inside("hparams.yaml").is_file() && peek.inside("metrics.csv").head().contains("step")
    },
    read: |found| {
        let (hparams, left_out) = hparams(found)?;
        let files = lightning::Files {
            metrics: found.read("metrics.csv", MAX_BYTES)?,
            metrics_label: found.label_of("metrics.csv"),
            hparams,
            left_out,
        };
        let run =
            lightning::tracked(files, &found.folder_name(), found.folder_label(), found.origin.clone())?;
        Ok(vec![run])
    },
};

pub(super) const KERAS: Layout = Layout {
    name: "keras",
    example: "keras:training.log",
    is_run: |peek| {
        peek.has_ending(&["log"])
            && ["epoch,", "epoch;", "epoch\t"].iter().any(|start| peek.head().starts_with(start))
    },
    read: |found| {
        let bytes = found.read(found.file(), MAX_BYTES)?;
        Ok(vec![lightning::of_keras(bytes, &found.label_of(found.file()), found.origin.clone())?])
    },
};

pub(super) const PROMPTFOO: Layout = Layout {
    name: "promptfoo",
    example: "promptfoo:results.json",
    is_run: |peek| {
        let head = peek.squeezed();
        peek.has_ending(&["json"]) && head.starts_with("{\"evalId\":") && head.contains("\"results\":")
            || peek.has_ending(&["jsonl"])
                && ["\"promptIdx\":", "\"testIdx\":"].iter().all(|key| head.contains(key))
    },
    read: |found| {
        let name = found.file();
        let label = found.label_of(name);
        if has_ending(Path::new(name), &["jsonl"]) {
            let rows = lines(found, name)?;
            return promptfoo::tracked(&rows, None, &label, &found.origin);
        }
        let file = found.json(name)?;
        let results = file.get("results");
        let rows = results.and_then(|results| results.get("results")?.as_list().map(<[Node]>::to_vec));
        promptfoo::tracked(&rows.unwrap_or_default(), Some(&file), &label, &found.origin)
    },
};

pub(super) const DEEPEVAL: Layout = Layout {
    name: "deepeval",
    example: "deepeval:test_run_20261128_035923.json",
    is_run: |peek| {
        let head = peek.squeezed();
        let is_named = peek.has_ending(&["json"]) || peek.path().extension().is_none();
        is_named && (head.starts_with("{\"testRunData\":") || head.starts_with("{\"testCases\":[{"))
    },
    read: |found| {
        let file = found.json(found.file())?;
        Ok(vec![deepeval::tracked(&file, found.label_of(found.file()), found.origin.clone())])
    },
};

pub(super) const INSPECT: Layout = Layout {
    name: "inspect",
    example: "inspect:logs/2026-11-28T03-42-21-00-00_capitals_6qejVc46.eval",
    is_run: |peek| {
        peek.has_ending(&["eval"]) && peek.is_file()
            || peek.has_ending(&["json"]) && {
                let head = peek.squeezed();
                head.starts_with("{\"version\":") && head.contains("\"eval\":{") && head.contains("\"task\":")
            }
    },
    read: |found| {
        let name = found.file();
        let log = if has_ending(Path::new(name), &["eval"]) {
            inspect::open(&found.label_of(name), found.read(name, MAX_BYTES)?)?
        } else {
            inspect::Log::of_json(found.json(name)?)
        };
        Ok(vec![inspect::tracked(&log, found.label_of(name), found.origin.clone())])
    },
};

pub(super) const TENSORBOARD: Layout = Layout {
    name: "tensorboard",
    example: "tensorboard:runs/churn",
    is_run: |peek| {
        if peek.is_folder() { !event_files(peek.path()).is_empty() } else { is_event_file(peek.name()) }
    },
    read: |found| {
        let folder = found.place.path.join(&found.below);
        let paths = match &found.file {
            Some(file) => vec![("", file.clone())],
            None => event_files(&folder),
        };
        let read = |(prefix, path): (&'static str, String)| {
            let bytes = found.read(&path, MAX_BYTES)?;
            Ok(tensorboard::File { label: found.label_of(&path), prefix, bytes })
        };
        let files = paths.into_iter().map(read).collect::<Result<Vec<_>, Box<Diagnostic>>>()?;
        let label = match &found.file {
            Some(file) => found.label_of(file),
            None => found.folder_label(),
        };
        Ok(vec![tensorboard::tracked(&files, &found.folder_name(), label, found.origin.clone())?])
    },
};

fn is_event_file(name: &str) -> bool {
    // Profilers and SageMaker write marker files without events.
    let is_mark = [".profile-empty", ".sagemaker-uploaded"].iter().any(|ending| name.ends_with(ending));
    name.contains("tfevents.") && !is_mark
}

/// The event files of a training, each with the prefix of its tags, in the order they were written: those in its
/// folder, then those in subfolders that PyTorch's `add_hparams` names after the time. If there are none, those in
/// `train` and `validation`, which Keras writes.
fn event_files(folder: &Path) -> Vec<(&'static str, String)> {
    let of = |below: &str| {
        let mut found = names(&folder.join(below));
        found.retain(|name| is_event_file(name));
        found.sort();
        found
            .into_iter()
            .map(|name| if below.is_empty() { name } else { format!("{below}/{name}") })
            .collect::<Vec<_>>()
    };
    let own = of("");
    if own.is_empty() {
        let parts = [("train", "train/"), ("validation", "validation/")];
        return parts
            .into_iter()
            .flat_map(|(below, prefix)| of(below).into_iter().map(move |path| (prefix, path)))
            .collect();
    }
    let mut times = names(folder);
    times.retain(|name| name.parse::<f64>().is_ok());
    times.sort();
    let of_hparams = times.iter().flat_map(|name| of(name));
    own.into_iter().chain(of_hparams).map(|path| ("", path)).collect()
}

pub(super) const EVERY_EVAL_EVER: Layout = Layout {
    name: "every-eval-ever",
    example: "every-eval-ever:data/mmlu/org/model/0d03a117-82c9-4823-a256-439a728d0ead.json",
    is_run: |peek| {
        let head = peek.squeezed();
        peek.has_ending(&["json"])
            && ["\"schema_version\":", "\"evaluation_id\":", "\"source_metadata\":"]
                .iter()
                .all(|key| head.contains(key))
    },
    read: |found| {
        let name = found.file();
        let file = found.json(name)?;
        let stem = name.trim_end_matches(".json");
        // The file's own reference to its samples is relative to another folder, so look next to the file.
        let beside = [format!("{stem}_samples.jsonl"), format!("{stem}.jsonl")];
        let samples = match beside.iter().find(|name| found.place.has(&found.path(name))) {
            Some(name) => Some(every_eval_ever::Samples {
                digest: sha256(&found.read(name, JSON_LINES_BYTES)?),
                label: found.label_of(name),
                rows: lines(found, name)?,
            }),
            None => None,
        };
        Ok(vec![every_eval_ever::tracked(
            &file,
            samples.as_ref(),
            found.label_of(name),
            found.origin.clone(),
        )])
    },
};

/// The objects in a JSON Lines file.
fn lines(found: &Found<'_>, name: &str) -> Result<Vec<Node>, Box<Diagnostic>> {
    let bytes = found.read(name, JSON_LINES_BYTES)?;
    let whole = Document::new(found.label_of(name), bytes, Format::Json)?;
    json_lines(&whole)
}

/// The hyperparameters without Python objects, which are code, and the tags of those objects.
fn hparams(found: &Found<'_>) -> Result<(Option<Node>, Vec<String>), Box<Diagnostic>> {
    let path = found.path("hparams.yaml");
    let Some(bytes) = found.place.read(&path, YAML_BYTES)? else { return Ok((None, Vec::new())) };
    let text = String::from_utf8_lossy(&bytes);
    let mut left_out = Vec::new();
    let mut plain = String::new();
    let mut skipped: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if skipped.is_some_and(|key| indent > key || line.trim_start().starts_with("- ") && indent >= key) {
            continue;
        }
        skipped = None;
        if let Some((_, tag)) = line.split_once("!!python/") {
            left_out.push(format!("!!python/{}", tag.split_whitespace().next().unwrap_or_default()));
            skipped = Some(indent);
            continue;
        }
        plain.push_str(line);
        plain.push('\n');
    }
    if plain.trim().is_empty() {
        return Ok((None, left_out));
    }
    let document = Document::new(found.place.label_of(&path), plain.into_bytes(), Format::Yaml)?;
    Ok((Some(Arc::new(document).parse()?), left_out))
}
