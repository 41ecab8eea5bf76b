//! Classifies the files of a project: data, models, the split that metrics are measured on, and the package
//! lockfile.

use super::Files;
use super::lock::Hashed;
use super::paths::is_address;
use super::paths::joined;
use super::project::Project;
use crate::document::{Diagnostic, Map, Node, Path, Span, Value, sha256};
use crate::source::tracked::Tracked;

/// File extensions of code: git tracks these files, so they are not data.
const CODE: [&str; 12] = ["py", "ipynb", "sh", "r", "jl", "rs", "js", "ts", "sql", "scala", "cpp", "md"];
/// File extensions of trained models.
const MODEL: [&str; 13] = [
    "pkl",
    "pickle",
    "joblib",
    "onnx",
    "pt",
    "pth",
    "h5",
    "keras",
    "safetensors",
    "model",
    "ubj",
    "cbm",
    "tflite",
];
/// Names of package lockfiles.
const LOCKFILES: [&str; 7] =
    ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.txt", "conda-lock.yml", "pixi.lock"];
/// Words in the names of files that metrics are measured on.
const SPLIT: [&str; 8] = ["test", "valid", "validation", "val", "holdout", "eval", "evaluation", "dev"];

/// Records the data, artifacts and package lockfile among the inputs and outputs of the stages.
pub(super) fn files_of(
    files: &dyn Files,
    project: &Project,
    (prefix, chosen): (&str, Option<&str>),
    run: &mut Tracked,
) -> Result<(), Box<Diagnostic>> {
    let lock = project.lock.as_deref().unwrap_or_default();
    let unique = |all: Vec<&Hashed>| {
        let mut found: Vec<Hashed> = Vec::new();
        for one in all {
            if !found.iter().any(|known| known.path == one.path) {
                found.push(one.clone());
            }
        }
        found
    };
    let tracked = &project.tracked;
    let deps = unique(lock.iter().flat_map(|locked| &locked.deps).chain(tracked).collect());
    let outs = unique(lock.iter().flat_map(|locked| &locked.outs).collect());
    let models = &project.pipeline.models;
    let is_model = |path: &str| {
        if models.is_empty() {
            MODEL.contains(&ending(path)) && !is_pickled_table(path)
        } else {
            models.iter().any(|(_, model)| model == path)
        }
    };
    let is_lockfile = |path: &str| LOCKFILES.contains(&path.rsplit('/').next().unwrap_or(path));
    let left_out = project.left_out();
    let mut data: Vec<&Hashed> = Vec::new();
    for dep in &deps {
        let other = CODE.contains(&ending(&dep.path)) || is_model(&dep.path) || is_lockfile(&dep.path);
        if !other && !left_out(&dep.path) && !holds_code(files, dep)? {
            data.push(dep);
        }
    }
    if !data.is_empty() {
        let one = |file: &&Hashed| {
            let mut map = described(file, prefix);
            if let Some(role) = role(&file.path) {
                map.insert("role", Span::default(), Node::text(role));
            }
            Node::made(Value::Map(map))
        };
        let list = data.iter().map(one).collect();
        run.put(&Path::of(["data"]), Value::List(list), "dvc.lock: stages.*.deps, *.dvc");
    }
    if let Some(file) = deps.iter().find(|dep| is_lockfile(&dep.path)) {
        let path = Path::of(["environment", "lockfile"]);
        run.put(&path, Value::Map(described(file, prefix)), "dvc.lock: stages.*.deps");
    }
    validation(&data, run);
    let produced: Vec<&Hashed> = outs
        .iter()
        .filter(|out| !left_out(&out.path) && !data.iter().any(|file| file.path == out.path))
        .chain(tracked.iter().filter(|file| is_model(&file.path)))
        .collect();
    let chosen = models.iter().find(|(name, _)| Some(&**name) == chosen).map(|(_, path)| path);
    let is_meant = |path: &str| chosen.map_or_else(|| is_model(path), |chosen| chosen == path);
    let (model, other): (Vec<&Hashed>, Vec<&Hashed>) =
        produced.into_iter().partition(|out| is_meant(&out.path));
    match model.as_slice() {
        [one] => {
            run.put(&Path::of(["artifact"]), Value::Map(described(one, prefix)), "dvc.lock: stages.*.outs");
            if let Some((name, _)) = models.iter().find(|(_, path)| *path == one.path) {
                run.text(&Path::of(["model"]), Some(name), "dvc.yaml: artifacts");
            }
        }
        [] => {}
        several if models.is_empty() => run.notes.push(format!(
            "{} outputs are models, so none of them is *the* artifact: name it under `artifacts:` in dvc.yaml",
            several.len()
        )),
        several => run.notes.push(format!(
            "`artifacts:` names {} models, so none of them is *the* artifact: say which is meant, `dvc:DIR@{}`",
            several.len(),
            models.first().map(|(name, _)| name.as_str()).unwrap_or_default()
        )),
    }
    let rest: Vec<&Hashed> = if model.len() == 1 { other } else { model.into_iter().chain(other).collect() };
    if !rest.is_empty() {
        let list = rest.iter().map(|file| Node::made(Value::Map(described(file, prefix)))).collect();
        run.put(&Path::of(["artifacts"]), Value::List(list), "dvc.lock: stages.*.outs");
    }
    Ok(())
}

