//! The command and its environment.

use super::recorded::recorded;
use super::{NOT_A_COMMAND, NOT_PINNED, NOT_PORTABLE};
use crate::document::{Map, Node, Path};
use crate::rule::portable::bound;
use crate::rule::{RuleInput, RuleResult};
use crate::run::Digest;
use crate::secret::MASKED;
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

/// Requires a program and its arguments; the first word must name a program.
pub(super) fn command(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let path = Path::of(["command"]);
    let node = case.candidate.get(&path);
    let first = match node.map(|node| (node.as_list(), node.as_written())) {
        Some((Some(items), _)) => items.first().and_then(Node::as_written),
        Some((None, Some(line))) => line.split_whitespace().next(),
        _ => None,
    };
    if first.is_some_and(|first| !first.trim().is_empty() && !first.starts_with(MASKED)) || node.is_none() {
        return recorded(judgement, case, "command", &["command"]);
    }
    let raised = Finding::new(NOT_A_COMMAND, "the recorded command names no program")
        .at(path, "no program")
        .help("record the command that started training, word by word: `gate record -- CMD…` does");
    judgement.fail(Comparison::exact("command", "recorded", Outcome::Fail), raised);
}

/// An empty object records that none of the listed variables is set.
pub(super) fn variables(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let path = Path::of(["environment", "variables"]);
    if case.candidate.get(&path).and_then(Node::as_map).is_some_and(Map::is_empty) {
        judgement.compare(
            Comparison::exact("environment.variables", "recorded", Outcome::Pass).candidate("none is set"),
        );
        return;
    }
    recorded(judgement, case, "environment variables", &["environment.variables"]);
}

/// Requires that no word of the command is a path in someone's home, or was left for a shell to expand.
pub(super) fn portable(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let path = Path::of(["command"]);
    let Some(node) = case.candidate.get(&path) else {
        return recorded(judgement, case, "command", &["command"]);
    };
    let words: Vec<&str> = match node.as_list() {
        Some(items) => items.iter().filter_map(Node::as_written).collect(),
        None => node.as_written().into_iter().flat_map(str::split_whitespace).collect(),
    };
    match bound(&words) {
        None => {
            judgement
                .compare(Comparison::exact("command", "portable", Outcome::Pass).candidate(words.join(" ")));
        }
        Some(word) => {
            let raised = Finding::new(
                NOT_PORTABLE,
                format!("the command names `{word}`, which another machine does not have"),
            )
            .at(path, "here")
            .help(
                "start training with paths relative to the workspace, and with values instead of variables",
            );
            judgement.fail(Comparison::exact("command", "portable", Outcome::Fail).candidate(word), raised);
        }
    }
}

/// `name@sha256:` and 64 digits.
pub(super) fn by_digest(image: &str) -> bool {
    image.rsplit_once('@').is_some_and(|(name, digest)| {
        !name.is_empty() && digest.starts_with("sha256:") && Digest::parse(digest).is_whole()
    })
}

pub(super) fn container(judgement: &mut RuleResult, case: &RuleInput<'_>) {
    let path = Path::of(["environment", "container"]);
    let Some(image) = case
        .candidate
        .get(&path)
        .and_then(Node::as_written)
        .filter(|image| !image.trim().is_empty() && !by_digest(image))
    else {
        return recorded(judgement, case, "container image", &["environment.container"]);
    };
    let raised =
        Finding::new(NOT_PINNED, format!("the container image `{image}` is named by a tag, which moves"))
            .at(path, "no digest")
            .help("record it with its digest: gate record --container IMAGE@sha256:…");
    judgement
        .fail(Comparison::exact("environment.container", "pinned", Outcome::Fail).candidate(image), raised);
}
