//! Inspect AI: a log of one evaluation, `.eval` or JSON.
//!
//! Inspect leaves out cases that failed or were not scored from its means, so a log with missing cases does not count
//! as finished.

mod archive;

use indexmap::IndexMap;

pub use archive::open;

use super::Tracker;
use super::cases::{case, decimal, measured_on};
use super::tracked::{directed, without_places};
use crate::document::{Map, Node, Path, Span, Value};
use crate::run::Origin;
use crate::source::Tracked;

crate::code::codes! {
    BROKEN = "inspect/broken": "A log of Inspect can't be read.";
}

/// The parts of a log.
#[derive(Debug, Default)]
pub struct Log {
    /// The results; written last, so a run that was killed has none.
    pub header: Option<Node>,
    /// The plan of the evaluation.
    pub start: Option<Node>,
    /// The score of each case, reduced over its epochs.
    pub reductions: Option<Node>,
    /// A summary of each case.
    pub summaries: Option<Node>,
}

impl Log {
    /// A JSON log, which is a single object with everything.
    pub fn of_json(file: Node) -> Self {
        let part = |key: &str| file.get(key).filter(|node| !node.is_null()).cloned();
        Self { reductions: part("reductions"), summaries: part("samples"), start: None, header: Some(file) }
    }
}

/// The evaluation that a log describes.
pub fn tracked(log: &Log, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let Some(head) = log.header.as_ref().or(log.start.as_ref()) else { return run };
    let eval = |path: &[&str]| get(head.get("eval")?, path);
    let text = |path: &[&str]| eval(path).and_then(Node::as_written);
    run.text(&Path::of(["run_id"]), text(&["eval_id"]), "eval.eval_id");
    run.text(&Path::of(["name"]), text(&["model"]), "eval.model");
    run.text(&Path::of(["created_at"]), text(&["created"]), "eval.created");
    let ended = get(head, &["stats", "completed_at"]).and_then(Node::as_written);
    run.text(
        &Path::of(["ended_at"]),
        ended.filter(|at| crate::run::Moment::parse(at).is_ok()),
        "stats.completed_at",
    );
    run.text(&Path::of(["git_commit"]), text(&["revision", "commit"]), "eval.revision.commit");
    if let Some(Value::Bool(dirty)) = eval(&["revision", "dirty"]).map(|node| &node.value) {
        run.put(&Path::of(["git_dirty"]), Value::Bool(*dirty), "eval.revision.dirty");
    }
    for (key, node) in eval(&["packages"]).and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        run.text(&Path::of(["environment", "packages", key]), node.as_written(), "eval.packages");
    }
    params(head, &mut run);
    let ids: Vec<String> = eval(&["dataset", "sample_ids"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|id| id.as_written().map(str::to_owned))
        .collect();
    validation(head, &ids, &mut run);
    let scored = metrics(head, ids.len(), &mut run);
    status(log, head, ids.len(), scored, &mut run);
    cases(log, &mut run);
    run
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key)).filter(|node| !node.is_null())
}

fn params(head: &Node, run: &mut Tracked) {
    let mut params = Map::default();
    for (key, path) in [
        ("model", &["eval", "model"][..]),
        ("task", &["eval", "task"]),
        ("task_version", &["eval", "task_version"]),
        ("task_args", &["eval", "task_args"]),
        ("model_args", &["eval", "model_args"]),
        ("generate", &["eval", "model_generate_config"]),
        ("epochs", &["eval", "config", "epochs"]),
        ("epochs_reducer", &["eval", "config", "epochs_reducer"]),
    ] {
        if let Some(node) = get(head, path) {
            params.insert(key, Span::default(), without_places(node));
        }
    }
    run.put(&Path::of(["params"]), Value::Map(params), "eval");
}

fn validation(head: &Node, ids: &[String], run: &mut Tracked) {
    let text = |path: &[&str]| get(head, path).and_then(Node::as_written);
    let at = Path::of(["validation"]);
    let dataset = text(&["eval", "dataset", "location"]).or(text(&["eval", "dataset", "name"]));
    run.text(&at.key("split"), dataset, "eval.dataset");
    let mut strategy = text(&["eval", "task"]).unwrap_or_default().to_owned();
    for (name, path) in
        [("version", &["eval", "task_version"][..]), ("epochs", &["eval", "config", "epochs"])]
    {
        if let Some(value) = text(path) {
            strategy += &format!(", {name} {value}");
        }
    }
    run.text(&at.key("strategy"), Some(&strategy), "eval.task, eval.task_version, eval.config.epochs");
    if !ids.is_empty() {
        measured_on(&mut ids.iter().map(String::as_str).collect(), "eval.dataset.sample_ids", run);
    }
    let all = text(&["eval", "dataset", "samples"]).and_then(|count| count.parse::<usize>().ok());
    if let Some(all) = all.filter(|all| *all > ids.len() && !ids.is_empty()) {
        run.notes
            .push(format!("measured on {} of {all} samples (`limit`): not on the whole dataset", ids.len()));
    }
}

