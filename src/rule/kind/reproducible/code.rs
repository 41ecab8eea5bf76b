//! Code: the commit, the tree, and the files that were there.

use sha2::{Digest as _, Sha256};

use super::recorded::{cannot, recorded, written};
use super::{NOT_A_COMMIT, NOT_AT_COMMIT, NOT_CLEAN, NOT_RECORDED, OPEN_VERSIONS};
use crate::document::Diagnostic;
use crate::document::{Path, Value, hex};
use crate::rule::kind::code::looks_like_a_commit;
use crate::rule::presence::absent;
use crate::rule::requirements::{is_list, open_lines};
use crate::rule::{CommitFacts, RuleInput, RuleResult};
use crate::run::{Digest, Field, FieldPath};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

/// Requires a commit id, not a branch. An id of one repeated digit is how git writes that there is no commit.
pub(super) fn commit(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let Some((id, path)) = written(case, "git_commit").filter(|(id, _)| !id.trim().is_empty()) else {
        return recorded(judgement, case, "commit", &["git_commit"]);
    };
    let repeated = id.bytes().all(|byte| Some(byte) == id.bytes().next());
    if looks_like_a_commit(id) && !repeated {
        judgement.compare(Comparison::exact("git_commit", "recorded", Outcome::Pass).candidate(id));
        return;
    }
    let raised = Finding::new(NOT_A_COMMIT, format!("`{id}` is not the id of a commit"))
        .at(path, "no commit")
        .help("record the output of `git rev-parse HEAD`");
    judgement.fail(Comparison::exact("git_commit", "recorded", Outcome::Fail).candidate(id), raised);
}

/// Requires a full commit id that exists in the repository.
pub(super) fn full_commit(judgement: &mut RuleResult, case: &RuleInput<'_>) -> Result<(), Box<Diagnostic>> {
    let Some((id, path)) = written(case, "git_commit").filter(|(id, _)| looks_like_a_commit(id)) else {
        commit(judgement, case);
        return Ok(());
    };
    let facts = case.facts.commit(id).map_err(cannot)?;
    let comparison = |outcome| Comparison::exact("git_commit", "there", outcome).candidate(id);
    let (message, help) = match facts {
        CommitFacts::Known(whole) if whole.eq_ignore_ascii_case(id) => {
            judgement.compare(comparison(Outcome::Pass));
            return Ok(());
        }
        CommitFacts::Known(whole) => (
            format!("`{id}` is only the beginning of a commit's id"),
            format!("another commit may begin like that one day; record all of it: {whole}"),
        ),
        CommitFacts::Ambiguous => {
            (format!("more than one commit begins with {id}"), "record all digits of its id".to_owned())
        }
        CommitFacts::Unknown => (
            format!("there is no commit {id} in this repository"),
            "push the commit that training ran on; one that was amended or rebased away is gone".to_owned(),
        ),
    };
    let raised = Finding::new(NOT_A_COMMIT, message).at(path, "recorded here").help(help);
    judgement.fail(comparison(Outcome::Fail), raised);
    Ok(())
}

pub(super) fn clean_tree(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let path = Path::of(["git_dirty"]);
    let node = case.candidate.get(&path);
    if let Some(Value::Bool(false)) = node.map(|node| &node.value) {
        judgement.compare(Comparison::exact("git_dirty", "false", Outcome::Pass).candidate("false"));
        return;
    }
    let field = Field { path: path.clone(), node, none_matched: false };
    let raised = match absent(case.candidate, &field) {
        Some(absent) => absent.instead(NOT_RECORDED, |message| {
            format!("whether the tree was clean is not recorded: {message}")
        }),
        None => Finding::new(NOT_CLEAN, "the run used code that is not in any commit")
            .at(path, "dirty")
            .help("commit first, then train"),
    };
    judgement.fail(Comparison::exact("git_dirty", "false", Outcome::Fail), raised);
}

