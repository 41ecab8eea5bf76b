//! Sacred: the folders of its `FileStorageObserver`, and the files that `mongoexport` writes from its database.

use std::sync::Arc;

use super::peek::{Peek, json, json_lines};
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN, Place};
use crate::document::limits::{JSON_BYTES, JSON_LINES_BYTES};
use crate::document::{Diagnostic, Document, Format, Node};
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::sacred::{Files, exported_run, is_exported_run, tracked};

pub(super) const FETCHER: Fetcher = Fetcher { name: "sacred", fetch, recognises };

/// A run's folder contains two files; an observer's folder contains such folders. Other tools write a `run.json` too,
/// so its contents decide.
fn recognises(peek: &Peek) -> bool {
    if peek.name() == "run.json" {
        return peek.parent().as_ref().is_some_and(is_run);
    }
    if peek.is_file() {
        return is_export(peek);
    }
    is_run(peek) || peek.names().iter().any(|name| is_run(&peek.inside(name)))
}

fn is_run(folder: &Peek) -> bool {
    folder.inside("config.json").is_file()
        && folder
            .inside("run.json")
            .bytes(JSON_BYTES)
            .and_then(json)
            .is_some_and(|run| run.get("experiment").is_some() && run.get("meta").is_some())
}

/// Whether a file contains runs of Sacred's database: no other file has all these keys at its start.
fn is_export(peek: &Peek) -> bool {
    let head = if peek.has_ending(&["json", "jsonl"]) { peek.squeezed() } else { "" };
    head.trim_start_matches('[').starts_with("{\"_id\":")
        && ["\"experiment\":", "\"repositories\":"].iter().all(|key| head.contains(key))
}

/// The runs in an export; their series are in a `metrics.json` next to it, if that was exported too.
fn exported(
    place: &Place,
    file: &str,
    rest: &str,
    around: &FetchContext<'_>,
) -> Result<Fetched, Box<Diagnostic>> {
    let documents = |name: &str| -> Result<Vec<Node>, Box<Diagnostic>> {
        let Some(bytes) = place.read(name, JSON_LINES_BYTES)? else { return Ok(Vec::new()) };
        let whole = Document::new(place.label_of(name), bytes, Format::Json)?;
        if whole.text.trim_start().starts_with('[') {
            let tree = Arc::new(whole).parse_long()?;
            return Ok(tree.as_list().unwrap_or_default().to_vec());
        }
        json_lines(&whole)
    };
    let ending = file.rsplit_once('.').map_or("json", |(_, ending)| ending);
    let series = documents(&format!("metrics.{ending}"))?;
    let origin = Origin { tracker: "sacred".into(), reference: format!("sacred:{rest}"), resolved: None };
    let mut runs = Vec::new();
    for document in documents(file)?.iter().filter(|document| is_exported_run(document)) {
        let (id, files) = exported_run(document, &series);
        let label = format!("{}#{id}", place.label_of(file));
        let mut run = tracked(&files, &id, label, origin.clone());
        run.files = around.below_root(&place.path.join(file));
        runs.push(Ok(run.packed()));
    }
    if runs.is_empty() {
        let message = format!("`{rest}` contains no Sacred run");
        return Err(Diagnostic::new(NOT_A_RUN, message)
            .help("export the collection: `mongoexport --collection runs`, and `--collection metrics` beside it")
            .boxed());
    }
    Ok(Fetched { exact: runs.len() == 1, runs, in_tree: true, ..Fetched::default() })
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let place = around.place(rest)?;
    if let Some(file) = place.file.as_deref().filter(|file| *file != "run.json") {
        return exported(&place, file, rest, around);
    }
    let read =
        |place: &Place, folder: &str| run(place, folder, rest, around).map_err(|problem| vec![*problem]);
    if place.has("run.json") {
        let mut fetched =
            Fetched { runs: vec![read(&place, "")], exact: true, in_tree: true, ..Fetched::default() };
        if around.wanted.siblings
            && let Ok(above) = place.above()
        {
            let own = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            for folder in runs(&above)?.iter().filter(|folder| *folder != own) {
                fetched.siblings.extend(read(&above, folder));
            }
        }
        return Ok(fetched);
    }
    let folders = runs(&place)?;
    if folders.is_empty() {
        return Err(Diagnostic::new(NOT_A_RUN, format!("`{rest}` contains no Sacred run"))
            .help("name the folder of a run, which contains `run.json` and `config.json`")
            .boxed());
    }
    let runs = folders.iter().map(|folder| read(&place, folder)).collect();
    Ok(Fetched { runs, exact: folders.len() == 1, in_tree: true, ..Fetched::default() })
}

fn runs(place: &Place) -> Result<Vec<String>, Box<Diagnostic>> {
    let mut folders = place.folders()?;
    folders.retain(|folder| place.has(&format!("{folder}/run.json")));
    folders.sort_by_key(|folder| (folder.parse::<u64>().unwrap_or(u64::MAX), folder.clone()));
    Ok(folders)
}

fn run(
    place: &Place,
    folder: &str,
    rest: &str,
    around: &FetchContext<'_>,
) -> Result<Tracked, Box<Diagnostic>> {
    let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let parse = |name: &str| -> Result<Option<Node>, Box<Diagnostic>> {
        let path = path(name);
        let Some(bytes) = place.read(&path, JSON_BYTES)? else { return Ok(None) };
        Arc::new(Document::new(place.label_of(&path), bytes, Format::Json)?).parse().map(Some)
    };
    let (run, config, metrics) = (parse("run.json")?, parse("config.json")?, parse("metrics.json")?);
    let info = parse("info.json")?;
    let below = place.below(around.root).map(|below| format!("{below}{}", path("")));
    let files = Files { run: run.unwrap_or_default(), config, metrics, info, below };
    let own = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id = if folder.is_empty() { own } else { folder };
    let label = if folder.is_empty() { place.label.clone() } else { place.label_of(folder) };
    let origin = Origin { tracker: "sacred".into(), reference: format!("sacred:{rest}"), resolved: None };
    let mut run = tracked(&files, id, label, origin);
    run.files = around.below_root(&place.path.join(folder));
    Ok(run)
}
