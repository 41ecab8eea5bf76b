//! Values from aggregates that are too coarse to be compared without an interval.

/// How far a value may be off if no interval accounts for it.
const COARSE: f64 = 0.0005;

/// What to do about a value that is too coarse.
pub(in crate::rule) const TOO_COARSE_HELP: &str =
    "record the files of predictions, or add `confidence`, whose intervals are wider by that";

/// Why a value from aggregates can't be compared without an interval.
pub(in crate::rule) fn too_coarse(resolution: f64) -> Option<String> {
    (resolution > COARSE)
        .then(|| format!("is known to ±{resolution:.6} only: the aggregates count scores in bins of 0.001"))
}
