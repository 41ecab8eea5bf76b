//! lm-evaluation-harness: a `results_*.json` is one evaluation of one model on some tasks.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Tracker;
use super::cases::{case, decimal};
use super::tracked::{Tracked, without_places};
use crate::document::{Map, Node, Path, Span, Value, hex};
use crate::run::{CaseResult, Origin};

/// The evaluation in a file. `stem` is the file name without its extension.
pub fn tracked(file: &Node, stem: &str, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    run.text(&Path::of(["run_id"]), Some(stem), "the name of the file");
    run.text(&Path::of(["name"]), text(file, &["model_name"]), "model_name");
    code(file, &mut run);
    params(file, &mut run);
    let tasks = tasks(file);
    validation(&tasks, &mut run);
    let metrics = metrics(file, &tasks);
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), "results");
    }
    artifact(file, &mut run);
    environment(file, &mut run);
    let date =
        text(file, &["date"]).and_then(|date| date.parse::<f64>().ok()).filter(|date| date.is_finite());
    // Fractional seconds; 2^53 microseconds reach the year 2255.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "beyond the range there is no time, and none is given"
    )]
    let at = date.and_then(|seconds| Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok());
    run.text(&Path::of(["created_at"]), at.map(|at| at.to_string()).as_deref(), "date");
    run
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    get(node, path)?.as_written()
}

/// Records the code version, from the output of `git describe --always`: a commit, perhaps after a tag and
/// before `-dirty`.
fn code(file: &Node, run: &mut Tracked) {
    let Some(described) = text(file, &["git_hash"]) else { return };
    let (described, dirty) = match described.strip_suffix("-dirty") {
        Some(clean) => (clean, true),
        None => (described, false),
    };
    let commit = described.rsplit_once("-g").map_or(described, |(_, commit)| commit);
    if commit.len() < 7 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return;
    }
    run.text(&Path::of(["git_commit"]), Some(commit), "git_hash");
    if dirty {
        run.put(&Path::of(["git_dirty"]), Value::Bool(true), "git_hash");
    }
    run.notes
        .push("the commit is that of the folder in which the evaluation ran, not of the training".into());
}

fn params(file: &Node, run: &mut Tracked) {
    let mut params = Map::default();
    for (key, node) in file.get("config").and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        if !node.is_null() {
            params.insert(key, Span::default(), without_places(node));
        }
    }
    if !params.is_empty() {
        run.put(&Path::of(["params"]), Value::Map(params), "config");
    }
    if let Some(Value::Number(seed)) = get(file, &["config", "random_seed"]).map(|node| &node.value) {
        run.put(&Path::of(["seed"]), Value::Number(seed.clone()), "config.random_seed");
    }
}

/// A task, and what it was measured on.
struct Task<'n> {
    name: &'n str,
    version: String,
    split: String,
    shots: String,
    /// Hash over the samples; only with `--log_samples`.
    hash: Option<&'n str>,
    original: Option<u64>,
    effective: Option<u64>,
}

impl Task<'_> {
    /// How the task was run: its version and the number of few-shot examples.
    fn strategy(&self) -> String {
        let mut text = format!("{} version {}", self.name, self.version).trim_end().to_owned();
        if !self.shots.is_empty() {
            text += &format!(", {} shots", self.shots);
        }
        text
    }

    /// The task as messages name it.
    fn described(&self) -> String {
        let mut text = [self.name, &self.version, &self.split].join(" ").trim().to_owned();
        if !self.shots.is_empty() {
            text += &format!(", {} shots", self.shots);
        }
        if let Some(rows) = self.effective {
            text += &format!(", {rows} samples");
        }
        text
    }
}

/// A digest over the samples of some tasks; `None` if any task has no hash: names and counts do not prove
/// that two runs used the same samples.
fn digest<'t>(tasks: impl IntoIterator<Item = &'t Task<'t>>) -> Option<String> {
    let line = |task: &Task<'_>| Some(format!("{}\t{}\n", task.name, task.hash?));
    let lines = tasks.into_iter().map(line).collect::<Option<String>>()?;
    Some(format!("lm-eval:{}", hex(&Sha256::digest(lines.as_bytes()))))
}

