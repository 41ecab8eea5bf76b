//! A model file in a change that no record names was made by nobody knows what. `linked` is about the change: each
//! artifact that it adds has the record of the run that made it, and no notebook's output is the only record.

use globset::GlobSet;

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Value};
use crate::rule::covered::{listed, unrecorded, values};
use crate::rule::files::{Recorded, check};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::model_files::{globs, is_model};
use crate::rule::notebook::outputs;
use crate::rule::notebook_metrics::{PrintedMetric, metrics_shown};
use crate::rule::{ChangeInput, ChangedFile, Changes, FileFacts, FileFault, Loading, RuleInput, RuleResult};
use crate::run::{Decimal, Digest, Run};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    NO_RECORD = "linked/no-record": "A change adds an artifact that no run record names.";
    REPLACED = "linked/replaced": "An artifact is not the one that its run record names: it was replaced afterwards.";
    NO_DIGEST = "linked/no-digest": "An artifact changed, and its record has no digest that could show by which run.";
    NOTEBOOK_ONLY = "linked/notebook-only": "The outputs of a notebook show metrics that no run record holds.";
    NOTEBOOK_DIFFERS = "linked/notebook-differs": "The outputs of a notebook show other values than the run record that covers it.";
    UNREADABLE = "linked/unreadable": "A file of the change can't be read.";
    CANNOT_TELL = "linked/cannot-tell": "What the change adds can't be told: there is no repository, or a part of its history is missing.";
}

pub(super) const KIND: Kind = Kind {
    name: "linked",
    says: "every artifact that the change adds has the run record that produced it, and no notebook's output is the only record",
    codes: CODES,
    load,
};

/// Bytes of a notebook that are read.
const NOTEBOOK_BYTES: usize = 64 << 20;

#[derive(Debug)]
struct Linked {
    /// What counts as an artifact, where the policy says so.
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
        loading.reader.problem(EMPTY_BODY, body.span, "`linked` asks for nothing", "empty").help =
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
    /// Of a candidate: that its artifacts are still those of the run.
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        for artifact in case.candidate.artifacts() {
            let Some(path) = artifact.path else { continue };
            let digest = artifact.digest.as_ref();
            let file = Recorded { what: "artifact".into(), at: artifact.at.clone(), path, digest };
            check(&mut judgement, case.facts, &file);
        }
        Ok(judgement)
    }

    fn about_change(&self) -> bool {
        true
    }

    fn judge_change(&self, case: &ChangeInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let wanted = |path: &str| self.is_artifact(path) || self.is_notebook(path);
        let Changes { since, files } = case.facts.changes(&wanted).map_err(cannot)?;
        let (notebooks, artifacts): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| self.is_notebook(&file.path));
        // Said even where there is nothing, so that a pass shows what it is about.
        let looked_at =
            format!("{}, {}", counted(artifacts.len(), "artifact"), counted(notebooks.len(), "notebook"));
        judgement.compare(
            Comparison::exact(format!("since {since}"), "linked", Outcome::Pass).candidate(looked_at),
        );
        for file in artifacts {
            artifact(&mut judgement, case, file);
        }
        for file in notebooks {
            notebook(&mut judgement, case, file);
        }
        Ok(judgement)
    }
}

impl Linked {
    fn is_artifact(&self, path: &str) -> bool {
        self.artifacts.as_ref().map_or_else(|| is_model(path), |globs| globs.is_match(path))
    }

    fn is_notebook(&self, path: &str) -> bool {
        match &self.notebooks {
            Some(globs) => globs.is_match(path),
            None => path.to_ascii_lowercase().ends_with(".ipynb"),
        }
    }
}

