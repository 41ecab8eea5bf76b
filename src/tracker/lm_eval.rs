//! lm-evaluation-harness: the folder that `--output_path` named, or one file of results.

use std::path::Path;
use std::sync::Arc;

use super::{Around, Fetched, Fetcher, NOT_A_RUN};
use crate::document::limits::JSON_BYTES;
use crate::document::{Document, Format, Problem};
use crate::run::Origin;
use crate::source::lm_eval::tracked;

pub(super) const FETCHER: Fetcher = Fetcher { name: "lm-eval", fetch, recognises };

/// Whether a name is that of results: `results_2026-11-23T08-31-51.889572.json`.
fn is_results(name: &str) -> bool {
    let Some(time) = name.strip_prefix("results_").and_then(|rest| rest.strip_suffix(".json")) else {
        return false;
    };
    time.starts_with(|c: char| c.is_ascii_digit()) && time.contains('T')
}

fn recognises(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if path.is_file() {
        return is_results(name);
    }
    // The folder of an evaluation has one for each model, in which the results lie.
    let names = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten().take(10_000);
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let holds = |path: &Path| names(path).iter().any(|name| is_results(name));
    holds(path) || names(path).iter().take(100).any(|name| holds(&path.join(name)))
}

fn fetch(rest: &str, around: &Around<'_>) -> Result<Fetched, Box<Problem>> {
    let place = around.place(rest)?;
    let mut names = match &place.file {
        Some(file) => vec![file.clone()],
        None => place.matching("**/results_*.json")?,
    };
    let time = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    names.retain(|path| place.file.is_some() || is_results(&time(path)));
    names.sort_by_key(time);
    let folders: std::collections::BTreeSet<&str> =
        names.iter().map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder)).collect();
    if folders.len() > 1 {
        let choices: Vec<String> =
            folders.iter().map(|folder| format!("`lm-eval:{rest}/{folder}`")).collect();
        let message = format!("`{rest}` holds the results of {} models", folders.len());
        return Err(Problem::new(super::AMBIGUOUS, message)
            .help(format!("say which is meant: {}", choices.join(" or ")))
            .boxed());
    }
    let older = names.len().saturating_sub(1);
    let Some(newest) = names.pop() else {
        return Err(Problem::new(NOT_A_RUN, format!("`{rest}` holds no results of lm-evaluation-harness"))
            .help("name the folder of `--output_path`, or a file such as results_2026-11-23T08-31-51.889572.json")
            .boxed());
    };
    let bytes = place.read(&newest, JSON_BYTES)?.unwrap_or_default();
    let label = place.label_of(&newest);
    let tree = Arc::new(Document::new(label.as_str(), bytes, Format::Json)?).parse_long()?;
    if tree.get("results").is_none() || tree.get("configs").is_none() {
        let message =
            format!("`{label}` has no `results` with `configs`: it is not of lm-evaluation-harness");
        return Err(Problem::new(NOT_A_RUN, message).help("versions from 0.4 on are read").boxed());
    }
    let resolved = place.file.is_none().then(|| newest.clone());
    let origin = Origin {
        tracker: "lm-eval".into(),
        reference: format!("lm-eval:{rest}"),
        resolved: resolved.clone(),
    };
    let stem = newest.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
    let mut run = tracked(&tree, &stem, label, origin);
    if older > 0 {
        run.notes.push(format!("this is the newest of {} results; they are never merged", older + 1));
    }
    Ok(Fetched { runs: vec![Ok(run)], resolved, exact: true, in_tree: true, ..Fetched::default() })
}
