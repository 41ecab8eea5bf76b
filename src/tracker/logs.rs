//! Tools that leave a file, or a folder with a few files, for each training or evaluation: these are looked for at a path, and
//! up to two folders below.

use std::path::Path;
use std::sync::Arc;

use super::peek::names;
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN, Place};
use crate::document::limits::{JSON_LINES_BYTES, YAML_BYTES};
use crate::document::{Diagnostic, Document, Format, Node};
use crate::run::Origin;
use crate::source::{Tracked, catboost, deepeval, inspect, lightning, promptfoo, ultralytics};

/// Bytes of a file of results, and of an archive.
const MAX_BYTES: usize = 512 << 20;
/// Bytes at the start of a file that tell what it is.
const HEAD: usize = 4 << 10;
/// Folders, and names in each, that are looked at for runs.
const MAX_NAMES: usize = 1_000;

/// What a tool leaves.
struct Layout {
    name: &'static str,
    /// What a person names, for a message.
    example: &'static str,
    /// Whether a file or a folder is a run.
    is_run: fn(&Path) -> bool,
    /// The runs in one.
    read: fn(&Found<'_>) -> Result<Vec<Tracked>, Box<Diagnostic>>,
}

/// A run that was found: the place that is its folder, and in it the file that it is, if it is one.
struct Found<'f> {
    place: &'f Place,
    /// What leads to the folder of the run from the place: empty, or ending in `/`.
    below: String,
    /// The file, where the run is one.
    file: Option<String>,
    origin: Origin,
    around: &'f FetchContext<'f>,
}

impl Found<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.below)
    }

    fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, Box<Diagnostic>> {
        let path = self.path(name);
        let missing = || {
            let message = format!("`{}` is not there", self.place.label_of(&path));
            Diagnostic::new(super::NOT_THERE, message).help("copy the whole folder of the run").boxed()
        };
        self.place.read(&path, most)?.ok_or_else(missing)
    }

    fn json(&self, name: &str) -> Result<Node, Box<Diagnostic>> {
        let bytes = self.read(name, MAX_BYTES)?;
        Arc::new(Document::new(self.label_of(name), bytes, Format::Json)?).parse_long()
    }

    fn yaml(&self, name: &str) -> Result<Option<Node>, Box<Diagnostic>> {
        let path = self.path(name);
        let Some(bytes) = self.place.read(&path, YAML_BYTES)? else { return Ok(None) };
        Arc::new(Document::new(self.place.label_of(&path), bytes, Format::Yaml)?).parse().map(Some)
    }

    fn label_of(&self, name: &str) -> String {
        self.place.label_of(&self.path(name))
    }

    /// What a person calls the folder.
    fn folder_label(&self) -> String {
        let below = self.below.trim_end_matches('/');
        if below.is_empty() { self.place.label.clone() } else { self.place.label_of(below) }
    }

    /// The name of the folder.
    fn folder_name(&self) -> String {
        let path = self.place.path.join(&self.below);
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn file(&self) -> &str {
        self.file.as_deref().unwrap_or_default()
    }
}

