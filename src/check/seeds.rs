//! Seeds: runs of one group become one candidate, or one baseline, where the policy says by what they belong together.

use std::collections::{HashMap, HashSet};

use super::lookup::Item;
use crate::run::{FieldMap, FieldPath, Run};
use crate::source::{BadRecord, Tracked};

/// Takes runs of one group together. `siblings` are further members that nobody named: they count, and are not judged by
/// themselves. What can't be read stays as it is.
pub(super) fn together<'c>(
    items: &[Item<'c>],
    siblings: Vec<Tracked>,
    by: &FieldPath,
    fields: &FieldMap,
) -> Vec<Item<'c>> {
    let mut made: Vec<Item<'c>> = Vec::new();
    let mut runs: Vec<Run> = Vec::new();
    for item in items {
        for read in item.read(fields) {
            match read {
                Ok(run) => runs.push(run),
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
    let mut groups: HashMap<String, Vec<&Run>> = HashMap::new();
    for run in runs.iter().chain(&others) {
        if let Some(key) = group(run) {
            groups.entry(key).or_default().push(run);
        }
    }
    let mut done: HashSet<String> = HashSet::new();
    for run in &runs {
        // A parent is not of the group that it names: its children are.
        let of_parent = run.text("run_id").filter(|id| groups.contains_key(*id)).map(str::to_owned);
        let key = of_parent.or_else(|| group(run));
        let members = key.as_ref().and_then(|key| groups.get(key)).map_or(&[][..], Vec::as_slice);
        if members.len() < 2 {
            made.push(Item::Made(Box::new(Ok(run.clone()))));
            continue;
        }
        if key.is_some_and(|key| done.insert(key)) {
            let merged = run
                .with_seeds(members)
                .map_err(|problems| BadRecord { label: run.label().to_owned(), problems });
            made.push(Item::Made(Box::new(merged)));
        }
    }
    made
}

fn bad_item<'c>(bad: BadRecord) -> Item<'c> {
    Item::Made(Box::new(Err(bad)))
}
