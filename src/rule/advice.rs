//! How to add what a record does not have: the line that a training script is missing.

use crate::document::{Path, Segment};
use crate::run::Run;
use crate::source;

/// What to do about a field that a run is missing.
pub(super) fn for_path(run: &Run, path: &Path) -> String {
    if let Some(tracker) = source::tracker(&run.origin.tracker) {
        return match source::advice(tracker.name, &path.to_string()) {
            Some(line) => {
                let line = of_metric(line, path);
                format!("{} does not record this itself; to add it: {line}", tracker.title)
            }
            None => format!("`gate show` prints what {} recorded, and where", tracker.title),
        };
    }
    let keys: Vec<&str> = path
        .segments()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(&**key),
            Segment::Index(_) => None,
        })
        .collect();
    let line = match keys.as_slice() {
        ["params", ..] => "\"params\": model.get_params(), or the arguments that training was started with",
        ["metrics", ..] => "\"metrics\": {\"f1\": …}, measured on the validation split",
        ["git_commit", ..] => "\"git_commit\": the output of `git rev-parse HEAD`",
        ["git_dirty", ..] => "\"git_dirty\": whether `git status --porcelain` prints anything",
        ["data_version", ..] => {
            "\"data_version\": the version of the dataset that was trained on, such as its date"
        }
        ["data", ..] => {
            "\"data\": [{\"name\", \"role\", \"path\", \"digest\": \"sha256:…\", \"rows\"}] for each file that was read"
        }
        ["validation", "digest", ..] => {
            "\"validation\": {\"digest\": \"sha256:…\"} over the rows, or the ids, of the split"
        }
        ["validation", ..] => {
            "\"validation\": {\"split\", \"digest\", \"rows\"}: what the metrics were measured on"
        }
        ["artifact" | "artifacts", ..] => {
            "\"artifact\": {\"path\", \"digest\": \"sha256:…\"} of the model that training saved"
        }
        ["created_at", ..] => "\"created_at\": datetime.now(timezone.utc).isoformat()",
        ["command", ..] => "\"command\": the command that started training, such as \" \".join(sys.argv)",
        ["seed", ..] => "\"seed\": the seed that training was given",
        ["environment", "lockfile", ..] => {
            "\"environment\": {\"lockfile\": {\"path\": \"uv.lock\", \"digest\": \"sha256:…\"}}"
        }
        ["environment", "hardware", ..] => {
            "\"environment\": {\"hardware\": {\"cpu\", \"cpus\", \"memory_bytes\", \"gpus\"}}"
        }
        ["environment", "variables", ..] => {
            "\"environment\": {\"variables\": {\"PYTHONHASHSEED\": \"0\"}}: those that affect results, or {} if none is set"
        }
        ["environment", "container", ..] => "\"environment\": {\"container\": \"IMAGE@sha256:…\"}",
        ["environment", ..] => "\"environment\": {\"python\", \"os\", \"packages\"}",
        ["model", ..] => "\"model\": the model that this run belongs to, such as \"churn\"",
        ["run_id", ..] => "\"run_id\": a unique name for the run",
        _ => return format!("write `{path}` into the record, in training"),
    };
    format!("write it in training: {}", of_metric(line, path))
}

/// Rewrites a line about `f1` for the metric of a path.
fn of_metric(line: &str, path: &Path) -> String {
    match path.segments() {
        [Segment::Key(metrics), Segment::Key(name), ..] if &**metrics == "metrics" => {
            line.replace("\"f1\"", &format!("\"{name}\""))
        }
        _ => line.to_owned(),
    }
}
