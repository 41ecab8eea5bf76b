//! Whether two runs were measured on the same validation split. A comparison presupposes that, whether or not a
//! rule says so.

use std::sync::LazyLock;

use crate::document::{Node, Path};
use crate::run::{Decimal, Digest, FieldPath, Run, Sameness, same_value};
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

static ROWS: LazyLock<Option<FieldPath>> = LazyLock::new(|| FieldPath::parse("validation.rows").ok());

/// Compares what two runs say they were measured on; `instead` has the fields that a policy names for this.
pub fn comparability(candidate: &Run, baseline: &Run, instead: Option<&[FieldPath]>) -> Comparability {
    let paths = instead.unwrap_or(&DEFAULT);
    let mut same = Vec::new();
    let mut different = Vec::new();
    let mut unclear = Vec::new();
    let (mut ours_silent, mut theirs_silent, mut weak) = (true, true, false);
    // A path such as `data[role=validation].digest` can have several values; those of the two runs are paired in
    // order.
    for path in paths {
        let (ours, theirs) = (values(candidate, path), values(baseline, path));
        ours_silent &= ours.is_empty();
        theirs_silent &= theirs.is_empty();
        if !ours.is_empty() && !theirs.is_empty() && ours.len() != theirs.len() {
            different.push((path.to_string(), counted(ours.len()), counted(theirs.len())));
            continue;
        }
        for ((at, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
            match same_value(&at, ours, theirs) {
                Sameness::Same => {
                    weak |= ours.as_written().is_some_and(|text| Digest::parse(text).is_weak());
                    same.push(at.to_string());
                }
                Sameness::Different => different.push((at.to_string(), ours.brief(), theirs.brief())),
                Sameness::NotComparable(why) => unclear.push(why),
            }
        }
    }
    // A baseline that was measured on no rows proves nothing.
    let rows = ROWS.as_ref().map(|path| values(baseline, path)).unwrap_or_default();
    if let [(at, rows)] = rows.as_slice()
        && different.is_empty()
        && rows.as_written().and_then(|text| Decimal::parse(text).ok()).is_some_and(|rows| rows.is_zero())
    {
        let ours = candidate.get(at).map_or_else(|| "not recorded".to_owned(), Node::brief);
        different.push((at.to_string(), ours, "0".into()));
    }
    if !different.is_empty() {
        return Comparability::Different { fields: different };
    }
    let decisive = instead.is_some()
        || same.iter().any(|field| matches!(&**field, "validation.split" | "validation.digest"));
    if !same.is_empty() && decisive {
        let mut notes = unclear;
        if instead.is_some() {
            notes.push("compared by the policy's `comparable:` fields instead of `validation`".into());
        }
        if weak {
            notes.push("this digest is weak: equal digests prove little".into());
        }
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        return Comparability::Same { by: same, note };
    }
    let what =
        if instead.is_some() { "the fields that `comparable:` names" } else { "what it was measured on" };
    let why = match (ours_silent, theirs_silent) {
        (true, true) => format!("neither run records {what}"),
        (true, false) => format!("the candidate does not record {what}"),
        (false, true) => format!("the baseline does not record {what}"),
        (false, false) => unclear.into_iter().next().unwrap_or_else(|| {
            "neither run names the validation split or its digest, and their other validation fields do not match up".into()
        }),
    };
    Comparability::Unshown { why }
}

/// The values that a run has at a path, each with its own path.
fn values<'r>(run: &'r Run, path: &FieldPath) -> Vec<(Path, &'r Node)> {
    run.find(path).into_iter().filter_map(|field| Some((field.path, field.node?))).collect()
}

fn counted(values: usize) -> String {
    if values == 1 { "1 value".into() } else { format!("{values} values") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::{Document, Format};
    use crate::run::{FieldMap, Origin};

    fn compare(candidate: &str, baseline: &str, instead: &[&str]) -> Comparability {
        let run = |text: &str| {
            let document = Document::new("a", text.as_bytes().to_vec(), Format::Json).expect("text");
            let document = Arc::new(document);
            let tree = document.parse().expect("JSON");
            Run::new(&document, tree, &FieldMap::default(), Origin::default()).expect("a run")
        };
        let instead: Vec<FieldPath> =
            instead.iter().map(|path| FieldPath::parse(path).expect("a path")).collect();
        let instead = (!instead.is_empty()).then_some(instead.as_slice());
        comparability(&run(candidate), &run(baseline), instead)
    }

    fn is_same(comparability: &Comparability) -> bool {
        matches!(comparability, Comparability::Same { .. })
    }

    fn is_different(comparability: &Comparability) -> bool {
        matches!(comparability, Comparability::Different { .. })
    }

    #[test]
    fn rows_alone_do_not_show_the_same_split() {
        let rows = r#"{"validation": {"rows": 200}}"#;
        assert!(matches!(compare(rows, rows, &[]), Comparability::Unshown { .. }));
        let split = r#"{"validation": {"rows": 200, "split": "holdout"}}"#;
        assert!(is_same(&compare(split, split, &[])));
    }

    #[test]
    fn elements_that_comparable_names_are_compared() {
        let data = |digest: &str| {
            format!(r#"{{"data": [{{"role": "train"}}, {{"role": "test", "digest": "{digest}"}}]}}"#)
        };
        for path in ["data[role=test].digest", "data[].digest", "data[1].digest", "/data/1/digest"] {
            assert!(is_different(&compare(&data("sha256:aa"), &data("sha256:bb"), &[path])), "{path}");
            assert!(is_same(&compare(&data("sha256:aa"), &data("sha256:aa"), &[path])), "{path}");
        }
        let more = r#"{"data": [{"digest": "sha256:aa"}, {"digest": "sha256:aa"}]}"#;
        assert!(is_different(&compare(&data("sha256:aa"), more, &["data[].digest"])));
    }

    #[test]
    fn an_empty_digest_shows_nothing() {
        let empty = r#"{"validation": {"digest": "sha256:"}}"#;
        assert!(matches!(compare(empty, empty, &[]), Comparability::Unshown { .. }));
    }

    #[test]
    fn nothing_is_compared_with_what_was_measured_on_nothing() {
        let rows = |rows: u32| format!(r#"{{"validation": {{"split": "a", "rows": {rows}}}}}"#);
        assert!(is_different(&compare(&rows(0), &rows(0), &[])));
        assert!(is_different(&compare(&rows(9), &rows(0), &["validation.split"])));
        assert!(is_same(&compare(&rows(9), &rows(8), &["validation.split"])));
    }
}
