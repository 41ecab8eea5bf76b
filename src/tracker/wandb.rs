//! Weights & Biases: the folders that its client writes, offline and online.

use std::sync::Arc;

use super::peek::Peek;
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN, Place};
use crate::code::codes;
use crate::document::{Diagnostic, Document, FileKind, Format, Node};
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::wandb::{LogError, Logged, fold, from_files, tracked};

codes! {
    BROKEN = "wandb/broken": "The log of a W&B run is damaged.";
}

pub(super) const FETCHER: Fetcher = Fetcher { name: "wandb", fetch, recognises };

/// Maximum size in bytes of a log.
const MOST: usize = 1 << 30;

/// One run: its id, and its folders, in the order in which they were written.
struct Found {
    id: String,
    folders: Vec<String>,
}

fn recognises(peek: &Peek) -> bool {
    let name = peek.name();
    if peek.is_file() {
        return peek.path().extension().is_some_and(|extension| extension == "wandb");
    }
    if name == "latest-run" && peek.path().read_link().is_ok() {
        return true;
    }
    let has_run = || peek.names().iter().any(|name| run_folder(name).is_some());
    peek.is_folder() && (run_folder(name).is_some() || name == "wandb" && has_run())
}

/// The time and the id in the name of a run folder: `offline-run-20261123_085125-5vot4blv`.
fn run_folder(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("offline-").unwrap_or(name).strip_prefix("run-")?;
    let (time, id) = rest.split_once('-')?;
    let is_time = time.len() == 15 && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    (is_time && !id.is_empty()).then_some((time, id))
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let named = around.place(rest)?;
    // The run may continue in another folder next to it, so the folder above is read.
    let folder = named.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (place, only) = match run_folder(folder) {
        Some(_) => (named.above()?, Some(folder.to_owned())),
        None => (named, None),
    };
    let mut runs = found(&place)?;
    if runs.is_empty() {
        return Err(Diagnostic::new(NOT_A_RUN, format!("`{rest}` contains no W&B run"))
            .help("name the folder of a run, such as `wandb/offline-run-20261123_085125-5vot4blv`")
            .boxed());
    }
    let named_one = only.is_some() || runs.len() == 1;
    let mut fetched = Fetched { exact: named_one, in_tree: true, ..Fetched::default() };
    let everything = if around.wanted.siblings { std::mem::take(&mut runs) } else { Vec::new() };
    let is_named = |run: &&Found| only.as_ref().is_none_or(|folder| run.folders.contains(folder));
    let chosen = if around.wanted.siblings { &everything } else { &runs };
    let mut group = None;
    for run in chosen.iter().filter(is_named) {
        let read = read(&place, run).map_err(|problem| vec![*problem]);
        group = read.as_ref().ok().map(Logged::group_of);
        let described =
            |logged| described(&logged, &place, run, rest, around).map_err(|problem| vec![*problem]);
        fetched.runs.push(read.and_then(described));
    }
    for run in everything.iter().filter(|run| !is_named(run)) {
        let sibling = read(&place, run).and_then(|logged| {
            let is_sibling = logged.group.is_some() && group == Some(logged.group_of());
            is_sibling.then(|| described(&logged, &place, run, rest, around)).transpose()
        });
        match sibling {
            Ok(sibling) => fetched.siblings.extend(sibling),
            Err(problem) => {
                let note = format!(
                    "it is not known whether `{}` belongs to the same group: {}",
                    run.id, problem.message
                );
                fetched.runs.iter_mut().flatten().for_each(|named| named.notes.push(note.clone()));
            }
        }
    }
    Ok(fetched)
}

/// The runs in a folder, without duplicates.
fn found(place: &Place) -> Result<Vec<Found>, Box<Diagnostic>> {
    let mut folders: Vec<(String, String, String)> = place
        .folders()?
        .into_iter()
        .filter_map(|name| run_folder(&name).map(|(time, id)| (time.to_owned(), id.to_owned(), name.clone())))
        .collect();
    folders.sort();
    let mut runs: Vec<Found> = Vec::new();
    for (_, id, folder) in folders {
        match runs.iter_mut().rfind(|run| run.id == id) {
            Some(run) if goes_on(place, run, &folder)? => run.folders.push(folder),
            _ => runs.push(Found { id, folders: vec![folder] }),
        }
    }
    Ok(runs)
}

