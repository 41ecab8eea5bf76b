//! Every Eval Ever: a shared schema for evaluations, which converters produce from the results of many harnesses: a
//! JSON file with the aggregate results, and next to it a JSON Lines file with a row for each sample and metric.

use std::collections::HashMap;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::Tracker;
use super::cases::{case, decimal, digest_of, measured_on};
use crate::document::{Map, Node, Path, Span, Value, to_line};
use crate::run::Origin;
use crate::source::Tracked;

/// The rows next to the aggregate.
#[derive(Debug)]
pub struct Samples {
    /// The name of the file in messages.
    pub label: String,
    /// Its SHA-256 in hexadecimal digits.
    pub digest: String,
    /// A row for each sample and metric.
    pub rows: Vec<Node>,
}

/// The evaluation of one model.
pub fn tracked(file: &Node, samples: Option<&Samples>, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let text = |path: &[&str]| get(file, path).and_then(Node::as_written);
    run.text(&Path::of(["run_id"]), text(&["evaluation_id"]), "evaluation_id");
    let model = text(&["model_info", "id"]).or(text(&["model_info", "name"]));
    run.text(&Path::of(["name"]), model, "model_info.id");
    let at = text(&["evaluation_timestamp"]).and_then(time);
    run.text(&Path::of(["created_at"]), at.as_deref(), "evaluation_timestamp");
    if let (Some(name), Some(version)) = (text(&["eval_library", "name"]), text(&["eval_library", "version"]))
        && version != "unknown"
    {
        run.text(&Path::of(["environment", "packages", name]), Some(version), "eval_library");
    }
    let source = text(&["source_metadata", "source_type"]);
    run.text(&Path::of(["tags", "source_type"]), source, "source_metadata.source_type");
    if source == Some("documentation") {
        run.notes.push(
            "the scores were copied from documentation, such as a leaderboard, and nobody ran this evaluation here".into(),
        );
    }
    let results = get(file, &["evaluation_results"]).and_then(Node::as_list).unwrap_or_default();
    let names = names(results);
    params(file, results, &names, model, &mut run);
    let samples = samples.filter(|samples| are_of(file, samples, &mut run));
    metrics(results, &names, samples, &mut run);
    if let Some(samples) = samples {
        cases(results, &names, samples, &mut run);
    }
    validation(results, samples, &mut run);
    run
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key)).filter(|node| !node.is_null())
}

fn written<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    get(node, path)?.as_written()
}

/// A time given as fractional seconds since 1970, or as a timestamp.
fn time(text: &str) -> Option<String> {
    let Ok(seconds) = text.parse::<f64>() else {
        return crate::run::Moment::parse(text).ok().map(|_| text.to_owned());
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "beyond the range there is no time, and none is given"
    )]
    let microseconds = seconds.is_finite().then(|| (seconds * 1e6).round() as i64)?;
    Timestamp::from_microsecond(microseconds).ok().map(|at| at.to_string())
}

/// The name of each result: its evaluation, plus the name of its metric if it has one. Results that can't be
/// told apart get no name.
fn names(results: &[Node]) -> Vec<Option<String>> {
    let evaluation = |result: &Node| written(result, &["evaluation_name"]).unwrap_or_default().to_owned();
    let plain = |result: &Node| {
        let evaluation = evaluation(result);
        let metric =
            ["metric_id", "metric_name"].iter().find_map(|key| written(result, &["metric_config", key]));
        match metric.filter(|metric| !metric.is_empty() && *metric != evaluation) {
            Some(metric) if !metric.starts_with(&format!("{evaluation}.")) => {
                format!("{evaluation}.{metric}")
            }
            Some(metric) => metric.to_owned(),
            None => evaluation,
        }
    };
    // In old versions, only the description distinguishes metrics.
    let described = |result: &Node| {
        let description = written(result, &["metric_config", "evaluation_description"]);
        description.filter(|text| text.len() <= 64).map(|text| format!("{}.{text}", evaluation(result)))
    };
    let plains: Vec<String> = results.iter().map(plain).collect();
    let longer: Vec<String> = results
        .iter()
        .zip(&plains)
        .map(|(result, plain)| described(result).unwrap_or_else(|| plain.clone()))
        .collect();
    let (plain_counts, long_counts) = (counts(&plains), counts(&longer));
    let is_alone = |counts: &HashMap<&str, usize>, name: &str| counts.get(name) == Some(&1);
    let named = plains.iter().zip(&longer).map(|(plain, long)| {
        if is_alone(&plain_counts, plain) {
            Some(plain.clone())
        } else {
            // Don't reuse another result's name.
            Some(long.clone()).filter(|long| is_alone(&long_counts, long) && !is_alone(&plain_counts, long))
        }
    });
    named.map(|name| name.filter(|name| !name.is_empty())).collect()
}

/// How often each name occurs.
fn counts(names: &[String]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for name in names {
        *counts.entry(name.as_str()).or_default() += 1;
    }
    counts
}