fn tasks(file: &Node) -> Vec<Task<'_>> {
    let configs = file.get("configs").and_then(Node::as_map);
    configs
        .into_iter()
        .flat_map(Map::iter)
        .map(|(name, config)| {
            let of = |key: &str| text(file, &[key, name]).unwrap_or_default().to_owned();
            let split = ["test_split", "validation_split", "training_split"]
                .into_iter()
                .find_map(|key| config.get(key)?.as_written());
            let count =
                |key: &str| text(file, &["n-samples", name, key]).and_then(|count| count.parse().ok());
            Task {
                name,
                version: of("versions"),
                split: split.unwrap_or_default().to_owned(),
                shots: of("n-shot"),
                hash: text(file, &["task_hashes", name]),
                original: count("original"),
                effective: count("effective"),
            }
        })
        .collect()
}

/// Records what the metrics were measured on: the version, split, number of few-shot examples and samples of
/// each task.
fn validation(tasks: &[Task<'_>], run: &mut Tracked) {
    if tasks.is_empty() {
        return;
    }
    let at = Path::of(["validation"]);
    let split = match tasks {
        [one] => format!("{} {}", one.name, one.split).trim().to_owned(),
        several => several.iter().map(|task| task.name).collect::<Vec<_>>().join(", "),
    };
    run.text(&at.key("split"), Some(&split), "configs");
    let mut described = Map::default();
    for task in tasks {
        let mut map = Map::default();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                map.insert(key, Span::default(), Node::text(text));
            }
        };
        put("version", &task.version);
        put("split", &task.split);
        put("shots", &task.shots);
        put("hash", task.hash.unwrap_or_default());
        if let Some(rows) = task.effective {
            map.insert("rows", Span::default(), Node::made(Value::Number(rows.to_string().into())));
        }
        described.insert(task.name, Span::default(), Node::made(Value::Map(map)));
    }
    let rows: Option<u64> = tasks.iter().map(|task| task.effective).sum();
    if let Some(rows) = rows {
        run.put(&at.key("rows"), Value::Number(rows.to_string().into()), "n-samples.*.effective");
    }
    let strategies: Vec<String> = tasks.iter().map(Task::strategy).collect();
    run.text(&at.key("strategy"), Some(&strategies.join("; ")), "versions, n-shot");
    run.text(&at.key("digest"), digest(tasks).as_deref(), "task_hashes");
    run.put(&at.key("tasks"), Value::Map(described), "configs");
    if tasks.iter().any(|task| task.hash.is_none()) {
        run.notes.push(
            "without `--log_samples` the samples can't be compared, so there is no `validation.digest`"
                .into(),
        );
    }
    for task in tasks {
        if let (Some(effective), Some(original)) = (task.effective, task.original)
            && effective < original
        {
            run.notes.push(format!(
                "`{}` was measured on {effective} of {original} samples (`--limit`): not on the whole split",
                task.name
            ));
        }
    }
}

