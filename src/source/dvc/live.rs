//! The histories that DVCLive writes next to `metrics.json`: a file for each metric, a line for each step.

use super::Files;
use crate::document::{Diagnostic, Node, Value};

/// The history of a metric, given the folder of its `metrics.json`; `valid.log_loss` is in `valid/log_loss.tsv`.
pub(super) fn history(
    files: &dyn Files,
    folder: &str,
    name: &str,
) -> Result<Vec<(i64, Node)>, Box<Diagnostic>> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let path = format!("{prefix}plots/metrics/{}.tsv", name.replace('.', "/"));
    let Some(bytes) = files.read(&path)? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    // `step`, then the name, perhaps with a `timestamp` in between.
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let Some(step_at) = columns.iter().position(|column| *column == "step") else { return Ok(Vec::new()) };
    let value_at = columns.len().saturating_sub(1);
    Ok(lines
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let (step, value) = (cells.get(step_at)?.parse().ok()?, cells.get(value_at)?.trim());
            let number = value.parse::<f64>().ok()?;
            let value =
                if number.is_finite() { Value::Number(value.into()) } else { Value::NotFinite(value.into()) };
            Some((step, Node::made(value)))
        })
        .collect())
}
