//! The statement of a promotion, built from everything that it was decided on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::facts::{
    Model, artifacts, code, data, digest, reproducible, requested_by, run, subjects, validation,
};
use crate::document::sha256;
use crate::ledger::{EXTENSION, PASSED, PREDICATE_TYPE, STATEMENT_TYPE, StageHistory, VERIFIER, level};
use crate::policy::Policy;
use crate::run::Run;
use crate::verdict::{CandidateReport, Level, PackUse, Report, RuleReport, WaiverState};

/// The previous promotion in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) number: u64,
    pub(super) digest: String,
}

/// The newest promotion of a stage history, and the baseline.
pub(super) struct Head {
    pub(super) line: StageHistory,
    pub(super) entry: Previous,
    /// The newest promotion that passed on its own merits, and the digest of its record.
    pub(super) baseline: Option<(Previous, Option<String>)>,
    /// The files that are promoted there now, and when that was decided.
    pub(super) files: BTreeSet<String>,
    pub(super) at: Option<Timestamp>,
}

/// The text of a policy, or of a file that it extends or names, for the ledger.
pub(super) struct PolicyFile {
    /// Its name in the policy.
    pub(super) name: String,
    /// Its path in the stage history's folder.
    pub(super) uri: String,
    pub(super) sha256: String,
    pub(super) text: String,
}

/// Everything that goes into a statement.
pub(super) struct Saying<'s> {
    pub(super) line: &'s StageHistory,
    pub(super) number: u64,
    /// The identity of the ledger.
    pub(super) id: &'s str,
    pub(super) previous: Option<&'s Previous>,
    /// What was promoted to each stage before judging.
    pub(super) heads: &'s [Head],
    pub(super) at: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) models: &'s [Model],
    pub(super) run: &'s Run,
    /// The location of the record: in a commit, if one contains it.
    pub(super) run_uri: String,
    pub(super) policy: &'s Policy,
    pub(super) policy_uri: String,
    pub(super) policy_files: &'s [PolicyFile],
    pub(super) report: &'s Report,
    /// The paths of the record and the report in the stage history's folder, with their SHA-256, if the ledger keeps
    /// them.
    pub(super) record: Option<(&'s str, String)>,
    pub(super) report_file: Option<(&'s str, String)>,
    pub(super) weakened: Vec<Json>,
    /// Why it is promoted although the policy does not allow it.
    pub(super) overridden: Option<&'s str>,
    /// The version in MLflow's registry, and the alias that points to it.
    pub(super) mlflow: Option<Json>,
}

impl Saying<'_> {
    /// The statement; its bytes are what gets signed.
    pub(super) fn statement(&self) -> String {
        pretty(&json!({
            "_type": STATEMENT_TYPE,
            "subject": subjects(self.models),
            "predicateType": PREDICATE_TYPE,
            "predicate": self.predicate(),
        }))
    }

    /// Only the predicate, for a signer that makes the statement itself.
    pub(super) fn predicate(&self) -> Json {
        let result = if self.overridden.is_some() { "FAILED" } else { PASSED };
        let levels: Vec<String> =
            if self.overridden.is_some() { Vec::new() } else { vec![level(&self.line.stage)] };
        json!({
            "verifier": { "id": VERIFIER, "version": { "gate": env!("CARGO_PKG_VERSION") } },
            "timeVerified": written(self.at),
            "resourceUri": self.line.uri(),
            "policy": { "uri": self.policy_uri, "digest": digest(self.policy_digest()) },
            "inputAttestations": [],
            "verificationResult": result,
            "verifiedLevels": levels,
            "slsaVersion": "1.2",
            EXTENSION: self.extension(),
        })
    }

    fn policy_digest(&self) -> &str {
        self.report.policy.as_ref().map_or("", |policy| policy.digest.as_str())
    }

    fn extension(&self) -> Json {
        let candidate = self.report.candidates.first();
        let mut map = Map::new();
        let mut put = |key: &str, value: Json| {
            if !value.is_null() {
                map.insert(key.to_owned(), value);
            }
        };
        put("action", json!("promote"));
        put("verdict", json!(if self.overridden.is_some() { "overridden" } else { "pass" }));
        put("reason", json!(self.overridden));
        put("model", json!(self.line.model));
        put("stage", json!(self.line.stage));
        put("ledger", json!(self.id));
        put("sequence", json!(self.number));
        put("previous", previous(self.previous));
        put("artifacts", artifacts(self.models));
        put("run", run(self.run, &self.run_uri));
        put("record", kept(self.record.as_ref()));
        put("baseline", candidate.map_or(Json::Null, |candidate| self.baseline(candidate)));
        put("effectivePolicy", self.effective_policy());
        put("policyFiles", self.policy_files());
        put("code", code(self.run));
        put("data", data(self.run));
        put("validation", validation(self.run));
        put("outcomes", outcomes(self.report));
        put("waivers", self.waivers());
        put("weakened", json!(self.weakened));
        put("reproducible", reproducible(self.run));
        put("requestedBy", requested_by());
        put("report", kept(self.report_file.as_ref()));
        put("mlflow", json!(self.mlflow));
        put("expires", self.expires.map_or(Json::Null, |expires| json!(written(expires))));
        Json::Object(map)
    }

    /// The policy with everything that it extends and names, so that a changed pack, key or parameter value
    /// shows.
    fn effective_policy(&self) -> Json {
        let mut text = format!("{}\n", self.policy_digest());
        let mut list = |files: &[PackUse]| -> Vec<Json> {
            let mut all = Vec::new();
            for file in files {
                let parameters: Map<String, Json> =
                    file.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                text.push_str(&format!(
                    "{} {} {}\n",
                    file.name,
                    file.digest,
                    Json::Object(parameters.clone())
                ));
                let mut one = json!({ "uri": file.name, "digest": digest(&file.digest) });
                if !parameters.is_empty() {
                    one["parameters"] = Json::Object(parameters);
                }
                all.push(one);
            }
            all
        };
        let (packs, files) = (list(&self.policy.packs), list(&self.policy.files));
        json!({ "digest": { "sha256": sha256(text.as_bytes()) }, "packs": packs, "files": files })
    }

    /// The text of the policy and its files at this moment, for the ledger.
    fn policy_files(&self) -> Json {
        if self.policy_files.is_empty() {
            return Json::Null;
        }
        let one = |file: &PolicyFile| json!({ "name": file.name, "uri": file.uri, "digest": { "sha256": file.sha256 } });
        self.policy_files.iter().map(one).collect()
    }

    /// The digest that verifiers know the policy by: of the policy file, or of the policy with everything
    /// that it extends and names.
    pub(super) fn decided_by(&self) -> String {
        if self.policy.packs.is_empty() && self.policy.files.is_empty() {
            return self.policy_digest().to_owned();
        }
        let whole = self.effective_policy()["digest"]["sha256"].as_str().map(str::to_owned);
        format!("sha256:{}", whole.unwrap_or_default())
    }

    /// The baseline, and which promotion it was.
    fn baseline(&self, candidate: &CandidateReport) -> Json {
        let all: Vec<Json> = candidate
            .baselines
            .iter()
            .map(|baseline| {
                let mut one = json!({ "reference": baseline.reference });
                if let Some(run) = &baseline.run {
                    one["uri"] = json!(run.source);
                    one["digest"] = run.digest.as_deref().map_or(Json::Null, digest);
                    one["runId"] = json!(run.run_id);
                    let stage = baseline.reference.strip_prefix("stage:");
                    let model = run.model.as_deref().unwrap_or(&self.line.model);
                    let head = self
                        .heads
                        .iter()
                        .find(|head| Some(head.line.stage.as_str()) == stage && head.line.model == model);
                    if let Some((entry, _)) = head.and_then(|head| head.baseline.as_ref()) {
                        one["promotion"] = previous(Some(entry));
                    }
                }
                if let Some(missing) = &baseline.missing {
                    one["missing"] = json!(missing);
                }
                one
            })
            .collect();
        match all.as_slice() {
            [] => Json::Null,
            [one] => one.clone(),
            _ => Json::Array(all),
        }
    }

    fn waivers(&self) -> Json {
        let used = self.report.waivers.iter().filter(|waiver| waiver.state == WaiverState::Used);
        used.map(|waiver| {
            json!({
                "rule": waiver.rule,
                "model": waiver.model,
                "narrowedTo": waiver.narrowed_to,
                "downTo": waiver.down_to,
                "reason": waiver.reason,
                "approvedBy": waiver.approved_by,
                "expires": waiver.expires,
                "source": { "uri": waiver.place },
            })
        })
        .collect()
    }
}

