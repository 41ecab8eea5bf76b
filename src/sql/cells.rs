//! The cells: cases by slice, bucket and decision, with the sums of what each case adds to a metric.

use super::dialect::cast;
use super::pairs::{Source, decision, key, pairs};
use super::{Dialect, columns};
use crate::aggregates::{FIXED_COLUMNS, Plan, Slicing, Sum, Task};

/// Log loss treats probabilities closer to 0 or 1 as this close: 2⁻⁵².
const SMALLEST: &str = "2.220446049250313E-16";
const LARGEST: &str = "9.999999999999998E-1";

pub(super) fn statement(plan: &Plan, source: &Source, dialect: Dialect) -> String {
    let bucket = dialect.bucket(key(plan));
    let mut keys = vec![("bucket", bucket)];
    if plan.task == Task::Classification {
        keys.push(("truth", "truth_candidate".to_owned()));
        if plan.has_baseline {
            keys.push(("baseline", decision(plan, "baseline")));
        }
        keys.push(("candidate", decision(plan, "candidate")));
    }
    let sums: Vec<(String, String)> = plan
        .sum_columns()
        .into_iter()
        .filter(|column| plan.has_baseline || !column.ends_with("_baseline"))
        .map(|column| {
            let value = value(plan, dialect, &column);
            let sum = format!("SUM({})", cast(&dialect.rounded(&value, "1000000"), dialect.decimal_type()));
            (column, sum)
        })
        .collect();
    let slicings: Vec<&Slicing> = plan.slicings.iter().collect();
    let counted = counted(plan, &slicings, dialect, &keys, &sums);
    let selected: Vec<String> = columns(plan)
        .iter()
        .map(|column| {
            let is_key = column == "name" || column == "slice" || keys.iter().any(|(key, _)| key == column);
            let is_sum = column == "n" || sums.iter().any(|(sum, _)| sum == column);
            let value = match column.as_str() {
                "kind" => "'cell'".to_owned(),
                _ if is_key => return column.clone(),
                _ if is_sum => cast(&format!("SUM({column})"), dialect.decimal_type()),
                text if FIXED_COLUMNS.contains(&text) => cast("NULL", dialect.text_type()),
                _ => cast("NULL", dialect.decimal_type()),
            };
            format!("{value} AS {column}")
        })
        .collect();
    let groups: Vec<&str> = ["name", "slice"].into_iter().chain(keys.iter().map(|(name, _)| *name)).collect();
    format!(
        "{},\n{counted}\nSELECT\n  {}\nFROM sliced\nGROUP BY {}",
        pairs(plan, source, dialect),
        selected.join(",\n  "),
        groups.join(", ")
    )
}

/// The table expressions `cells` and `sliced`. The rows are read once; only their counts, which are few, are
/// repeated for each slicing.
pub(super) fn counted(
    plan: &Plan,
    slicings: &[&Slicing],
    dialect: Dialect,
    keys: &[(&str, String)],
    sums: &[(String, String)],
) -> String {
    let is_used = |index: &usize| slicings.iter().any(|slicing| slicing.columns.contains(&(index - 1)));
    let slices: Vec<(String, String)> = (1..=plan.slice_columns.len())
        .filter(is_used)
        .map(|index| (format!("slice_{index}"), format!("slice_{index}_candidate")))
        .collect();
    let keyed = slices.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let keyed: Vec<(&str, &str)> =
        keyed.chain(keys.iter().map(|(name, value)| (*name, value.as_str()))).collect();
    let selected: Vec<String> = keyed.iter().map(|(name, value)| format!("{value} AS {name}")).collect();
    let counts: Vec<String> = [("n".to_owned(), cast("COUNT(*)", dialect.decimal_type()))]
        .iter()
        .chain(sums)
        .map(|(name, sum)| format!("{sum} AS {name}"))
        .collect();
    let groups: Vec<&str> = keyed.iter().map(|(_, value)| *value).collect();
    let kept: Vec<&str> = keys
        .iter()
        .map(|(name, _)| *name)
        .chain(["n"])
        .chain(sums.iter().map(|(name, _)| name.as_str()))
        .collect();
    let (name, slice, from) = sliced(plan, slicings, dialect);
    format!(
        "cells AS (\n  SELECT\n    {},\n    {}\n  FROM pairs\n  GROUP BY {}\n),\nsliced AS (\n  SELECT\n    {name} AS name,\n    {slice} AS slice,\n    {}\n  FROM {from}\n)",
        selected.join(",\n    "),
        counts.join(",\n    "),
        groups.join(", "),
        kept.join(", ")
    )
}

