//! An old run may have passed an older bar. `fresh` limits the age of a candidate and of its baseline.

use jiff::SignedDuration;

use super::{Kind, RuleCheck};
use crate::code::codes;
use crate::document::Diagnostic;
use crate::document::{Node, Path};
use crate::rule::loading::EMPTY_BODY;
use crate::rule::presence::absent;
use crate::rule::{Baseline, Loading, RuleInput, RuleResult};
use crate::run::{Age, Field, Run, parse_duration};
use crate::verdict::Finding;
use crate::verdict::{Comparison, Outcome};

codes! {
    TOO_OLD = "fresh/too-old": "A run is older than the policy allows.";
    IN_THE_FUTURE = "fresh/in-the-future": "A run is dated in the future.";
    NO_DATE = "fresh/no-date": "A baseline whose age is limited has no date.";
    BAD_DURATION = "policy/bad-duration": "A duration is not a whole number of hours, days or weeks.";
}

pub(super) const KIND: Kind = Kind {
    name: "fresh",
    says: "neither run is older than this, and nothing is dated in the future",
    codes: CODES,
    load,
};

/// How far ahead another machine's clock may be.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug)]
struct Fresh {
    candidate: Option<(SignedDuration, String)>,
    baseline: Option<(SignedDuration, String)>,
}

fn load(loading: &mut Loading<'_>, body: &Node) -> Option<Box<dyn RuleCheck>> {
    let map = loading.reader.map(body, "`fresh`")?;
    loading.reader.only(map, "`fresh`", &["candidate", "baseline"]);
    if map.is_empty() {
        loading.reader.problem(EMPTY_BODY, body.span, "`fresh` limits nothing", "empty").help =
            Some("write `fresh: { candidate: 30d }`".into());
        return None;
    }
    let mut limit = |key: &str| map.get(key).and_then(|node| duration(loading, node, key));
    let fresh = Fresh { candidate: limit("candidate"), baseline: limit("baseline") };
    Some(Box::new(fresh))
}

fn duration(loading: &mut Loading<'_>, node: &Node, key: &str) -> Option<(SignedDuration, String)> {
    let text = loading.reader.text(node, &format!("`{key}`"))?.to_owned();
    if let Ok(duration) = parse_duration(&text) {
        return Some((duration, text));
    }
    loading
        .reader
        .problem(BAD_DURATION, node.span, format!("`{text}` is not a duration"), "not a duration")
        .help = Some("write a whole number of hours, days or weeks: `12h`, `30d`, `2w`".into());
    None
}

impl RuleCheck for Fresh {
    fn judge(&self, case: &RuleInput<'_>) -> Result<RuleResult, Box<Diagnostic>> {
        let mut judgement = RuleResult::default();
        if let Some(limit) = &self.candidate {
            let path = Path::of(["created_at"]);
            let field = Field { path: path.clone(), node: case.candidate.get(&path), none_matched: false };
            match absent(case.candidate, &field) {
                Some(raised) => judgement.fail(Comparison::exact("created_at", "age", Outcome::Fail), raised),
                None => age(&mut judgement, case, case.candidate, "the candidate", limit),
            }
        }
        if let Some(limit) = &self.baseline
            && let Some(baseline) = Baseline::run_of(case, &mut judgement)?
        {
            if baseline.created_at().is_some() {
                age(&mut judgement, case, baseline, "the baseline", limit);
            } else {
                let raised =
                    Finding::new(NO_DATE, format!("the baseline ({}) has no `created_at`", baseline.label()))
                        .help("name a baseline whose record has a date");
                judgement.fail(Comparison::exact("baseline created_at", "age", Outcome::Fail), raised);
            }
        }
        Ok(judgement)
    }

    fn compares(&self) -> bool {
        self.baseline.is_some()
    }
}

fn age(
    judgement: &mut RuleResult,
    case: &RuleInput<'_>,
    run: &Run,
    who: &str,
    limit: &(SignedDuration, String),
) {
    let Some(moment) = run.created_at() else { return };
    let (most, written) = limit;
    let is_candidate = std::ptr::eq(run, case.candidate);
    let subject = if is_candidate { "created_at" } else { "baseline created_at" };
    let age = case.now.duration_since(moment.at);
    let at = |raised: Finding, label: String| {
        if is_candidate { raised.at(Path::of(["created_at"]), label) } else { raised }
    };
    let created = run.text("created_at").unwrap_or_default();
    let comparison = |outcome| {
        let comparison = Comparison::exact(subject, "age", outcome).limit(written.as_str());
        if is_candidate { comparison.candidate(created) } else { comparison.baseline(created) }
    };
    if age < -SKEW {
        let raised = Finding::new(IN_THE_FUTURE, format!("{who} is dated {created}, which is {}", Age(age)));
        let help = if moment.zone_may_explain(-age) {
            "the time has no zone, and was read as UTC: write it with a zone, such as `2026-05-30T12:00:00+09:00`; \
             in Python, `datetime.now(timezone.utc).isoformat()`"
        } else {
            "check the clock of the machine that trained it"
        };
        let label = if moment.zone_assumed { "no zone is written" } else { "in the future" };
        let raised = at(raised, label.into()).help(help);
        return judgement.fail(comparison(Outcome::Fail), raised);
    }
    if age <= *most {
        judgement.compare(comparison(Outcome::Pass));
        return;
    }
    let raised = Finding::new(TOO_OLD, format!("{who} is {}; at most {written} is allowed", Age(age)));
    let help = if is_candidate {
        "train again on current data"
    } else {
        "measure the baseline again, or name a newer one"
    };
    judgement.fail(comparison(Outcome::Fail), at(raised, Age(age).to_string()).help(help));
}
