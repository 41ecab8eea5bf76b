//! Compares a file in the workspace with the facts in a record.

use super::{Facts, FileFacts, FileFault, RuleInput, RuleResult};
use crate::code::codes;
use crate::document::{Path, sha256};
use crate::recording::differing_files;
use crate::run::Digest;
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    FILE_MISSING = "file/missing": "A file that the record names does not exist.";
    OUTSIDE = "file/outside": "A file that the record names is not inside the workspace.";
    NOT_A_FILE = "file/not-a-file": "The record names a folder, a pipe or a device where gate needs a file.";
    UNREADABLE = "file/unreadable": "A file that the record names can't be read.";
    DIGEST_DIFFERS = "file/digest-differs": "A file is not the one that the run recorded.";
    NO_DIGEST = "file/no-digest": "No digest of a file was recorded.";
    ALGORITHM = "file/algorithm": "A digest was recorded with an algorithm that gate does not compute.";
    NO_PATH = "file/no-path": "A file is recorded without a path in the workspace.";
}

/// The most bytes of a list of files.
const MAX_LIST: usize = 256 << 20;

/// A file as a record names it.
pub(super) struct Recorded<'r> {
    /// Its name for a person: `artifact`, `data train`.
    pub(super) what: String,
    /// Where the record names it.
    pub(super) at: Path,
    /// Its path.
    pub(super) path: &'r str,
    /// Its digest.
    pub(super) digest: Option<&'r Digest>,
    /// For a folder, the file that lists its files.
    pub(super) list: Option<&'r str>,
}

/// Checks that a file exists and has the recorded digest; returns what is known about it.
pub(super) fn check(judgement: &mut RuleResult, facts: &dyn Facts, file: &Recorded<'_>) -> Option<FileFacts> {
    let Recorded { what, at, path, digest, list } = file;
    let subject = format!("{what} {path}");
    let workspace = facts;
    let facts = match facts.file(path, digest.map(|digest| &*digest.algorithm)) {
        Ok(facts) => facts,
        Err(fault) => {
            judgement.fail(
                Comparison::exact(subject.as_str(), "there", Outcome::Fail),
                faulty(&fault, what, path).at(at.key("path"), "named here").subject(subject),
            );
            return None;
        }
    };
    let Some(recorded) = digest else {
        judgement.compare(
            Comparison::exact(subject, "there", Outcome::Pass).candidate(format!("{} bytes", facts.bytes)),
        );
        return Some(facts);
    };
    let found = facts.digest.as_ref().map(ToString::to_string).unwrap_or_default();
    let same = facts.digest.as_ref() == Some(*recorded);
    let outcome = if same { Outcome::Pass } else { Outcome::Fail };
    let comparison = Comparison::exact(subject.as_str(), "digest", outcome)
        .candidate(found.as_str())
        .limit(recorded.to_string());
    if same {
        judgement.compare(comparison);
    } else {
        let message = match &facts.list {
            Some(found) => changed_files(workspace, path, *list, recorded, found),
            None => format!("`{path}` is not the file that the run recorded"),
        };
        let raised = Finding::new(DIGEST_DIFFERS, message)
            .at(
                at.key("digest"),
                format!("the {} has {found}", if facts.list.is_some() { "folder" } else { "file" }),
            )
            .subject(subject)
            .help(if what == "artifact" {
                "it was changed after the run, or made by another run: name the run that made this file"
            } else {
                "it was changed after the run: restore the version that the run read, or train again on the current one"
            });
        judgement.fail(comparison, raised);
    }
    Some(facts)
}

/// Which files of a folder differ from the recorded ones, if the list of them is available.
fn changed_files(
    facts: &dyn Facts,
    path: &str,
    list: Option<&str>,
    recorded: &Digest,
    found: &str,
) -> String {
    let differs = format!("`{path}` is not the folder that the run recorded");
    let Some(list) = list else { return differs };
    let Ok(bytes) = facts.bytes(list, MAX_LIST) else {
        return format!("{differs}; to see which files differ, add their list, `{list}`");
    };
    if *recorded != Digest::new("sha256", sha256(&bytes)) {
        return format!(
            "{differs}; `{list}` is not the list of its files, so gate can't tell which files differ"
        );
    }
    let recorded = String::from_utf8_lossy(&bytes);
    format!("{differs}: {}", differing_files(&recorded, found).unwrap_or_default())
}

fn faulty(fault: &FileFault, what: &str, path: &str) -> Finding {
    match fault {
        FileFault::Missing => Finding::new(FILE_MISSING, format!("the {what} `{path}` does not exist"))
            .help("fetch the file, or correct the path in training; paths are relative to the workspace"),
        FileFault::Outside => {
            Finding::new(OUTSIDE, format!("the {what} `{path}` is not inside the workspace"))
                .help("keep it inside, and record its path relative to the workspace")
        }
        FileFault::NotAFile(found) => {
            Finding::new(NOT_A_FILE, format!("the {what} `{path}` is {found}, not a file"))
        }
        FileFault::Algorithm(algorithm) => Finding::new(
            ALGORITHM,
            format!("the digest of `{path}` is {algorithm}, which gate does not compute"),
        )
        .help("record it as sha256"),
        FileFault::Unreadable(why) => {
            Finding::new(UNREADABLE, format!("the {what} `{path}` can't be read: {why}"))
        }
    }
}

/// Says that no digest was recorded.
pub(super) fn no_digest(judgement: &mut RuleResult, case: &RuleInput<'_>, what: &str, at: &Path) {
    let raised = Finding::new(NO_DIGEST, format!("no digest of the {what} was recorded"))
        .at(at.key("digest"), "no `digest` here")
        .help(super::advice::for_path(case.candidate, at));
    judgement.fail(Comparison::exact(format!("{what} digest"), "recorded", Outcome::Fail), raised);
}

/// Says that a file is recorded without a path in the workspace.
pub(super) fn no_path(judgement: &mut RuleResult, what: &str, at: &Path, uri: Option<&str>) {
    let message = match uri {
        Some(uri) => format!("the {what} is at {uri}, which is not a file in the workspace"),
        None => format!("the {what} has no `path`"),
    };
    let raised = Finding::new(NO_PATH, message)
        .at(at.clone(), "no `path` here")
        .help("fetch it into the workspace before the check, and record its path");
    judgement.fail(Comparison::exact(format!("{what} path"), "recorded", Outcome::Fail), raised);
}
