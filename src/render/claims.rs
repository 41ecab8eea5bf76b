//! What a report says is wrong, one claim at a time. Every format for other tools is made of these, so that the formats
//! can't disagree.

use std::borrow::Cow;
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::text::clean;
use crate::document::{Diagnostic, Location};
use crate::verdict::{CandidateReport, Finding, Level, Outcome, Report, RuleReport, WaiverReport};

/// One thing that is wrong: a finding of a rule, waived or not, or a reason for no verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'r> {
    /// The candidate; `None` if the claim is about the change or the check as a whole.
    pub(super) candidate: Option<&'r CandidateReport>,
    /// The rule; `None` if no verdict could be reached.
    pub(super) rule: Option<&'r RuleReport>,
    /// The finding of the rule; `None` if a rule failed by its comparisons alone.
    pub(super) finding: Option<&'r Finding>,
    /// What is wrong.
    pub(super) diagnostic: Option<&'r Diagnostic>,
    /// The waiver that covers it.
    pub(super) waiver: Option<&'r WaiverReport>,
}

/// The file and columns of a claim, as other tools expect them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Relative to the root of the repository.
    pub(super) file: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// The first column, and the one after the last, counted from 1; `None` if only the line is known.
    pub(super) columns: Option<(usize, usize)>,
}

/// Every claim of a report: reasons for no verdict, then the change, then each candidate. Shadow rules claim nothing.
pub(super) fn claims(report: &Report) -> impl Iterator<Item = Claim<'_>> {
    let of_all = report.troubles.iter().map(|trouble| Claim::trouble(trouble, None));
    let of_change = report.change.iter().flat_map(|change| {
        let troubles = change.troubles.iter().map(|trouble| Claim::trouble(trouble, None));
        troubles.chain(change.rules.iter().flat_map(|rule| of_rule(report, rule, None)))
    });
    let of_candidates = report.candidates.iter().flat_map(|candidate| {
        let troubles = candidate.troubles.iter().map(|trouble| Claim::trouble(trouble, Some(candidate)));
        troubles.chain(candidate.rules.iter().flat_map(|rule| of_rule(report, rule, Some(candidate))))
    });
    of_all.chain(of_change).chain(of_candidates)
}

/// What one rule claims.
pub(super) fn of_rule<'r>(
    report: &'r Report,
    rule: &'r RuleReport,
    candidate: Option<&'r CandidateReport>,
) -> Vec<Claim<'r>> {
    let is_claimed = rule.outcome.blocks() || rule.outcome == Outcome::Waived;
    if rule.level == Level::Shadow || !is_claimed {
        return Vec::new();
    }
    let of_finding = |finding: &'r Finding| Claim {
        candidate,
        rule: Some(rule),
        finding: Some(finding),
        diagnostic: Some(&finding.diagnostic),
        waiver: finding.waiver.and_then(|index| report.waivers.get(index)),
    };
    let mut claims: Vec<Claim<'_>> = rule.findings.iter().map(of_finding).collect();
    // A failing rule always makes a claim.
    if rule.outcome.blocks() && claims.iter().all(|claim| claim.waiver.is_some()) {
        claims.push(Claim { candidate, rule: Some(rule), finding: None, diagnostic: None, waiver: None });
    }
    claims
}

impl<'r> Claim<'r> {
    fn trouble(trouble: &'r Diagnostic, candidate: Option<&'r CandidateReport>) -> Self {
        Self { candidate, rule: None, finding: None, diagnostic: Some(trouble), waiver: None }
    }

    /// Whether it blocks the promotion.
    pub(super) fn blocks(&self) -> bool {
        self.waiver.is_none() && self.rule.is_none_or(RuleReport::blocks)
    }