/// What the known records say of an artifact.
enum Named<'r> {
    /// This one has its digest.
    By(&'r Run),
    /// This one names its path, with another digest.
    Otherwise(&'r Run),
    /// This one names its path, without a digest.
    Undigested(&'r Run),
    /// None knows it.
    Nowhere,
}

fn artifact(judgement: &mut RuleResult, case: &ChangeInput<'_>, file: &ChangedFile) {
    let path = &*file.path;
    let subject = format!("artifact {path}");
    let facts = match case.facts.file(path, Some("sha256")) {
        Ok(facts) => facts,
        Err(fault) => return unreadable(judgement, path, &fault),
    };
    let found = facts.digest.as_ref().map(ToString::to_string).unwrap_or_default();
    let verb = if file.added { "adds" } else { "changes" };
    let comparison =
        |outcome| Comparison::exact(subject.as_str(), "linked", outcome).candidate(found.as_str());
    let (limit, raised) = match named(case, path, &facts) {
        Named::By(run) => {
            judgement.compare(comparison(Outcome::Pass).limit(run.document.label()));
            return;
        }
        Named::Undigested(run) if file.added => {
            judgement.compare(comparison(Outcome::Pass).limit(run.document.label()).note("without a digest"));
            judgement.notes.push(format!(
                "{} names `{path}` without a digest: nothing shows that it is the file that the run made",
                run.document.label()
            ));
            return;
        }
        Named::Undigested(run) => (
            run.document.label(),
            Finding::new(
                NO_DIGEST,
                format!("the change replaces `{path}`, and {} has no digest of it", run.document.label()),
            )
            .help("record its digest with the run that made it: `gate record` does"),
        ),
        Named::Otherwise(run) => (
            run.document.label(),
            Finding::new(
                REPLACED,
                format!("`{path}` is not the file that {} recorded", run.document.label()),
            )
            .help("it was replaced after the run, or made by another one: add the record of the run that made it"),
        ),
        Named::Nowhere => (
            "no record".into(),
            Finding::new(NO_RECORD, format!("the change {verb} `{path}`, and no run record names it")).help(format!(
                "record the run that makes it: gate record --artifact {path} -- CMD…; what is no model, `artifacts:` \
                 can leave out"
            )),
        ),
    };
    judgement.fail(comparison(Outcome::Fail).limit(limit), raised.subject(path));
}

/// The record that knows a file. Those that name its path come before one that only has its digest: by another run's
/// bytes a file is replaced, whoever recorded them.
fn named<'r>(case: &ChangeInput<'r>, path: &str, facts: &FileFacts) -> Named<'r> {
    let (mut best, mut elsewhere) = (Named::Nowhere, None);
    for run in case.records {
        for artifact in run.artifacts() {
            let same_path = artifact.path.is_some_and(|named| named.trim_start_matches("./") == path);
            match artifact.digest {
                Some(digest) if has(case, path, facts, &digest) => {
                    if same_path {
                        return Named::By(run);
                    }
                    elsewhere.get_or_insert(run);
                }
                Some(_) if same_path => best = Named::Otherwise(run),
                None if same_path && !matches!(best, Named::Otherwise(..)) => best = Named::Undigested(run),
                _ => {}
            }
        }
    }
    match (best, elsewhere) {
        (Named::Nowhere, Some(run)) => Named::By(run),
        (best, _) => best,
    }
}

fn has(case: &ChangeInput<'_>, path: &str, facts: &FileFacts, digest: &Digest) -> bool {
    match &*digest.algorithm {
        "sha256" => facts.digest.as_ref() == Some(digest),
        "md5" | "git" => case
            .facts
            .file(path, Some(&digest.algorithm))
            .is_ok_and(|facts| facts.digest.as_ref() == Some(digest)),
        _ => false,
    }
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
                    .help("save it again, or take it out of the change");
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
    let covering: Vec<&Run> = case.records.iter().filter(|run| covers(run, path)).collect();
    let Some(first) = covering.first().map(|run| run.document.label()) else {
        let raised = Finding::new(
            NOTEBOOK_ONLY,
            format!("the outputs of `{path}` show {all}, and no run record covers them"),
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
                format!("an output of `{path}` shows {unrecorded}, and {first}, which covers it, does not"),
            )
            .help("what is shown is another experiment's: record that one too; or clear the output before you commit");
            judgement
                .fail(comparison(Outcome::Fail).candidate(unrecorded).limit(first), raised.subject(path));
        }
    }
}

/// Whether a record is of a run of this notebook, and holds what came out.
fn covers(run: &Run, path: &str) -> bool {
    let is_it = |text: &str| text.trim_start_matches("./") == path;
    let in_command = || match run.record().get("command") {
        Some(Node { value: Value::List(words), .. }) => words.iter().filter_map(Node::as_written).any(is_it),
        Some(node) => node.as_written().is_some_and(|line| line.split_whitespace().any(is_it)),
        None => false,
    };
    run.metrics().next().is_some() && (run.text("source").is_some_and(is_it) || in_command())
}

fn unreadable(judgement: &mut RuleResult, path: &str, fault: &FileFault) {
    let why = match fault {
        FileFault::Missing => "it is not there",
        FileFault::Outside => "it leads out of the workspace",
        FileFault::NotAFile(what) => what,
        FileFault::Algorithm(why) | FileFault::Unreadable(why) => why,
    };
    let raised = Finding::new(UNREADABLE, format!("`{path}` can't be read: {why}"));
    judgement.fail(Comparison::exact(path, "linked", Outcome::Fail), raised.subject(path));
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn cannot(why: Box<Diagnostic>) -> Box<Diagnostic> {
    Diagnostic { code: CANNOT_TELL.into(), ..*why }.boxed()
}
