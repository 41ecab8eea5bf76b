//! Compares two runs side by side: metrics with what changed, and everything else in groups.

use super::difference::{changed, first, in_words};
use super::{comparability, summary};
use crate::document::Node;
use crate::run::{Decimal, FieldPath, Metric, Run};
use crate::verdict::{Commits, DiffGroup, FieldDiff, MetricDiff, RunDiff};

/// Digits of a percentage.
const DIGITS: i64 = 3;

/// The groups, and the top-level fields of each. All other fields are in `other`.
const GROUPS: [(&str, &[&str]); 7] = [
    ("params", &["params", "seed"]),
    ("data", &["data", "data_version"]),
    ("validation", &["validation"]),
    ("code", &["git_commit", "git_branch", "git_dirty", "source", "command", "folder"]),
    ("artifacts", &["artifact", "artifacts", "predictions"]),
    ("slices", &["slices"]),
    ("metric details", &["metrics"]),
];

/// What differs from the first run to the second. `comparable` has the policy's fields that decide whether
/// their metrics may be compared.
pub fn diff(a: &Run, b: &Run, comparable: Option<&[FieldPath]>, commits: Commits) -> RunDiff {
    let mut groups: Vec<DiffGroup> = GROUPS
        .iter()
        .map(|(name, _)| *name)
        .chain(["environment", "packages", "other"])
        .map(|name| DiffGroup { name, fields: Vec::new() })
        .collect();
    for change in changed(b, a) {
        let field = first(&change.path);
        // The values themselves are shown as metrics.
        let value = match change.path.segments() {
            [_, _] => true,
            [_, _, crate::document::Segment::Key(key)] => &**key == "value",
            _ => false,
        };
        if field == "metrics" && value {
            continue;
        }
        let packages = change
            .path
            .segments()
            .get(1)
            .is_some_and(|at| *at == crate::document::Segment::Key("packages".into()));
        let group = match (field, packages) {
            ("environment", true) => "packages",
            ("environment", false) => "environment",
            _ => GROUPS.iter().find(|(_, fields)| fields.contains(&field)).map_or("other", |(name, _)| *name),
        };
        let shown = |node: Option<&Node>| node.map(|node| in_words(&change.path, node));
        let one = FieldDiff {
            field: change.path.to_string(),
            a: shown(change.theirs),
            b: shown(change.ours),
            not_comparable: change.not_comparable,
        };
        if let Some(group) = groups.iter_mut().find(|known| known.name == group) {
            group.fields.push(one);
        }
    }
    groups.retain(|group| !group.fields.is_empty());
    RunDiff {
        schema: "gate-diff/v1",
        a: summary(a),
        b: summary(b),
        metrics: metrics(a, b),
        comparability: comparability(b, a, comparable),
        groups,
        commits,
    }
}

/// Every metric that one of the two has, in the order of the second.
fn metrics(a: &Run, b: &Run) -> Vec<MetricDiff> {
    let names: Vec<&str> = b.metrics().map(|metric| metric.name).collect();
    let gone: Vec<&str> =
        a.metrics().map(|metric| metric.name).filter(|name| !names.contains(name)).collect();
    names
        .into_iter()
        .chain(gone)
        .map(|name| metric(name, a.metric(name).as_ref(), b.metric(name).as_ref()))
        .collect()
}

fn metric(name: &str, a: Option<&Metric<'_>>, b: Option<&Metric<'_>>) -> MetricDiff {
    let written = |metric: Option<&Metric<'_>>| metric.map(|metric| metric.node.in_full());
    let value = |metric: Option<&Metric<'_>>| metric.and_then(|metric| metric.value().ok());
    let (old, new) = (value(a), value(b));
    let change = old.as_ref().zip(new.as_ref()).map(|(old, new)| new.minus(old));
    let hundred = Decimal::parse("100").ok();
    let percent = change.as_ref().zip(old.as_ref()).zip(hundred).and_then(|((change, old), hundred)| {
        Some(change.times(&hundred).divided_by(&old.magnitude())?.rounded(DIGITS).signed())
    });
    MetricDiff {
        name: name.to_owned(),
        a: written(a),
        b: written(b),
        change: change.map(|change| change.signed()),
        percent: percent.map(|percent| format!("{percent}%")),
    }
}