/// Adds the metrics of each score; returns the smallest number of cases that any of them covers.
fn metrics(head: &Node, cases: usize, run: &mut Tracked) -> Option<usize> {
    let scores = get(head, &["results", "scores"]).and_then(Node::as_list).unwrap_or_default();
    let name_of = |score: &Node| score.get("name").and_then(Node::as_written).unwrap_or_default().to_owned();
    let mut metrics = Map::default();
    let mut least: Option<usize> = None;
    for score in scores {
        let name = name_of(score);
        // With several reducers, each of them lists every score.
        let reducer = get(score, &["reducer"]).and_then(Node::as_written);
        let is_alone = scores.iter().filter(|other| name_of(other) == name).count() == 1;
        let name = match reducer.filter(|_| !is_alone) {
            Some(reducer) => format!("{name}/{reducer}"),
            None => name,
        };
        let count =
            |key: &str| score.get(key).and_then(Node::as_written).and_then(|text| text.parse::<usize>().ok());
        let scored = count("scored_samples");
        least = match (least, scored) {
            (Some(least), Some(scored)) => Some(least.min(scored)),
            (least, scored) => least.or(scored),
        };
        let values = score.get("metrics").and_then(Node::as_map);
        let stderr = values.and_then(|values| get(values.get("stderr")?, &["value"]));
        for (metric, node) in values.into_iter().flat_map(Map::iter) {
            let Some(value) = node.get("value") else { continue };
            let mut map = Map::default();
            map.insert("value", Span::default(), without_places(value));
            if let (Some(stderr), true) = (stderr, matches!(metric, "accuracy" | "mean")) {
                map.insert("stderr", Span::default(), without_places(stderr));
            }
            if let Some(scored) = scored {
                map.insert("n", Span::default(), Node::made(Value::Number(scored.to_string().into())));
            }
            metrics.insert(format!("{name}.{metric}"), Span::default(), Node::made(Value::Map(map)));
        }
        if let Some(scored) = scored.filter(|scored| *scored < cases) {
            run.notes.push(format!(
                "`{name}` is over {scored} of {cases} cases: {} failed or were not scored, and Inspect leaves them out",
                cases - scored
            ));
        }
    }
    if let Some(least) = least.filter(|_| cases > 0) {
        let missing = Node::made(Value::Number(cases.saturating_sub(least).to_string().into()));
        metrics.insert("errors", Span::default(), directed(missing, Some(false)));
    }
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "results.scores");
    }
    least
}

/// The number of failed samples and of all samples, counting epochs: a case that failed in one epoch is scored by its
/// other epochs, and this is the only place where the failure shows.
fn broken_samples(head: &Node) -> Option<(usize, usize)> {
    let count = |key: &str| get(head, &["results", key])?.as_written()?.parse::<usize>().ok();
    let (all, done) = (count("total_samples")?, count("completed_samples")?);
    (done < all).then_some((all - done, all))
}

/// An evaluation counts as finished only if all its cases were scored.
fn status(log: &Log, head: &Node, cases: usize, scored: Option<usize>, run: &mut Tracked) {
    let written = head.get("status").and_then(Node::as_written).unwrap_or("started");
    let invalidated = matches!(head.get("invalidated").map(|node| &node.value), Some(Value::Bool(true)));
    let status = match written {
        _ if log.header.is_none() => "started",
        "success" if invalidated => "invalidated",
        "success" if scored.is_none() => "unknown",
        "success" if scored.is_some_and(|scored| scored < cases) || broken_samples(head).is_some() => {
            if let Some((broken, all)) = broken_samples(head) {
                run.notes.push(format!(
                    "{broken} of {all} samples, counting epochs, ended in an error and are in no score"
                ));
            }
            run.notes.push(
                "cases are missing, so the evaluation does not count as finished; to accept it, add \
                 `finished: [incomplete]` to the policy"
                    .into(),
            );
            "incomplete"
        }
        other => other,
    };
    run.text(&Path::of(["status"]), Some(status), "status, results.scores[].scored_samples");
}

/// Records the score of each case, from its reductions over epochs.
fn cases(log: &Log, run: &mut Tracked) {
    let mut fields: IndexMap<&str, Vec<(String, String)>> = IndexMap::new();
    for summary in log.summaries.as_ref().and_then(Node::as_list).unwrap_or_default() {
        let Some(id) = summary.get("id").and_then(Node::as_written) else { continue };
        let metadata = summary.get("metadata").and_then(Node::as_map).into_iter().flat_map(Map::iter);
        let texts = metadata.filter_map(|(key, node)| Some((key.to_owned(), node.as_written()?.to_owned())));
        fields.entry(id).or_insert_with(|| texts.collect());
    }
    for reduction in log.reductions.as_ref().and_then(Node::as_list).unwrap_or_default() {
        let Some(scorer) = reduction.get("scorer").and_then(Node::as_written) else { continue };
        for sample in reduction.get("samples").and_then(Node::as_list).unwrap_or_default() {
            let Some(id) = sample.get("sample_id").and_then(Node::as_written) else { continue };
            let value = sample.get("value");
            let scores: Vec<(String, Option<&Node>)> = match value.and_then(Node::as_map) {
                Some(map) => map.iter().map(|(key, node)| (key.to_owned(), Some(node))).collect(),
                None => vec![(scorer.to_owned(), value)],
            };
            for (name, value) in scores {
                let mut result = case(id, &name);
                result.score = decimal(value);
                result.error = result.score.is_none();
                result.fields = fields.get(id).cloned().unwrap_or_default();
                run.cases.push(result);
            }
        }
    }
}

/// How to record what Inspect leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "inspect",
    title: "Inspect",
    advice: &[
        ("model", "`fields: { model: params.model }` in the policy"),
        ("git_commit", "run the evaluation inside the repository"),
        (
            "data_version",
            "Task(…, version=\"2026.1\"), and `fields: { data_version: params.task_version }` in the policy",
        ),
        ("artifact", "gate record --artifact model.safetensors -- inspect eval …"),
    ],
};
