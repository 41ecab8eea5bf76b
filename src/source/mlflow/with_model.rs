//! A run with what is known of the model that it produced: where the model lies, and on which data it was measured. Other
//! runs may have measured the same model, as an evaluation does: theirs are not values of this run.

use indexmap::IndexMap;

use super::{LoggedModel, Point, Rows};

/// Values of another run that a note repeats.
const LISTED: usize = 8;

/// The run `rows`, which produced `model`.
pub fn with_model(mut rows: Rows, model: &LoggedModel) -> Rows {
    rows.models = vec![model.id.clone()];
    rows.model_location.clone_from(&model.artifact_uri);
    let mut elsewhere: IndexMap<(&str, Option<&str>), IndexMap<&str, &Point>> = IndexMap::new();
    for (name, point) in &model.metrics {
        match point.run.as_deref().filter(|run| *run != rows.run_id) {
            Some(run) => {
                let values = elsewhere.entry((run, point.dataset.as_deref())).or_default();
                let last = values.entry(name).or_insert(point);
                if point.order(last).is_gt() {
                    *last = point;
                }
            }
            None => {
                if let Some((_, series)) = rows.metrics.iter_mut().find(|(known, _)| known == name)
                    && let Some(ours) = &mut series.last
                    && ours.dataset.is_none()
                    && (&ours.value, ours.step) == (&point.value, point.step)
                {
                    ours.dataset.clone_from(&point.dataset);
                }
            }
        }
    }
    for ((run, dataset), values) in elsewhere {
        let listed: Vec<String> = values
            .iter()
            .take(LISTED)
            .map(|(name, point)| format!("{name} {}", point.value.written()))
            .collect();
        let more = values.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let on = dataset.map(|dataset| format!(" on `{dataset}`")).unwrap_or_default();
        rows.notes.push(format!(
            "the run `{run}` measured this model too{on}: {}{more}. These are values of that run, and not of this one",
            listed.join(", ")
        ));
    }
    rows
}
