//! deepeval: `test_run_*.json`, and `.deepeval/.latest_test_run.json`.
//!
//! deepeval's own means leave out cases with errors. Here they count as wrong; the mean over the others is also
//! kept.

use indexmap::IndexMap;

use super::Tracker;
use super::cases::{case, decimal, errors, mean, measured_on, over};
use crate::document::{Map, Node, Path, Span, Value, sha256};
use crate::run::Origin;
use crate::source::Tracked;

/// The test run in a file.
pub fn tracked(file: &Node, label: String, origin: Origin) -> Tracked {
    let file = file.get("testRunData").unwrap_or(file);
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let list = |key: &str| file.get(key).and_then(Node::as_list).unwrap_or_default();
    let cases: Vec<&Node> = list("testCases").iter().chain(list("conversationalTestCases")).collect();
    run.text(&Path::of(["status"]), Some("finished"), "the results are there");
    let mut params = Map::default();
    for (key, node) in file.get("hyperparameters").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        params.insert(key, Span::default(), node.without_places());
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "hyperparameters");
    }
    let ids = ids(&cases);
    let mut scores: IndexMap<String, Scores> = IndexMap::new();
    let mut passed = Vec::new();
    let mut broken = 0;
    for (node, id) in cases.iter().zip(&ids) {
        let success = is_true(node.get("success"));
        passed.push(f64::from(u8::from(success)));
        let mut any_error = false;
        for metric in node.get("metricsData").and_then(Node::as_list).unwrap_or_default() {
            let Some(name) = metric.get("name").and_then(Node::as_written) else { continue };
            let of = scores.entry(name.to_owned()).or_default();
            let score = metric.get("score").filter(|node| !node.is_null());
            let is_error = score.is_none() || metric.get("error").is_some_and(|error| !error.is_null());
            any_error |= is_error;
            let value = score.and_then(Node::as_written).and_then(|text| text.parse::<f64>().ok());
            of.errors += usize::from(is_error);
            of.scored.extend(value.filter(|_| !is_error));
            of.all.push(value.filter(|_| !is_error).unwrap_or_default());
            of.passed.push(f64::from(u8::from(!is_error && is_true(metric.get("success")))));
            of.thresholds.extend(metric.get("threshold").and_then(Node::as_written).map(str::to_owned));
            let mut result = case(id, name);
            (result.right, result.error) = (Some(!is_error && is_true(metric.get("success"))), is_error);
            result.score = decimal(score).filter(|_| !is_error);
            run.cases.push(result);
        }
        broken += usize::from(any_error);
    }
    metrics(&scores, &passed, broken, &mut run);
    measured_on(&mut ids.iter().map(String::as_str).collect(), "testCases", &mut run);
    run
}

/// The results of a metric, case by case.
#[derive(Default)]
struct Scores {
    scored: Vec<f64>,
    /// Counts errors as 0.
    all: Vec<f64>,
    passed: Vec<f64>,
    errors: usize,
    thresholds: Vec<String>,
}

fn metrics(scores: &IndexMap<String, Scores>, passed: &[f64], broken: usize, run: &mut Tracked) {
    let mut metrics = Map::default();
    let mut thresholds = Map::default();
    let mut put = |name: String, values: &[f64]| {
        if let Some(value) = mean(values.iter().copied()) {
            metrics.insert(name, Span::default(), over(value, values.len(), Some(true)));
        }
    };
    put("pass_rate".into(), passed);
    for (name, of) in scores {
        put(name.clone(), &of.all);
        put(format!("{name}.pass_rate"), &of.passed);
        if of.errors > 0 {
            put(format!("{name}.scored"), &of.scored);
            run.notes.push(format!(
                "`{name}` failed with an error in {} of {} cases, which count as 0; `{name}.scored` is the mean of the others, which deepeval shows",
                of.errors,
                of.all.len()
            ));
        }
        let mut different = of.thresholds.clone();
        different.sort();
        different.dedup();
        match different.as_slice() {
            [one] => {
                let node = Node::made(Value::Number(one.as_str().into()));
                thresholds.insert(name.as_str(), Span::default(), node);
            }
            [] => {}
            several => {
                let texts = several.iter().map(|text| Node::text(text.as_str())).collect();
                thresholds.insert(name.as_str(), Span::default(), Node::made(Value::List(texts)));
            }
        }
    }
    errors(broken, passed.len(), &mut metrics, run);
    run.put(&Path::of(["metrics"]), Value::Map(metrics), "testCases[].metricsData");
    if !thresholds.is_empty() {
        // Lets `same: [thresholds]` catch a lowered threshold.
        run.put(&Path::of(["thresholds"]), Value::Map(thresholds), "testCases[].metricsData[].threshold");
    }
}

fn is_true(node: Option<&Node>) -> bool {
    matches!(node.map(|node| &node.value), Some(Value::Bool(true)))
}

/// The id of each case: its name, if all names are unique and none is generated, like `test_case_3`; else a
/// digest of its input and expected output.
fn ids(cases: &[&Node]) -> Vec<String> {
    let name = |case: &&Node| case.get("name").and_then(Node::as_written).unwrap_or_default().to_owned();
    let names: Vec<String> = cases.iter().map(name).collect();
    let distinct: std::collections::HashSet<&String> = names.iter().collect();
    let is_number = |name: &String| name.is_empty() || name.starts_with("test_case_");
    if distinct.len() == names.len() && !names.iter().any(is_number) {
        return names;
    }
    let content = |case: &&Node| {
        let text = |key: &str| case.get(key).map(crate::document::to_line).unwrap_or_default();
        let parts = ["input", "expectedOutput", "turns", "scenario"].map(text);
        sha256(parts.join("\n").as_bytes())
    };
    cases.iter().map(content).collect()
}

/// How to record what deepeval leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "deepeval",
    title: "deepeval",
    advice: &[
        ("params", "evaluate(…, hyperparameters={\"model\": \"support-7b\", \"prompt\": \"v3\"})"),
        ("model", "`fields: { model: params.model }` in the policy, where it is a hyperparameter"),
        ("git_commit", "gate record -- deepeval test run …"),
        ("created_at", "gate record -- deepeval test run …: the file holds no time"),
        ("data_version", "gate record --data-version 2026-05-30 -- deepeval test run …"),
    ],
};
