//! Decides which waiver covers a finding, in one function so that every caller gets the same answer.

use std::collections::BTreeSet;

use crate::policy::Waiver;
use crate::rule::{Amount, Limit};
use crate::run::Run;
use crate::verdict::{Finding, Outcome, RuleReport};

/// Whether a waiver of the policy covers a finding.
pub(super) enum Cover {
    /// The waiver at this index of the policy's list covers it.
    By(usize),
    /// No waiver covers it. These are the limits of waivers that don't go far enough.
    Not(Vec<String>),
}

/// The strictest waiver that covers a finding; the order in which they are declared is irrelevant. `candidate` is `None`
/// for findings about the change.
pub(super) fn cover(
    waivers: &[Waiver],
    rule: &str,
    candidate: Option<&Run>,
    stage: Option<&str>,
    finding: &Finding,
) -> Cover {
    let mut best: Option<usize> = None;
    let mut beyond = Vec::new();
    for (index, waiver) in waivers.iter().enumerate() {
        if waiver.rule != rule || !is_for(waiver, candidate, stage, finding) {
            continue;
        }
        let covers = match &finding.breach {
            None => waiver.down_to.is_empty(),
            Some(breach) => {
                let limit = waiver.down_to.iter().find(|limit| limit.word == breach.kind);
                match limit {
                    Some(limit) if limit.allows(breach) => true,
                    Some(limit) => {
                        beyond.push(format!("{}: {}", limit.word.name(), limit.written));
                        false
                    }
                    None => false,
                }
            }
        };
        if covers && best.is_none_or(|known| tighter(waiver, &waivers[known], finding)) {
            best = Some(index);
        }
    }
    best.map_or(Cover::Not(beyond), Cover::By)
}

/// Which waivers of a policy were used, by their indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaiverUse {
    /// Waivers that covered a finding.
    pub used: BTreeSet<usize>,
    /// Waivers whose rule judged what they are for, whether or not it needed them.
    pub reached: BTreeSet<usize>,
}

impl WaiverUse {
    /// Adds what another candidate used and reached.
    pub fn absorb(&mut self, other: Self) {
        self.used.extend(other.used);
        self.reached.extend(other.reached);
    }

    /// Records the waivers whose rules judged the candidate, or the change if `candidate` is `None`.
    pub(super) fn reach(
        &mut self,
        waivers: &[Waiver],
        rules: &[RuleReport],
        candidate: Option<&Run>,
        stage: Option<&str>,
    ) {
        let model = candidate.and_then(Run::model);
        for (index, waiver) in waivers.iter().enumerate() {
            let is_for =
                waiver.model.as_ref().is_none_or(|pattern| model.is_some_and(|model| pattern.matches(model)))
                    && waiver.narrowing.stage.as_deref().is_none_or(|named| stage == Some(named));
            let judged = |rule: &RuleReport| rule.id == waiver.rule && rule.outcome != Outcome::Skipped;
            if is_for && rules.iter().any(judged) {
                self.reached.insert(index);
            }
        }
    }
}

fn is_for(waiver: &Waiver, candidate: Option<&Run>, stage: Option<&str>, finding: &Finding) -> bool {
    let narrowing = &waiver.narrowing;
    let subject = finding.subject.as_deref();
    let path = finding.path.as_deref();
    let model = candidate.and_then(Run::model);
    waiver.model.as_ref().is_none_or(|pattern| model.is_some_and(|name| pattern.matches(name)))
        && narrowing.metric.as_ref().is_none_or(|metric| subject.is_some_and(|name| metric.matches(name)))
        && narrowing
            .path
            .as_ref()
            .is_none_or(|pattern| [subject, path].into_iter().flatten().any(|name| pattern.matches(name)))
        && narrowing
            .slice
            .as_ref()
            .is_none_or(|slice| finding.slice.as_deref().is_some_and(|name| slice.matches(name)))
        && narrowing.stage.as_deref().is_none_or(|name| stage == Some(name))
        && narrowing
            .run
            .as_deref()
            .is_none_or(|run| candidate.is_some_and(|it| it.text("run_id") == Some(run) || it.label() == run))
}

/// Whether one waiver allows less than another. Their text breaks ties, so declaration order is irrelevant.
fn tighter(one: &Waiver, other: &Waiver, finding: &Finding) -> bool {
    let limit = |waiver: &Waiver| {
        let breach = finding.breach.as_ref()?;
        let limit = waiver.down_to.iter().find(|limit| limit.word == breach.kind)?.clone();
        let margin = limit.hold(&breach.candidate, breach.baseline.as_ref()).ok()?.margin;
        Some((limit, margin))
    };
    match (limit(one), limit(other)) {
        // The waiver that leaves the smaller margin allows less.
        (Some((_, one_margin)), Some((_, other_margin))) if one_margin != other_margin => {
            one_margin < other_margin
        }
        (one_limit, other_limit) => {
            key(one, one_limit.map(|(limit, _)| limit)) < key(other, other_limit.map(|(limit, _)| limit))
        }
    }
}

fn key(waiver: &Waiver, limit: Option<Limit>) -> (jiff::civil::Date, String, String, bool) {
    let relative = limit.is_some_and(|limit| matches!(limit.amount, Amount::Percent(_)));
    (waiver.expires, waiver.reason.clone(), waiver.approved_by.clone(), relative)
}
