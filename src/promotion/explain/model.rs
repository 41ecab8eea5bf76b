//! What a record and its promotion say about a model, field by field.

use crate::document::{Map, Node};
use crate::ledger::{Entry, StageHistory, Statement};
use crate::run::Run;
use crate::secret::masked_value;
use crate::verdict::{FileFact, LimitFact, MetricFact, ModelFacts, PromotionFact};

/// The facts of a run.
pub(super) fn facts(run: &Run) -> ModelFacts {
    let text = |field: &str| run.text(field).map(str::to_owned);
    let mut params = Vec::new();
    if let Some(node) = run.record().get("params") {
        flatten(node, "", &mut params);
    }
    let files = run.record().get("data").and_then(Node::as_list).unwrap_or_default();
    ModelFacts {
        model: run.model().map(str::to_owned),
        run_id: text("run_id"),
        git_commit: text("git_commit"),
        source: text("source"),
        created_at: text("created_at"),
        data_version: text("data_version"),
        record: format!("sha256:{}", run.document.text.sha256()),
        params,
        metrics: metrics(run),
        split: run.record().get("validation").map(|node| file(node, &["split", "name", "path"])),
        data: files.iter().map(|node| file(node, &["name", "path", "uri", "role"])).collect(),
        artifacts: run
            .artifacts()
            .iter()
            .map(|artifact| FileFact {
                name: artifact.path.or(artifact.uri).unwrap_or("model").to_owned(),
                digest: artifact.digest.as_ref().map(|it| (it.algorithm.to_string(), it.value.to_string())),
                ..FileFact::default()
            })
            .collect(),
        promotion: None,
    }
}

/// The leaves of a map, by path.
fn flatten(node: &Node, at: &str, into: &mut Vec<(String, String)>) {
    match node.as_map() {
        Some(map) => map.iter().for_each(|(key, value)| {
            let path = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
            flatten(value, &path, into);
        }),
        None => {
            // A document may be published more widely than the record.
            let name = at.rsplit('.').next().unwrap_or(at);
            let value = masked_value(name, &node.in_full()).into_owned();
            into.push((at.to_owned(), value));
        }
    }
}

fn metrics(run: &Run) -> Vec<MetricFact> {
    let whole = run.metrics().filter_map(|metric| {
        let value = metric.value().ok()?.written().to_owned();
        Some(MetricFact { name: metric.name.to_owned(), value, slice: None })
    });
    let slices = run.record().get("slices").and_then(Node::as_map);
    let of_slices = slices.into_iter().flat_map(Map::iter).flat_map(|(slice, node)| {
        let metrics = node.get("metrics").and_then(Node::as_map);
        metrics.into_iter().flat_map(Map::iter).filter_map(move |(name, node)| {
            let value = node.get("value").unwrap_or(node).as_written()?;
            // Non-finite values mean nothing on a card.
            value.parse::<f64>().ok().filter(|value| value.is_finite())?;
            Some(MetricFact { name: name.to_owned(), value: value.to_owned(), slice: Some(slice.to_owned()) })
        })
    });
    whole.chain(of_slices).collect()
}

fn file(node: &Node, names: &[&str]) -> FileFact {
    let part = |key: &str| node.get(key).and_then(Node::as_written).map(str::to_owned);
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

/// The decision, as recorded in the ledger.
pub(super) fn promotion(line: &StageHistory, entry: &Entry, statement: &Statement) -> PromotionFact {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let limits = statement.own_list(&["outcomes"]).iter().flat_map(|outcome| {
        let rule = outcome.get("rule").and_then(Node::as_written).unwrap_or_default();
        let all = outcome.get("comparisons").and_then(Node::as_list).unwrap_or_default();
        all.iter().filter_map(move |one| {
            let part = |key: &str| one.get(key).and_then(Node::as_written);
            Some(LimitFact {
                rule: rule.to_owned(),
                subject: part("subject")?.to_owned(),
                limit: format!("{} {}", part("word")?, part("limit")?),
                candidate: part("candidate")?.to_owned(),
                baseline: part("baseline").map(str::to_owned),
                outcome: part("outcome").unwrap_or("pass").to_owned(),
            })
        })
    });
    PromotionFact {
        stage: line.stage.clone(),
        number: entry.number,
        at: text(statement.predicate(&["timeVerified"])),
        verdict: text(statement.own_text(&["verdict"])),
        policy: (
            text(statement.predicate(&["policy", "uri"])),
            text(statement.predicate(&["policy", "digest", "sha256"])),
        ),
        limits: limits.collect(),
    }
}
