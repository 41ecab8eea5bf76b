//! The guards, which count what makes a verdict impossible before anything is summed.
//!
//! Each is written so that NULL, NaN and infinities fall into ELSE on every engine: some treat NaN as the
//! largest number, some as no number, and one rounds it to 0.

use super::dialect::cast;
use super::pairs::{Source, pairs_by_id, sides};
use super::{Dialect, columns};
use crate::aggregates::{FIXED_COLUMNS, Plan, Task};

/// Numbers must be smaller than this, so that a squared error in millionths fits 64 bits.
const LARGEST: &str = "1500000";

/// Counts all guards in one row, and turns that into a row for each.
pub(super) fn statement(plan: &Plan, source: &Source, dialect: Dialect) -> String {
    let is_grouped = matches!(source, Source::Tables { .. });
    let (mut of_rows, mut counts) = (Vec::new(), Vec::new());
    for name in plan.guards().into_iter().chain(plan.facts()) {
        let count = count(plan, source, dialect, name);
        if is_grouped && is_of_rows(name) {
            counts.push(format!("SUM({name}) AS {name}"));
            of_rows.push((name, count));
        } else {
            counts.push(format!("{count} AS {name}"));
        }
    }
    let named = |kind: &str, name: &str| format!("SELECT '{kind}' AS kind, '{name}' AS name");
    let column_facts = plan.column_facts();
    let guards = plan.guards().into_iter().map(|name| named("guard", name));
    let facts = plan.facts().into_iter().chain(column_facts.iter().map(|(name, _)| name.as_str()));
    let rows: Vec<String> = guards.chain(facts.map(|name| named("fact", name))).collect();
    let whens: Vec<String> = plan
        .guards()
        .into_iter()
        .chain(plan.facts())
        .map(|name| format!("WHEN '{name}' THEN {name}"))
        .chain(column_facts.iter().map(|(name, _)| format!("WHEN '{name}' THEN 1")))
        .collect();
    let none = |to: &str| cast("NULL", to);
    let positive = plan.score.iter().map(|_| ("positive", plan.positive.as_str()));
    let texts = positive.chain(column_facts.iter().map(|(name, column)| (name.as_str(), *column)));
    let texts: Vec<String> =
        texts.map(|(name, text)| format!("WHEN '{name}' THEN {}", dialect.literal(text))).collect();
    let truth = cast(&format!("CASE name\n    {}\n  END", texts.join("\n    ")), dialect.text_type());
    let selected: Vec<String> = columns(plan)
        .iter()
        .map(|column| match column.as_str() {
            "kind" | "name" => column.clone(),
            "truth" => format!("{truth} AS truth"),
            "n" => {
                let case = format!("CASE name\n    {}\n  END", whens.join("\n    "));
                format!("{} AS n", cast(&case, dialect.decimal_type()))
            }
            text if FIXED_COLUMNS.contains(&text) => format!("{} AS {text}", none(dialect.text_type())),
            sum => format!("{} AS {sum}", none(dialect.decimal_type())),
        })
        .collect();
    format!(
        "{},\ncounts AS (\n  SELECT\n    {}\n  FROM pairs\n)\nSELECT\n  {}\nFROM counts\nCROSS JOIN (\n  {}\n) named",
        pairs_by_id(plan, source, dialect, &of_rows),
        counts.join(",\n    "),
        selected.join(",\n  "),
        rows.join("\n  UNION ALL ")
    )
}

/// Whether a count is one of rows; the others are of ids, with the rows that have them.
fn is_of_rows(name: &str) -> bool {
    let of_ids = ["only_", "ids_baseline", "ids_candidate", "clusters", "scores_between", "version"];
    !name.ends_with("_differ")
        && (name == "clusters_missing" || !of_ids.iter().any(|stem| name.starts_with(stem)))
}

/// How many pairs of rows do not meet a condition, of those that can.
fn unless(holds: &str) -> String {
    format!("SUM(CASE WHEN {holds} THEN 0 ELSE 1 END)")
}

