//! The report as an in-toto statement with a test result
//! (<https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md>): the subjects are the records that
//! were judged, and a test is a rule on one of them. It says the same as JUnit, in a form that can be signed.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::suite::{Case, Ended, suites};
use super::text::clean;
use crate::ledger::STATEMENT_TYPE;
use crate::verdict::{Report, Verdict};

const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// Writes a report as a statement. `job` is the address of the run that judged.
///
/// # Errors
///
/// The statement has no subject: neither a record nor the policy could be read.
pub fn test_result(report: &Report, job: Option<&str>, to: &mut dyn Write) -> io::Result<()> {
    let (mut passed, mut warned, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for suite in suites(report) {
        for Case { name, ended } in suite.cases {
            let test = format!("{}: {name}", suite.name);
            match ended {
                Ended::Passed => passed.push(test),
                Ended::Warned { .. } => warned.push(test),
                // A rule that does not apply, or is a shadow rule, is not a test.
                Ended::Skipped { .. } => {}
                Ended::Failed { .. } | Ended::Error { .. } => failed.push(test),
            }
        }
    }
    let result = match report.verdict {
        Some(Verdict::Pass) if warned.is_empty() => "PASSED",
        Some(Verdict::Pass) => "WARNED",
        Some(Verdict::Fail) | None => "FAILED",
    };
    let configuration = configuration(report);
    let mut subjects: Vec<Json> = report
        .candidates
        .iter()
        .filter_map(|candidate| descriptor(&candidate.run.source, candidate.run.digest.as_deref()?))
        .collect();
    if subjects.is_empty() {
        // If no record was judged, the statement is about the policy.
        subjects.extend(configuration.first().cloned());
    }
    if subjects.is_empty() {
        return Err(io::Error::other(
            "a statement needs a subject, and neither a record nor a policy was read",
        ));
    }
    let mut predicate = json!({
        "result": result,
        "configuration": configuration,
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    });
    if let Some(job) = job {
        predicate["url"] = json!(job);
    }
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    });
    serde_json::to_writer_pretty(&mut *to, &statement)?;
    to.write_all(b"\n")
}

/// The policy, what it extends, and the files that it names.
fn configuration(report: &Report) -> Vec<Json> {
    let Some(policy) = &report.policy else { return Vec::new() };
    let files = policy.packs.iter().chain(&policy.files).map(|file| (&file.name, &file.digest));
    let all = std::iter::once((&policy.path, &policy.digest)).chain(files);
    all.filter_map(|(name, digest)| descriptor(name, digest)).collect()
}

/// A file by its name and its digest, `sha256:…`.
fn descriptor(name: &str, digest: &str) -> Option<Json> {
    let (algorithm, value) = digest.split_once(':')?;
    Some(json!({ "name": clean(name), "digest": { algorithm: value } }))
}
