//! Whether runs are seeds of one run: they differ in their seed, and in nothing else that a rule might check.

use std::collections::{BTreeSet, HashMap};

use super::{is_seed, seeds_of};
use crate::document::{Diagnostic, Node, Path, Value};
use crate::run::{Run, SAME_SEED, SEEDS_DIFFER, Sameness, same_value};

/// Fields that must be equal in all members; a member without a field differs from one that has it.
const SAME: [&str; 6] =
    ["git_commit", "data_version", "data", "validation", "params", "environment.lockfile"];
/// Fields in which a parent must agree with its members.
const OF_PARENT: [&str; 4] = ["git_commit", "data_version", "data", "validation"];

/// Everything that keeps the members from being seeds of one run.
pub(super) fn faults(base: &Run, is_member: bool, members: &[&Run]) -> Vec<Diagnostic> {
    let mut problems = twice(members);
    let Some((first, others)) = members.split_first() else { return problems };
    for other in others {
        let path = |field: &str| field.split('.').fold(Path::root(), |path, key| path.key(key));
        let field = SAME.iter().find_map(|field| differs(first, other, &path(field)));
        problems.extend(field.map(|field| differ(first, other, &field)));
    }
    problems.extend(contradicting(members));
    if !is_member {
        let both = |path: &Path| base.get(path).is_some() && first.get(path).is_some();
        let fields = OF_PARENT.into_iter().map(|field| Path::of([field])).filter(both);
        let field = fields.into_iter().find_map(|path| differs(base, first, &path));
        problems.extend(field.map(|field| differ(base, first, &field)));
    }
    problems
}

/// A tracker may record these only in the run that was named: the model, and what a metric was measured on.
/// They conflict only if two runs record different values.
fn contradicting(members: &[&Run]) -> Option<Diagnostic> {
    let mut said: HashMap<(&str, &str), (&Run, &str)> = HashMap::new();
    for run in members {
        let model = run.model().map(|model| (("", "model"), model, Path::of(["model"])));
        let datasets = run.metrics().flat_map(|metric| {
            ["dataset", "dataset_digest"].into_iter().filter_map(move |key| {
                let text = metric.detail(key)?.as_written()?;
                Some(((metric.name, key), text, Path::of(["metrics", metric.name, key])))
            })
        });
        for (what, text, path) in model.into_iter().chain(datasets) {
            match said.get(&what) {
                Some((other, theirs)) if *theirs != text => return Some(differ(other, run, &path)),
                Some(_) => {}
                None => {
                    said.insert(what, (run, text));
                }
            }
        }
    }
    None
}

/// The same run given twice is not a second seed.
fn twice(members: &[&Run]) -> Vec<Diagnostic> {
    let mut seen: HashMap<(&str, String), &Run> = HashMap::new();
    let mut problems = Vec::new();
    for run in members {
        let seeds: Vec<String> =
            seeds_of(run).into_iter().map(|(path, seed)| format!("`{path}` {seed}")).collect();
        let marks = [
            ("the same text", Some(run.document.text.to_string()).filter(|text| !text.is_empty())),
            ("the same `run_id`", run.text("run_id").map(str::to_owned)),
            ("the same seed", Some(seeds.join(", ")).filter(|seeds| !seeds.is_empty())),
        ];
        for (what, mark) in marks {
            let Some(mark) = mark else { continue };
            let shown = if what == "the same seed" { format!(", {mark}") } else { String::new() };
            if let Some(other) = seen.insert((what, mark), run) {
                let message = format!(
                    "`{}` and `{}` have {what}{shown}: they are not two seeds of one run",
                    other.label(),
                    run.label()
                );
                problems.push(
                    Diagnostic::new(SAME_SEED, message).help("name each run once, and record its seed"),
                );
                break;
            }
        }
    }
    problems
}

fn differ(one: &Run, other: &Run, field: &Path) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` are in one group, but differ in `{field}`: they are not seeds of one run",
        one.label(),
        other.label()
    );
    Diagnostic::new(SEEDS_DIFFER, message)
        .help("group only runs that differ in their seed; the policy's `seeds:` names the field")
}

/// The first path at or below this one where two runs differ.
fn differs(one: &Run, other: &Run, path: &Path) -> Option<Path> {
    match (one.get(path), other.get(path)) {
        (None, None) => None,
        (Some(Node { value: Value::Map(ours), .. }), Some(Node { value: Value::Map(theirs), .. })) => {
            let keys: BTreeSet<&str> = ours.keys().chain(theirs.keys()).collect();
            keys.into_iter()
                .filter(|key| !is_seed(path, key))
                .find_map(|key| differs(one, other, &path.key(key)))
        }
        (Some(ours), Some(theirs)) if same_value(path, ours, theirs) == Sameness::Same => None,
        _ => Some(path.clone()),
    }
}
