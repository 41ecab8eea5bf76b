//! lm-evaluation-harness: the folder given as `--output_path`, or a single results file.

use std::sync::Arc;

use super::peek::{Peek, json};
use super::place::Place;
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN};
use crate::document::limits::JSON_BYTES;
use crate::document::{Diagnostic, Document, Format, Map, Node};
use crate::run::{CaseResult, Origin};
use crate::source::lm_eval::{self, tracked};

pub(super) const FETCHER: Fetcher = Fetcher { name: "lm-eval", fetch, recognises };

/// The part before the time in a name such as `results_2026-11-23T08-31-51.889572.json`. It is not `results` if
/// `--output_path` named a file.
fn before_time(name: &str) -> Option<&str> {
    let (before, time) = name.strip_suffix(".json")?.rsplit_once('_')?;
    let (date, clock) = time.split_once('T')?;
    let digits = |text: &str, pattern: &str| {
        text.len() >= pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(one, form)| match form {
                b'0' => one.is_ascii_digit(),
                form => one == form,
            })
    };
    (date.len() == 10 && digits(date, "0000-00-00") && digits(clock, "00-00-00")).then_some(before)
}

/// Whether JSON is from the harness, by its first key and its contents: other tools may use the same name.
fn is_evaluation(peek: &Peek) -> bool {
    peek.squeezed().starts_with("{\"results\":{")
        && peek.bytes(JSON_BYTES).and_then(json).is_some_and(|tree| {
            ["configs", "versions", "n-shot"].into_iter().all(|key| tree.get(key).is_some())
        })
}

/// Whether a file is a results file; its name must contain a time.
fn is_results(peek: &Peek) -> bool {
    match before_time(peek.name()) {
        Some("results") => true,
        Some(_) => is_evaluation(peek),
        None => false,
    }
}

fn recognises(peek: &Peek) -> bool {
    if peek.is_file() {
        return is_results(peek) || peek.has_ending(&["json"]) && is_evaluation(peek);
    }
    // The folder of an evaluation contains a folder for each model, which contains the results.
    let holds = |peek: &Peek| peek.names().iter().any(|name| is_results(&peek.inside(name)));
    holds(peek) || peek.names().iter().take(100).any(|name| holds(&peek.inside(name)))
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let place = around.place(rest)?;
    let mut names = match &place.file {
        Some(file) => vec![file.clone()],
        None => place.matching("**/*.json")?,
    };
    names.retain(|path| place.file.is_some() || is_results(&Peek::new(place.path.join(path))));
    // Keep the newest file for each folder and each name in it.
    let before = |path: &str| before_time(path).unwrap_or(path).to_owned();
    names.sort_by_key(|path| (before(path), path.clone()));
    let models: std::collections::BTreeMap<String, &str> =
        names.iter().map(|path| (before(path), path.as_str())).collect();
    if models.len() > 1 {
        let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let alone = |path: &str| models.values().filter(|other| folder(other) == folder(path)).count() == 1;
        let choices: Vec<String> = models
            .values()
            .map(|newest| if alone(newest) { folder(newest) } else { (*newest).to_owned() })
            .map(|path| format!("`lm-eval:{rest}/{path}`"))
            .collect();
        let message = format!("`{rest}` contains the results of {} models", models.len());
        return Err(Diagnostic::new(super::AMBIGUOUS, message)
            .help(format!("say which is meant: {}", choices.join(" or ")))
            .boxed());
    }
    let older = names.len().saturating_sub(1);
    let Some(newest) = names.pop() else {
        return Err(Diagnostic::new(
            NOT_A_RUN,
            format!("`{rest}` contains no results of lm-evaluation-harness"),
        )
        .help("name the folder of `--output_path`, or a file such as results_2026-11-23T08-31-51.889572.json")
        .boxed());
    };
    let bytes = place.read(&newest, JSON_BYTES)?.unwrap_or_default();
    let label = place.label_of(&newest);
    let tree = Arc::new(Document::new(label.as_str(), bytes, Format::Json)?).parse_long()?;
    if tree.get("results").is_none() || tree.get("configs").is_none() {
        let message =
            format!("`{label}` has no `results` with `configs`, so it is not from lm-evaluation-harness");
        return Err(Diagnostic::new(NOT_A_RUN, message).help("version 0.4 or newer is required").boxed());
    }
    let resolved = place.file.is_none().then(|| newest.clone());
    let origin = Origin {
        tracker: "lm-eval".into(),
        reference: format!("lm-eval:{rest}"),
        resolved: resolved.clone(),
    };
    let stem = newest.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
    let mut run = tracked(&tree, &stem, label, origin);
    run.cases = samples(&place, &newest, &tree)?;
    if older > 0 {
        run.notes.push(format!("this is the newest of {} results; gate never merges them", older + 1));
    }
    Ok(Fetched { runs: vec![Ok(run)], resolved, exact: true, in_tree: true, ..Fetched::default() })
}

/// The samples of each task, from the files next to the results: `samples_TASK_2026-11-23T08-31-51.889572.jsonl`.
fn samples(place: &Place, results: &str, tree: &Node) -> Result<Vec<CaseResult>, Box<Diagnostic>> {
    let (folder, name) = results.rsplit_once('/').map_or(("", results), |(folder, name)| (folder, name));
    let time = name.trim_end_matches(".json").rsplit_once('_').map_or("", |(_, time)| time);
    let mut found = Vec::new();
    for task in tree.get("configs").and_then(Node::as_map).into_iter().flat_map(Map::keys) {
        let file = format!("samples_{task}_{time}.jsonl");
        let path = if folder.is_empty() { file } else { format!("{folder}/{file}") };
        let Some(bytes) = place.read(&path, JSON_BYTES)? else { continue };
        let mut lines = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let document = Document::new(place.label_of(&path).as_str(), line.to_vec(), Format::Json)?;
            lines.push(Arc::new(document).parse_long()?);
        }
        found.extend(lm_eval::samples(tree, task, &lines));
    }
    Ok(found)
}
