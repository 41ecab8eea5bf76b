//! Sacred: the folders of its `FileStorageObserver`.

use std::path::Path;
use std::sync::Arc;

use super::peek::{bytes, json, names};
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN, Place};
use crate::document::limits::JSON_BYTES;
use crate::document::{Diagnostic, Document, Format, Node};
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::sacred::{Files, tracked};

pub(super) const FETCHER: Fetcher = Fetcher { name: "sacred", fetch, recognises };

/// The folder of a run holds two files, the folder of an observer such folders. Others have a `run.json` too, so what
/// stands in it decides.
fn recognises(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| name == "run.json") {
        return path.parent().is_some_and(is_run);
    }
    is_run(path) || names(path).iter().any(|name| is_run(&path.join(name)))
}

fn is_run(folder: &Path) -> bool {
    folder.join("config.json").is_file()
        && bytes(&folder.join("run.json"), JSON_BYTES)
            .and_then(json)
            .is_some_and(|run| run.get("experiment").is_some() && run.get("meta").is_some())
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let place = around.place(rest)?;
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
        return Err(Diagnostic::new(NOT_A_RUN, format!("`{rest}` holds no run of Sacred"))
            .help("name the folder of a run, which holds `run.json` and `config.json`")
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
    let below = place.below(around.root).map(|below| format!("{below}{}", path("")));
    let files = Files { run: run.unwrap_or_default(), config, metrics, below };
    let own = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let id = if folder.is_empty() { own } else { folder };
    let label = if folder.is_empty() { place.label.clone() } else { place.label_of(folder) };
    let origin = Origin { tracker: "sacred".into(), reference: format!("sacred:{rest}"), resolved: None };
    let mut run = tracked(&files, id, label, origin);
    run.files = around.below_root(&place.path.join(folder));
    Ok(run)
}