/// Records how the answers were generated, by result name where results differ.
fn params(file: &Node, results: &[Node], names: &[Option<String>], model: Option<&str>, run: &mut Tracked) {
    let at = Path::of(["params"]);
    run.text(&at.key("model"), model, "model_info.id");
    for (key, path) in [
        ("platform", &["model_info", "inference_platform"][..]),
        ("engine", &["model_info", "inference_engine", "name"]),
        ("library", &["eval_library", "name"]),
    ] {
        run.text(&at.key(key), written(file, path), path.join("."));
    }
    let of = |result: &Node| get(result, &["generation_config", "generation_args"]).map(Node::without_places);
    let all: Vec<Option<Node>> = results.iter().map(of).collect();
    let from = "evaluation_results[].generation_config.generation_args";
    let line = |node: &Option<Node>| node.as_ref().map(to_line);
    if all.windows(2).all(|two| line(&two[0]) == line(&two[1])) {
        if let Some(Some(one)) = all.into_iter().next() {
            run.put(&at.key("generation"), one.value, from);
        }
        return;
    }
    for (name, one) in names.iter().zip(all) {
        if let (Some(name), Some(one)) = (name, one) {
            run.put(&at.key("generation").key(name), one.value, from);
        }
    }
}

/// Whether the rows belong to this aggregate; other rows are not used.
fn are_of(file: &Node, samples: &Samples, run: &mut Tracked) -> bool {
    let said = |key: &str| written(file, &["detailed_evaluation_results", key]);
    let is_sha = said("hash_algorithm").is_none_or(|algorithm| algorithm == "sha256");
    let other_sum = said("checksum").is_some_and(|sum| is_sha && !sum.eq_ignore_ascii_case(&samples.digest));
    let other_number = said("total_rows")
        .and_then(|rows| rows.parse::<usize>().ok())
        .is_some_and(|rows| rows != samples.rows.len());
    let id = written(file, &["evaluation_id"]);
    let is_of_other = samples.rows.iter().any(|row| written(row, &["evaluation_id"]) != id);
    let why = match (other_sum, other_number, is_of_other) {
        (true, ..) => "its checksum differs",
        (_, true, _) => "its number of rows differs",
        (_, _, true) => "its rows have another `evaluation_id`",
        _ => return true,
    };
    run.notes.push(format!("`{}` is not the samples file of this evaluation: {why}", samples.label));
    run.text(&Path::of(["status"]), Some("unknown"), "detailed_evaluation_results");
    false
}

fn metrics(results: &[Node], names: &[Option<String>], samples: Option<&Samples>, run: &mut Tracked) {
    let mut metrics = Map::default();
    for (result, name) in results.iter().zip(names) {
        let Some(name) = name else {
            run.notes.push(format!(
                "`{}` occurs several times and its metrics can't be told apart, so all of them are skipped",
                written(result, &["evaluation_name"]).unwrap_or_default()
            ));
            continue;
        };
        let Some(score) = get(result, &["score_details", "score"]) else { continue };
        let mut map = Map::default();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key, Span::default(), Node::made(value));
            }
        };
        let is_unknown = matches!(
            get(result, &["metric_config", "has_unknown_level"]).map(|node| &node.value),
            Some(Value::Bool(true))
        ) && score.as_written().and_then(|text| text.parse::<f64>().ok()) == Some(-1.0);
        // For level metrics, -1 means unknown: it is not a value, and must not pass a limit.
        put("value", Some(if is_unknown { Value::NotFinite("NaN".into()) } else { score.value.clone() }));
        let stderr = get(result, &["score_details", "uncertainty", "standard_error"]);
        put("stderr", stderr.map(|node| node.get("value").unwrap_or(node).value.clone()));
        let n = get(result, &["score_details", "uncertainty", "num_samples"]);
        let ids = sample_ids(result);
        let counted = || (!ids.is_empty()).then(|| Value::Number(ids.len().to_string().into()));
        put("n", n.map(|node| node.value.clone()).or_else(counted));
        if let Some(Value::Bool(lower)) =
            get(result, &["metric_config", "lower_is_better"]).map(|node| &node.value)
        {
            put("higher_is_better", Some(Value::Bool(!lower)));
        }
        put(
            "dataset",
            Some(dataset(result)).filter(|text| !text.is_empty()).map(|text| Value::String(text.into())),
        );
        let digest = (!ids.is_empty()).then(|| digest_of(&ids));
        put("dataset_digest", digest.map(|digest| Value::String(digest.into())));
        fewer(result, name, n, &ids, run);
        metrics.insert(name.as_str(), Span::default(), Node::made(Value::Map(map)));
    }
    if let Some(samples) = samples {
        let broken = samples.rows.iter().filter(|row| is_error(row)).count();
        let count = Node::made(Value::Number(broken.to_string().into()));
        metrics.insert("errors", Span::default(), super::tracked::directed(count, Some(false)));
        if broken > 0 {
            run.notes.push(format!(
                "{broken} of {} rows are errors, and no answers; the schema does not say whether the scores count them as wrong. \
                 `errors: {{ max: 0 }}` in the policy refuses such an evaluation",
                samples.rows.len()
            ));
        }
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "evaluation_results[].score_details");
    }
}

