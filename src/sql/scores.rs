//! The bins of scores, for all cases and for the slices whose area a rule needs: cases by slice, label and
//! both scores in thousandths. The area under the ROC curve is exact from them if scores have at most three
//! decimals; otherwise its error is bounded.

use super::cells::counted;
use super::dialect::cast;
use super::pairs::{Source, pairs, sides};
use super::{Dialect, columns};
use crate::aggregates::{FIXED_COLUMNS, Plan, Slicing};

pub(super) fn statement(plan: &Plan, source: &Source, dialect: Dialect) -> String {
    let positive = dialect.literal(&plan.positive);
    let mut keys = vec![("truth", format!("CASE WHEN truth_candidate = {positive} THEN '1' ELSE '0' END"))];
    for side in sides(plan) {
        let bin = dialect.rounded(&format!("score_{side}"), "1000");
        keys.push((*side, cast(&bin, dialect.text_type())));
    }
    let selected: Vec<String> = columns(plan)
        .iter()
        .map(|column| {
            let value = match column.as_str() {
                "kind" => "'score'".to_owned(),
                key if key == "name" || key == "slice" || keys.iter().any(|(known, _)| *known == key) => {
                    return column.clone();
                }
                "n" => cast("SUM(n)", dialect.decimal_type()),
                text if FIXED_COLUMNS.contains(&text) => cast("NULL", dialect.text_type()),
                _ => cast("NULL", dialect.decimal_type()),
            };
            format!("{value} AS {column}")
        })
        .collect();
    let groups: Vec<&str> = ["name", "slice"].into_iter().chain(keys.iter().map(|(name, _)| *name)).collect();
    let slicings: Vec<&Slicing> = plan.slicings.iter().filter(|slicing| slicing.has_bins).collect();
    format!(
        "{},\n{}\nSELECT\n  {}\nFROM sliced\nGROUP BY {}",
        pairs(plan, source, dialect),
        counted(plan, &slicings, dialect, &keys, &[]),
        selected.join(",\n  "),
        groups.join(", ")
    )
}