/// Whether a folder contains source code, as `src` does.
fn holds_code(files: &dyn Files, dep: &Hashed) -> Result<bool, Box<Diagnostic>> {
    if !dep.parts().is_some_and(|(_, is_folder, _)| is_folder) {
        return Ok(false);
    }
    let found = files.matching(&format!("{}/**", globset::escape(&dep.path)))?;
    Ok(found.iter().any(|path| CODE.contains(&ending(path)) && ending(path) != "md"))
}

fn ending(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending)
}

fn described(file: &Hashed, prefix: &str) -> Map {
    let mut map = Map::default();
    if is_address(&file.path) {
        map.insert("uri", Span::default(), Node::text(file.path.as_str()));
    } else {
        map.insert("path", Span::default(), Node::text(joined(prefix, &file.path)));
    }
    if let Some(digest) = &file.digest {
        map.insert("digest", Span::default(), Node::text(digest.as_str()));
    }
    if let Some(bytes) = file.bytes.as_deref().filter(|bytes| bytes.parse::<u64>().is_ok()) {
        map.insert("bytes", Span::default(), Node::made(Value::Number(bytes.into())));
    }
    map
}

/// The words in the name of a file.
fn words(path: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

/// The role of a data file, by the words in its name.
fn role(path: &str) -> Option<&'static str> {
    let words = words(path);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&&**word));
    if has(&["train", "training"]) {
        Some("train")
    } else if has(&["test", "holdout"]) {
        Some("test")
    } else if has(&SPLIT) {
        Some("validation")
    } else {
        None
    }
}

/// Whether a pickle is a table rather than a model, by the words in its name: `X_test.pkl`, `train_data.joblib`.
fn is_pickled_table(path: &str) -> bool {
    const TABLE: [&str; 14] = [
        "x", "y", "data", "dataset", "df", "frame", "table", "features", "labels", "target", "targets",
        "split", "rows", "samples",
    ];
    const MODEL: [&str; 8] =
        ["model", "models", "classifier", "clf", "regressor", "estimator", "weights", "checkpoint"];
    let words = words(path);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&&**word));
    matches!(ending(path), "pkl" | "pickle" | "joblib")
        && !has(&MODEL)
        && (has(&TABLE) || role(path).is_some())
}

/// Records the data that metrics are measured on, if names show it: one file, or the parts of one split, such
/// as `X_test` and `y_test`.
fn validation(data: &[&Hashed], run: &mut Tracked) {
    let says_so = |file: &&&Hashed| words(&file.path).iter().any(|word| SPLIT.contains(&word.as_str()));
    let found: Vec<&&Hashed> = data.iter().filter(says_so).collect();
    if let Some((names, digest)) = in_parts(&found) {
        let at = Path::of(["validation"]);
        let from = "the data whose names say so";
        run.text(&at.key("split"), Some(&names), from);
        run.text(&at.key("digest"), digest.as_deref(), from);
        return;
    }
    match found.as_slice() {
        [] => {}
        [one] => {
            let at = Path::of(["validation"]);
            let from = "the only data whose name says so";
            run.text(&at.key("split"), Some(&one.path), from);
            run.text(&at.key("digest"), one.digest.as_deref(), from);
        }
        several => {
            let names: Vec<&str> = several.iter().map(|file| file.path.as_str()).collect();
            run.notes.push(format!(
                "which of these the metrics were measured on is not recorded, so there is no `validation`: {}",
                names.join(", ")
            ));
        }
    }
}

/// The names and a digest of files that are parts of one split: their names differ only in an `x` or a `y`.
fn in_parts(found: &[&&Hashed]) -> Option<(String, Option<String>)> {
    let without_part = |file: &Hashed| {
        let mut words = words(&file.path);
        let before = words.len();
        words.retain(|word| !matches!(word.as_str(), "x" | "y"));
        (words.len() < before).then_some(words)
    };
    let first = without_part(found.first()?)?;
    if found.len() < 2 || !found.iter().all(|file| without_part(file).as_ref() == Some(&first)) {
        return None;
    }
    let mut files: Vec<&Hashed> = found.iter().map(|file| **file).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let lines: Option<Vec<String>> =
        files.iter().map(|file| Some(format!("{}\t{}", file.path, file.digest.as_deref()?))).collect();
    let digest = lines.map(|lines| format!("sha256:{}", sha256(lines.join("\n").as_bytes())));
    Some((names.join(", "), digest))
}
