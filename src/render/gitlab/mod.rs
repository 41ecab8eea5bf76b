//! The report for the Code Quality widget of GitLab: a list of issues
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Serializer as _;

use super::claims::{Claim, Fingerprints, claims};
use super::text::clean;
use crate::verdict::{Level, Report};

/// The fields of an issue that the widget needs.
#[derive(Debug, Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

#[derive(Debug, Serialize)]
struct IssueLocation {
    path: String,
    lines: IssueLines,
}

#[derive(Debug, Serialize)]
struct IssueLines {
    begin: usize,
}

/// Writes a report as a list of issues. `below` is the path from the root of the repository to the folder of
/// the report: empty, or ending in `/`.
pub fn gitlab(report: &Report, below: &str, to: &mut dyn Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::new(below);
    let issues = claims(report).map(|claim| issue(&claim, report, below, &mut fingerprints));
    serde_json::Serializer::pretty(&mut *to).collect_seq(issues)?;
    to.write_all(b"\n")
}

fn issue(claim: &Claim<'_>, report: &Report, below: &str, fingerprints: &mut Fingerprints<'_>) -> Issue {
    let place = claim.place(report, below);
    let about = claim.candidate.map(|candidate| format!("{}: ", clean(&candidate.run.source)));
    let waived = claim.waived().map(|waived| format!("{waived}: ")).unwrap_or_default();
    let (name, severity) = match claim.rule {
        // The widget can't show problems outside a file, so no verdict blocks like a failure.
        None => (claim.code().to_owned(), "blocker"),
        Some(rule) => (
            clean(&rule.id),
            match rule.level {
                _ if claim.waiver.is_some() => "info",
                Level::Error => "blocker",
                _ => "minor",
            },
        ),
    };
    let kind = if claim.rule.is_none() { "no verdict: " } else { "" };
    Issue {
        description: format!(
            "{}{kind}{waived}{}",
            about.unwrap_or_default(),
            claim.text().replace('\n', "; ")
        ),
        check_name: name,
        fingerprint: fingerprints.of(claim),
        severity,
        location: IssueLocation {
            // The format requires a file for every issue.
            path: place.as_ref().map_or_else(|| "gate.yaml".into(), |place| place.file.clone()),
            lines: IssueLines { begin: place.map_or(1, |place| place.line) },
        },
    }
}