    /// The stable name of what is wrong.
    pub(super) fn code(&self) -> &'r str {
        self.diagnostic.map_or("", |diagnostic| diagnostic.code.as_str())
    }

    /// What is wrong, on one line.
    pub(super) fn says(&self) -> Cow<'r, str> {
        match (self.diagnostic, self.rule) {
            (Some(diagnostic), _) => Cow::Borrowed(&diagnostic.message),
            (None, Some(rule)) => Cow::Owned(format!("the rule `{}` fails", rule.id)),
            (None, None) => Cow::Borrowed("no verdict"),
        }
    }

    /// What is wrong, what to do and why the rule exists, one per line, as text that is safe to show.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![clean(&self.says())];
        let help = self.diagnostic.and_then(|diagnostic| diagnostic.help.as_deref());
        lines.extend(help.map(|help| format!("help: {}", clean(help))));
        let beyond = self.finding.map_or(&[][..], |finding| &finding.beyond);
        lines.extend(
            beyond.iter().map(|beyond| format!("a waiver allows {}, but this exceeds it", clean(beyond))),
        );
        let why = self.rule.and_then(|rule| rule.message.as_deref());
        lines.extend(why.map(|why| format!("why: {}", clean(why))));
        lines.join("\n")
    }

    /// The waiver in words.
    pub(super) fn waived(&self) -> Option<String> {
        self.waiver.map(|waiver| {
            clean(&format!(
                "waived until {}: {} (claimed approval: {}; {})",
                waiver.expires, waiver.reason, waiver.approved_by, waiver.place
            ))
        })
    }

    /// Where to look: the line that is wrong; else the record, the rule, or the policy. `below` is the path
    /// from the root of the repository to the folder of the report: empty, or ending in `/`.
    pub(super) fn place(&self, report: &Report, below: &str) -> Option<Place> {
        let exact = self.diagnostic.and_then(|diagnostic| diagnostic.location.as_ref());
        let exact = exact.and_then(Location::excerpt).and_then(|at| {
            Some(Place {
                file: in_repository(&at.file, below)?,
                line: at.line,
                columns: Some((at.column, at.end_column)),
            })
        });
        let line = |text: &str| {
            let (file, line) = match text.rsplit_once(':').map(|(file, line)| (file, line.parse().ok())) {
                Some((file, Some(line))) => (file, line),
                _ => (text, 1),
            };
            Some(Place { file: in_repository(file, below)?, line, columns: None })
        };
        exact
            .or_else(|| line(&self.candidate?.run.source))
            .or_else(|| line(self.rule.map(|rule| rule.place.as_str()).filter(|place| !place.is_empty())?))
            .or_else(|| line(&report.policy.as_ref()?.path))
    }

    /// What identifies the claim in another report: not the line or the numbers, which change.
    fn identity(&self, below: &str) -> String {
        let compared = self
            .finding
            .and_then(|finding| finding.comparison)
            .and_then(|at| self.rule?.comparisons.get(at))
            .map(|one| {
                format!("{}\0{}\0{}", one.subject, one.word, one.slice.as_deref().unwrap_or_default())
            });
        let source = self.candidate.map(|candidate| candidate.run.source.as_str());
        // The file is the same, whatever folder the check was started in.
        let file = source.map(|source| in_repository(source, below).unwrap_or_else(|| source.to_owned()));
        let parts = [
            file.as_deref(),
            self.rule.map(|rule| rule.id.as_str()),
            Some(self.code()),
            self.finding.and_then(|finding| finding.path.as_deref()),
            compared.as_deref(),
        ];
        parts.map(Option::unwrap_or_default).join("\0")
    }
}

/// Names claims so that a claim keeps its name in the next report, and no two claims of a report share one.
#[derive(Debug)]
pub(super) struct Fingerprints<'b> {
    below: &'b str,
    seen: HashMap<String, usize>,
}

impl<'b> Fingerprints<'b> {
    /// Starts with the claims of one report. `below` is as in [`Claim::place`].
    pub(super) fn new(below: &'b str) -> Self {
        Self { below, seen: HashMap::new() }
    }

    /// The fingerprint of the next claim: 32 hexadecimal digits.
    pub(super) fn of(&mut self, claim: &Claim<'_>) -> String {
        let identity = claim.identity(self.below);
        let before = self.seen.entry(identity.clone()).or_default();
        let digest = Sha256::digest(format!("{identity}\0{before}").as_bytes());
        *before += 1;
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A path relative to the root of the repository; `None` if it is outside, or in a tracker or a commit.
pub fn in_repository(file: &str, below: &str) -> Option<String> {
    if file.starts_with('/') || file.split_once(':').is_some_and(|(prefix, _)| !prefix.contains('/')) {
        return None;
    }
    let mut parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}