/// A time in in-toto's format.
pub(super) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// JSON that a person can read and a pull request can show.
pub(super) fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

pub(super) fn previous(previous: Option<&Previous>) -> Json {
    previous.map_or(
        Json::Null,
        |previous| json!({ "sequence": previous.number, "digest": { "sha256": previous.digest } }),
    )
}

/// A ledger file, by path and digest.
fn kept(file: Option<&(&str, String)>) -> Json {
    file.map_or(Json::Null, |(uri, sha256)| json!({ "uri": uri, "digest": { "sha256": sha256 } }))
}

/// Every rule that judged the run or the change.
fn rules(report: &Report) -> impl Iterator<Item = &RuleReport> {
    let of_runs = report.candidates.iter().flat_map(|candidate| candidate.rules.iter());
    of_runs.chain(report.change.iter().flat_map(|change| &change.rules))
}

fn outcomes(report: &Report) -> Json {
    rules(report)
        .map(|rule| {
            let mut one =
                json!({ "rule": rule.id, "kind": rule.kind, "level": rule.level, "outcome": rule.outcome });
            if let Some(reason) = &rule.reason {
                one["reason"] = json!(reason);
            }
            let compared: Vec<Json> =
                rule.comparisons.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
            if !compared.is_empty() {
                one["comparisons"] = Json::Array(compared);
            }
            let findings: Vec<Json> = rule
                .findings
                .iter()
                .map(|finding| json!({ "code": finding.diagnostic.code, "message": finding.diagnostic.message }))
                .collect();
            if !findings.is_empty() {
                one["findings"] = Json::Array(findings);
            }
            one
        })
        .collect()
}

/// What weakens a verdict, for later readers of the entry.
pub(super) fn weakened(report: &Report) -> Vec<Json> {
    let mut all = Vec::new();
    for waiver in report.waivers.iter().filter(|waiver| waiver.state == WaiverState::Used) {
        all.push(json!({ "what": "waiver", "rule": waiver.rule, "says": format!("{}, until {}", waiver.reason, waiver.expires) }));
    }
    for rule in rules(report) {
        if rule.level == Level::Shadow {
            all.push(json!({ "what": "shadow", "rule": rule.id, "says": format!("{}, and does not apply yet", rule.outcome) }));
        } else if rule.level == Level::Warning && rule.outcome.blocks() {
            all.push(json!({ "what": "warning", "rule": rule.id, "says": format!("{}, at level warning", rule.outcome) }));
        }
    }
    for candidate in &report.candidates {
        for baseline in candidate.baselines.iter().filter(|baseline| baseline.first) {
            all.push(json!({ "what": "first", "says": format!("`{}` has no run to compare with, which was accepted", baseline.reference) }));
        }
    }
    all
}
