//! The list of supported trackers.

use super::{
    Tracker, catboost, deepeval, dvc, every_eval_ever, hf, inspect, lightning, lm_eval, mlflow, promptfoo,
    sacred, tensorboard, ultralytics, wandb,
};

/// The supported trackers, each defined in the file of its reader.
pub const TRACKERS: &[&Tracker] = &[
    &catboost::TRACKER,
    &deepeval::TRACKER,
    &dvc::TRACKER,
    &every_eval_ever::TRACKER,
    &hf::TRACKER,
    &inspect::TRACKER,
    &lightning::KERAS,
    &lightning::TRACKER,
    &lm_eval::TRACKER,
    &mlflow::TRACKER,
    &promptfoo::TRACKER,
    &sacred::TRACKER,
    &tensorboard::TRACKER,
    &ultralytics::TRACKER,
    &wandb::TRACKER,
];

/// The tracker of that name.
pub fn tracker(name: &str) -> Option<&'static Tracker> {
    TRACKERS.iter().find(|tracker| tracker.name == name).copied()
}

/// How to add a field with a tracker; the longest known path that contains the field wins.
pub fn advice(tracker_name: &str, path: &str) -> Option<&'static str> {
    let below = |field: &str| {
        path == field
            || path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
    };
    tracker(tracker_name)?
        .advice
        .iter()
        .filter(|(field, _)| below(field))
        .max_by_key(|(field, _)| field.len())
        .map(|(_, line)| *line)
}
