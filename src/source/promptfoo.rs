//! promptfoo: the output of `promptfoo eval -o results.json`, as JSON or JSON Lines.
//!
//! A file contains a run for each provider and prompt. A case is identified by its variables and assertions:
//! its index shifts when a test is inserted, and is different for each repeat.

use indexmap::IndexMap;

use super::Tracker;
use super::cases::{by_case, case, decimal, errors, mean, measured_on, over};
use crate::document::{Diagnostic, Map, Node, Path, Span, Value, sha256, to_line};
use crate::run::Origin;
use crate::source::Tracked;

crate::code::codes! {
    BROKEN = "promptfoo/broken": "A file of results is not what promptfoo writes.";
}

/// The failure reason of an error, as opposed to a failed assertion.
const FAILED_BY_ERROR: &str = "2";

/// The runs in a file: `rows` are its results, and `file` is the whole document, unless it is JSON Lines.
pub fn tracked(
    rows: &[Node],
    file: Option<&Node>,
    label: &str,
    origin: &Origin,
) -> Result<Vec<Tracked>, Box<Diagnostic>> {
    let mut groups: IndexMap<(String, String), Vec<&Node>> = IndexMap::new();
    for row in rows {
        let text = |path: &[&str]| get(row, path).and_then(Node::as_written).unwrap_or_default().to_owned();
        // Two providers may share an id; the prompt's index distinguishes them.
        groups.entry((text(&["promptIdx"]), text(&["provider", "id"]))).or_default().push(row);
    }
    if groups.is_empty() {
        return Err(Diagnostic::new(BROKEN, format!("`{label}` contains no results"))
            .help("run `promptfoo eval -o results.json`, and let it finish")
            .boxed());
    }
    let several = groups.len() > 1;
    Ok(groups.into_values().map(|rows| one(&rows, file, label, several, origin)).collect())
}

/// The run of one provider with one prompt.
fn one(rows: &[&Node], file: Option<&Node>, label: &str, several: bool, origin: &Origin) -> Tracked {
    let first = rows[0];
    let text = |path: &[&str]| get(first, path).and_then(Node::as_written);
    let provider =
        text(&["provider", "label"]).filter(|label| !label.is_empty()).or(text(&["provider", "id"]));
    let provider = provider.unwrap_or_default();
    let prompt = text(&["prompt", "label"]).unwrap_or_default();
    let index = text(&["promptIdx"]).unwrap_or_default();
    let label = if several { format!("{label}#{index}") } else { label.to_owned() };
    let mut run = Tracked { label, origin: origin.clone(), ..Tracked::default() };
    run.text(&Path::of(["name"]), Some(provider), "provider");
    run.text(&Path::of(["status"]), Some("finished"), "the results are there");
    let file_text = |path: &[&str]| file.and_then(|file| get(file, path)?.as_written());
    run.text(&Path::of(["evaluation"]), file_text(&["evalId"]), "evalId");
    run.text(&Path::of(["created_at"]), file_text(&["results", "timestamp"]), "results.timestamp");
    let version = file_text(&["metadata", "promptfooVersion"]);
    run.text(&Path::of(["environment", "packages", "promptfoo"]), version, "metadata.promptfooVersion");
    let params = Path::of(["params"]);
    run.text(&params.key("provider"), Some(provider), "provider");
    run.text(&params.key("provider_id"), text(&["provider", "id"]), "provider.id");
    run.text(&params.key("prompt"), Some(prompt), "prompt.label");
    run.text(&params.key("prompt_id"), text(&["promptId"]), "promptId");
    measure(rows, &mut run);
    run
}