fn count(plan: &Plan, source: &Source, dialect: Dialect, name: &str) -> String {
    // A joined table has one id and one label for both models.
    let is_joined = matches!(source, Source::Joined(_));
    let is_grouped = matches!(source, Source::Tables { .. });
    let of_sides = |count: &dyn Fn(&str) -> String| {
        let sides = if is_joined { &["candidate"][..] } else { sides(plan) };
        let each: Vec<String> = sides.iter().map(|side| count(side)).collect();
        each.join("\n      + ")
    };
    let (stem, side) = match name.rsplit_once('_') {
        Some((stem, side @ ("baseline" | "candidate"))) => (stem, side),
        _ => (name, ""),
    };
    let alone = |side: &str| format!("in_{side} IS NULL");
    let differ = |column: &str| {
        unless(&format!(
            "in_baseline IS NULL OR in_candidate IS NULL OR {column}_baseline = {column}_candidate"
        ))
    };
    let has_text = |column: &str, side: &str| unless(&format!("{} OR {column}_{side} <> ''", alone(side)));
    match (stem, side) {
        ("only", _) | ("labels_differ" | "clusters_differ" | "slices_differ", _) if is_joined => {
            "0".to_owned()
        }
        ("version", _) => "1".to_owned(),
        ("rows", side) => format!("COUNT(in_{side})"),
        ("ids", side) if is_grouped => format!("COUNT(id_{side})"),
        ("ids", side) => format!("COUNT(DISTINCT id_{side})"),
        ("clusters", _) => "COUNT(DISTINCT cluster_key_candidate)".to_owned(),
        ("positive", _) => {
            format!("SUM(CASE WHEN truth_candidate = {} THEN 1 ELSE 0 END)", dialect.literal(&plan.positive))
        }
        ("scores_between_bins", _) => {
            let on_a_bin = |side: &&str| {
                let bin = dialect.rounded(&format!("score_{side}"), "1000");
                format!("{} / 1000 = score_{side}", cast(&bin, dialect.double_type()))
            };
            let all: Vec<String> = sides(plan).iter().map(on_a_bin).collect();
            let all = all.join(" AND ");
            // Round only scores that can be rounded; another guard counts the rest.
            let usable: Vec<String> =
                sides(plan).iter().map(|side| format!("score_{side} >= 0 AND score_{side} <= 1")).collect();
            format!(
                "SUM(CASE WHEN {} THEN CASE WHEN {all} THEN 0 ELSE 1 END ELSE 1 END)",
                usable.join(" AND ")
            )
        }
        ("ids_missing", _) => of_sides(&|side| has_text("id", side)),
        ("ids_repeated", _) if is_grouped => {
            of_sides(&|side| format!("CASE WHEN COUNT(id_{side}) > 1 THEN COUNT(id_{side}) - 1 ELSE 0 END"))
        }
        ("ids_repeated", _) => of_sides(&|side| format!("COUNT(id_{side}) - COUNT(DISTINCT id_{side})")),
        // Rows without an id are never paired.
        ("only", side) => {
            let other = if side == "baseline" { "candidate" } else { "baseline" };
            format!("SUM(CASE WHEN in_{other} IS NULL OR id IS NULL THEN COALESCE(in_{side}, 0) ELSE 0 END)")
        }
        ("labels_missing", _) => of_sides(&|side| has_text("truth", side)),
        ("labels_differ", _) => differ("truth"),
        ("predictions_missing", side) => has_text("prediction", side),
        ("clusters_missing", _) => of_sides(&|side| has_text("cluster_key", side)),
        ("clusters_differ", _) => differ("cluster_key"),
        ("slices_differ", _) => {
            let same: Vec<String> = (1..=plan.slice_columns.len())
                .map(|index| format!("slice_{index}_baseline = slice_{index}_candidate"))
                .collect();
            unless(&format!("in_baseline IS NULL OR in_candidate IS NULL OR ({})", same.join(" AND ")))
        }
        ("scores_unusable", side) => {
            unless(&format!("{} OR (score_{side} >= 0 AND score_{side} <= 1)", alone(side)))
        }
        ("numbers_unusable_label", _) => of_sides(&|side| usable_number("truth", side)),
        (_, side) => {
            debug_assert_eq!(plan.task, Task::Regression, "a guard without a count: {name}");
            usable_number("prediction", side)
        }
    }
}

fn usable_number(column: &str, side: &str) -> String {
    unless(&format!("in_{side} IS NULL OR ABS({column}_{side}) < {LARGEST}"))
}
