//! What a record and its promotion say about a model, field by field.

use super::answers::{Evidence, approved, requested_by};
use crate::document::{Map, Node};
use crate::ledger::{Entry, StageHistory, Statement};
use crate::run::{Metric, Run};
use crate::secret::{masked, masked_value};
use crate::signing::Envelope;
use crate::verdict::{FileFact, LimitFact, MetricFact, ModelFacts, PromotionFact, RuleFact, WaiverFact};

/// The facts of a run.
pub(super) fn facts(run: &Run) -> ModelFacts {
    let text = |field: &str| run.text(field).map(shown);
    let mut params = Vec::new();
    if let Some(node) = run.record().get("params") {
        flatten(node, "", &mut params);
    }
    let validation = run.record().get("validation");
    let mut protocol = Vec::new();
    for (key, node) in validation.and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        if !["split", "name", "path", "digest", "rows"].contains(&key) {
            flatten(node, key, &mut protocol);
        }
    }
    let files = run.record().get("data").and_then(Node::as_list).unwrap_or_default();
    ModelFacts {
        model: run.model().map(shown),
        run_id: text("run_id"),
        git_commit: text("git_commit"),
        source: text("source"),
        created_at: text("created_at"),
        data_version: text("data_version"),
        record: format!("sha256:{}", run.document.text.sha256()),
        params,
        metrics: metrics(run),
        split: validation.map(|node| file(node, &["split", "name", "path"])),
        protocol,
        predictions: run.record().get("predictions").map(predictions),
        data: files.iter().map(|node| file(node, &["name", "path", "uri", "role"])).collect(),
        artifacts: run
            .artifacts()
            .iter()
            .map(|artifact| FileFact {
                name: shown(artifact.path.or(artifact.uri).unwrap_or("model")),
                digest: artifact.digest.as_ref().map(|it| (it.algorithm.to_string(), it.value.to_string())),
                ..FileFact::default()
            })
            .collect(),
        promotion: None,
    }
}

/// A text of the record without its secrets: a document may be published more widely than the record.
fn shown(text: &str) -> String {
    masked(text).into_owned()
}

/// The leaves of a map, by path.
fn flatten(node: &Node, at: &str, into: &mut Vec<(String, String)>) {
    match node.as_map() {
        Some(map) => map.iter().for_each(|(key, value)| {
            let path = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
            flatten(value, &path, into);
        }),
        None => {
            let name = at.rsplit('.').next().unwrap_or(at);
            let value = masked_value(name, &node.in_full()).into_owned();
            into.push((at.to_owned(), value));
        }
    }
}

/// The recorded metrics on the whole split, then on each slice.
fn metrics(run: &Run) -> Vec<MetricFact> {
    let fact = |slice: Option<&str>, metric: &Metric<'_>, rows: Option<String>| {
        // Non-finite values mean nothing on a card.
        let value = metric.value().ok()?.written().to_owned();
        let written = |key: &str| metric.detail(key).and_then(Node::as_written).map(str::to_owned);
        let values = metric.detail("values").and_then(Node::as_list).unwrap_or_default();
        Some(MetricFact {
            name: shown(metric.name),
            value,
            slice: slice.map(shown),
            n: written("n").or(rows),
            stderr: written("stderr"),
            values: values.iter().map(|value| shown(&value.brief())).collect(),
        })
    };
    let rows = |slice: &str| {
        let slice = run.record().get("slices")?.get(slice)?;
        slice.get("rows").and_then(Node::as_written).map(str::to_owned)
    };
    let whole = run.metrics().filter_map(|metric| fact(None, &metric, None));
    let of_slices = run.slice_metrics().filter_map(|(slice, metric)| fact(Some(slice), &metric, rows(slice)));
    whole.chain(of_slices).collect()
}

/// The file of predictions: a path, or an object with one.
fn predictions(node: &Node) -> FileFact {
    match node.as_written() {
        Some(path) => FileFact { name: shown(path), ..FileFact::default() },
        None => file(node, &["path", "uri", "aggregates"]),
    }
}

fn file(node: &Node, names: &[&str]) -> FileFact {
    let part = |key: &str| node.get(key).and_then(Node::as_written).map(shown);
    let digest = part("digest");
    FileFact {
        name: names.iter().find_map(|key| part(key)).unwrap_or_else(|| "data".into()),
        role: part("role"),
        digest: digest
            .as_deref()
            .and_then(|digest| digest.split_once(':'))
            .map(|(algorithm, value)| (algorithm.to_owned(), value.to_owned())),
        rows: part("rows"),
    }
}

/// The decision that put a model at a stage, and whether it is still there. An entry that retires a model has
/// no decision of its own, so the newest earlier entry for the same files is used.
pub(super) fn decided(
    evidence: &Evidence<'_>,
    entries: &[Entry],
    (entry, statement): (&Entry, &Statement),
    superseded: Option<String>,
) -> PromotionFact {
    let earlier = entries.iter().rev().filter(|other| statement.retires() && other.number < entry.number);
    let decision = earlier.filter_map(|other| Some((other, other.statement().ok()?))).find(|(_, it)| {
        !it.retires() && it.own_text(&["verdict"]).is_some() && it.files() == statement.files()
    });
    let (from, says) = decision.as_ref().map_or((entry, statement), |(other, it)| (*other, it));
    let answer = approved(evidence, from, says);
    let mut shows = answer.evidence;
    if from.number != entry.number {
        shows.push(format!("of the retirement: {} sha256:{}", entry.label, entry.digest));
    }
    let retired = statement.retires().then(|| {
        let at = statement.predicate(&["timeVerified"]).unwrap_or("a time that is not recorded");
        let who = requested_by(statement)
            .map_or_else(|| "someone who is not recorded".to_owned(), |who| format!("{who} (a claim)"));
        let why = statement.own_text(&["reason"]).unwrap_or("not recorded");
        format!("promotion {} retired it at {at}, requested by {who}; the reason: {why}", entry.number)
    });
    let ended: Vec<String> = retired.into_iter().chain(superseded).collect();
    PromotionFact {
        evidence: shows,
        not_recorded: answer.not_recorded,
        ended: (!ended.is_empty()).then(|| ended.join("; ")),
        ..promotion(evidence.line, from, says)
    }
}

