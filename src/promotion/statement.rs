//! What a promotion says: the statement, from everything that it was decided on.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::artifact::Hashed;
use crate::document::{Node, sha256};
use crate::ledger::{EXTENSION, Line, PASSED, PREDICATE_TYPE, STATEMENT_TYPE, VERIFIER, level};
use crate::policy::Policy;
use crate::run::Run;
use crate::verdict::{CandidateReport, Level, Report, WaiverState};

/// A model that is promoted: its name in the record, and what was read.
pub(super) type Model = (String, Hashed);

/// The promotion that another one follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Previous {
    pub(super) number: u64,
    pub(super) digest: String,
}

/// Everything that a promotion says.
pub(super) struct Saying<'s> {
    pub(super) line: &'s Line,
    pub(super) number: u64,
    pub(super) previous: Option<&'s Previous>,
    pub(super) at: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) models: &'s [Model],
    pub(super) run: &'s Run,
    /// Where the record is, by its commit if one has it.
    pub(super) run_uri: String,
    pub(super) policy: &'s Policy,
    pub(super) policy_uri: String,
    pub(super) report: &'s Report,
    /// The record's and the report's paths in the folder of the line, with their SHA-256.
    pub(super) record: (&'s str, String),
    pub(super) report_file: (&'s str, String),
    pub(super) weakened: Vec<Json>,
    /// Why it is promoted though the policy does not allow it.
    pub(super) overridden: Option<&'s str>,
    /// The version in MLflow's registry, and the alias that leads to it.
    pub(super) mlflow: Option<Json>,
}

impl Saying<'_> {
    /// The statement: its bytes are what is signed.
    pub(super) fn statement(&self) -> String {
        pretty(&json!({
            "_type": STATEMENT_TYPE,
            "subject": subjects(self.models),
            "predicateType": PREDICATE_TYPE,
            "predicate": self.predicate(),
        }))
    }

    /// The predicate alone, for a signer that makes the statement itself.
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
        put("sequence", json!(self.number));
        put("previous", previous(self.previous));
        put("artifacts", artifacts(self.models));
        put("run", run(self.run, &self.run_uri));
        put("record", json!({ "uri": self.record.0, "digest": { "sha256": self.record.1 } }));
        put("baseline", candidate.map_or(Json::Null, |candidate| baseline(candidate, self.previous)));
        put("effectivePolicy", self.effective_policy());
        put("code", code(self.run));
        put("data", data(self.run));
        put("validation", validation(self.run));
        put("outcomes", candidate.map_or(Json::Null, |candidate| json!(outcomes(candidate))));
        put("waivers", self.waivers());
        put("weakened", json!(self.weakened));
        put("reproducible", reproducible(self.run));
        put("requestedBy", requested_by());
        put("report", json!({ "uri": self.report_file.0, "digest": { "sha256": self.report_file.1 } }));
        put("mlflow", json!(self.mlflow));
        put("expires", self.expires.map_or(Json::Null, |expires| json!(written(expires))));
        Json::Object(map)
    }

    /// The policy with all that it extends: a pack that changed shows, and so do the values of its parameters.
    fn effective_policy(&self) -> Json {
        let mut text = format!("{}\n", self.policy_digest());
        let mut packs = Vec::new();
        for pack in &self.policy.packs {
            let parameters: Map<String, Json> =
                pack.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            text.push_str(&format!("{} {} {}\n", pack.name, pack.digest, Json::Object(parameters.clone())));
            packs.push(json!({ "uri": pack.name, "digest": digest(&pack.digest), "parameters": parameters }));
        }
        json!({ "digest": { "sha256": sha256(text.as_bytes()) }, "packs": packs })
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

/// A time as in-toto writes it.
pub(super) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A JSON text that a person can read and a pull request can show.
pub(super) fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

pub(super) fn subjects(models: &[Model]) -> Json {
    models.iter().map(|(name, model)| json!({ "name": name, "digest": { "sha256": model.sha256 } })).collect()
}

pub(super) fn previous(previous: Option<&Previous>) -> Json {
    previous.map_or(
        Json::Null,
        |previous| json!({ "sequence": previous.number, "digest": { "sha256": previous.digest } }),
    )
}

pub(super) fn artifacts(models: &[Model]) -> Json {
    models
        .iter()
        .map(|(name, model)| {
            let mut one = json!({
                "name": name, "kind": model.sort(), "digest": { "sha256": model.sha256 }, "bytes": model.bytes,
            });
            if let Some(manifest) = &model.manifest {
                let files: Vec<Json> = manifest
                    .iter()
                    .map(|(name, digest, bytes)| json!({ "name": name, "digest": { "sha256": digest }, "bytes": bytes }))
                    .collect();
                one["files"] = Json::Array(files);
            }
            one
        })
        .collect()
}

/// `sha256:…` as a set of digests.
fn digest(text: &str) -> Json {
    match text.split_once(':') {
        Some((algorithm, value)) => json!({ algorithm: value }),
        None => json!({}),
    }
}

/// What of `keys` is there, by the names that it has in a statement.
fn picked(node: &Node, keys: &[(&str, &str)]) -> Map<String, Json> {
    keys.iter()
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), json!(node.get(theirs)?.as_written()?))))
        .collect()
}

fn run(run: &Run, uri: &str) -> Json {
    let mut one = json!({ "uri": uri, "digest": { "sha256": sha256(run.document.text.as_bytes()) } });
    for (field, key) in [("run_id", "runId"), ("name", "name"), ("created_at", "createdAt")] {
        if let Some(value) = run.text(field) {
            one[key] = json!(value);
        }
    }
    one
}