/// Whether a folder is another part of a run, rather than another run with the same id. A folder without a
/// log may be a part.
fn goes_on(place: &Place, run: &Found, folder: &str) -> Result<bool, Box<Diagnostic>> {
    let earlier = run.folders.iter().rev();
    let mut logs = Vec::new();
    for folder in std::iter::once(folder).chain(earlier.map(String::as_str)) {
        let Some(bytes) = place.read(&log_in(folder, &run.id), MOST)? else { continue };
        let mut logged = Logged::default();
        // Damage is reported when the run is read.
        if fold(&mut logged, &bytes).is_err() {
            return Ok(true);
        }
        logs.push(logged);
        if logs.len() == 2 {
            break;
        }
    }
    Ok(match logs.as_slice() {
        [this, earlier] => this.goes_on(earlier),
        _ => true,
    })
}

/// The path of the log in a run folder.
fn log_in(folder: &str, id: &str) -> String {
    format!("{folder}/run-{id}.wandb")
}

fn read(place: &Place, run: &Found) -> Result<Logged, Box<Diagnostic>> {
    let mut logged = Logged::default();
    let mut missing: Vec<&str> = Vec::new();
    for (at, folder) in run.folders.iter().enumerate() {
        let path = log_in(folder, &run.id);
        match place.read(&path, MOST)? {
            Some(bytes) => {
                fold(&mut logged, &bytes).map_err(|error| broken(&place.label_of(&path), &error))?;
                if at == 0 {
                    logged.begins_in_the_middle();
                }
            }
            None => missing.push(folder),
        }
    }
    if missing.len() < run.folders.len() {
        for folder in missing {
            logged.lacks(folder);
        }
        return Ok(logged);
    }
    let folder = run.folders.last().map_or("", String::as_str);
    let parse = |name: &str| -> Result<Option<Node>, Box<Diagnostic>> {
        let path = format!("{folder}/files/{name}");
        let Some(bytes) = place.read(&path, FileKind::of(&path).map_or(1 << 20, FileKind::most))? else {
            return Ok(None);
        };
        let format = if name == "config.yaml" { Format::Yaml } else { Format::Json };
        Arc::new(Document::new(place.label_of(&path), bytes, format)?).parse().map(Some)
    };
    let (config, summary, metadata) =
        (parse("config.yaml")?, parse("wandb-summary.json")?, parse("wandb-metadata.json")?);
    if config.is_none() && summary.is_none() {
        let message = format!("`{}` contains neither a log nor the files of a run", place.label_of(folder));
        return Err(Diagnostic::new(NOT_A_RUN, message).help("copy the whole folder of the run").boxed());
    }
    Ok(from_files(&run.id, config.as_ref(), summary.as_ref(), metadata.as_ref()))
}

fn described(
    logged: &Logged,
    place: &Place,
    run: &Found,
    rest: &str,
    around: &FetchContext<'_>,
) -> Result<Tracked, Box<Diagnostic>> {
    let folder = run.folders.last().map_or("", String::as_str);
    let resolved = (run.folders.len() > 1).then(|| format!("{} parts of a resumed run", run.folders.len()));
    let origin = Origin { tracker: "wandb".into(), reference: format!("wandb:{rest}"), resolved };
    let mut run = tracked(logged, place.label_of(folder), origin)?;
    // A resumed run has several folders; any change is in the last one.
    run.files = Some(place.path.join(folder)).and_then(|path| around.below_root(&path));
    Ok(run)
}

fn broken(label: &str, error: &LogError) -> Box<Diagnostic> {
    let message = match error {
        LogError::NotALog => format!("`{label}` is not a W&B log"),
        LogError::Damaged(0) => {
            format!("`{label}` is damaged: it has a record of an unknown form")
        }
        LogError::Damaged(at) => format!("`{label}` is damaged at byte {at}"),
    };
    Diagnostic::new(BROKEN, message)
        .help("fetch it again from where the run was made; `wandb sync` reads it too")
        .boxed()
}
