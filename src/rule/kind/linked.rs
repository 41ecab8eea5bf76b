//! A model file that no record names is of unknown origin. `linked` checks the change: each artifact that it adds
//! must have the record of the run that made it, and a notebook's output must not be the only record.

use std::collections::HashSet;

use globset::GlobSet;

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Value};
use crate::rule::covered::{listed, unrecorded, values};
use crate::rule::files::{Recorded, check};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::model_files::{globs, is_model};
use crate::rule::named_files::{NamedFiles, UNREADABLE, Undigested, unreadable};
use crate::rule::notebook::outputs;
use crate::rule::notebook_metrics::{PrintedMetric, metrics_shown};
use crate::rule::{AboutChange, ChangeInput, ChangedFile, Facts, Loading, RuleInput, RuleResult};
use crate::run::{Decimal, Run};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    NOTEBOOK_ONLY = "linked/notebook-only": "The outputs of a notebook show metrics that no run record has.";
    NOTEBOOK_DIFFERS = "linked/notebook-differs": "The outputs of a notebook differ from its run record.";
    CANNOT_TELL = "linked/cannot-tell": "The files of the change can't be determined: there is no repository, or a part of its history is missing.";
}

pub(super) const KIND: Kind = Kind {
    name: "linked",
    says: "every artifact that the change adds has the run record that produced it, and no notebook's output is the only record",
    codes: CODES,
    load,
};

/// Bytes of a notebook that are read.
const NOTEBOOK_BYTES: usize = 64 << 20;
/// How many bytes identify a text file as a `LightGBM` model.
const LIGHTGBM_BYTES: usize = 32;

#[derive(Debug)]
struct Linked {
    /// Which files count as artifacts, if the policy says so.
    artifacts: Option<GlobSet>,
    notebooks: Option<GlobSet>,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let mut linked = Linked { artifacts: None, notebooks: None };
    if matches!(body.value, Value::Bool(_)) {
        return loading.is_true(body, "linked").then(|| Box::new(linked) as Box<dyn RuleCheck>);
    }
    let map = loading.reader.map(body, "`linked`, unless it is `true`,")?;
    loading.reader.only(map, "`linked`", &["artifacts", "notebooks"]);
    if map.is_empty() {
        loading.reader.problem(EMPTY_BODY, body.span, "`linked` requires nothing", "empty").help =
            Some("write `linked: true`".into());
        return None;
    }
    if let Some(node) = map.get("artifacts") {
        linked.artifacts = Some(globs(loading, node, "`artifacts`")?);
    }
    if let Some(node) = map.get("notebooks") {
        linked.notebooks = Some(globs(loading, node, "`notebooks`")?);
    }
    Some(Box::new(linked))
}

impl RuleCheck for Linked {
    /// Checks that a candidate's artifacts are still those of the run.
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        for artifact in case.candidate.artifacts() {
            let Some(path) = artifact.path else { continue };
            let digest = artifact.digest.as_ref();
            let file =
                Recorded { what: "artifact".into(), at: artifact.at.clone(), path, digest, list: None };
            check(&mut judgement, case.facts, &file);
        }
        Ok(judgement)
    }

    fn about_change(&self) -> AboutChange {
        AboutChange::Always
    }

    fn judge_change(&self, case: &ChangeInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let named = NamedFiles::of(case.records, &[]);
        let dvc: HashSet<&str> = case.records.dvc_outputs.iter().map(String::as_str).collect();
        // An output of DVC is an artifact, whatever its name.
        let may_be_artifact =
            |path: &str| self.is_artifact(path) || is_in(path, &dvc) || self.may_be_boosted(path);
        let mut files = Vec::new();
        let since = case
            .facts
            .changes(&|path| may_be_artifact(path) || self.is_notebook(path), &mut |file| files.push(file))
            .map_err(cannot)?;
        let (notebooks, files): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| self.is_notebook(&file.path));
        let mut artifacts = case.facts.named_changes(&named.paths()).map_err(cannot)?;
        artifacts.extend(files.into_iter().filter(|file| {
            named.covering(&file.path).is_none()
                && (self.is_artifact(&file.path)
                    || is_in(&file.path, &dvc)
                    || is_boosted(case.facts, &file.path))
        }));
        artifacts.sort_by(|one, other| one.path.cmp(&other.path));
        // Shown even if there are none, so that a pass shows what was checked.
        let looked_at =
            format!("{}, {}", counted(artifacts.len(), "artifact"), counted(notebooks.len(), "notebook"));
        judgement.compare(
            Comparison::exact(format!("since {since}"), "linked", Outcome::Pass).candidate(looked_at),
        );
        for file in &artifacts {
            named.account(&mut judgement, case, file, Undigested::Fails);
        }
        for file in &notebooks {
            notebook(&mut judgement, case, file);
        }
        Ok(judgement)
    }
}

