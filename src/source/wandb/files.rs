//! The files that an online run leaves next to its log. They are used if the log is missing.

use super::fold::Logged;
use crate::document::{Map, Node, Span, Value};

/// Reads `config.yaml`, `wandb-summary.json` and `wandb-metadata.json`; any of them may be missing.
pub fn from_files(
    run_id: &str,
    config: Option<&Node>,
    summary: Option<&Node>,
    metadata: Option<&Node>,
) -> Logged {
    let mut logged = Logged { run_id: Some(run_id.to_owned()), without_log: true, ..Logged::default() };
    for (key, entry) in config.and_then(Node::as_map).into_iter().flat_map(Map::iter) {
        // Each entry is an object with a `value`; keys that begin with `_` are W&B's own.
        if let Some(value) = entry.get("value").filter(|_| !key.starts_with('_')) {
            logged.config.insert(key, Span::default(), value.clone());
        }
    }
    if let Some(Value::Map(map)) = summary.map(|summary| &summary.value) {
        logged.summary = map.clone();
    }
    let text = |path: &[&str]| -> Option<String> {
        let mut node = metadata?;
        for key in path {
            node = node.get(key)?;
        }
        node.as_written().map(str::to_owned)
    };
    logged.commit = text(&["git", "commit"]).or_else(|| commit(config?));
    logged.environment.program = text(&["program"]);
    logged.environment.python = text(&["python"]);
    logged.environment.os = text(&["os"]);
    logged.started = text(&["startedAt"])
        .and_then(|at| crate::run::Moment::parse(&at).ok())
        .map(|moment| (moment.at.as_second(), i64::from(moment.at.subsec_nanosecond())));
    logged.notes.push(
        "the log of this run (`run-ID.wandb`) is missing, so its files are read; they don't say whether it finished. Keep the \
         log, or map a field that says it: `fields: { status: summary.status }`"
            .into(),
    );
    logged
}

/// The commit in W&B's own part of `config.yaml`, where it is not quoted: taken as written, even if it looks like a
/// number.
fn commit(config: &Node) -> Option<String> {
    let environments = config.get("_wandb")?.get("value")?.get("e")?.as_map()?;
    environments
        .iter()
        .find_map(|(_, environment)| environment.get("git")?.get("commit")?.as_written().map(str::to_owned))
}
