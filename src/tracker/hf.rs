//! Hugging Face: a model folder, in the working tree or at a revision.

use std::path::Path;
use std::sync::Arc;

use super::peek::{Peek, bytes, json};
use super::{AMBIGUOUS, FetchContext, Fetched, Fetcher, NOT_A_RUN, Place};
use crate::document::limits::{JSON_BYTES, YAML_BYTES};
use crate::document::{Diagnostic, Document, Format, Node};
use crate::git::{Git, short};
use crate::run::Origin;
use crate::source::Tracked;
use crate::source::hf::{Card, Output, front_matter, has_results, of_card, of_eval_results, of_trainer};
use crate::store::{Entry, Revision, Selector, Store};

pub(super) const FETCHER: Fetcher = Fetcher { name: "hf", fetch, recognises };

/// Maximum size in bytes of a card, including prose.
const CARD: usize = 4 << 20;
/// The Trainer's log.
const STATE: &str = "trainer_state.json";
/// The Trainer's files.
const TRAINER: [&str; 3] = ["all_results.json", "eval_results.json", STATE];
/// The folder of the newer results format.
const RESULTS: &str = ".eval_results";

fn recognises(peek: &Peek) -> bool {
    let path = peek.path();
    if peek.is_file() {
        return match peek.name() {
            "README.md" => is_card(path),
            name if TRAINER.contains(&name) => is_output(path),
            _ => {
                path.extension().is_some_and(|ending| ending == "yaml")
                    && path.parent().is_some_and(|above| above.ends_with(RESULTS))
            }
        };
    }
    peek.is_folder()
        && (path.ends_with(RESULTS)
            || peek.inside(RESULTS).is_folder()
            || TRAINER.iter().any(|name| is_output(&path.join(name)))
            || is_card(&path.join("README.md"))
            || peek
                .names()
                .iter()
                .any(|name| checkpoint(name).is_some() && is_output(&path.join(name).join(STATE))))
}

/// Whether a file is a card with results. An unreadable card counts if it seems to have some, so that the
/// error is reported.
fn is_card(path: &Path) -> bool {
    let Some(bytes) = bytes(path, CARD) else { return false };
    let looks_so = bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"model-index:"));
    match front_matter("README.md", bytes) {
        Ok(card) => card.as_ref().is_some_and(has_results),
        Err(_) => looks_so,
    }
}

/// Whether the Trainer wrote a file: other tools use the same names, but not the same contents.
fn is_output(path: &Path) -> bool {
    if path.ends_with(STATE) {
        return path.is_file();
    }
    let named =
        |key: &str| ["eval_", "train_", "test_", "predict_"].iter().any(|prefix| key.starts_with(prefix));
    let output = bytes(path, JSON_BYTES).and_then(json);
    output.is_some_and(|output| output.as_map().is_some_and(|map| map.keys().any(named)))
}

/// The step in a folder name such as `checkpoint-300`.
fn checkpoint(name: &str) -> Option<u64> {
    name.strip_prefix("checkpoint-")?.parse().ok()
}

/// The files of a folder, in the working tree or at a commit.
struct Files<'f> {
    store: &'f (dyn Store + 'f),
    label: &'f dyn Fn(&str) -> String,
}

impl Files<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, Box<Diagnostic>> {
        let found = self.store.select(&Selector::new(path)?)?.into_iter().find(|entry| entry.path == path);
        found.map(|entry| self.store.read(&entry, most)).transpose()
    }

    fn node(&self, path: &str) -> Result<Option<Node>, Box<Diagnostic>> {
        let is_json = Path::new(path).extension().is_some_and(|ending| ending == "json");
        let (format, most) = if is_json { (Format::Json, JSON_BYTES) } else { (Format::Yaml, YAML_BYTES) };
        let Some(bytes) = self.read(path, most)? else { return Ok(None) };
        Arc::new(Document::new((self.label)(path), bytes, format)?).parse().map(Some)
    }
}

fn fetch(rest: &str, around: &FetchContext<'_>) -> Result<Fetched, Box<Diagnostic>> {
    let (path, revision) = around.with_revision(rest);
    let place = around.place(path)?;
    let mut origin = Origin { tracker: "hf".into(), reference: format!("hf:{rest}"), resolved: None };
    let Some(revision) = revision else {
        let label = |path: &str| place.label_of(path);
        let run = read(&Files { store: place.files(), label: &label }, &place, origin, path)?;
        return Ok(Fetched { runs: vec![Ok(run)], exact: true, in_tree: true, ..Fetched::default() });
    };
    let git = Git::open(&place.path)?;
    let commit = around.git.commit(&git, revision, around.role)?;
    let date = commit.time.map(|time| format!(" of {}", time.strftime("%Y-%m-%d"))).unwrap_or_default();
    origin.resolved = Some(format!("commit {}{date}", short(&commit.id)));
    let (id, time) = (commit.id.clone(), commit.time.map(|time| time.to_string()));
    let store = Revision::new(&git, revision, commit);
    let label = |path: &str| store.label(path);
    let resolved = origin.resolved.clone();
    let mut run = read(&Files { store: &store, label: &label }, &place, origin, path)?;
    // A model repository on the Hub contains files, not the training code, so its commit is not the code's.
    run.text(&crate::document::Path::of(["revision"]), Some(&id), "git");
    run.text(&crate::document::Path::of(["created_at"]), time.as_deref(), "the time of the commit");
    Ok(Fetched { runs: vec![Ok(run)], resolved, exact: true, ..Fetched::default() })
}

