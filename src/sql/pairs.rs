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
        /// The candidate's.
        candidate: String,
        /// The baseline's.
        baseline: String,
    },
    /// One table with both: `<column>_baseline` and `<column>_candidate` are the predictions and scores.
    Joined(String),
}

/// How rows are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    /// All rows, to count those that have no partner.
    Full,
    /// Pairs.
    Inner,
}

/// What a row has: names with expressions over the table, those of a model's own columns with a suffix.
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

    /// What both models have in common.
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

    /// What a model's own columns are.
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

/// The common table expressions up to `pairs`. Its columns are those of [`Row`], with `_baseline` and `_candidate`.
pub(super) fn pairs(plan: &Plan, source: &Source, dialect: Dialect, join: Join) -> String {
    let row = Row { plan, dialect };
    let named = |columns: Vec<(String, String)>, side: &str| -> Vec<(String, String)> {
        columns.into_iter().map(|(name, expression)| (format!("{name}_{side}"), expression)).collect()
    };
    let here = |side: &str| (format!("in_{side}"), "1".to_owned());
    match source {
        Source::Candidate(table) => {
            let mut columns = vec![here("candidate")];
            columns.extend(named(row.shared(), "candidate"));
            columns.extend(named(row.own(""), "candidate"));
            format!("WITH pairs AS (\n  SELECT\n    {}\n  FROM {}\n)", select(&columns), dialect.table(table))
        }
        Source::Joined(table) => {
            let mut columns = vec![here("baseline"), here("candidate")];
            for side in ["baseline", "candidate"] {
                columns.extend(named(row.shared(), side));
                columns.extend(named(row.own(&format!("_{side}")), side));
            }
            format!("WITH pairs AS (\n  SELECT\n    {}\n  FROM {}\n)", select(&columns), dialect.table(table))
        }
        Source::Tables { candidate, baseline } => {
            let rows = |side: &str, table: &str| {
                let mut columns = vec![here(side)];
                columns.extend(named(row.shared(), side));
                columns.extend(named(row.own(""), side));
                format!(
                    "{side}_rows AS (\n  SELECT\n    {}\n  FROM {}\n)",
                    select(&columns),
                    dialect.table(table)
                )
            };
            let join = match join {
                Join::Full => "FULL OUTER JOIN",
                Join::Inner => "INNER JOIN",
            };
            format!(
                "WITH {},\n{},\npairs AS (\n  SELECT *\n  FROM baseline_rows {join} candidate_rows ON id_baseline = id_candidate\n)",
                rows("baseline", baseline),
                rows("candidate", candidate)
            )
        }
    }
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
