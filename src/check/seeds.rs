//! Seeds: runs of one group become one candidate, or one baseline, where the policy says by what they belong together.

use std::collections::{HashMap, HashSet};

use super::lookup::Item;
use crate::run::{FieldMap, FieldPath, Run};
use crate::source::{BadRecord, Tracked};

/// A run that was named, or that a name led to.
struct Named {
    run: Run,
    /// It is what others are parts of, and none of them.
    whole: bool,
    /// It is meant, and not only what it is a member of.
    chosen: bool,
}

/// Takes runs of one group together. `siblings` are further members that nobody named: they count, and are not judged by
/// themselves, and neither are groups of which no item is `chosen`. What can't be read stays as it is.
pub(super) fn together<'c>(
    items: &[Item<'c>],
    siblings: Vec<Tracked>,
    by: &FieldPath,
    fields: &FieldMap,
    is_chosen: impl Fn(&Item<'c>) -> bool,
) -> Vec<Item<'c>> {
    let mut made: Vec<Item<'c>> = Vec::new();
    let mut runs: Vec<Named> = Vec::new();
    for item in items {
        let (whole, chosen) = (item.is_whole(), is_chosen(item));
        for read in item.read(fields) {
            match read {
                Ok(run) => runs.push(Named { run, whole, chosen }),
                Err(bad) if chosen => made.push(bad_item(bad)),
                Err(_) => {}
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
    // A parent is not of the group that it names: its children are.
    let is_parent =
        |named: &Named| named.whole || named.run.text("run_id").is_some_and(|id| members.contains_key(id));
    let key_of = |named: &Named| -> Option<String> {
        let of_parent = named.run.text("run_id").filter(|id| members.contains_key(*id));
        of_parent.map(str::to_owned).or_else(|| group(&named.run))
    };
    let keys: Vec<Option<String>> = runs.iter().map(key_of).collect();
    // Which of a group were named; a parent stands for all of them.
    let mut named_of: HashMap<&str, Vec<&Run>> = HashMap::new();
    let mut chosen: HashSet<&str> = HashSet::new();
    let mut parents: HashMap<&str, &Run> = HashMap::new();
    for (named, key) in runs.iter().zip(&keys) {
        let Some(key) = key else { continue };
        if named.chosen {
            chosen.insert(key);
        }
        if is_parent(named) {
            parents.entry(key).or_insert(&named.run);
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
            let parent = parents.get(key).map(std::slice::from_ref);
            let merged = Run::of_seeds(parent.unwrap_or(of_key), of_group)
                .map_err(|problems| BadRecord { label: named.run.label().to_owned(), problems });
            made.push(Item::Made(Box::new(merged)));
        }
    }
    made
}

fn bad_item<'c>(bad: BadRecord) -> Item<'c> {
    Item::Made(Box::new(Err(bad)))
}