/// The expressions for a slice's columns and for the slice, and the table that rows are read from.
fn sliced(plan: &Plan, slicings: &[&Slicing], dialect: Dialect) -> (String, String, String) {
    let none = cast("NULL", dialect.text_type());
    if slicings.is_empty() {
        return (none, "'all'".to_owned(), "cells".to_owned());
    }
    let value = |slicing: &Slicing| {
        let part = |(place, column): (usize, &usize)| {
            let comma = if place == 0 { "" } else { ", " };
            let name = dialect.literal(&format!("{comma}{}=", plan.slice_columns[*column]));
            format!("{name} || slice_{}", column + 1)
        };
        slicing.columns.iter().enumerate().map(part).collect::<Vec<_>>().join(" || ")
    };
    let case = |whole: String, each: &dyn Fn(&Slicing) -> String| {
        let numbered = slicings.iter().enumerate();
        let whens = numbered.map(|(index, slicing)| format!("WHEN {} THEN {}", index + 1, each(slicing)));
        let whens: Vec<String> = [format!("WHEN 0 THEN {whole}")].into_iter().chain(whens).collect();
        format!("CASE slicing\n      {}\n    END", whens.join("\n      "))
    };
    let numbers: Vec<String> =
        (0..=slicings.len()).map(|number| format!("SELECT {number} AS slicing")).collect();
    (
        case(none, &|slicing| dialect.literal(&plan.slicing_name(slicing))),
        case("'all'".to_owned(), &value),
        format!("cells\n  CROSS JOIN (\n    {}\n  ) slicings", numbers.join("\n    UNION ALL ")),
    )
}

/// The expression for what a case adds to a sum.
fn value(plan: &Plan, dialect: Dialect, column: &str) -> String {
    let sum = plan.sums().iter().find(|sum| column.starts_with(sum.name()) && is_column_of(**sum, column));
    let side = if column.ends_with("_baseline") { "baseline" } else { "candidate" };
    let positive = format!("truth_candidate = {}", dialect.literal(&plan.positive));
    let error = format!("(prediction_{side} - truth_candidate)");
    match sum {
        Some(Sum::Brier) => {
            let gap = format!("(score_{side} - CASE WHEN {positive} THEN 1 ELSE 0 END)");
            dialect.square(&gap)
        }
        Some(Sum::LogLoss) => format!(
            "(-LN(CASE WHEN {positive}\n      THEN CASE WHEN score_{side} < {SMALLEST} THEN {SMALLEST} WHEN score_{side} > {LARGEST} THEN {LARGEST} ELSE score_{side} END\n      ELSE CASE WHEN score_{side} > {LARGEST} THEN {SMALLEST} ELSE 1 - score_{side} END END))"
        ),
        Some(Sum::Label) => "truth_candidate".to_owned(),
        Some(Sum::LabelSquared) => dialect.square("truth_candidate"),
        Some(Sum::Absolute) => format!("ABS{error}"),
        Some(Sum::Squared) => dialect.square(&error),
        Some(Sum::Error) | None => error,
    }
}

fn is_column_of(sum: Sum, column: &str) -> bool {
    let rest = column.strip_prefix(sum.name()).unwrap_or(column);
    if sum.is_of_a_model() { matches!(rest, "_baseline" | "_candidate") } else { rest.is_empty() }
}
