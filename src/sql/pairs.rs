//! The rows of both models, side by side, with columns as the engine's types.

use super::Dialect;
use super::dialect::cast;
use crate::aggregates::{NOT_SCORED, Plan, Task};

/// Where the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The candidate's table alone.
    Candidate(String),
    /// A table of each model.
    Tables {
        /// The candidate's table.
        candidate: String,
        /// The baseline's table.
        baseline: String,
    },
    /// One table with both: `<column>_baseline` and `<column>_candidate` are the predictions and scores.
    Joined(String),
}

/// The columns of a row: names with expressions over the table, in which a model's own have a suffix.
struct Row<'p> {
    plan: &'p Plan,
    dialect: Dialect,
}

impl Row<'_> {
    fn text(&self, column: &str) -> String {
        cast(&self.dialect.column(column), self.dialect.text_type())
    }

    fn double(&self, column: &str) -> String {
        cast(&self.dialect.column(column), self.dialect.double_type())
    }

    fn value(&self, column: &str) -> String {
        match self.plan.task {
            Task::Classification => self.text(column),
            Task::Regression => self.double(column),
        }
    }

    /// The type of a column of a pair.
    fn type_of(&self, name: &str) -> &'static str {
        let is = |stem: &str| name.rsplit_once('_').is_some_and(|(known, _)| known == stem);
        let are_numbers = self.plan.task == Task::Regression;
        if is("in") {
            self.dialect.whole_type()
        } else if is("score") || are_numbers && (is("truth") || is("prediction")) {
            self.dialect.double_type()
        } else {
            self.dialect.text_type()
        }
    }

    /// The columns that both models share.
    fn shared(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("id".to_owned(), self.text(&self.plan.id)),
            ("truth".to_owned(), self.value(&self.plan.label)),
        ];
        all.extend(self.plan.cluster.iter().map(|cluster| ("cluster_key".to_owned(), self.text(cluster))));
        for (index, column) in self.plan.slice_columns.iter().enumerate() {
            let value = format!("COALESCE(NULLIF({}, ''), '(none)')", self.text(column));
            all.push((format!("slice_{}", index + 1), value));
        }
        all
    }

    /// The columns of one model.
    fn own(&self, suffix: &str) -> Vec<(String, String)> {
        let mut all =
            vec![("prediction".to_owned(), self.value(&format!("{}{suffix}", self.plan.prediction)))];
        if let Some(score) = &self.plan.score {
            all.push(("score".to_owned(), self.double(&format!("{score}{suffix}"))));
        }
        all
    }
}

fn select(columns: &[(String, String)]) -> String {
    let columns: Vec<String> =
        columns.iter().map(|(name, expression)| format!("{expression} AS {name}")).collect();
    columns.join(",\n    ")
}

fn named(columns: Vec<(String, String)>, side: &str) -> Vec<(String, String)> {
    let mut all = vec![(format!("in_{side}"), "1".to_owned())];
    all.extend(columns.into_iter().map(|(name, expression)| (format!("{name}_{side}"), expression)));
    all
}

/// `pairs` from one table that has every row, and both models' columns if there are two.
fn of_one_table(row: &Row<'_>, table: &str, sides: &[(&str, &str)]) -> String {
    let mut columns = Vec::new();
    for (side, suffix) in sides {
        columns.extend(named([row.shared(), row.own(suffix)].concat(), side));
    }
    format!("WITH pairs AS (\n  SELECT\n    {}\n  FROM {}\n)", select(&columns), row.dialect.table(table))
}

/// `baseline_rows` and `candidate_rows`.
fn of_two_tables(row: &Row<'_>, candidate: &str, baseline: &str) -> String {
    let rows = |side: &str, table: &str| {
        let columns = named([row.shared(), row.own("")].concat(), side);
        format!(
            "{side}_rows AS (\n  SELECT\n    {}\n  FROM {}\n)",
            select(&columns),
            row.dialect.table(table)
        )
    };
    format!("WITH {},\n{}", rows("baseline", baseline), rows("candidate", candidate))
}

/// The common table expressions up to `pairs`. Its columns are those of [`Row`], with `_baseline` and `_candidate`.
pub(super) fn pairs(plan: &Plan, source: &Source, dialect: Dialect) -> String {
    let row = Row { plan, dialect };
    match source {
        Source::Candidate(table) => of_one_table(&row, table, &[("candidate", "")]),
        Source::Joined(table) => {
            of_one_table(&row, table, &[("baseline", "_baseline"), ("candidate", "_candidate")])
        }
        Source::Tables { candidate, baseline } => format!(
            "{},\npairs AS (\n  SELECT *\n  FROM baseline_rows INNER JOIN candidate_rows ON id_baseline = id_candidate\n)",
            of_two_tables(&row, candidate, baseline)
        ),
    }
}

/// Like [`pairs`], but for guards, which count rows without a partner and repeated ids. It makes a row for
/// each id without a join, which would multiply repeated rows. `of_rows` are counts over the rows of an id.
pub(super) fn pairs_by_id(
    plan: &Plan,
    source: &Source,
    dialect: Dialect,
    of_rows: &[(&str, String)],
) -> String {
    let row = Row { plan, dialect };
    let Source::Tables { candidate, baseline } = source else { return pairs(plan, source, dialect) };
    let columns = |side: &str| named([row.shared(), row.own("")].concat(), side);
    let (of_baseline, of_candidate) = (columns("baseline"), columns("candidate"));
    let absent = |(name, _): &(String, String)| format!("{} AS {name}", cast("NULL", row.type_of(name)));
    let there = |(name, _): &(String, String)| name.clone();
    let of_side = |side: &str, first: Vec<String>, second: Vec<String>| {
        let columns = [vec![format!("id_{side} AS id")], first, second].concat();
        format!("SELECT\n    {}\n  FROM {side}_rows", columns.join(", "))
    };
    let least = |(name, _): &(String, String)| match name.as_str() {
        "in_baseline" | "in_candidate" => format!("NULLIF(COUNT({name}), 0) AS {name}"),
        _ => format!("MIN({name}) AS {name}"),
    };
    let counts = of_rows.iter().map(|(name, count)| format!("{count} AS {name}"));
    let both = of_baseline.iter().chain(&of_candidate);
    let selected: Vec<String> = ["id".to_owned()].into_iter().chain(both.map(least)).chain(counts).collect();
    format!(
        "{},\nsides AS (\n  {}\n  UNION ALL\n  {}\n),\npairs AS (\n  SELECT\n    {}\n  FROM sides\n  GROUP BY id\n)",
        of_two_tables(&row, candidate, baseline),
        of_side(
            "baseline",
            of_baseline.iter().map(there).collect(),
            of_candidate.iter().map(absent).collect()
        ),
        of_side(
            "candidate",
            of_baseline.iter().map(absent).collect(),
            of_candidate.iter().map(there).collect()
        ),
        selected.join(",\n    ")
    )
}

/// A prediction as the class that is counted.
pub(super) fn decision(plan: &Plan, side: &str) -> String {
    if plan.unscored_are_wrong {
        format!("COALESCE(NULLIF(prediction_{side}, ''), '{NOT_SCORED}')")
    } else {
        format!("prediction_{side}")
    }
}

/// The models that are compared.
pub(super) fn sides(plan: &Plan) -> &'static [&'static str] {
    if plan.has_baseline { &["baseline", "candidate"] } else { &["candidate"] }
}

/// The key that names the bucket.
pub(super) fn key(plan: &Plan) -> &'static str {
    if plan.cluster.is_some() { "cluster_key_candidate" } else { "id_candidate" }
}