/// Notes that a metric covers fewer samples than its dataset has.
fn fewer(result: &Node, name: &str, n: Option<&Node>, ids: &[&str], run: &mut Tracked) {
    let number = |node: Option<&Node>| node.and_then(Node::as_written)?.parse::<usize>().ok();
    let Some(all) = number(get(result, &["source_data", "samples_number"])) else { return };
    let measured = number(n).or((!ids.is_empty()).then_some(ids.len()));
    if let Some(measured) = measured.filter(|measured| *measured < all) {
        run.notes.push(format!("`{name}` is over {measured} of {all} samples: not over the whole dataset"));
    }
}

fn sample_ids(result: &Node) -> Vec<&str> {
    let ids = get(result, &["source_data", "sample_ids"]).and_then(Node::as_list).unwrap_or_default();
    ids.iter().filter_map(Node::as_written).collect()
}

/// What a score was measured on, and who judged it: scores by different judges are different measures.
fn dataset(result: &Node) -> String {
    let source = |key: &str| written(result, &["source_data", key]).unwrap_or_default();
    let mut text = source("dataset_name").to_owned();
    for part in [source("hf_repo"), source("hf_split")] {
        if !part.is_empty() && part != text {
            format!("{text} {part}").trim().clone_into(&mut text);
        }
    }
    let judges = get(result, &["metric_config", "llm_scoring", "judges"]).and_then(Node::as_list);
    let judges: Vec<&str> = judges
        .unwrap_or_default()
        .iter()
        .filter_map(|judge| {
            written(judge, &["model_info", "id"]).or_else(|| written(judge, &["model_info", "name"]))
        })
        .collect();
    if !judges.is_empty() {
        text += &format!(", judged by {}", judges.join(", "));
    }
    text
}

/// An empty text is not an error.
fn is_error(row: &Node) -> bool {
    get(row, &["error"]).is_some_and(|error| error.as_written() != Some(""))
}

/// Identifies a sample across evaluations: the hash of its input and expected output, or else its id.
fn id(row: &Node) -> &str {
    let text = |key: &str| written(row, &[key]).filter(|text| !text.is_empty());
    text("sample_hash").or(text("sample_id")).unwrap_or_default()
}

fn cases(results: &[Node], names: &[Option<String>], samples: &Samples, run: &mut Tracked) {
    let mut by_key: IndexMap<&str, &str> = IndexMap::new();
    for (result, name) in results.iter().zip(names) {
        let Some(name) = name else { continue };
        if let Some(id) = written(result, &["evaluation_result_id"]) {
            by_key.insert(id, name);
        }
        if let Some(evaluation) = written(result, &["evaluation_name"]) {
            by_key.entry(evaluation).or_insert(name);
        }
    }
    for row in &samples.rows {
        let key = written(row, &["evaluation_result_id"]).or(written(row, &["evaluation_name"]));
        let Some(metric) = key.and_then(|key| by_key.get(key)) else { continue };
        let mut result = case(id(row), metric);
        result.error = is_error(row);
        result.score = decimal(get(row, &["evaluation", "score"])).filter(|_| !result.error);
        if let Some(Value::Bool(right)) = get(row, &["evaluation", "is_correct"]).map(|node| &node.value) {
            result.right = Some(*right && !result.error);
        }
        let metadata = get(row, &["metadata"]).and_then(Node::as_map).into_iter().flat_map(Map::iter);
        result.fields = metadata
            .filter_map(|(key, node)| {
                Some((key.to_owned(), node.as_written().filter(|text| text.len() <= 64)?.to_owned()))
            })
            .collect();
        run.cases.push(result);
    }
}

fn validation(results: &[Node], samples: Option<&Samples>, run: &mut Tracked) {
    let mut splits: Vec<String> = results.iter().map(dataset).filter(|text| !text.is_empty()).collect();
    splits.sort();
    splits.dedup();
    run.text(
        &Path::of(["validation", "split"]),
        Some(&splits.join("; ")),
        "evaluation_results[].source_data",
    );
    if let Some(samples) = samples {
        measured_on(&mut samples.rows.iter().map(id).collect(), "sample_hash of each row", run);
        return;
    }
    let mut ids: Vec<&str> = results.iter().flat_map(sample_ids).collect();
    if !ids.is_empty() {
        measured_on(&mut ids, "evaluation_results[].source_data.sample_ids", run);
    }
}

/// How to record what the schema leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "every-eval-ever",
    title: "Every Eval Ever",
    advice: &[
        ("model", "`fields: { model: params.model }` in the policy"),
        ("git_commit", "gate record -- … around the evaluation: the schema has no field for it"),
        ("validation.digest", "write the file of samples beside the JSON, or `source_data.sample_ids`"),
        ("created_at", "`evaluation_timestamp`"),
        ("data_version", "gate record --data-version 2026-05-30 -- …"),
        ("artifact", "gate record --artifact model.safetensors -- …"),
    ],
};

#[cfg(test)]
mod tests;
