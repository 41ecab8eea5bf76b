//! The errors of guards that counted something.

use super::error::{AggregatesError, AggregatesFault as Fault};

/// The error of a guard that counted something.
pub(super) fn guarded(name: &str, n: u64) -> AggregatesError {
    let stem = name.rsplit_once('_').filter(|(_, side)| matches!(*side, "baseline" | "candidate" | "label"));
    let (stem, whose) = stem.unwrap_or((name, ""));
    let count = |one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let rows = || count("row", "rows");
    let (fault, message, help) = match (stem, whose) {
        ("ids_missing", _) => (Fault::Ids, format!("{} without an id", rows()), "give each case an id"),
        ("ids_repeated", _) => (
            Fault::Ids,
            format!("an id occurs twice; the guard counts {} beyond the first of their id", rows()),
            "keep one row for each case; reduce repeats of a case to one value, such as their mean",
        ),
        ("only", whose) => (
            Fault::OtherIds,
            format!(
                "not comparable: the two models do not have the same cases; {} only in the {whose}",
                count("id is", "ids are")
            ),
            "judge both models on the same cases; none may be left out, since the hardest cases tend to go missing",
        ),
        ("labels_missing", _) => {
            (Fault::Values, format!("{} without a label", rows()), "write the label of each case")
        }
        ("labels_differ", _) => (
            Fault::LabelsChanged,
            format!("not comparable: the label differs in {}", count("case", "cases")),
            "judge both models with the same labels, and write them the same way: 1 and 1.0 are two labels",
        ),
        ("predictions_missing", whose) => (
            Fault::Unscored,
            format!(
                "{} of the {whose} {} not scored: no prediction",
                count("case", "cases"),
                if n == 1 { "was" } else { "were" }
            ),
            "score them, or count them as wrong: `cases: { unscored: wrong }`",
        ),
        ("clusters_missing", _) => {
            (Fault::Values, format!("{} without a cluster", rows()), "write the cluster of each case")
        }
        ("clusters_differ", _) => (
            Fault::LabelsChanged,
            format!("not comparable: the cluster differs in {}", count("case", "cases")),
            "judge both models on the same cases",
        ),
        ("slices_differ", _) => (
            Fault::SlicesDiffer,
            format!("not comparable: the slices differ in {}", count("case", "cases")),
            "take slices from the data, which both models share, not from the output of a run",
        ),
        ("scores_unusable", whose) => (
            Fault::Values,
            format!("{} of the {whose} without a score from 0 to 1", rows()),
            "write probabilities; NaN, infinities and missing scores can't be counted",
        ),
        ("numbers_unusable", whose) => (
            Fault::Values,
            format!(
                "{} whose {} can't be counted: missing, NaN, infinite, or 1,500,000 or more in size",
                rows(),
                match whose {
                    "label" => "label".to_owned(),
                    whose => format!("prediction of the {whose}"),
                }
            ),
            "count in larger units, or record the files of predictions",
        ),
        ("columns_alike", _) => (
            Fault::Columns,
            format!(
                "{} by case only, and the engine can't tell them apart",
                count("name of a column differs", "names of columns differ")
            ),
            "rename the columns",
        ),
        _ => (
            Fault::Unguarded,
            format!("the guard `{name}` is {n}, and must be 0"),
            "use the gate that wrote the SQL",
        ),
    };
    AggregatesError::new(fault, message, help)
}
