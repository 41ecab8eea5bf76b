//! Compares what a command promised to write with what it wrote.

use super::lines::NOT_FINITE;
use super::{METRIC_MISSING, NO_ARTIFACT, NO_METRICS, NOT_A_METRIC};
use crate::document::{Diagnostic, Map, Node, Value, nearest};
use crate::run::{MetricFault, Run};

/// Reports everything promised that a record lacks.
pub fn broken(run: &Run, metrics: &[String], no_metrics: bool, no_artifact: bool) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let names: Vec<&str> = run.metrics().map(|metric| metric.name).collect();
    if names.is_empty() && !no_metrics {
        problems.push(Diagnostic::new(NO_METRICS, "the command wrote no metric").help(
            "name the file that it writes: --metrics metrics.json; or let it write `metrics.f1=0.84` into \
             the file named by $GATE_RECORD_FILE; if there are none: --no-metrics",
        ));
    }
    for promised in metrics.iter().filter(|name| !names.contains(&name.as_str())) {
        let help = match nearest(promised, names.iter().copied()) {
            Some(near) => format!("it wrote `{near}`: did you mean that?"),
            None if names.is_empty() => "it wrote no metrics".to_owned(),
            None => format!("it wrote {}", names.join(", ")),
        };
        problems.push(
            Diagnostic::new(METRIC_MISSING, format!("the command did not write the metric `{promised}`"))
                .help(help),
        );
    }
    for (name, metric) in run.measured() {
        let Err(fault) = metric.value() else { continue };
        let help = match fault {
            MetricFault::NotFinite(_) => {
                "find out why training wrote it: a division by zero, an empty class, a diverged loss"
            }
            _ => "log one finite number under this name",
        };
        problems.push(Diagnostic::new(NOT_A_METRIC, format!("the metric `{name}` {fault}")).help(help));
    }
    if run.artifacts().is_empty() && !no_artifact {
        problems.push(Diagnostic::new(NO_ARTIFACT, "the command wrote no artifact").help(
            "name the file that it saves: --artifact models/churn.pkl; or let it write `artifact=PATH` into \
             the file named by $GATE_RECORD_FILE; if there is none: --no-artifact",
        ));
    }
    problems
}

/// Removes the entries of a metrics file that can't be metrics, and returns their names. Keeps objects, which
/// may describe a number; non-finite numbers, which are a finding; and anything that was promised.
pub fn leave_out(metrics: &mut Map, promised: &[String]) -> Vec<String> {
    let is_metric = |node: &Node| match &node.value {
        Value::Number(_) | Value::NotFinite(_) | Value::Map(_) => true,
        Value::String(text) => NOT_FINITE.contains(&text.to_ascii_lowercase().as_str()),
        _ => false,
    };
    let is_promised = |name: &str| promised.iter().any(|promised| promised == name);
    let out = metrics.entries().filter(|(name, entry)| !is_metric(&entry.node) && !is_promised(name));
    let names: Vec<Box<str>> = out.map(|(name, _)| name.into()).collect();
    for name in &names {
        metrics.remove(name);
    }
    names.into_iter().map(Into::into).collect()
}

/// Removes a tracker's metrics that are not finite and were not promised, and returns their names.
pub fn leave_out_infinite(metrics: &mut Map, promised: &[String]) -> Vec<String> {
    let is_out = |name: &str, node: &Node| {
        !matches!(node.value, Value::Number(_)) && !promised.iter().any(|promised| promised == name)
    };
    let names: Vec<Box<str>> =
        metrics.iter().filter(|(name, node)| is_out(name, node)).map(|(name, _)| name.into()).collect();
    for name in &names {
        metrics.remove(name);
    }
    names.into_iter().map(Into::into).collect()
}

/// Where scripts usually keep the seed among their parameters.
const SEEDS: [&str; 3] = ["seed", "random_state", "random_seed"];

/// The seed, if the parameters have one.
pub fn seed_of(params: &Map) -> Option<Node> {
    SEEDS.iter().find_map(|name| params.get(name)).filter(|node| node.as_written().is_some()).cloned()
}