impl Linked {
    fn is_artifact(&self, path: &str) -> bool {
        self.artifacts.as_ref().map_or_else(|| is_model(path), |globs| globs.is_match(path))
    }

    /// Whether only its content can show whether it is a model.
    fn may_be_boosted(&self, path: &str) -> bool {
        self.artifacts.is_none() && is_text(path)
    }

    fn is_notebook(&self, path: &str) -> bool {
        match &self.notebooks {
            Some(globs) => globs.is_match(path),
            None => path.to_ascii_lowercase().ends_with(".ipynb"),
        }
    }
}

fn is_text(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".txt")
}

/// Whether a text file is a `LightGBM` model.
fn is_boosted(facts: &dyn Facts, path: &str) -> bool {
    let first = facts.first_bytes(path, LIGHTGBM_BYTES).unwrap_or_default();
    is_text(path) && String::from_utf8_lossy(&first).replace('\r', "").starts_with("tree\nversion=")
}

/// Whether a path is one of these folders, or inside one.
fn is_in(path: &str, folders: &HashSet<&str>) -> bool {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    !folders.is_empty() && ends.map(|end| &path[..end]).any(|part| folders.contains(part))
}

fn notebook(judgement: &mut RuleResult, case: &ChangeInput<'_>, file: &ChangedFile) {
    let path = &*file.path;
    let comparison = |outcome| Comparison::exact(format!("notebook {path}"), "linked", outcome);
    let texts = match case.facts.bytes(path, NOTEBOOK_BYTES) {
        Ok(bytes) => outputs(&bytes),
        Err(fault) => return unreadable(judgement, path, &fault),
    };
    let texts = match texts {
        Ok(texts) => texts,
        Err(why) => {
            let raised =
                Finding::new(UNREADABLE, format!("`{path}` is not a notebook that can be read: {why}"))
                    .help("save it again, or remove it from the change");
            judgement.fail(comparison(Outcome::Fail), raised.subject(path));
            return;
        }
    };
    let shown: Vec<Vec<PrintedMetric>> =
        texts.iter().map(|text| metrics_shown(text)).filter(|shown| !shown.is_empty()).collect();
    if shown.is_empty() {
        judgement.compare(comparison(Outcome::Pass).candidate("shows no metric"));
        return;
    }
    let all = listed(shown.iter().flatten());
    let covering: Vec<&Run> = case.records.head.iter().filter(|run| covers(run, path)).collect();
    let Some(first) = covering.first().map(|run| run.document.label()) else {
        let raised = Finding::new(
            NOTEBOOK_ONLY,
            format!("the outputs of `{path}` show {all}, but no run record covers them"),
        )
        .help(
            "record the experiment: gate record -- jupyter nbconvert --execute …; or clear the outputs before you \
             commit",
        );
        judgement.fail(comparison(Outcome::Fail).candidate(all).limit("no record"), raised.subject(path));
        return;
    };
    let recorded: Vec<(String, Decimal)> = covering.iter().flat_map(|run| values(run)).collect();
    match shown.iter().find_map(|output| unrecorded(output, &recorded)) {
        None => {
            judgement.compare(comparison(Outcome::Pass).candidate(all).limit(first));
        }
        Some(unrecorded) => {
            let raised = Finding::new(
                NOTEBOOK_DIFFERS,
                format!("an output of `{path}` shows {unrecorded}, but its record, {first}, does not"),
            )
            .help("the output is from another experiment: record that one too, or clear the output before you commit");
            judgement
                .fail(comparison(Outcome::Fail).candidate(unrecorded).limit(first), raised.subject(path));
        }
    }
}

/// Whether a record is of a run of this notebook, and has its results.
fn covers(run: &Run, path: &str) -> bool {
    let is_it = |text: &str| text.trim_start_matches("./") == path;
    let in_command = || match run.record().get("command") {
        Some(Node { value: Value::List(words), .. }) => words.iter().filter_map(Node::as_written).any(is_it),
        Some(node) => node.as_written().is_some_and(|line| line.split_whitespace().any(is_it)),
        None => false,
    };
    run.metrics().next().is_some() && (run.text("source").is_some_and(is_it) || in_command())
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

pub(super) fn cannot(why: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: CANNOT_TELL.into(), ..*why }.boxed()
}
