//! Runs of one group that differ in their seed, as one run with a value for each.

use std::collections::BTreeSet;

use super::{Decimal, MetricFault, Run, SEEDS_DIFFER, Sameness, same_value};
use crate::document::{Map, Node, Path, Problem, Segment, Span, Value};

/// Keys of `params` that differ from seed to seed.
const SEED: [&str; 5] = ["seed", "random_seed", "random_state", "torch_seed", "numpy_seed"];
/// What must be the same in all runs of a group.
const SAME: [&str; 5] = ["git_commit", "data_version", "data", "validation", "params"];

impl Run {
    /// This run, with the values of `members` beside its own: `metrics.X.values`, in the order of their seeds. The run
    /// itself is a member where it has the metric; where it has not, as a parent of others has not, the value is the
    /// mean. A member that did not finish, or whose value is not finite, makes that of the whole.
    ///
    /// Runs that differ in their code, data, validation split or parameters are no seeds of one run: an error.
    pub fn with_seeds(&self, members: &[&Self]) -> Result<Self, Vec<Problem>> {
        let mut members: Vec<&Self> = members.to_vec();
        members.sort_by_cached_key(|run| {
            (seed(run), run.text("run_id").map(str::to_owned), run.label().to_owned())
        });
        let first = members.first().copied().unwrap_or(self);
        let problems: Vec<Problem> =
            members.iter().skip(1).filter_map(|other| difference(first, other)).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut run = self.clone();
        for member in &members {
            if let Some(status) =
                member.text("status").filter(|status| !status.eq_ignore_ascii_case("finished"))
            {
                run.record.insert("status", Span::default(), Node::text(status));
                run.notes.push(format!("`{}`, one of the seeds, has the status `{status}`", member.label()));
            }
        }
        let names: BTreeSet<&str> =
            members.iter().flat_map(|run| run.metrics().map(|metric| metric.name)).collect();
        let mut metrics = match self.record.get("metrics").map(|node| &node.value) {
            Some(Value::Map(map)) => map.clone(),
            _ => Map::default(),
        };
        for name in names {
            let having: Vec<&Self> =
                members.iter().copied().filter(|run| run.metric(name).is_some()).collect();
            if having.len() < 2 {
                continue;
            }
            // The run that was named need not be one of those that were measured.
            let lacking =
                members.iter().filter(|run| run.metric(name).is_none() && !std::ptr::eq(**run, self));
            for lacks in lacking {
                run.notes.push(format!("`{}`, one of the seeds, has no `{name}`", lacks.label()));
            }
            let (node, note) = together(self, name, &having);
            run.notes.extend(note);
            metrics.insert(name, Span::default(), node);
        }
        if !metrics.is_empty() {
            let span = self.record.get("metrics").map(|node| node.span).unwrap_or_default();
            let key = self.record.entry("metrics").map(|entry| entry.key).unwrap_or_default();
            run.record.insert("metrics", key, Node { value: Value::Map(metrics), span });
        }
        run.notes.push(format!("{} runs of one group are taken together as its seeds", members.len()));
        Ok(run)
    }
}

/// For the order: numbers by their value, then texts.
fn seed(run: &Run) -> (i64, String) {
    let text = run.text("seed").unwrap_or_default().to_owned();
    (text.parse().unwrap_or(i64::MAX), text)
}

/// The metric with the values of all that have it.
fn together(named: &Run, name: &str, having: &[&Run]) -> (Node, Option<String>) {
    let mut map = match named.metric(name).map(|metric| &metric.node.value) {
        Some(Value::Map(map)) => map.clone(),
        _ => Map::default(),
    };
    let values: Vec<Result<Decimal, MetricFault>> =
        having.iter().filter_map(|run| Some(run.metric(name)?.value())).collect();
    let own = named.metric(name).map(|metric| match metric.detail("value") {
        Some(value) => value.clone(),
        None => metric.node.clone(),
    });
    let mean = || {
        let numbers: Vec<&Decimal> = values.iter().flatten().collect();
        let sum = numbers.iter().fold(Decimal::whole(0), |sum, number| sum.plus(number));
        let mean = sum.divided_by(&Decimal::whole(i64::try_from(numbers.len()).unwrap_or(i64::MAX)));
        Node::made(mean.map_or(Value::Null, |mean| Value::Number(mean.rounded(12).written().into())))
    };
    let fault = having.iter().zip(&values).find_map(|(run, value)| Some((run, value.as_ref().err()?)));
    let note = fault.map(|(run, fault)| format!("`{name}` of `{}`, one of the seeds, {fault}", run.label()));
    let value = match fault {
        Some((_, MetricFault::NotFinite(written))) => Node::made(Value::NotFinite(written.clone())),
        Some((_, MetricFault::Text(text))) => Node::made(Value::String(text.clone())),
        Some(_) => Node::made(Value::Null),
        None => own.unwrap_or_else(mean),
    };
    let written = |value: &Result<Decimal, MetricFault>| {
        Node::made(match value {
            Ok(number) => Value::Number(number.written().into()),
            Err(MetricFault::NotFinite(written)) => Value::NotFinite(written.clone()),
            Err(_) => Value::Null,
        })
    };
    let list = values.iter().map(written).collect();
    map.insert("value", Span::default(), value);
    map.insert("values", Span::default(), Node::made(Value::List(list)));
    (Node::made(Value::Map(map)), note)
}

/// What makes two runs more than seeds of one.
fn difference(one: &Run, other: &Run) -> Option<Problem> {
    let field = SAME.into_iter().find_map(|field| differs(one, other, &Path::of([field])))?;
    let message = format!(
        "`{}` and `{}` are of one group, and differ in `{field}`: they are not seeds of one run",
        one.label(),
        other.label()
    );
    Some(
        Problem::new(SEEDS_DIFFER, message)
            .help("group runs that differ in their seed alone; the policy's `seeds:` says by what"),
    )
}

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

fn is_seed(path: &Path, key: &str) -> bool {
    let in_params = matches!(path.segments().first(), Some(Segment::Key(first)) if &**first == "params");
    in_params && SEED.contains(&key.rsplit('.').next().unwrap_or(key))
}
