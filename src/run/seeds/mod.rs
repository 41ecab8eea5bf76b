//! Combines the runs of one group, which differ in their seed, into one run with a value for each.

mod alike;

use std::collections::BTreeSet;
use std::ptr;
use std::sync::Arc;

use super::{Decimal, MetricFault, Run};
use crate::document::{Diagnostic, Map, Node, Path, Segment, Span, Value};

/// Keys of `params` that differ from seed to seed.
const SEED: [&str; 5] = ["seed", "random_seed", "random_state", "torch_seed", "numpy_seed"];
/// Fields that a parent takes over from its members.
const TAKEN_OVER: [&str; 5] = ["model", "git_commit", "data_version", "data", "validation"];
/// Details of a metric that apply to the mean as well as to each value.
const OF_ALL: [&str; 3] = ["dataset", "dataset_digest", "higher_is_better"];

impl Run {
    /// Combines the runs of one group into one run: `metrics.X.values` has each member's value, in the order
    /// of their seeds.
    ///
    /// If one run is `named`, the result is that run with its own values, or the members' mean where it has
    /// none. It need not be a member: a parent run is not. If several are named, in whatever order, the
    /// result is the first by seed, with the mean as each value.
    ///
    /// If a member did not finish, has uncommitted changes, or has a missing or non-finite value, the same
    /// goes for the whole. Runs that differ in more than their seed, or not even in that, are an error.
    pub fn of_seeds(named: &[&Self], members: &[&Self]) -> Result<Self, Vec<Diagnostic>> {
        let (named, members) = (in_order(named), in_order(members));
        let Some(&base) = named.first().or(members.first()) else { return Err(Vec::new()) };
        let is_member = members.iter().any(|member| ptr::eq(*member, base));
        let problems = alike::faults(base, is_member, &members);
        if !problems.is_empty() {
            return Err(problems);
        }
        let own = named.len() == 1;
        let mut run = base.clone();
        run.parts =
            members.iter().map(|member| (Arc::clone(&member.document), member.signature.clone())).collect();
        if let (false, Some(first)) = (is_member, members.first()) {
            run.take_over(first);
        }
        run.worst_status(&members);
        run.worst_tree(&members);
        let names: BTreeSet<&str> =
            members.iter().flat_map(|run| run.metrics().map(|metric| metric.name)).collect();
        let mut metrics = match base.record.get("metrics").map(|node| &node.value) {
            Some(Value::Map(map)) => map.clone(),
            _ => Map::default(),
        };
        for name in names {
            let (node, notes) = together(base, own, name, &members);
            run.notes.extend(notes);
            metrics.insert(name, Span::default(), node);
        }
        if !metrics.is_empty() {
            let span = base.record.get("metrics").map(|node| node.span).unwrap_or_default();
            let key = base.record.entry("metrics").map(|entry| entry.key).unwrap_or_default();
            run.record.insert("metrics", key, Node { value: Value::Map(metrics), span });
        }
        let whose = if own && is_member { "this run's own" } else { "their mean" };
        run.notes.push(format!(
            "{} runs of one group are combined as seeds; the value of a metric is {whose}",
            members.len()
        ));
        Ok(run)
    }

    /// Fills in what the members agree on and their parent does not record.
    fn take_over(&mut self, member: &Self) {
        for field in TAKEN_OVER {
            let theirs = member.record.get(field).filter(|node| !node.is_null());
            if let (true, Some(theirs)) = (self.get(&Path::of([field])).is_none(), theirs) {
                self.record.insert(field, Span::default(), theirs.without_places());
            }
        }
    }

    fn worst_status(&mut self, members: &[&Self]) {
        for member in members {
            if let Some(status) = member.unfinished() {
                self.record.insert("status", Span::default(), Node::text(status));
                self.notes.push(format!("`{}`, one of the seeds, has the status `{status}`", member.label()));
            }
        }
    }

    /// If the tree was dirty for one seed, it was dirty for the whole; if it is unknown for one seed, it is unknown
    /// for the whole.
    fn worst_tree(&mut self, members: &[&Self]) {
        let dirty = |run: &Self| match run.record.get("git_dirty").map(|node| &node.value) {
            Some(Value::Bool(dirty)) => Some(*dirty),
            _ => None,
        };
        if dirty(self) == Some(true) {
            return;
        }
        if let Some(member) = members.iter().find(|member| dirty(member) == Some(true)) {
            self.record.insert("git_dirty", Span::default(), Node::made(Value::Bool(true)));
            self.notes.push(format!("`{}`, one of the seeds, had uncommitted changes", member.label()));
        } else if let (Some(false), Some(member)) =
            (dirty(self), members.iter().find(|member| dirty(member).is_none()))
        {
            self.record.remove("git_dirty");
            self.notes.push(format!(
                "`{}`, one of the seeds, does not record whether it had uncommitted changes",
                member.label()
            ));
        }
    }
}

