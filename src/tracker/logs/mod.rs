//! Tools that write a file, or a folder with a few files, for each training or evaluation. Their files are
//! found at a path, or in folders up to two levels below it.

mod found;
mod layouts;

use std::path::Path;

use self::found::Found;
use self::layouts::Layout;
use super::peek::{Peek, names};
use super::{FetchContext, Fetched, Fetcher, NOT_A_RUN};
use crate::document::Diagnostic;
use crate::run::Origin;
use crate::source::Tracked;

/// Maximum number of names in each folder that is searched for runs.
const MAX_NAMES: usize = 1_000;

macro_rules! fetcher {
    ($name:ident, $layout:ident) => {
        pub(super) const $name: Fetcher = Fetcher {
            name: layouts::$layout.name,
            fetch: |rest, around| fetch(&layouts::$layout, rest, around),
            recognises: |peek| recognises(&layouts::$layout, peek),
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
fetcher!(TENSORBOARD_FETCHER, TENSORBOARD);
fetcher!(EVERY_EVAL_EVER_FETCHER, EVERY_EVAL_EVER);

/// The path of a run, given the path itself or one of the files in the run's folder.
fn folder_of<'p>(layout: &Layout, peek: &'p Peek) -> Option<&'p Path> {
    if (layout.is_run)(peek) {
        return Some(peek.path());
    }
    let is_part = matches!(
        peek.name(),
        "results.csv" | "args.yaml" | "catboost_training.json" | "metrics.csv" | "hparams.yaml"
    );
    peek.path().parent().filter(|above| is_part && (layout.is_run)(&Peek::new(*above)))
}

fn recognises(layout: &Layout, peek: &Peek) -> bool {
    folder_of(layout, peek).is_some() || peek.is_folder() && !inside(layout, peek.path(), 2).is_empty()
}

/// The runs in a folder and up to `levels` levels below, by path.
fn inside(layout: &Layout, folder: &Path, levels: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut inner = names(folder);
    inner.sort();
    for name in inner.into_iter().take(MAX_NAMES) {
        let path = folder.join(&name);
        // deepeval's own folder is hidden.
        if name.starts_with('.') && name != ".deepeval" && path.is_dir() {
            continue;
        }
        if (layout.is_run)(&Peek::new(&path)) {
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
    let peek = Peek::new(&full);
    let paths = match (&place.file, folder_of(layout, &peek)) {
        (Some(file), Some(run)) if run == full => vec![file.clone()],
        (_, Some(_)) => vec![String::new()],
        // The named file is read in any case, so that its reader can say what is wrong.
        (Some(file), None) => vec![file.clone()],
        (None, None) => inside(layout, &place.path, 2),
    };
    if paths.is_empty() {
        return Err(Diagnostic::new(
            NOT_A_RUN,
            format!("`{rest}` contains nothing that {} wrote", title(layout)),
        )
        .help(format!("name what it wrote, such as `{}`", layout.example))
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
