//! The output folder of the transformers Trainer. `training_args.bin` is a pickle, and is never opened.

use crate::document::{Map, Node, Path, Span, Value};
use crate::run::Origin;
use crate::source::tracked::{Tracked, with_history, without_places};

/// The files of an output folder.
#[derive(Debug, Default)]
pub struct Output {
    /// `all_results.json`: the results at the end, by prefix.
    pub all_results: Option<Node>,
    /// `eval_results.json`: what `evaluate()` returned for the saved model.
    pub eval_results: Option<Node>,
    /// `trainer_state.json`: every logged step, and the best one.
    pub state: Option<Node>,
    /// The checkpoint folder that these files are in; empty if they are in the output folder itself.
    pub checkpoint: String,
}

/// Logged values that are not metrics: the progress of training, and timings.
const NOT_MEASURED: [&str; 5] = ["step", "epoch", "learning_rate", "grad_norm", "total_flos"];
/// Suffixes of more such values, after a prefix such as `eval_`.
const HOW_LONG: [&str; 3] = ["_runtime", "_samples_per_second", "_steps_per_second"];

fn is_measured(name: &str) -> bool {
    !NOT_MEASURED.contains(&name) && !HOW_LONG.iter().any(|ending| name.ends_with(ending))
}

/// The run that an output folder describes.
pub fn tracked(output: &Output, label: String, origin: Origin) -> Tracked {
    let mut run = Tracked { label, origin, ..Tracked::default() };
    let (mut metrics, mut beside) = (Map::default(), Map::default());
    let measured = output.eval_results.iter().chain(&output.all_results);
    for (name, node) in measured.filter_map(Node::as_map).flat_map(Map::iter) {
        if metrics.get(name).is_some() || node.is_null() {
            continue;
        }
        if is_measured(name) {
            let points = history(output.state.as_ref(), name);
            // Results measured at the end belong to the kept model, whatever the last step logged.
            metrics.insert(name, Span::default(), end(node, &points));
        } else {
            beside.insert(name, Span::default(), without_places(node));
        }
    }
    let at_the_end = !metrics.is_empty();
    let evaluated = metrics.keys().any(|name| name.starts_with("eval_"));
    let mut from = if at_the_end { vec!["eval_results.json, all_results.json"] } else { vec![] };
    // For metrics without an end result, take the last row. The `loss` of a single step has an end result:
    // `train_loss`.
    for name in names(output.state.as_ref()).into_iter().filter(|name| !at_the_end || name != "loss") {
        let points = history(output.state.as_ref(), &name);
        if metrics.get(&name).is_none()
            && let Some((_, last)) = points.last()
        {
            metrics.insert(name, Span::default(), with_history(last.value.clone(), &points));
            from.push("trainer_state.json: log_history");
        }
    }
    from.dedup();
    if !metrics.is_empty() {
        run.put(&Path::of(["metrics"]), Value::Map(metrics), from.join("; "));
    }
    if !beside.is_empty() {
        run.put(&Path::of(["trainer"]), Value::Map(beside), "eval_results.json, all_results.json");
    }
    if !output.checkpoint.is_empty() {
        run.notes.push(format!("read from `{}`, the last of the checkpoints", output.checkpoint));
    }
    best(output.state.as_ref(), evaluated, &mut run);
    run
}

/// A value measured at the end, with the best of its history.
fn end(value: &Node, points: &[(i64, Node)]) -> Node {
    let mut node = with_history(value.value.clone(), points);
    // The step is that of the last row, which need not be the step of this value.
    if let Value::Map(map) = &mut node.value {
        map.remove("step");
    }
    if matches!(value.value, Value::Map(_)) { without_places(value) } else { node }
}

fn rows(state: Option<&Node>) -> &[Node] {
    state.and_then(|state| state.get("log_history")?.as_list()).unwrap_or_default()
}

/// The metric names in evaluation rows, which alternate with training rows.
fn names(state: Option<&Node>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, node) in rows(state).iter().filter_map(Node::as_map).flat_map(Map::iter) {
        let measured = is_measured(name) && matches!(node.value, Value::Number(_) | Value::NotFinite(_));
        if measured && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn history(state: Option<&Node>, name: &str) -> Vec<(i64, Node)> {
    rows(state)
        .iter()
        .filter_map(|row| {
            let step = row.get("step").and_then(Node::as_written).and_then(|step| step.parse().ok());
            Some((step.unwrap_or_default(), without_places(row.get(name)?)))
        })
        .collect()
}

/// Notes if the last evaluation is not the best one, and which one the values here belong to.
fn best(state: Option<&Node>, evaluated: bool, run: &mut Tracked) {
    let Some(state) = state else { return };
    let text = |key: &str| state.get(key).and_then(Node::as_written);
    // Older versions give the best step only in the checkpoint's name.
    let checkpoint = || text("best_model_checkpoint")?.rsplit_once("checkpoint-").map(|(_, step)| step);
    let (Some(best), Some(step)) = (text("best_metric"), text("best_global_step").or_else(checkpoint)) else {
        return;
    };
    let last = rows(Some(state))
        .iter()
        .rev()
        .find(|row| row.as_map().is_some_and(|row| row.keys().any(|key| key.starts_with("eval_"))));
    let last_step = last.and_then(|row| row.get("step")?.as_written()).unwrap_or_default();
    if last_step == step {
        return;
    }
    run.notes.push(format!(
        "the best value, {best}, is of step {step}; the last evaluation is of step {last_step}. {}",
        if evaluated {
            "The final results are from the last model in memory, which is the best one only with \
             `load_best_model_at_end`"
        } else {
            "The values here are the last ones"
        }
    ));
}