const ULTRALYTICS: Layout = Layout {
    name: "ultralytics",
    example: "ultralytics:runs/detect/train",
    is_run: |path| {
        let head = head(&path.join("results.csv"));
        path.join("args.yaml").is_file() && head.contains("epoch") && head.contains("train/")
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

const CATBOOST: Layout = Layout {
    name: "catboost",
    example: "catboost:catboost_info",
    is_run: |path| path.join("catboost_training.json").is_file(),
    read: |found| {
        let file = found.json("catboost_training.json")?;
        Ok(vec![catboost::tracked(&file, found.folder_label(), found.origin.clone())])
    },
};

const LIGHTNING: Layout = Layout {
    name: "lightning",
    example: "lightning:lightning_logs/version_0",
    is_run: |path| path.join("hparams.yaml").is_file() && head(&path.join("metrics.csv")).contains("step"),
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

const KERAS: Layout = Layout {
    name: "keras",
    example: "keras:training.log",
    is_run: |path| {
        has_ending(path, &["log"])
            && ["epoch,", "epoch;", "epoch\t"].iter().any(|start| head(path).starts_with(start))
    },
    read: |found| {
        let bytes = found.read(found.file(), MAX_BYTES)?;
        Ok(vec![lightning::of_keras(bytes, &found.label_of(found.file()), found.origin.clone())?])
    },
};

const PROMPTFOO: Layout = Layout {
    name: "promptfoo",
    example: "promptfoo:results.json",
    is_run: |path| {
        let head = squeezed(path);
        has_ending(path, &["json"]) && head.starts_with("{\"evalId\":") && head.contains("\"results\":")
            || has_ending(path, &["jsonl"])
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

const DEEPEVAL: Layout = Layout {
    name: "deepeval",
    example: "deepeval:test_run_20261128_035923.json",
    is_run: |path| {
        let head = squeezed(path);
        let is_named = has_ending(path, &["json"]) || path.extension().is_none();
        is_named && (head.starts_with("{\"testRunData\":") || head.starts_with("{\"testCases\":[{"))
    },
    read: |found| {
        let file = found.json(found.file())?;
        Ok(vec![deepeval::tracked(&file, found.label_of(found.file()), found.origin.clone())])
    },
};

const INSPECT: Layout = Layout {
    name: "inspect",
    example: "inspect:logs/2026-11-28T03-42-21-00-00_capitals_6qejVc46.eval",
    is_run: |path| {
        has_ending(path, &["eval"]) && path.is_file()
            || has_ending(path, &["json"]) && {
                let head = squeezed(path);
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

macro_rules! fetcher {
    ($name:ident, $layout:ident) => {
        pub(super) const $name: Fetcher = Fetcher {
            name: $layout.name,
            fetch: |rest, around| fetch(&$layout, rest, around),
            recognises: |path| recognises(&$layout, path),
        };
    };
}

fetcher!(ULTRALYTICS_FETCHER, ULTRALYTICS);
fetcher!(CATBOOST_FETCHER, CATBOOST);
fetcher!(LIGHTNING_FETCHER, LIGHTNING);
fetcher!(KERAS_FETCHER, KERAS);
fetcher!(PROMPTFOO_FETCHER, PROMPTFOO);
fetcher!(DEEPEVAL_FETCHER, DEEPEVAL);
fetcher!(INSPECT_FETCHER, INSPECT);

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found.eq_ignore_ascii_case(ending)))
}

fn head(path: &Path) -> String {
    String::from_utf8_lossy(&start(path)).into_owned()
}

/// The start of a file, without blanks.
fn squeezed(path: &Path) -> String {
    head(path).split_whitespace().collect()
}

/// The first bytes of a regular file.
fn start(path: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let is_plain = path.metadata().is_ok_and(|data| data.is_file());
    let mut bytes = Vec::new();
    if let Some(Ok(file)) = is_plain.then(|| std::fs::File::open(path)) {
        // What can't be read is told by whoever reads it.
        let _ = file.take(HEAD as u64).read_to_end(&mut bytes);
    }
    bytes
}

/// The files of a run may be named themselves.
fn folder_of<'p>(layout: &Layout, path: &'p Path) -> Option<&'p Path> {
    if (layout.is_run)(path) {
        return Some(path);
    }
    let named = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_part = matches!(
        named,
        "results.csv" | "args.yaml" | "catboost_training.json" | "metrics.csv" | "hparams.yaml"
    );
    path.parent().filter(|above| is_part && (layout.is_run)(above))
}

fn recognises(layout: &Layout, path: &Path) -> bool {
    folder_of(layout, path).is_some() || path.is_dir() && !inside(layout, path, 2).is_empty()
}

/// The runs in a folder and so many levels below, by their paths.
fn inside(layout: &Layout, folder: &Path, levels: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut inner = names(folder);
    inner.sort();
    for name in inner.into_iter().take(MAX_NAMES) {
        let path = folder.join(&name);
        // deepeval's own folder is a hidden one.
        if name.starts_with('.') && name != ".deepeval" && path.is_dir() {
            continue;
        }
        if (layout.is_run)(&path) {
            found.push(name);
        } else if levels > 0 && path.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            found
                .extend(inside(layout, &path, levels - 1).into_iter().map(|below| format!("{name}/{below}")));
        }
    }
    found
}

fn fetch(layout: &Layout, rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let place = around.place(rest)?;
    let origin =
        Origin { tracker: layout.name.into(), reference: format!("{}:{rest}", layout.name), resolved: None };
    let full = place.file.as_ref().map_or_else(|| place.path.clone(), |file| place.path.join(file));
    let paths = match (&place.file, folder_of(layout, &full)) {
        (Some(file), Some(run)) if run == full => vec![file.clone()],
        (_, Some(_)) => vec![String::new()],
        // A file that was named is what the reference says, or its reader says why not.
        (Some(file), None) => vec![file.clone()],
        (None, None) => inside(layout, &place.path, 2),
    };
    if paths.is_empty() {
        return Err(Diagnostic::new(
            NOT_A_RUN,
            format!("`{rest}` holds nothing that {} wrote", title(layout)),
        )
        .help(format!("name what it left, such as `{}`", layout.example))
        .boxed());
    }
    let mut fetched = Fetched { exact: paths.len() == 1, in_tree: true, ..Fetched::default() };
    for path in paths {
        let is_file = place.path.join(&path).is_file();
        let (below, file) = match path.rsplit_once('/') {
            _ if path.is_empty() => (String::new(), None),
            Some((folder, name)) if is_file => (format!("{folder}/"), Some(name.to_owned())),
            None if is_file => (String::new(), Some(path.clone())),
            _ => (format!("{path}/"), None),
        };
        let files = around.below_root(&place.path.join(&path));
        let found = Found { place: &place, below, file, origin: origin.clone(), around };
        match (layout.read)(&found) {
            Ok(runs) => {
                fetched.exact &= runs.len() == 1;
                fetched.runs.extend(runs.into_iter().map(|run| Ok(Tracked { files: files.clone(), ..run })));
            }
            Err(problem) => fetched.runs.push(Err(vec![*problem])),
        }
    }
    Ok(fetched)
}

fn title(layout: &Layout) -> &'static str {
    crate::source::tracker(layout.name).map_or(layout.name, |tracker| tracker.title)
}

/// The objects of JSON Lines.
fn lines(found: &Found<'_>, name: &str) -> Result<Vec<Node>, Box<Diagnostic>> {
    let bytes = found.read(name, JSON_LINES_BYTES)?;
    let whole = Document::new(found.label_of(name), bytes, Format::Json)?;
    let lines = whole.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(at, line)| {
        let document = Document {
            name: whole.name.clone(),
            text: line.into(),
            format: Format::Json,
            line: Some(at + 1),
        };
        Arc::new(document).parse_long()
    });
    parsed.collect()
}

/// The hyperparameters, without objects of Python, which are code, and the tags of those.
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
