//! The report as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), for code scanning and
//! editors. Each rule of the policy is a rule of SARIF, each finding a result, each reason for no verdict a notification.

mod rules;
mod text;

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::{Value, json};

use super::claims::{Claim, Fingerprints, Place, claims};
use crate::code;
use crate::verdict::{Exit, Level, Report, RuleReport};
use rules::Rules;
use text::{message, uri};

/// Writes a report as one run of SARIF. `below` is the path from the root of the repository to the folder of
/// the report: empty, or ending in `/`.
pub fn sarif(report: &Report, below: &str, to: &mut dyn Write) -> io::Result<()> {
    let rules = Rules::of(report);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": {
                "name": "gate",
                "version": report.gate,
                "semanticVersion": report.gate,
                "informationUri": code::PROJECT,
                "rules": rules.described(),
                "notifications": notification_kinds(report),
            } }),
            invocations: [invocation(report, below)],
            automation_details: json!({ "id": automation(report) }),
            column_kind: "unicodeCodePoints",
            results: Results { report, rules: &rules, below },
            properties: json!({
                "verdict": report.verdict,
                "decidedAt": report.now,
                "summary": report.summary,
                "notes": report.notes,
            }),
        }],
    };
    serde_json::to_writer_pretty(&mut *to, &log)?;
    to.write_all(b"\n")
}

#[derive(Serialize)]
struct Log<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    tool: Value,
    invocations: [Value; 1],
    automation_details: Value,
    column_kind: &'static str,
    results: Results<'r>,
    properties: Value,
}

/// The results, made while they are written: a report may have many.
struct Results<'r> {
    report: &'r Report,
    rules: &'r Rules<'r>,
    below: &'r str,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fingerprints = Fingerprints::new(self.below);
        let mut results = serializer.serialize_seq(None)?;
        for claim in claims(self.report) {
            if let Some(rule) = claim.rule {
                results.serialize_element(&self.result(&claim, rule, &mut fingerprints))?;
            }
        }
        results.end()
    }
}

impl Results<'_> {
    fn result(&self, claim: &Claim<'_>, rule: &RuleReport, fingerprints: &mut Fingerprints<'_>) -> Value {
        let fingerprint = fingerprints.of(claim);
        let mut result = json!({
            "ruleId": rule.id,
            "level": level(rule.level),
            "kind": "fail",
            "message": { "text": message(&claim.text()) },
            "locations": locations(claim.place(self.report, self.below)),
            "partialFingerprints": {
                "gate/v1": fingerprint,
                // The one that GitHub compares. Its own would change with every value on the line.
                "primaryLocationLineHash": format!("{fingerprint}:1"),
            },
            "properties": {
                "code": claim.code(),
                "outcome": rule.outcome,
                "blocks": claim.blocks(),
                "candidate": claim.candidate.map(|candidate| &candidate.run.source),
                "model": claim.candidate.and_then(|candidate| candidate.run.model.as_deref()),
            },
        });
        if let Some(index) = self.rules.index(&rule.id) {
            result["ruleIndex"] = index.into();
        }
        if let Some(waiver) = claim.waiver {
            result["suppressions"] = json!([{
                "kind": "external",
                "status": "accepted",
                "justification": claim.waived(),
                "properties": { "approvedBy": waiver.approved_by, "expires": waiver.expires },
            }]);
        }
        result
    }
}

/// How the run ended. A fail is a successful run with results; no verdict is not.
fn invocation(report: &Report, below: &str) -> Value {
    let notifications: Vec<Value> = claims(report)
        .filter(|claim| claim.rule.is_none())
        .map(|claim| {
            let about = claim.candidate.map(|candidate| format!("{}: ", candidate.run.source));
            let text = format!("{}{}", about.unwrap_or_default(), claim.text());
            json!({
                "descriptor": { "id": claim.code() },
                "level": "error",
                "message": { "text": message(&text) },
                "locations": locations(claim.place(report, below)),
            })
        })
        .collect();
    json!({
        "executionSuccessful": report.exit_code != Exit::NoVerdict,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": notifications,
    })
}

/// The codes of the reasons for no verdict, with their pages.
fn notification_kinds(report: &Report) -> Vec<Value> {
    let mut codes: Vec<&str> =
        claims(report).filter(|claim| claim.rule.is_none()).map(|claim| claim.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
        .into_iter()
        .map(|name| {
            json!({
                "id": name,
                "shortDescription": { "text": format!("No verdict could be reached ({name}).") },
                "helpUri": code::page(name),
            })
        })
        .collect()
}

fn locations(place: Option<Place>) -> Vec<Value> {
    let location = |place: Place| {
        let mut region = json!({ "startLine": place.line });
        if let Some((from, to)) = place.columns {
            (region["startColumn"], region["endColumn"]) = (from.into(), to.into());
        }
        json!({ "physicalLocation": { "artifactLocation": { "uri": uri(&place.file) }, "region": region } })
    };
    place.into_iter().map(location).collect()
}

/// Keeps the results of several stages of one commit apart.
fn automation(report: &Report) -> String {
    report.stage.as_deref().map_or_else(|| "gate/".into(), |stage| format!("gate/{}/", uri(stage)))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Shadow => "note",
        Level::Off => "none",
    }
}
