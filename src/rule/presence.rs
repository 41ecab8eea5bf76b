//! Whether a field is present: not null, not empty, and finite if it is a number.

use super::advice;
use crate::code::codes;
use crate::document::{Node, Path, Segment, Value, nearest};
use crate::run::{Decimal, Digest, Field, Metric, MetricFault, Names, Run, fields_below};
use crate::verdict::Comparison;
use crate::verdict::Finding;

codes! {
    MISSING = "field/missing": "A required field is missing.";
    MISNAMED = "field/misnamed": "A required field has a value of the wrong type, probably because something else uses its name.";
    EMPTY = "field/empty": "A required field is empty.";
    NONE_MATCHED = "field/none-matched": "A list has no element that matches the rule's path, such as `data[role=train].digest`.";
    NOT_FINITE = "field/not-finite": "A number that must be finite is NaN or infinite.";
    NOT_A_NUMBER = "field/not-a-number": "A value that must be a number is something else.";
}

/// Fields that tracker readers write: they are not misspellings of other fields.
const OF_TRACKERS: [&str; 11] = [
    "model_version",
    "repositories",
    "revision",
    "summary",
    "entity",
    "project",
    "group",
    "job_type",
    "stage",
    "result",
    "info",
];

/// Reports what is wrong with a required field, if anything.
pub(super) fn absent(run: &Run, field: &Field<'_>) -> Option<Finding> {
    let path = &field.path;
    if field.none_matched {
        let what = Finding::new(NONE_MATCHED, format!("`{path}` has no element that the rule asks for"));
        return Some(
            what.at(path.clone(), "nothing here fits")
                .subject(path.to_string())
                .help(advice::for_path(run, path)),
        );
    }
    let Some(node) = field.node else { return Some(missing(run, path)) };
    if let Some(message) = run.misnamed(path) {
        return Some(
            Finding::new(MISNAMED, message)
                .at(path.clone(), "something else")
                .subject(path.to_string())
                .help(format!("if the field is in another place, map it: `fields: {{ {path}: … }}`")),
        );
    }
    let raised = match (metric_at(path, node), &node.value) {
        (Some(metric), _) => match metric.value() {
            Ok(_) => return None,
            Err(fault) => not_a_number(metric.name, &fault),
        },
        (None, Value::NotFinite(written)) => {
            Finding::new(NOT_FINITE, format!("`{path}` is {written}, which is not a finite number"))
                .at(path.clone(), "not finite")
        }
        (None, value) if is_empty(value) || is_empty_digest(path, node) => {
            Finding::new(EMPTY, format!("`{path}` is empty"))
                .at(path.clone(), "empty")
                .help(advice::for_path(run, path))
        }
        _ => return None,
    };
    Some(raised.subject(path.to_string()))
}

/// The metric at a path, if it is the path of a whole metric.
pub(super) fn metric_at<'r>(path: &'r Path, node: &'r Node) -> Option<Metric<'r>> {
    match path.segments() {
        [Segment::Key(metrics), Segment::Key(name)] if &**metrics == "metrics" => Some(Metric { name, node }),
        _ => None,
    }
}

/// Reports a metric that is present but is not a number.
pub(super) fn not_a_number(name: &str, fault: &MetricFault) -> Finding {
    let (code, label, help) = match fault {
        MetricFault::NotFinite(_) => (
            NOT_FINITE,
            "not finite",
            "find out why training wrote it: a division by zero, an empty class, a diverged loss",
        ),
        MetricFault::Text(_) => (NOT_A_NUMBER, "text", "log the number itself, without quotes or units"),
        MetricFault::Null => (NOT_A_NUMBER, "null", "log the number, or leave the metric out"),
        MetricFault::SomeMissing => (NOT_A_NUMBER, "not in all of them", "measure it for every seed or fold"),
        MetricFault::NoValues => {
            (NOT_A_NUMBER, "one number", "combine its seeds with the policy's `seeds:`, or record `values`")
        }
        MetricFault::Other(_) | MetricFault::Unusable(..) => {
            (NOT_A_NUMBER, "not a usable number", "log one number")
        }
    };
    Finding::new(code, format!("the metric `{name}` {fault}"))
        .at(Path::of(["metrics", name]), label)
        .subject(name)
        .help(help)
}