/// The decision, as recorded in the ledger.
fn promotion(line: &StageHistory, entry: &Entry, statement: &Statement) -> PromotionFact {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let own = |path: &[&str]| statement.own_text(path).map(str::to_owned);
    let outcomes = statement.own_list(&["outcomes"]);
    let files = statement.subjects().into_iter().map(|subject| FileFact {
        name: subject.name.to_owned(),
        digest: subject.sha256.map(|digest| ("sha256".to_owned(), digest.to_owned())),
        ..FileFact::default()
    });
    // Waivers have their own list.
    let weakened = statement.weakened().into_iter().filter(|(what, _)| what != "waiver");
    PromotionFact {
        stage: line.stage.clone(),
        number: entry.number,
        at: text(statement.predicate(&["timeVerified"])),
        action: text(statement.own_text(&["action"])),
        reason: own(&["reason"]),
        requested_by: requested_by(statement),
        expires: own(&["expires"]),
        signers: signers(entry),
        files: files.collect(),
        verdict: text(statement.own_text(&["verdict"])),
        policy: (
            text(statement.predicate(&["policy", "uri"])),
            text(statement.predicate(&["policy", "digest", "sha256"])),
        ),
        baselines: match statement.own(&["baseline"]) {
            Some(node) => {
                node.as_list().map_or_else(|| vec![baseline(node)], |all| all.iter().map(baseline).collect())
            }
            None => Vec::new(),
        },
        rules: outcomes.iter().map(rule).collect(),
        limits: outcomes.iter().flat_map(limits).collect(),
        waivers: statement.own_list(&["waivers"]).iter().map(waiver).collect(),
        weakened: weakened.map(|(what, says)| format!("{what}: {says}")).collect(),
        ..PromotionFact::default()
    }
}

/// A field of an object, as written; empty if it is missing.
fn part(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_written).unwrap_or_default().to_owned()
}

fn known(node: &Node, key: &str) -> Option<String> {
    Some(part(node, key)).filter(|text| !text.is_empty())
}

/// The key ids of an envelope. Only `gate verify` says who they belong to.
fn signers(entry: &Entry) -> Vec<String> {
    let Some((label, bytes)) = &entry.envelope else { return Vec::new() };
    let envelope = Envelope::parse(label, bytes.clone());
    envelope.map(|it| it.key_ids().into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

fn rule(outcome: &Node) -> RuleFact {
    RuleFact {
        rule: part(outcome, "rule"),
        kind: part(outcome, "kind"),
        level: part(outcome, "level"),
        outcome: part(outcome, "outcome"),
        reason: known(outcome, "reason"),
    }
}

/// The limits of a rule. Its outcome covers comparisons without a limit.
fn limits(outcome: &Node) -> impl Iterator<Item = LimitFact> {
    let comparisons = outcome.get("comparisons").and_then(Node::as_list).unwrap_or_default();
    comparisons.iter().filter_map(move |one| {
        Some(LimitFact {
            rule: part(outcome, "rule"),
            subject: known(one, "subject")?,
            limit: format!("{} {}", known(one, "word")?, known(one, "limit")?),
            candidate: known(one, "candidate")?,
            baseline: known(one, "baseline"),
            slice: known(one, "slice"),
            evidence: evidence(one),
            outcome: part(one, "outcome"),
        })
    })
}

/// `[-0.01, 0.004] at 95%, Tango, 500 cases`.
fn evidence(comparison: &Node) -> Option<String> {
    let ends = comparison.get("interval").and_then(Node::as_list).map(|ends| {
        let ends: Vec<&str> = ends.iter().map(|end| end.as_written().unwrap_or("open")).collect();
        format!("[{}] at {}", ends.join(", "), part(comparison, "confidence"))
    });
    let n = known(comparison, "n").map(|n| format!("n {n}"));
    let parts: Vec<String> = ends.into_iter().chain(known(comparison, "method")).chain(n).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn waiver(node: &Node) -> WaiverFact {
    let list = |key: &str| node.get(key).and_then(Node::as_list).unwrap_or_default();
    let covers = list("narrowedTo").iter().chain(list("downTo")).filter_map(Node::as_written);
    WaiverFact {
        rule: part(node, "rule"),
        covers: covers.collect::<Vec<_>>().join(", "),
        reason: part(node, "reason"),
        approved_by: part(node, "approvedBy"),
        expires: part(node, "expires"),
    }
}

/// `stage:production: run one at runs/one.json (sha256:…), promotion 1`.
fn baseline(node: &Node) -> String {
    let run = known(node, "runId").map(|id| format!("run {id}"));
    let uri = known(node, "uri").map(|uri| format!("at {uri}"));
    let digest = node.get("digest").map(|digest| format!("(sha256:{})", part(digest, "sha256")));
    let promotion = node.get("promotion").map(|it| format!("promotion {}", part(it, "sequence")));
    let missing = known(node, "missing").map(|why| format!("none: {why}"));
    let parts: Vec<String> = [run, uri, digest, promotion, missing].into_iter().flatten().collect();
    format!("{}: {}", part(node, "reference"), parts.join(" "))
}