fn measure(rows: &[&Node], run: &mut Tracked) {
    let ids: Vec<String> = rows.iter().map(|row| id(row)).collect();
    let (mut passed, mut scores, mut broken) = (Vec::new(), Vec::new(), 0);
    let mut named: IndexMap<String, Vec<(String, f64)>> = IndexMap::new();
    let mut latencies = Vec::new();
    let mut cost: Option<f64> = None;
    for (row, id) in rows.iter().zip(&ids) {
        let number =
            |key: &str| row.get(key).and_then(Node::as_written).and_then(|text| text.parse::<f64>().ok());
        let is_error = row.get("failureReason").and_then(Node::as_written) == Some(FAILED_BY_ERROR);
        let right =
            !is_error && matches!(row.get("success").map(|node| &node.value), Some(Value::Bool(true)));
        broken += usize::from(is_error);
        passed.push((id.clone(), f64::from(u8::from(right))));
        scores.push((id.clone(), if is_error { 0.0 } else { number("score").unwrap_or_default() }));
        latencies.extend(number("latencyMs").filter(|_| !is_error));
        cost = number("cost").map(|one| cost.unwrap_or_default() + one).or(cost);
        let of_row = row.get("namedScores").and_then(Node::as_map);
        for (name, node) in of_row.into_iter().flat_map(Map::iter).filter(|_| !is_error) {
            if let Some(value) = node.as_written().and_then(|text| text.parse().ok()) {
                named.entry(name.to_owned()).or_default().push((id.clone(), value));
            }
        }
        let mut result = case(id, "pass_rate");
        (result.right, result.error) = (Some(right), is_error);
        result.score = decimal(row.get("score")).filter(|_| !is_error);
        result.fields = fields(row);
        run.cases.push(result);
    }
    let mut metrics = Map::default();
    let mut put = |name: &str, node: Node| {
        metrics.insert(name, Span::default(), node);
    };
    for (name, values) in [("pass_rate", &passed), ("score", &scores)] {
        let cases = by_case(values);
        if let Some(value) = mean(cases.values().copied()) {
            put(name, over(value, cases.len(), Some(true)));
        }
    }
    let all = by_case(&passed).len();
    for (name, values) in &named {
        let cases = by_case(values);
        if let Some(value) = mean(cases.values().copied()) {
            put(&format!("namedScores.{name}"), over(value, cases.len(), Some(true)));
        }
        if cases.len() < all {
            run.notes.push(format!(
                "`namedScores.{name}` is over {} of {all} cases: the others broke, or have no such assertion",
                cases.len()
            ));
        }
    }
    latencies.sort_by(f64::total_cmp);
    for (name, share) in [("latency_p50_ms", 50), ("latency_p95_ms", 95)] {
        // Nearest-rank percentile: the smallest value that is at least as large as that share of the values.
        let rank = (latencies.len() * share).div_ceil(100).max(1);
        if let Some(value) = latencies.get(rank - 1) {
            put(name, over(*value, latencies.len(), Some(false)));
        }
    }
    if let Some(cost) = cost {
        put("cost", over(cost, rows.len(), Some(false)));
    }
    errors(broken, rows.len(), &mut metrics, run);
    run.put(&Path::of(["metrics"]), Value::Map(metrics), "results");
    measured_on(&mut ids.iter().map(String::as_str).collect(), "vars and assertions of each test", run);
    if rows.iter().any(|row| {
        matches!(get(row, &["response", "cached"]).map(|node| &node.value), Some(Value::Bool(true)))
    }) {
        run.notes
            .push("some answers are from the cache of promptfoo, so repeats of them show no spread".into());
    }
}

/// Identifies a case: its variables and assertions.
fn id(row: &Node) -> String {
    let part = |path: &[&str]| get(row, path).map(canonical).unwrap_or_default();
    let vars = get(row, &["testCase", "vars"]).or_else(|| row.get("vars")).map(canonical).unwrap_or_default();
    sha256(format!("{vars}\n{}", part(&["testCase", "assert"])).as_bytes())
}

/// A value as JSON with sorted keys, so that equal values give equal text.
fn canonical(node: &Node) -> String {
    fn sorted(node: &Node) -> Node {
        match &node.value {
            Value::Map(map) => {
                let mut entries: Vec<(&str, &Node)> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                let mut made = Map::default();
                for (key, node) in entries {
                    made.insert(key, Span::default(), sorted(node));
                }
                Node::made(Value::Map(made))
            }
            Value::List(items) => Node::made(Value::List(items.iter().map(sorted).collect())),
            other => Node::made(other.clone()),
        }
    }
    to_line(&sorted(node))
}

/// Short variables and metadata, which slices can be built from.
fn fields(row: &Node) -> Vec<(String, String)> {
    let maps = [get(row, &["testCase", "metadata"]), get(row, &["testCase", "vars"])];
    let entries = maps.into_iter().flatten().filter_map(Node::as_map).flat_map(Map::iter);
    entries
        .filter_map(|(key, node)| {
            Some((key.to_owned(), node.as_written().filter(|text| text.len() <= 64)?.to_owned()))
        })
        .collect()
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// How to record what promptfoo leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "promptfoo",
    title: "promptfoo",
    advice: &[
        ("git_commit", "gate record -- promptfoo eval -o results.json"),
        ("model", "`fields: { model: name }` in the policy, where providers have labels"),
        ("data_version", "gate record --data-version 2026-05-30 -- promptfoo eval -o results.json"),
        ("validation.split", "the digest over the cases tells the split; a name is not recorded"),
    ],
};
