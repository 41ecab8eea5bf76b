//! The runs of a stage that is expanded over several items, such as seeds.

use std::collections::BTreeSet;

use super::expand::Item;
use super::metrics::metrics;
use super::pipeline::Stage;
use super::project::Project;
use super::{Files, NOT_SEEDS};
use crate::document::{Diagnostic, Path, Value};
use crate::source::tracked::Tracked;

/// Names of item parts that are a seed.
const SEED: [&str; 3] = ["seed", "random_seed", "random_state"];

/// The runs of a stage that is expanded over several items, one run for each.
///
/// Each run gets everything known about `whole`, except its metrics.
pub fn items(files: &dyn Files, whole: &Tracked) -> Result<Vec<Tracked>, Box<Diagnostic>> {
    let project = Project::read(files)?;
    let lock = project.lock.as_deref().unwrap_or_default();
    let mut runs = Vec::new();
    for group in project.made() {
        seeds_alone(&group)?;
        for stage in group.iter().filter(|stage| project.locked(stage).is_some()) {
            let Some(item) = &stage.item else { continue };
            let label = format!("{}:{}", whole.label, stage.name);
            let mut run = Tracked { label, notes: Vec::new(), ..whole.clone() };
            run.record.remove("metrics");
            let seed = item.parts.iter().find(|(name, _)| SEED.contains(&name.as_str()));
            let seed = seed.map_or(&item.name, |(_, seed)| seed);
            run.text(&Path::of(["run_id"]), Some(&stage.name), "dvc.lock");
            run.text(&Path::of(["stage"]), Some(stage.base()), "dvc.yaml");
            run.text(&Path::of(["seed"]), Some(seed), "the item of the stage");
            let names = project.metrics_of(files, stage, &mut Vec::new())?;
            let metrics = metrics(files, lock, &names, &mut run.notes)?;
            if !metrics.is_empty() {
                run.put(&Path::of(["metrics"]), Value::Map(metrics), names.join(", "));
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

/// Refuses items that differ in more than their seed: they are different models, not seeds of one.
fn seeds_alone(group: &[&Stage]) -> Result<(), Box<Diagnostic>> {
    let items: Vec<&Item> = group.iter().filter_map(|stage| stage.item.as_ref()).collect();
    let names: BTreeSet<&str> =
        items.iter().flat_map(|item| &item.parts).map(|(name, _)| name.as_str()).collect();
    let vary: Vec<&str> = names
        .into_iter()
        .filter(|name| items.iter().map(|item| item.part(name)).collect::<BTreeSet<_>>().len() > 1)
        .collect();
    let others: Vec<&str> = vary.iter().copied().filter(|name| !SEED.contains(name)).collect();
    let kinds: BTreeSet<Vec<Option<&str>>> =
        items.iter().map(|item| others.iter().map(|name| item.part(name)).collect()).collect();
    // If all parts of the objects change together, the items are just named seeds.
    let crossed = items.iter().any(|item| item.crossed) || kinds.len() < items.len();
    let stage = group.first().map_or("", |stage| stage.base());
    match others.as_slice() {
        [_, ..] if crossed && vary.len() > 1 => {
            let message = format!(
                "the items of the stage `{stage}` also differ in `{}`, not only in their seed, so they are different models",
                others.join("`, `")
            );
            let help = format!(
                "write a stage for each `{}`, made for its seeds; or leave `seeds:` out of the policy",
                others[0]
            );
            Err(Diagnostic::new(NOT_SEEDS, message).help(help).boxed())
        }
        _ => Ok(()),
    }
}
