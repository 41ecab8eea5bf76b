//! Whether two runs were measured on the same validation split. A comparison presupposes that, whether or not a
//! rule says so.

use std::sync::LazyLock;

use crate::run::{Digest, FieldPath, Run, Sameness, same_value};
use crate::verdict::Comparability;

/// The fields of `validation` that say what a metric was measured on.
const FIELDS: [&str; 6] = [
    "validation.split",
    "validation.digest",
    "validation.rows",
    "validation.strategy",
    "validation.folds",
    "validation.seed",
];

static DEFAULT: LazyLock<Vec<FieldPath>> =
    LazyLock::new(|| FIELDS.iter().filter_map(|path| FieldPath::parse(path).ok()).collect());

/// Compares what two runs say they were measured on; `instead` are the fields that a policy names for it.
pub fn comparability(candidate: &Run, baseline: &Run, instead: Option<&[FieldPath]>) -> Comparability {
    let paths = instead.unwrap_or(&DEFAULT);
    let mut same = Vec::new();
    let mut different = Vec::new();
    let mut unclear = Vec::new();
    let (mut ours_silent, mut theirs_silent, mut weak) = (true, true, false);
    for path in paths {
        let Some(path) = path.to_path() else { continue };
        let (ours, theirs) = (candidate.get(&path), baseline.get(&path));
        ours_silent &= ours.is_none();
        theirs_silent &= theirs.is_none();
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        match same_value(&path, ours, theirs) {
            Sameness::Same => {
                weak |= ours.as_written().is_some_and(|text| Digest::parse(text).is_weak());
                same.push(path.to_string());
            }
            Sameness::Different => different.push((path.to_string(), ours.brief(), theirs.brief())),
            Sameness::NotComparable(why) => unclear.push(why),
        }
    }
    if !different.is_empty() {
        return Comparability::Different { fields: different };
    }
    let decisive = instead.is_some()
        || same.iter().any(|field| matches!(&**field, "validation.split" | "validation.digest"));
    if !same.is_empty() && decisive {
        let mut notes = unclear;
        if instead.is_some() {
            notes.push("the policy's `comparable:` decides, not the whole of `validation`".into());
        }
        if weak {
            notes.push("that digest is weak: equal ones prove little".into());
        }
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        return Comparability::Same { by: same, note };
    }
    let what =
        if instead.is_some() { "the fields that `comparable:` names" } else { "what it was measured on" };
    let why = match (ours_silent, theirs_silent) {
        (true, true) => format!("neither run says {what}"),
        (true, false) => format!("the candidate does not say {what}"),
        (false, true) => format!("the baseline does not say {what}"),
        (false, false) => unclear.into_iter().next().unwrap_or_else(|| {
            "the two say different things about it, and neither names the split or its digest".into()
        }),
    };
    Comparability::Unshown { why }
}