/// Reports a missing field, with what was probably meant.
fn missing(run: &Run, path: &Path) -> Finding {
    let raised = Finding::new(MISSING, format!("`{path}` is missing"))
        .at(path.clone(), format!("no `{}` here", first_absent(run, path)));
    let raised = raised.subject(path.to_string());
    if let Some((ours, theirs)) = run.mapped_to_nothing(path) {
        return raised.help(mapped_to_nothing(ours, theirs));
    }
    match near_miss(run, path) {
        Some(near) => raised.help(format!("the record has `{near}`: did you mean that?")),
        None => raised.help(advice::for_path(run, path)),
    }
}

/// Says that a field is missing because the policy's map found nothing.
pub(super) fn mapped_to_nothing(ours: &Path, theirs: &str) -> String {
    format!(
        "the policy's `fields:` looks for `{ours}` at {theirs}, but nothing is there; `gate show` prints the record"
    )
}

/// A path of the record that differs from `path` by a slip.
fn near_miss(run: &Run, path: &Path) -> Option<Path> {
    let segments = path.segments();
    for (depth, segment) in segments.iter().enumerate() {
        let Segment::Key(key) = segment else { continue };
        let parent: Path = segments[..depth].iter().cloned().collect();
        let map = if depth == 0 { Some(run.record()) } else { run.get(&parent).and_then(Node::as_map) };
        let map = map?;
        if map.get(key).is_some() {
            continue;
        }
        // A name that the schema knows is not a slip for another known name.
        let known: Vec<&str> = segments[..depth]
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => &**key,
                Segment::Index(_) => "[]",
            })
            .collect();
        let siblings: Vec<&str> = match fields_below(&known) {
            Names::These(names) if names.contains(&&**key) => {
                map.keys().filter(|sibling| !names.contains(sibling)).collect()
            }
            _ => map.keys().collect(),
        };
        let siblings = siblings.into_iter().filter(|name| !OF_TRACKERS.contains(name));
        let near = nearest(key, siblings)?;
        return Some(parent.key(near).join(&segments[depth + 1..]));
    }
    None
}

/// The first step of a path that does not exist.
fn first_absent(run: &Run, path: &Path) -> String {
    let segments = path.segments();
    let depth =
        (1..segments.len()).find(|&depth| run.get(&segments[..depth].iter().cloned().collect()).is_none());
    match &segments[depth.unwrap_or(segments.len()) - 1] {
        Segment::Key(key) => key.to_string(),
        Segment::Index(index) => format!("[{index}]"),
    }
}

/// An algorithm without a digest after it, such as `sha256:`.
fn is_empty_digest(path: &Path, node: &Node) -> bool {
    matches!(path.segments().last(), Some(Segment::Key(key)) if &**key == "digest")
        && node.as_written().is_some_and(|text| Digest::parse(text).is_empty())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// The number at a field: a metric's value, a number, or in `params` a text that is one.
pub(super) fn number_at(path: &Path, node: &Node) -> Result<Decimal, MetricFault> {
    let in_params = matches!(path.segments().first(), Some(Segment::Key(key)) if &**key == "params");
    if let (true, Value::String(text)) = (in_params, &node.value)
        && let Ok(number) = Decimal::parse(text)
    {
        return Ok(number);
    }
    Metric { name: "", node }.value()
}

/// The comparison for a field that is present.
pub(super) fn present(path: &Path, node: &Node) -> Comparison {
    Comparison::exact(path.to_string(), "present", crate::verdict::Outcome::Pass).candidate(node.in_full())
}
