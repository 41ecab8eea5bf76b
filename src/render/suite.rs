//! A report as suites and tests, for JUnit and for in-toto.

use super::claims::{Claim, of_rule};
use super::text::clean;
use crate::document::{Diagnostic, Location};
use crate::verdict::{CandidateReport, Level, Outcome, Report, RuleReport, RunSummary, THE_CHANGE, Verdict};

/// The tests of a candidate, of the change, or of the check as a whole.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) cases: Vec<Case>,
}

/// The test for a rule.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) ended: Ended,
}

/// How a test ended.
pub(super) enum Ended {
    Passed,
    /// It failed but does not block: a waiver covers it, or its level is `warning`.
    Warned {
        message: String,
    },
    Skipped {
        message: String,
    },
    Failed {
        kind: String,
        message: String,
        text: String,
    },
    Error {
        kind: String,
        message: String,
        text: String,
    },
}

/// Numbers of tests.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) tests: usize,
    pub(super) failures: usize,
    pub(super) errors: usize,
    pub(super) skipped: usize,
}

impl Count {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl Suite {
    pub(super) fn count(&self) -> Count {
        let number = |pick: fn(&Ended) -> bool| self.cases.iter().filter(|case| pick(&case.ended)).count();
        Count {
            tests: self.cases.len(),
            failures: number(|ended| matches!(ended, Ended::Failed { .. })),
            errors: number(|ended| matches!(ended, Ended::Error { .. })),
            skipped: number(|ended| matches!(ended, Ended::Warned { .. } | Ended::Skipped { .. })),
        }
    }
}

/// The suites of a report, made one by one: a report may have many candidates.
pub(super) fn suites(report: &Report) -> impl Iterator<Item = Suite> {
    let of_change = report.change.iter().map(|change| Suite {
        name: THE_CHANGE.into(),
        properties: Vec::new(),
        cases: cases(report, None, &change.troubles, &change.rules),
    });
    let of_candidates = report.candidates.iter().map(|candidate| Suite {
        name: clean(&candidate.run.source),
        properties: properties(&candidate.run),
        cases: cases(report, Some(candidate), &candidate.troubles, &candidate.rules),
    });
    whole(report).into_iter().chain(of_change).chain(of_candidates)
}

/// The suite for what concerns no candidate, and for a check that judged nothing: readers take a file without
/// tests for a mistake.
fn whole(report: &Report) -> Option<Suite> {
    let mut cases: Vec<Case> = report.troubles.iter().flat_map(unjudged).collect();
    if cases.is_empty() && report.candidates.is_empty() && report.change.is_none() {
        let ended = match report.verdict {
            Some(Verdict::Pass) => Ended::Passed,
            _ => Ended::Error {
                kind: "no verdict".into(),
                message: "nothing was judged".into(),
                text: String::new(),
            },
        };
        cases.push(Case { name: "verdict".into(), ended });
    }
    (!cases.is_empty()).then(|| Suite { name: "gate".into(), properties: Vec::new(), cases })
}

fn properties(run: &RunSummary) -> Vec<(&'static str, String)> {
    [
        ("model", &run.model),
        ("run_id", &run.run_id),
        ("git_commit", &run.git_commit),
        ("data_version", &run.data_version),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, clean(value.as_deref()?))))
    .collect()
}

fn cases(
    report: &Report,
    candidate: Option<&CandidateReport>,
    troubles: &[Diagnostic],
    rules: &[RuleReport],
) -> Vec<Case> {
    let judged = rules
        .iter()
        .map(|rule| Case { name: clean(&rule.id), ended: ended(rule, &of_rule(report, rule, candidate)) });
    troubles.iter().flat_map(unjudged).chain(judged).collect()
}

/// A test for each rule that could not be judged, or one for the verdict.
fn unjudged(trouble: &Diagnostic) -> Vec<Case> {
    let mut text = clean(&trouble.message);
    if let Some(help) = &trouble.help {
        text.push_str(&format!("\nhelp: {}", clean(help)));
    }
    text.push_str(&at(trouble));
    let case = |name: &str| Case {
        name: clean(name),
        ended: Ended::Error {
            kind: trouble.code.as_str().into(),
            message: clean(&trouble.message),
            text: text.clone(),
        },
    };
    match trouble.rules.as_slice() {
        [] => vec![case("verdict")],
        rules => rules.iter().map(|rule| case(rule)).collect(),
    }
}

/// The place of a diagnostic, as compilers write it.
fn at(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.location.as_ref().and_then(Location::excerpt);
    place.map(|at| format!("\n{}:{}:{}", clean(&at.file), at.line, at.column)).unwrap_or_default()
}

fn ended(rule: &RuleReport, claims: &[Claim<'_>]) -> Ended {
    let open: Vec<&Claim<'_>> = claims.iter().filter(|claim| claim.waiver.is_none()).collect();
    let first = open.first().map(|claim| clean(&claim.says())).unwrap_or_default();
    match (rule.outcome, rule.level) {
        (outcome, Level::Shadow | Level::Off) => {
            Ended::Skipped { message: format!("level {}: {outcome}", rule.level) }
        }
        (Outcome::Pass, _) => Ended::Passed,
        (Outcome::Skipped, _) => {
            Ended::Skipped { message: clean(rule.reason.as_deref().unwrap_or("does not apply")) }
        }
        (Outcome::Waived, _) => {
            let mut waived: Vec<String> = claims.iter().filter_map(Claim::waived).collect();
            waived.dedup();
            Ended::Warned { message: waived.join("; ") }
        }
        (outcome, Level::Warning) => Ended::Warned { message: format!("warning: {outcome}: {first}") },
        (outcome, Level::Error) => {
            let more = open.len().saturating_sub(1);
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            let text: Vec<String> = open
                .iter()
                .map(|claim| {
                    let code = claim.code();
                    format!("{} [{code}]{}", claim.text(), claim.diagnostic.map(at).unwrap_or_default())
                })
                .collect();
            Ended::Failed {
                kind: outcome.to_string(),
                message: format!("{first}{more}"),
                text: text.join("\n\n"),
            }
        }
    }
}