/// Requires that the file of a field is in the recorded commit, with the recorded digest if there is one.
pub(super) fn at_commit(
    judgement: &mut RuleResult,
    case: &RuleInput<'_>,
    field: &'static str,
    digest: Option<&str>,
) -> Result<(), Box<Diagnostic>> {
    let text = |path: &str| {
        let path = FieldPath::parse(path).ok()?.to_path()?;
        Some((case.candidate.get(&path)?.as_written()?.to_owned(), path))
    };
    for needed in [Some(field), Some("git_commit"), digest].into_iter().flatten() {
        if text(needed).is_none() {
            recorded(
                judgement,
                case,
                "file at the commit",
                match needed {
                    "git_commit" => &["git_commit"],
                    "source" => &["source"],
                    "environment.lockfile.path" => &["environment.lockfile.path"],
                    _ => &["environment.lockfile.digest"],
                },
            );
            return Ok(());
        }
    }
    let (Some((file, at)), Some((id, _))) = (text(field), text("git_commit")) else { return Ok(()) };
    let subject = format!("{field} at the commit");
    let mut wrong = |message: String, help: &str| {
        let raised = Finding::new(NOT_AT_COMMIT, message).at(at.clone(), "named here").help(help);
        judgement.fail(
            Comparison::exact(subject.as_str(), "there", Outcome::Fail).candidate(file.as_str()),
            raised,
        );
    };
    if !looks_like_a_commit(&id) {
        wrong(format!("`{id}` is not the id of a commit"), "record the output of `git rev-parse HEAD`");
        return Ok(());
    }
    let committed = case.facts.committed(&id, &file).map_err(cannot)?;
    let Some(bytes) = committed else {
        wrong(
            format!("`{file}` is not at commit {id}"),
            "commit it before training, and record its path from the workspace",
        );
        return Ok(());
    };
    let there = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
    if let Some((said, _)) = digest.and_then(text)
        && Digest::parse(&said) != Digest::parse(&there)
    {
        wrong(
            format!("`{file}` has {there} at the commit, and {said} in the record"),
            "it was edited after the commit: commit it first, then train; and record its digest as sha256",
        );
        return Ok(());
    }
    judgement.compare(Comparison::exact(subject, "there", Outcome::Pass).candidate(file));
    Ok(())
}

/// Requires a lockfile that leaves no version open; in a `requirements.txt`, every line must pin one.
pub(super) fn pinned(judgement: &mut RuleResult, case: &RuleInput<'_>) -> Result<(), Box<Diagnostic>> {
    let field = "environment.lockfile.path";
    let (Some((file, at)), Some((id, _))) = (written(case, field), written(case, "git_commit")) else {
        at_commit(judgement, case, field, None)?;
        return Ok(());
    };
    if !is_list(file) {
        judgement.compare(Comparison::exact(field, "pinned", Outcome::Pass).candidate(file));
        return Ok(());
    }
    let known = if looks_like_a_commit(id) { case.facts.committed(id, file).map_err(cannot)? } else { None };
    let Some(bytes) = known else {
        at_commit(judgement, case, field, None)?;
        return Ok(());
    };
    let text = String::from_utf8_lossy(&bytes);
    let open = open_lines(&text);
    let Some(first) = open.first() else {
        judgement.compare(Comparison::exact(field, "pinned", Outcome::Pass).candidate(file));
        return Ok(());
    };
    let more = if open.len() > 1 { format!(" and {} more lines", open.len() - 1) } else { String::new() };
    let raised = Finding::new(OPEN_VERSIONS, format!("`{file}` leaves versions open: `{first}`{more}"))
        .at(at, "not a lockfile")
        .help("write what is installed: `pip freeze`, `pip-compile --generate-hashes` or `uv lock`");
    judgement.fail(Comparison::exact(field, "pinned", Outcome::Fail).candidate(file), raised);
    Ok(())
}
