//! Digests, and data that changed under its version.

use super::recorded::{not_recorded, recorded, shown};
use super::{DATA_MOVED, NOT_A_DIGEST};
use crate::document::Diagnostic;
use crate::rule::{Baseline, RuleInput, RuleResult};
use crate::run::{DataFile, Digest, FieldPath};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

/// Requires a digest of a valid length at each of the fields.
pub(super) fn digests(judgement: &mut RuleResult, case: &RuleInput<'_>, what: &'static str, path: &str) {
    let Ok(fields) = FieldPath::parse(path).map(|path| case.candidate.find(&path)) else { return };
    let wrong = fields.iter().find_map(|field| {
        let text = field.node?.as_written().filter(|text| !text.trim().is_empty())?;
        (!Digest::parse(text).is_whole()).then(|| (text, field.path.clone()))
    });
    let Some((text, at)) = wrong else {
        if !not_recorded(judgement, case, what, &fields) {
            judgement.compare(shown(path, &fields));
        }
        return;
    };
    let subject = at.to_string();
    let raised = Finding::new(NOT_A_DIGEST, format!("`{text}` is not a complete digest of the {what}"))
        .at(at, "not a digest")
        .help("record the algorithm and all digits, as in sha256:9f86d0…: `gate record` does");
    judgement.fail(Comparison::exact(subject, "recorded", Outcome::Fail).candidate(text), raised);
}

/// Requires that data with the baseline's version is the baseline's data.
pub(super) fn data_version(judgement: &mut RuleResult, case: &RuleInput<'_>) -> Result<(), Box<Diagnostic>> {
    let Some(baseline) = Baseline::run_of(case, judgement)? else { return Ok(()) };
    let Some(version) = case.candidate.text("data_version").filter(|version| !version.is_empty()) else {
        recorded(judgement, case, "data version", &["data_version"]);
        return Ok(());
    };
    let known = baseline.text("data_version");
    let mut comparison = Comparison::exact("data_version", "kept", Outcome::Pass).candidate(version);
    comparison.baseline = known.map(Into::into);
    if known != Some(version) {
        judgement.compare(comparison.note("another version than the baseline's"));
        return Ok(());
    }
    let theirs = baseline.data();
    for ours in case.candidate.data() {
        let same_name = |other: &&DataFile<'_>| ours.name.is_some() && other.name == ours.name;
        let (Some(digest), Some(other)) = (&ours.digest, theirs.iter().find(same_name)) else { continue };
        let Some(before) = other.digest.as_ref().filter(|before| before.algorithm == digest.algorithm) else {
            continue;
        };
        if before == digest {
            continue;
        }
        let name = ours.name.unwrap_or_default();
        let raised = Finding::new(
            DATA_MOVED,
            format!(
                "the data `{name}` changed without a new version: version {version} differs from the baseline's"
            ),
        )
        .at(ours.at.key("digest"), format!("the baseline has {before}"))
        .help("give the changed data a new version, or restore the data of this version")
        .subject(name);
        let mut comparison =
            Comparison::exact(format!("data {name}"), "kept", Outcome::Fail).candidate(digest.to_string());
        comparison.baseline = Some(before.to_string().into());
        judgement.fail(comparison, raised);
    }
    judgement.compare(comparison);
    Ok(())
}
