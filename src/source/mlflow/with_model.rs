//! Combines a run with what is known about a model that it produced: where the model is, and its metrics.
//!
//! In MLflow 3 a run may log a model for each checkpoint, each with its own metrics, and other runs may evaluate a
//! model later. So the values of a run are not those of each of its models.

use indexmap::IndexMap;

use super::{LoggedModel, Point, Rows, Series};

/// Maximum number of names or values in a note.
const MAX_LISTED: usize = 8;

/// Metrics by name, each with its points.
type Points<'m> = IndexMap<&'m str, Vec<&'m Point>>;

/// Adds what is known about `model` to the run that a reference names, which produced no other model. Values
/// that other runs measured are not its own, so they become notes.
pub fn with_model(mut rows: Rows, model: &LoggedModel) -> Rows {
    let (own, elsewhere) = measured(model, &rows.run_id);
    for (name, series) in &mut rows.metrics {
        if let Some(last) = own.get(name.as_str()).and_then(|points| last(points)) {
            name_dataset(series, last);
        }
    }
    for ((run, dataset), values) in elsewhere {
        rows.notes.push(format!(
            "the run `{run}` measured this model too{}: {}. These values belong to that run, not to this one",
            on(dataset),
            listed(&values)
        ));
    }
    located(rows, model)
}

/// The run of `model`, for a reference that names the model. The values that this run measured on the model
/// come first, then those of runs that evaluated it. The run's other values count only if it produced no
/// other model; otherwise nothing shows which model they belong to.
pub fn as_model(mut rows: Rows, model: &LoggedModel) -> Rows {
    let is_only_model = rows.models.len() <= 1;
    let (own, elsewhere) = measured(model, &rows.run_id);
    let mut metrics: IndexMap<String, Series> = IndexMap::new();
    let mut left_out = Vec::new();
    for (name, mut series) in std::mem::take(&mut rows.metrics) {
        match own.get(name.as_str()) {
            Some(points) => {
                let own = last(points);
                if let Some(own) = own.filter(|_| is_only_model) {
                    name_dataset(&mut series, own);
                }
                // With only one model, a value at the same step is the run's own, and the run has more of its
                // history.
                let step = series.last.as_ref().map(|last| last.step);
                let same_step = is_only_model && step == own.map(|own| own.step);
                let series =
                    if same_step { series } else { Series::of(points.iter().copied().cloned().collect()) };
                metrics.insert(name, series);
            }
            None if is_only_model => {
                metrics.insert(name, series);
            }
            None => left_out.push(name),
        }
    }
    for (name, points) in &own {
        if !metrics.contains_key(*name) {
            metrics.insert((*name).to_owned(), Series::of(points.iter().copied().cloned().collect()));
        }
    }
    let before = metrics.len();
    for ((run, dataset), values) in elsewhere {
        let (known, new): (Points<'_>, Points<'_>) = values
            .into_iter()
            .partition(|(name, _)| metrics.get_index_of(*name).is_some_and(|at| at < before));
        if !known.is_empty() {
            rows.notes.push(format!(
                "the run `{run}` evaluated this model too{}: {}. The values of the run that produced it count",
                on(dataset),
                listed(&known)
            ));
        }
        if new.is_empty() {
            continue;
        }
        rows.notes.push(format!(
            "the run `{run}` evaluated this model{}; its values count as the model's: {}",
            on(dataset),
            listed(&new)
        ));
        for (name, points) in &new {
            let Some(point) = last(points) else { continue };
            let newer = |series: &Series| series.last.as_ref().is_none_or(|last| point.time > last.time);
            if metrics.get(*name).is_none_or(newer) {
                metrics.insert((*name).to_owned(), Series::ending_with(point.clone()));
            }
        }
    }
    left_out.retain(|name| !metrics.contains_key(name));
    if !left_out.is_empty() {
        rows.notes.push(format!(
            "the run produced {} models and does not say which of them it measured, so these values are left out: {}; \
             log them with `mlflow.log_metric(…, model_id=…)`",
            rows.models.len(),
            some_of(&left_out)
        ));
    }
    rows.metrics = metrics.into_iter().collect();
    located(rows, model)
}

fn located(mut rows: Rows, model: &LoggedModel) -> Rows {
    rows.models = vec![model.id.clone()];
    rows.model_location.clone_from(&model.artifact_uri);
    rows
}

/// The values of a model: those that the run `run_id` measured, and those of other runs, by run and dataset.
fn measured<'m>(
    model: &'m LoggedModel,
    run_id: &str,
) -> (Points<'m>, IndexMap<(&'m str, Option<&'m str>), Points<'m>>) {
    let mut own = Points::new();
    let mut elsewhere: IndexMap<(&str, Option<&str>), Points<'m>> = IndexMap::new();
    for (name, point) in &model.metrics {
        let points = match point.run.as_deref().filter(|run| *run != run_id) {
            Some(run) => elsewhere.entry((run, point.dataset.as_deref())).or_default(),
            None => &mut own,
        };
        points.entry(name).or_default().push(point);
    }
    (own, elsewhere)
}

fn last<'m>(points: &[&'m Point]) -> Option<&'m Point> {
    points.iter().copied().max_by(|one, other| one.order(other))
}

/// Copies the dataset of a value that a run and its model share.
fn name_dataset(series: &mut Series, point: &Point) {
    if let Some(ours) = &mut series.last
        && ours.dataset.is_none()
        && (&ours.value, ours.step) == (&point.value, point.step)
    {
        ours.dataset.clone_from(&point.dataset);
    }
}

fn on(dataset: Option<&str>) -> String {
    dataset.map(|dataset| format!(" on `{dataset}`")).unwrap_or_default()
}

fn listed(values: &Points<'_>) -> String {
    let value = |(name, points): (&&str, &Vec<&Point>)| {
        last(points).map(|point| format!("{name} {}", point.value.written()))
    };
    some_of(&values.iter().filter_map(value).collect::<Vec<_>>())
}

fn some_of(texts: &[String]) -> String {
    let shown = texts.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(MAX_LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