fn baseline(candidate: &CandidateReport, previous: Option<&Previous>) -> Json {
    let all: Vec<Json> = candidate
        .baselines
        .iter()
        .map(|baseline| {
            let mut one = json!({ "reference": baseline.reference });
            if let Some(run) = &baseline.run {
                one["uri"] = json!(run.source);
                one["digest"] = run.digest.as_deref().map_or(Json::Null, digest);
                one["runId"] = json!(run.run_id);
            }
            if let Some(missing) = &baseline.missing {
                one["missing"] = json!(missing);
            }
            if let (true, Some(previous)) = (baseline.reference.starts_with("stage:"), previous) {
                one["promotion"] =
                    json!({ "sequence": previous.number, "digest": { "sha256": previous.digest } });
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

fn code(run: &Run) -> Json {
    let mut one = Map::new();
    if let Some(commit) = run.text("git_commit") {
        one.insert("gitCommit".into(), json!(commit));
    }
    if let Some(dirty) = run.text("git_dirty") {
        one.insert("dirty".into(), json!(dirty == "true"));
    }
    if let Some(source) = run.text("source") {
        one.insert("source".into(), json!(source));
    }
    if one.is_empty() { Json::Null } else { Json::Object(one) }
}

fn data(run: &Run) -> Json {
    let files = run.record().get("data").and_then(Node::as_list).unwrap_or_default();
    let mut all: Vec<Json> = Vec::new();
    for file in files {
        let mut one = picked(file, &[("name", "name"), ("role", "role"), ("path", "uri"), ("rows", "rows")]);
        if let Some(written) = file.get("digest").and_then(Node::as_written) {
            one.insert("digest".into(), digest(written));
        }
        all.push(Json::Object(one));
    }
    if let Some(version) = run.text("data_version") {
        all.push(json!({ "name": "data_version", "version": version }));
    }
    if all.is_empty() { Json::Null } else { Json::Array(all) }
}

fn validation(run: &Run) -> Json {
    let Some(validation) = run.record().get("validation") else { return Json::Null };
    let mut one = picked(validation, &[("split", "split"), ("rows", "rows"), ("path", "uri")]);
    if let Some(written) = validation.get("digest").and_then(Node::as_written) {
        one.insert("digest".into(), digest(written));
    }
    if one.is_empty() { Json::Null } else { Json::Object(one) }
}

fn outcomes(candidate: &CandidateReport) -> Vec<Json> {
    candidate
        .rules
        .iter()
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
                .map(|finding| json!({ "code": finding.code, "message": finding.message }))
                .collect();
            if !findings.is_empty() {
                one["findings"] = Json::Array(findings);
            }
            one
        })
        .collect()
}

/// What another engineer needs to train it again: what of it was recorded.
fn reproducible(run: &Run) -> Json {
    let parts = [
        ("commit", run.text("git_commit").is_some()),
        ("command", run.record().get("command").is_some_and(|node| !node.is_null())),
        ("seed", run.record().get("seed").is_some_and(|node| !node.is_null())),
        ("lockfile", run.record().get("environment").and_then(|node| node.get("lockfile")).is_some()),
        ("data", run.data().iter().any(|file| file.digest.is_some())),
    ];
    let of = |wanted: bool| -> Vec<&str> {
        parts.iter().filter(|(_, there)| *there == wanted).map(|(name, _)| *name).collect()
    };
    json!({ "recorded": of(true), "missing": of(false) })
}

/// What weakens a verdict, for whoever reads the entry later.
pub(super) fn weakened(report: &Report) -> Vec<Json> {
    let mut all = Vec::new();
    for waiver in report.waivers.iter().filter(|waiver| waiver.state == WaiverState::Used) {
        all.push(json!({ "what": "waiver", "rule": waiver.rule, "says": format!("{}, until {}", waiver.reason, waiver.expires) }));
    }
    for candidate in &report.candidates {
        for rule in &candidate.rules {
            if rule.level == Level::Shadow {
                all.push(json!({ "what": "shadow", "rule": rule.id, "says": format!("{}, and does not count yet", rule.outcome) }));
            } else if rule.level == Level::Warning && rule.outcome.blocks() {
                all.push(json!({ "what": "warning", "rule": rule.id, "says": format!("{}, at level warning", rule.outcome) }));
            }
        }
        for baseline in candidate.baselines.iter().filter(|baseline| baseline.first) {
            all.push(json!({ "what": "first", "says": format!("`{}` has no run to compare with, and that was accepted", baseline.reference) }));
        }
    }
    all
}

/// Who asked for it, as the machine that it ran on says: a claim, from a fixed list of variables.
pub(super) fn requested_by() -> Json {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty() && value.len() < 1_000);
    let mut one = Map::new();
    let (how, names): (&str, &[(&str, &str)]) = if get("GITHUB_ACTIONS").as_deref() == Some("true") {
        (
            "github-actions",
            &[
                ("actor", "GITHUB_ACTOR"),
                ("workflow", "GITHUB_WORKFLOW_REF"),
                ("commit", "GITHUB_SHA"),
                ("run", "GITHUB_RUN_ID"),
            ],
        )
    } else if get("GITLAB_CI").is_some() {
        (
            "gitlab-ci",
            &[
                ("actor", "GITLAB_USER_LOGIN"),
                ("workflow", "CI_CONFIG_PATH"),
                ("commit", "CI_COMMIT_SHA"),
                ("run", "CI_JOB_URL"),
            ],
        )
    } else {
        ("command-line", &[])
    };
    one.insert("how".into(), json!(how));
    for (key, name) in names {
        if let Some(value) = get(name) {
            one.insert((*key).to_owned(), json!(value));
        }
    }
    if how == "github-actions"
        && let (Some(server), Some(repository), Some(run)) =
            (get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"))
    {
        one.insert("run".into(), json!(format!("{server}/{repository}/actions/runs/{run}")));
    }
    Json::Object(one)
}
