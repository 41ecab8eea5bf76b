//! Files that differ from the promoted ones because they are another version: training writes to the same
//! path, so the next model is already there before it is promoted.

use std::collections::BTreeSet;
use std::path::Path;

use super::Auditing;
use crate::check::show;
use crate::code::Code;
use crate::document::Node;
use crate::facts::hash_named;
use crate::ledger::{Ledger, StageHistory};
use crate::policy::Policy;
use crate::rule::{DIGEST_DIFFERS, FILE_MISSING};
use crate::run::Run;
use crate::verdict::{Finding, RuleKind, RuleReport};

/// The SHA-256 of every file that a promotion covers, or that a record matched by the policy names as its run's output.
pub(super) fn known_files(
    ledger: &Ledger<'_>,
    lines: &[StageHistory],
    policy: Option<&Policy>,
    named: Option<&str>,
    folder: &Path,
) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for entry in lines.iter().filter_map(|line| ledger.entries(line).ok()).flatten() {
        known.extend(entry.statement().map(|statement| statement.files()).unwrap_or_default());
    }
    let paths =
        policy.and_then(|policy| policy.runs.as_ref()).map(|runs| runs.paths.clone()).unwrap_or_default();
    if !paths.is_empty() {
        let (runs, _) = show(&paths, named, folder);
        let digests = runs.iter().flat_map(Run::artifacts).filter_map(|artifact| artifact.digest);
        known.extend(
            digests.filter(|digest| &*digest.algorithm == "sha256").map(|digest| digest.value.to_string()),
        );
    }
    known
}

/// Kinds of rules that check files, and codes that mean a file is different or missing.
const KINDS: [RuleKind; 3] = [RuleKind::Artifact, RuleKind::Data, RuleKind::Reproducible];
const CODES: [Code; 2] = [FILE_MISSING, DIGEST_DIFFERS];

impl Auditing<'_> {
    /// Why a failing rule does not concern what was promoted: each file that it needs is missing or another version
    /// here. `None` if a file's origin is unknown, or anything else is wrong.
    pub(super) fn elsewhere(&self, rule: &RuleReport, run: Option<&Run>) -> Option<Vec<String>> {
        let looks_at_files = KINDS.contains(&rule.kind) && !rule.findings.is_empty();
        looks_at_files.then(|| rule.findings.iter().map(|finding| self.not_here(finding, run)).collect())?
    }

    fn not_here(&self, finding: &Finding, run: Option<&Run>) -> Option<String> {
        if !finding.diagnostic.code.is_any_of(&CODES) {
            return None;
        }
        let path = finding.path.as_deref()?;
        let of_artifact = path.starts_with("artifact");
        let file = named(run?, path)?;
        let full = self.workspace.join(&file);
        let there = finding.diagnostic.code == DIGEST_DIFFERS;
        // Data may change at any time, but a model must be a known one.
        if there && of_artifact {
            let found = hash_named(&full, None).ok()?;
            if !self.known.contains(&found.sha256) {
                return None;
            }
        }
        let why = if there { "another version is at its path" } else { "nothing is at its path" };
        Some(format!("the promoted `{file}` is not here, so it was not checked: {why}"))
    }
}

/// The path of the file that a record field refers to, such as `artifacts[0].digest`.
fn named(run: &Run, field: &str) -> Option<String> {
    let field = field.trim_end_matches(".digest").trim_end_matches(".path");
    let mut node: Option<&Node> = None;
    for part in field.split('.') {
        let (key, index) = match part.split_once('[') {
            Some((key, index)) => (key, Some(index.trim_end_matches(']').parse::<usize>().ok()?)),
            None => (part, None),
        };
        let mut found = match node {
            None => run.record().get(key)?,
            Some(node) => node.get(key)?,
        };
        if let Some(index) = index {
            found = found.as_list()?.get(index)?;
        }
        node = Some(found);
    }
    let node = node?;
    node.get("path").and_then(Node::as_written).or_else(|| node.as_written()).map(str::to_owned)
}
