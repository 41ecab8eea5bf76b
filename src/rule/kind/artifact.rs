//! A model file without the run that produced it is a file of unknown origin. `artifact` ties the two
//! together: the file must exist, and be the one that the run recorded.

use super::linked::cannot;
use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Path, Value};
use crate::rule::accounted::accounted;
use crate::rule::files::{Recorded, check, no_digest, no_path};
use crate::rule::limit::NEVER_HOLDS;
use crate::rule::named_files::Undigested;
use crate::rule::presence::absent;
use crate::rule::{AboutChange, Amount, ChangeInput, Loading, RuleInput, RuleResult, Units, read_amount};
use crate::run::{Decimal, Field};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    TOO_LARGE = "artifact/too-large": "An artifact has more bytes than the policy allows.";
}

pub(super) const KIND: Kind = Kind {
    name: "artifact",
    says: "the file is there, inside the workspace, and has the recorded digest",
    codes: CODES,
    load,
};

#[derive(Debug)]
struct Artifact {
    /// Whether a digest must be recorded. A recorded digest must always match.
    digest: bool,
    max_bytes: Option<(Decimal, String)>,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    if matches!(body.value, Value::Bool(_)) {
        let artifact = Artifact { digest: false, max_bytes: None };
        return loading.is_true(body, "artifact").then(|| Box::new(artifact) as Box<dyn RuleCheck>);
    }
    let map = loading.reader.map(body, "`artifact`, unless it is `true`,")?;
    loading.reader.only(map, "`artifact`", &["digest", "max_bytes"]);
    let mut artifact = Artifact { digest: false, max_bytes: None };
    if let Some(node) = map.get("digest") {
        artifact.digest = loading.reader.boolean(node, "`digest`").unwrap_or(false);
    }
    if let Some(node) = map.get("max_bytes")
        && let Some(Amount::Absolute(most)) = read_amount(loading.reader, node, "max_bytes", Units::Sizes)
    {
        if most.is_negative() {
            let message = "`max_bytes` is below zero, and no file is as small";
            loading.reader.problem(NEVER_HOLDS, node.span, message, "below zero");
        }
        artifact.max_bytes = Some((most, node.as_written().unwrap_or_default().to_owned()));
    }
    Some(Box::new(artifact))
}

impl RuleCheck for Artifact {
    fn about_change(&self) -> AboutChange {
        AboutChange::WhenFound
    }

    /// Checks that no file of an older record was replaced.
    fn judge_change(&self, case: &ChangeInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let undigested = if self.digest { Undigested::Fails } else { Undigested::IsNoted };
        accounted(case, undigested).map_err(cannot)
    }

    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        let artifacts = case.candidate.artifacts();
        if artifacts.is_empty() {
            let field = Field { path: Path::of(["artifact"]), node: None, none_matched: false };
            if let Some(raised) = absent(case.candidate, &field) {
                judgement.fail(Comparison::exact("artifact", "recorded", Outcome::Fail), raised);
            }
        }
        for artifact in &artifacts {
            let Some(path) = artifact.path else {
                no_path(&mut judgement, "artifact", &artifact.at, artifact.uri);
                continue;
            };
            let digest = artifact.digest.as_ref();
            let file =
                Recorded { what: "artifact".into(), at: artifact.at.clone(), path, digest, list: None };
            let Some(facts) = check(&mut judgement, case.facts, &file) else { continue };
            if artifact.digest.is_none() {
                if self.digest {
                    no_digest(&mut judgement, case, "artifact", &artifact.at);
                } else {
                    judgement.notes.push(format!(
                        "no digest of `{path}` was recorded: nothing shows that it is the file that the run made"
                    ));
                }
            }
            let (Some((most, written)), Ok(bytes)) =
                (&self.max_bytes, Decimal::parse(&facts.bytes.to_string()))
            else {
                continue;
            };
            let fits = bytes <= *most;
            let outcome = if fits { Outcome::Pass } else { Outcome::Fail };
            let comparison = Comparison::exact(format!("artifact {path}"), "max_bytes", outcome)
                .candidate(bytes.written())
                .limit(written.as_str());
            if fits {
                judgement.compare(comparison);
            } else {
                let raised = Finding::new(
                    TOO_LARGE,
                    format!("`{path}` has {bytes} bytes, and at most {written} are allowed"),
                )
                .at(artifact.at.key("path"), format!("{bytes} bytes"));
                judgement.fail(comparison, raised);
            }
        }
        Ok(judgement)
    }
}
