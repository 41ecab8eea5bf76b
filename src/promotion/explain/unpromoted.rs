//! What a record alone says about a model that was not promoted.

use std::path::Path;

use super::answers::{again, produced, trained};
use super::{Asked, QUESTIONS, Question, model};
use crate::check::{Workspace, show};
use crate::document::{Diagnostic, listed};
use crate::facts::hash_named;
use crate::policy::Policy;
use crate::promotion::{NOT_FOUND, ONE_RUN};
use crate::run::{Artifact, Run};
use crate::verdict::{Answer, Exit, Explanation};

/// Answers from the run's record, if there is one.
pub(super) fn unpromoted(
    answer: &mut Explanation,
    asked: &Asked,
    policy: Option<&Policy>,
    question: &Question,
    workspace: &Workspace,
) -> Result<Exit, Vec<Diagnostic>> {
    let what = match asked {
        Asked::Stage(stage) => {
            let message = format!("nothing is promoted to the stage `{stage}`");
            let help = "for a ledger elsewhere, use --ledger DIR";
            answer.troubles.push(Diagnostic::new(NOT_FOUND, message).help(help));
            return Ok(Exit::Fail);
        }
        Asked::Digest(_, Some(_)) | Asked::RunId(_) => question.model.clone(),
        Asked::Digest(digest, None) => format!("sha256:{digest}"),
    };
    let paths: Vec<String> =
        policy.and_then(|policy| policy.runs.as_ref()).map(|runs| runs.paths.clone()).unwrap_or_default();
    let (runs, unreadable) = if paths.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        show(&paths, question.policy.as_deref(), workspace.root())
    };
    let mut fitting: Vec<(&Run, Fit)> =
        runs.iter().filter_map(|run| Some((run, fits(run, asked, workspace.root())?))).collect();
    let Some((run, fit)) = fitting.pop() else {
        let message = format!("no promotion and no run record was found for `{what}`");
        let help = match asked {
            _ if paths.is_empty() => {
                "a policy with `runs:` says where the records are; for a ledger elsewhere, use --ledger DIR"
            }
            Asked::RunId(_) => "it is neither an existing file nor the id of a run",
            _ => "a model file without the run that produced it is a file of unknown origin",
        };
        answer.troubles.push(Diagnostic::new(NOT_FOUND, message).help(help));
        // An unreadable record may be the one that was asked about.
        let exit = if unreadable.is_empty() { Exit::Fail } else { Exit::NoVerdict };
        answer.troubles.extend(unreadable);
        return Ok(exit);
    };
    if !fitting.is_empty() {
        let labels: Vec<&str> = fitting.iter().map(|(run, _)| run.label()).chain([run.label()]).collect();
        let message = format!("several records match `{what}`: {}", listed(&labels));
        return Err(vec![Diagnostic::new(ONE_RUN, message).help("give each run its own id")]);
    }
    if matches!(fit, Fit::ByPath) {
        let doubt = "the record has no digest of this file, so it can't be shown that the run made it";
        answer.notes.push(doubt.into());
    }
    answer.what = format!(
        "{}, not promoted",
        run.model().map_or_else(|| run.label().to_owned(), |model| format!("a run of {model}"))
    );
    let silent = |index: usize, why: &str| Answer {
        question: QUESTIONS[index],
        facts: Vec::new(),
        evidence: Vec::new(),
        not_recorded: vec![why.to_owned()],
    };
    answer.facts = Some(model::facts(run));
    answer.answers = vec![
        produced(run, None, workspace),
        trained(run),
        silent(2, "it was not promoted: the ledger has no entry for it"),
        silent(
            3,
            "nothing was promoted, so there is no earlier version; `gate diff A B` compares any two runs",
        ),
        again(run),
    ];
    Ok(Exit::Pass)
}

/// How certain it is that a run is the one that was asked about.
enum Fit {
    Surely,
    /// It has no digest: only the path matches.
    ByPath,
}

/// How well a run fits the question; `None` if it is another run.
fn fits(run: &Run, asked: &Asked, root: &Path) -> Option<Fit> {
    match asked {
        Asked::Stage(_) => None,
        Asked::RunId(id) => (run.text("run_id") == Some(id)).then_some(Fit::Surely),
        Asked::Digest(digest, file) => {
            run.artifacts().iter().find_map(|artifact| is_of(artifact, digest, file.as_deref(), root))
        }
    }
}

fn is_of(artifact: &Artifact<'_>, sha256: &str, file: Option<&Path>, root: &Path) -> Option<Fit> {
    let is_file = || {
        let recorded = root.join(artifact.path?).canonicalize().ok()?;
        (file?.canonicalize().ok()? == recorded).then_some(recorded)
    };
    match &artifact.digest {
        Some(digest) if &*digest.algorithm == "sha256" => {
            digest.value.starts_with(sha256).then_some(Fit::Surely)
        }
        // With another algorithm, check whether the file at its path still has that digest.
        Some(digest) => {
            let found = hash_named(&is_file()?, Some(&digest.algorithm)).ok()?.asked?;
            (found == *digest).then_some(Fit::Surely)
        }
        None => is_file().map(|_| Fit::ByPath),
    }
}
