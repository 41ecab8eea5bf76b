//! Seeds: the runs of a group become one candidate or one baseline, if the policy says how to group runs.

use std::collections::{HashMap, HashSet};

use super::TWO_PARENTS;
use super::found::Item;
use crate::document::Diagnostic;
use crate::run::{FieldMap, FieldPath, Run};
use crate::source::{BadRecord, Tracked};

/// A run that was named, or that a name resolved to.
struct Named {
    run: Run,
    /// It is the parent of the others, and not one of them.
    whole: bool,
    /// The run itself is meant, not only its group.
    chosen: bool,
}

/// Combines the runs of each group. `siblings` are further members that were not named: they count as members, but
/// are not judged by themselves. Groups without a `chosen` run are not judged either. An unreadable record could
/// belong to any group, so it stays separate.
pub(super) fn together<'c>(
    items: &[Item<'c>],
    siblings: Vec<Tracked>,
    by: &FieldPath,
    fields: &FieldMap,
    is_chosen: impl Fn(&Result<Run, BadRecord>) -> bool,
) -> Vec<Item<'c>> {
    let mut made: Vec<Item<'c>> = Vec::new();
    let mut runs: Vec<Named> = Vec::new();
    for item in items {
        let whole = item.is_whole();
        for read in item.read(fields) {
            let chosen = is_chosen(&read);
            match read {
                Ok(run) => runs.push(Named { run, whole, chosen }),
                Err(bad) => made.push(bad_item(bad)),
            }
        }
    }
    let mut others: Vec<Run> = Vec::new();
    for sibling in siblings {
        let label = sibling.label.clone();
        match sibling.into_run(fields) {
            Ok(run) => others.push(run),
            Err(problems) => made.push(bad_item(BadRecord { label, problems })),
        }
    }
    let group = |run: &Run| -> Option<String> {
        run.find(by).into_iter().next()?.node?.as_written().map(str::to_owned)
    };
    let mut members: HashMap<String, Vec<&Run>> = HashMap::new();
    for run in runs.iter().filter(|named| !named.whole).map(|named| &named.run).chain(&others) {
        if let Some(key) = group(run) {
            members.entry(key).or_default().push(run);
        }
    }
    // A parent does not belong to the group that it names; its children do.
    let is_parent =
        |named: &Named| named.whole || named.run.text("run_id").is_some_and(|id| members.contains_key(id));
    let key_of = |named: &Named| -> Option<String> {
        let of_parent = named.run.text("run_id").filter(|id| members.contains_key(*id));
        of_parent.map(str::to_owned).or_else(|| group(&named.run))
    };
    let keys: Vec<Option<String>> = runs.iter().map(key_of).collect();
    // Which runs of a group were named; a parent represents all of them.
    let mut named_of: HashMap<&str, Vec<&Run>> = HashMap::new();
    let mut chosen: HashSet<&str> = HashSet::new();
    let mut parents: HashMap<&str, Vec<&Run>> = HashMap::new();
    for (named, key) in runs.iter().zip(&keys) {
        let Some(key) = key else { continue };
        if named.chosen {
            chosen.insert(key);
        }
        if is_parent(named) {
            parents.entry(key).or_default().push(&named.run);
        } else {
            named_of.entry(key).or_default().push(&named.run);
        }
    }
    let mut done: HashSet<&str> = HashSet::new();
    for (named, key) in runs.iter().zip(&keys) {
        let key = key.as_deref();
        let of_group = key.and_then(|key| members.get(key)).map_or(&[][..], Vec::as_slice);
        let Some(key) = key.filter(|_| of_group.len() > 1) else {
            if named.chosen {
                made.push(Item::Made(Box::new(Ok(named.run.clone()))));
            }
            continue;
        };
        if chosen.contains(key) && done.insert(key) {
            let of_key = named_of.get(key).map_or(&[][..], Vec::as_slice);
            let merged = match parents.get(key).map(Vec::as_slice) {
                Some([one, other, ..]) => Err(vec![two_parents(key, one, other)]),
                Some(parent) => Run::of_seeds(parent, of_group),
                None => Run::of_seeds(of_key, of_group),
            };
            let label = named.run.label().to_owned();
            made.push(Item::Made(Box::new(merged.map_err(|problems| BadRecord { label, problems }))));
        }
    }
    made
}

/// Two runs have the id that a group of seeds refers to, so the parent is ambiguous.
fn two_parents(key: &str, one: &Run, other: &Run) -> Diagnostic {
    let (one, other) = (one.document.label(), other.document.label());
    let message =
        format!("`{one}` and `{other}` both have the run id `{key}`, which a group of seeds belongs to");
    Diagnostic::new(TWO_PARENTS, message).help("remove one of them, or give it its own run id")
}

fn bad_item<'c>(bad: BadRecord) -> Item<'c> {
    Item::Made(Box::new(Err(bad)))
}