fn read(files: &Files<'_>, place: &Place, origin: Origin, path: &str) -> Result<Tracked, Box<Diagnostic>> {
    let label = (files.label)(place.file.as_deref().unwrap_or_default()).trim_end_matches('/').to_owned();
    let label = if label.is_empty() { place.label.clone() } else { label };
    // Read both formats, whether the reference names this folder or the one around it.
    let inside = place.path.file_name().is_some_and(|name| name == RESULTS);
    if let Some(file) = &place.file {
        if TRAINER.contains(&file.as_str()) {
            return Ok(of_trainer(&output(files, "")?, label, origin));
        }
        if inside {
            return eval_results(files, &files.store.select(&Selector::new(file)?)?, label, origin);
        }
        return match card(files, file)? {
            Some(card) => of_card(&card, label, origin),
            None => Err(no_results(&label)),
        };
    }
    let mut found: Vec<(&str, String)> = Vec::new();
    let card = card(files, "README.md")?.filter(has_results);
    if card.is_some() {
        found.push(("the card", format!("hf:{path}/README.md")));
    }
    let pattern = if inside { "*.yaml" } else { ".eval_results/*.yaml" };
    let results = files.store.select(&Selector::new(pattern)?)?;
    let trainer = trainer(files)?;
    if let Some(folder) = &trainer {
        found.push(("the Trainer", format!("hf:{path}/{folder}{STATE}")));
    }
    match (found.as_slice(), card) {
        ([("the card", _)], Some(card)) => {
            let mut run = of_card(&card, label, origin)?;
            if !results.is_empty() {
                run.notes
                    .push(format!("`hf:{path}/.eval_results` also has results, which are not read here"));
            }
            Ok(run)
        }
        ([_], _) => Ok(of_trainer(&output(files, &trainer.unwrap_or_default())?, label, origin)),
        ([], _) if !results.is_empty() => eval_results(files, &results, label, origin),
        ([], _) => Err(no_results(&label)),
        (several, _) => {
            let choices: Vec<String> =
                several.iter().map(|(what, name)| format!("`{name}` ({what})")).collect();
            Err(Diagnostic::new(AMBIGUOUS, format!("`{path}` contains results of more than one kind"))
                .help(format!("say which is meant: {}", choices.join(" or ")))
                .boxed())
        }
    }
}

fn card(files: &Files<'_>, path: &str) -> Result<Option<Card>, Box<Diagnostic>> {
    let Some(bytes) = files.read(path, CARD)? else { return Ok(None) };
    front_matter(&(files.label)(path), bytes)
}

fn eval_results(
    files: &Files<'_>,
    entries: &[Entry],
    label: String,
    origin: Origin,
) -> Result<Tracked, Box<Diagnostic>> {
    let mut nodes = Vec::new();
    for entry in entries {
        if let Some(node) = files.node(&entry.path)? {
            nodes.push(((files.label)(&entry.path), node));
        }
    }
    of_eval_results(&nodes, label, origin)
}

/// The folder of the Trainer's files: the named one, else the last checkpoint that has a log.
fn trainer(files: &Files<'_>) -> Result<Option<String>, Box<Diagnostic>> {
    for name in TRAINER {
        if !files.store.select(&Selector::new(name)?)?.is_empty() {
            return Ok(Some(String::new()));
        }
    }
    let states = files.store.select(&Selector::new(&format!("checkpoint-*/{STATE}"))?)?;
    let folders = states.iter().filter_map(|entry| entry.path.split_once('/')).map(|(folder, _)| folder);
    let last = folders.filter_map(|folder| Some((checkpoint(folder)?, folder))).max();
    Ok(last.map(|(_, folder)| format!("{folder}/")))
}

fn output(files: &Files<'_>, folder: &str) -> Result<Output, Box<Diagnostic>> {
    let [all, eval, state] = TRAINER.map(|name| files.node(&format!("{folder}{name}")));
    Ok(Output {
        all_results: all?,
        eval_results: eval?,
        state: state?,
        checkpoint: folder.trim_end_matches('/').to_owned(),
    })
}

fn no_results(label: &str) -> Box<Diagnostic> {
    Diagnostic::new(
        NOT_A_RUN,
        format!("`{label}` has no results: no `model-index`, no `.eval_results`, no Trainer output"),
    )
    .help("write the results into the card's `model-index`, or into `.eval_results/*.yaml`")
    .boxed()
}