/// Sorts runs by their seeds: numbers by value, then texts.
fn in_order<'r>(runs: &[&'r Run]) -> Vec<&'r Run> {
    let mut runs = runs.to_vec();
    runs.sort_by_cached_key(|run| {
        let seed = seeds_of(run).into_iter().next().map(|(_, seed)| seed).unwrap_or_default();
        let number: i64 = seed.parse().unwrap_or(i64::MAX);
        (number, seed, run.text("run_id").map(str::to_owned), run.label().to_owned())
    });
    runs
}

/// The seeds of a run, each with its path.
fn seeds_of(run: &Run) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(seed) = run.text("seed") {
        found.push(("seed".to_owned(), seed.to_owned()));
    }
    let params = Path::of(["params"]);
    if let Some(map) = run.get(&params).and_then(Node::as_map) {
        seeds_below(map, &params, &mut found);
    }
    found
}

fn seeds_below(map: &Map, at: &Path, found: &mut Vec<(String, String)>) {
    for (key, node) in map.iter() {
        match (&node.value, node.as_written()) {
            (Value::Map(below), _) => seeds_below(below, &at.key(key), found),
            (_, Some(seed)) if is_seed(at, key) => found.push((at.key(key).to_string(), seed.to_owned())),
            _ => {}
        }
    }
}

fn is_seed(path: &Path, key: &str) -> bool {
    let in_params = matches!(path.segments().first(), Some(Segment::Key(first)) if &**first == "params");
    in_params && SEED.contains(&key.rsplit('.').next().unwrap_or(key))
}

/// A metric with the values of all members.
fn together(base: &Run, own: bool, name: &str, members: &[&Run]) -> (Node, Vec<String>) {
    let mut notes = Vec::new();
    let mut values: Vec<Result<Decimal, MetricFault>> = Vec::with_capacity(members.len());
    for member in members {
        let Some(metric) = member.metric(name) else {
            notes.push(format!("`{}`, one of the seeds, has no `{name}`", member.label()));
            values.push(Err(MetricFault::Null));
            continue;
        };
        let value = metric.value();
        if let Err(fault) = &value {
            notes.push(format!("`{name}` of `{}`, one of the seeds, {fault}", member.label()));
        }
        values.push(value);
    }
    let named = base.metric(name).filter(|_| own);
    let value = match values.iter().find_map(|value| value.as_ref().err()) {
        Some(fault) => written(&Err(fault.clone())),
        None => match &named {
            Some(metric) => metric.detail("value").unwrap_or(metric.node).clone(),
            None => Node::made(mean(&values)),
        },
    };
    let mut map = match named.map(|metric| &metric.node.value) {
        Some(Value::Map(map)) => map.clone(),
        Some(_) => Map::default(),
        None => of_all(name, members),
    };
    map.insert("value", Span::default(), value);
    map.insert("values", Span::default(), Node::made(Value::List(values.iter().map(written).collect())));
    (Node::made(Value::Map(map)), notes)
}

/// The details of a metric that are the same for all members.
fn of_all(name: &str, members: &[&Run]) -> Map {
    let mut map = Map::default();
    for key in OF_ALL {
        let known = members.iter().find_map(|member| member.metric(name)?.detail(key));
        if let Some(known) = known {
            map.insert(key, Span::default(), known.without_places());
        }
    }
    map
}

fn mean(values: &[Result<Decimal, MetricFault>]) -> Value {
    let numbers: Vec<Decimal> = values.iter().flatten().cloned().collect();
    Decimal::mean(&numbers).map_or(Value::Null, |mean| Value::Number(mean.written().into()))
}

fn written(value: &Result<Decimal, MetricFault>) -> Node {
    Node::made(match value {
        Ok(number) => Value::Number(number.written().into()),
        Err(MetricFault::NotFinite(written)) => Value::NotFinite(written.clone()),
        Err(MetricFault::Text(text)) => Value::String(text.clone()),
        Err(_) => Value::Null,
    })
}