/// `"acc,none"` in `results.TASK`, with `"acc_stderr,none"` next to it. The part after the comma is the name of a
/// filter, left out if there is only one.
fn metrics(file: &Node, tasks: &[Task<'_>]) -> Map {
    let mut metrics = Map::default();
    let results = file.get("results").and_then(Node::as_map).into_iter().flat_map(Map::iter);
    for (task, result) in results {
        let entries: Vec<(&str, &str, &Node)> = result
            .as_map()
            .into_iter()
            .flat_map(Map::iter)
            .filter_map(|(key, node)| {
                let (metric, filter) = key.split_once(',')?;
                (!metric.ends_with("_stderr")).then_some((metric, filter, node))
            })
            .collect();
        let measured_on = measured_on(file, task, tasks);
        for (metric, filter, node) in &entries {
            // A value that could not be computed counts as missing, not as NaN.
            if node.as_written() == Some("N/A") || node.is_null() {
                continue;
            }
            let filters = entries.iter().filter(|(other, ..)| other == metric).count();
            let plain = *filter == "none" || filters == 1;
            let name = if plain { format!("{task}.{metric}") } else { format!("{task}.{metric},{filter}") };
            metrics.insert(
                name,
                Span::default(),
                described(file, task, (metric, filter), node, &measured_on),
            );
        }
    }
    metrics
}

/// The results of one task on each sample, from its `--log_samples` file.
pub fn samples(file: &Node, task: &str, lines: &[Node]) -> Vec<CaseResult> {
    let names = metrics(file, &tasks(file));
    let mut results = Vec::new();
    for line in lines {
        let text = |key: &str| line.get(key).and_then(Node::as_written);
        // The hash identifies a sample even if the order changed; without one, its number is used.
        let Some(id) = text("doc_hash").or(text("doc_id")) else { continue };
        let filter = text("filter").unwrap_or("none");
        for metric in line.get("metrics").and_then(Node::as_list).unwrap_or_default() {
            let Some(metric) = metric.as_written() else { continue };
            let with_filter = format!("{task}.{metric},{filter}");
            let name =
                if names.get(&with_filter).is_some() { with_filter } else { format!("{task}.{metric}") };
            let mut result = case(&format!("{task}/{id}"), &name);
            result.score = decimal(line.get(metric));
            result.error = result.score.is_none();
            results.push(result);
        }
    }
    results
}

/// The tasks that the result `name` covers: one task, those of a group, or all of them if it is neither.
fn measured_on<'t>(file: &Node, name: &str, tasks: &'t [Task<'t>]) -> Vec<&'t Task<'t>> {
    let mut within = vec![name];
    let mut next = 0;
    while let Some(group) = within.get(next) {
        for member in get(file, &["group_subtasks", group]).and_then(Node::as_list).unwrap_or_default() {
            within.extend(member.as_written().filter(|member| !within.contains(member)));
        }
        next += 1;
    }
    let found: Vec<&Task<'_>> = tasks.iter().filter(|task| within.contains(&task.name)).collect();
    if found.is_empty() { tasks.iter().collect() } else { found }
}

fn described(
    file: &Node,
    task: &str,
    (metric, filter): (&str, &str),
    value: &Node,
    measured_on: &[&Task<'_>],
) -> Node {
    let result = |key: &str| get(file, &["results", task, key]);
    let mut map = Map::default();
    map.insert("value", Span::default(), without_places(value));
    let mut put = |key: &str, node: Option<&Node>| {
        if let Some(Value::Number(_) | Value::Bool(_)) = node.map(|node| &node.value) {
            map.insert(key, Span::default(), node.map(without_places).unwrap_or_default());
        }
    };
    put("stderr", result(&format!("{metric}_stderr,{filter}")));
    let counted = get(file, &["n-samples", task, "effective"]);
    put("n", counted.or_else(|| result("sample_count")?.get(&format!("{metric},{filter}"))));
    put("higher_is_better", get(file, &["higher_is_better", task, metric]));
    if !measured_on.is_empty() {
        let texts: Vec<String> = measured_on.iter().map(|task| task.described()).collect();
        map.insert("dataset", Span::default(), Node::text(texts.join("; ")));
        if let Some(digest) = digest(measured_on.iter().copied()) {
            map.insert("dataset_digest", Span::default(), Node::text(digest));
        }
    }
    Node::made(Value::Map(map))
}

/// Records the model that was evaluated; older versions write its arguments as one string.
fn artifact(file: &Node, run: &mut Tracked) {
    let arguments = get(file, &["config", "model_args"]);
    let pretrained = match arguments.map(|node| &node.value) {
        Some(Value::Map(map)) => map.get("pretrained").and_then(Node::as_written),
        Some(Value::String(text)) => text.split(',').find_map(|part| part.trim().strip_prefix("pretrained=")),
        _ => None,
    };
    let at = Path::of(["artifact"]);
    run.text(&at.key("uri"), pretrained, "config.model_args.pretrained");
    if let Some(sha) = text(file, &["config", "model_sha"]).filter(|sha| !sha.is_empty()) {
        run.text(&at.key("digest"), Some(&format!("git:{sha}")), "config.model_sha");
    }
}

fn environment(file: &Node, run: &mut Tracked) {
    let at = Path::of(["environment"]);
    let lines = text(file, &["pretty_env_info"]).unwrap_or_default();
    let line = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let python = line("Python version:").and_then(|version| version.split_whitespace().next());
    run.text(&at.key("python"), python, "pretty_env_info");
    run.text(&at.key("os"), line("OS:"), "pretty_env_info");
    for (package, key) in [("transformers", "transformers_version"), ("lm_eval", "lm_eval_version")] {
        run.text(&at.key("packages").key(package), text(file, &[key]), key);
    }
}

/// How to record what lm-evaluation-harness leaves out.
pub const TRACKER: Tracker = Tracker {
    name: "lm-eval",
    title: "lm-evaluation-harness",
    advice: &[
        ("model", "`fields: { model: name }` in the policy, where models are told apart by their names"),
        ("git_commit", "start `lm_eval` inside the repository"),
        ("validation.digest", "lm_eval run --log_samples …: a hash over the samples of each task"),
        ("artifact.digest", "evaluate a model at a revision of the Hub; a folder has no digest"),
        ("data_version", "gate record --data-version 2026-05-30 -- lm_eval run …"),
        ("environment.lockfile", "gate record -- lm_eval run …"),
    ],
};
