//! The guards and facts of a table, which are checked before any cell is read.

use std::collections::BTreeMap;

use super::error::{AggregatesError, AggregatesFault as Fault};
use super::guarded::guarded;
use super::plan::{Counted, Task, column_fact, guards, slice_fact};
use super::table::{AggregateTable, Row, RowKind};
use crate::cases::{CaseColumns, Scores};

/// Guards and facts by name.
pub(super) struct Found<'t> {
    pub(super) guards: BTreeMap<&'t str, &'t Row>,
    pub(super) facts: BTreeMap<&'t str, &'t Row>,
    pub(super) counted: Counted,
}

impl<'t> Found<'t> {
    pub(super) fn of(table: &'t AggregateTable) -> Result<Self, AggregatesError> {
        let named = |kind: RowKind| -> Result<BTreeMap<&'t str, &'t Row>, AggregatesError> {
            let mut all = BTreeMap::new();
            for row in table.rows.iter().filter(|row| row.kind == kind) {
                if all.insert(row.name.as_str(), row).is_some() {
                    let message = format!("the {} `{}` occurs twice", kind.name(), row.name);
                    return Err(AggregatesError::new(
                        Fault::Incomplete,
                        message,
                        "write the rows of each statement once",
                    ));
                }
            }
            Ok(all)
        };
        let (guards, facts) = (named(RowKind::Guard)?, named(RowKind::Fact)?);
        let has = |column: &str| table.sum_columns.iter().any(|known| known == column);
        let counted = Counted {
            task: if has("label") { Task::Regression } else { Task::Classification },
            has_baseline: facts.contains_key("rows_baseline"),
            has_scores: has("brier_candidate"),
            has_clusters: facts.contains_key("clusters"),
            has_slices: table.rows.iter().any(|row| row.kind == RowKind::Cell && row.slice != "all"),
            unscored_are_wrong: false,
        };
        let found = Self { guards, facts, counted };
        let expected: &[&str] = match (counted.task, counted.has_scores) {
            (Task::Regression, _) => {
                &["label", "label_squared", "error_candidate", "absolute_candidate", "squared_candidate"]
            }
            (Task::Classification, true) => &["brier_candidate", "log_loss_candidate"],
            (Task::Classification, false) => &[],
        };
        let theirs = |column: &&str| column.strip_suffix("_candidate").map(|stem| format!("{stem}_baseline"));
        let mut columns: Vec<String> = expected.iter().map(|column| (*column).to_owned()).collect();
        if counted.has_baseline {
            columns.extend(expected.iter().filter_map(theirs));
        }
        match columns.iter().find(|column| !has(column)) {
            Some(column) => Err(AggregatesError::new(
                Fault::Unreadable,
                format!("there is no column `{column}`"),
                "write all columns of the statements",
            )),
            None => Ok(found),
        }
    }

    pub(super) fn fact(&self, name: &str) -> Option<u64> {
        self.facts.get(name)?.n
    }

    /// Refuses a file without a fact that its rows need.
    pub(super) fn needs_fact(&self, name: &str) -> Result<(), AggregatesError> {
        if self.facts.contains_key(name) {
            return Ok(());
        }
        let message = format!("there are sums or bins of scores, but the fact `{name}` is missing");
        Err(AggregatesError::new(
            Fault::Incomplete,
            message,
            "write all rows of every statement into the same file",
        ))
    }

    pub(super) fn check_guards(&self, columns: &CaseColumns) -> Result<(), AggregatesError> {
        let help = "run the guards of `gate cases sql` and write their rows into the same file";
        if self.guards.is_empty() {
            let message = "the guards are missing, so ids, labels and values are unchecked";
            return Err(AggregatesError::new(Fault::Unguarded, message, help));
        }
        if self.fact("version") != Some(1) {
            let message = "the fact `version` is not 1, so this gate does not know how they were counted";
            return Err(AggregatesError::new(Fault::Unguarded, message, help));
        }
        let known = guards(Counted { unscored_are_wrong: columns.unscored_are_wrong, ..self.counted });
        if let Some(missing) = known.iter().copied().find(|name| !self.guards.contains_key(name)) {
            return Err(AggregatesError::new(
                Fault::Unguarded,
                format!("the guard `{missing}` is missing"),
                help,
            ));
        }
        // Known guards in documented order, so that ids come first; then guards that this gate does not know.
        let unknown = self.guards.keys().copied().filter(|name| !known.contains(name)).collect::<Vec<_>>();
        let mut counted: Vec<(&str, u64)> = Vec::new();
        for name in known.iter().copied().chain(unknown) {
            match self.guards.get(name).and_then(|row| row.n) {
                Some(0) => {}
                // This policy allows missing predictions; the policy that they were counted for did not.
                Some(_) if columns.unscored_are_wrong && name.starts_with("predictions_missing") => {}
                Some(n) => counted.push((name, n)),
                None => {
                    let message = format!("the guard `{name}` has no count");
                    return Err(AggregatesError::new(Fault::Unguarded, message, help));
                }
            }
        }
        let Some(((name, n), others)) = counted.split_first() else { return Ok(()) };
        let mut error = guarded(name, *n);
        if !others.is_empty() {
            let others: Vec<String> = others.iter().map(|(name, n)| format!("{name} {n}")).collect();
            error.message.push_str(&format!(" (other guards: {})", others.join(", ")));
        }
        Err(error)
    }

    pub(super) fn check_rows(&self) -> Result<(), AggregatesError> {
        let rows = self.fact("rows_candidate").unwrap_or_default();
        if rows == 0 {
            let message = "there are no cases";
            return Err(AggregatesError::new(Fault::Incomplete, message, "count tables that have rows"));
        }
        let mut same = vec!["ids_candidate"];
        if self.counted.has_baseline {
            same.extend(["rows_baseline", "ids_baseline"]);
        }
        match same.into_iter().find(|name| self.fact(name) != Some(rows)) {
            None => Ok(()),
            Some(name) => {
                let other = self.fact(name).map_or_else(|| "absent".to_owned(), |n| n.to_string());
                Err(AggregatesError::new(
                    Fault::Incomplete,
                    format!("`rows_candidate` is {rows}, but `{name}` is {other}"),
                    "run the statements again, on tables that do not change meanwhile",
                ))
            }
        }
    }

    /// The column that was counted in the role that the fact names.
    fn column(&self, fact: &str) -> Option<&str> {
        self.facts.get(fact).map(|row| row.truth.as_str()).filter(|name| !name.is_empty())
    }

    /// Refuses a file that does not say which columns were counted.
    pub(super) fn check_columns(&self) -> Result<(), AggregatesError> {
        let counted = &self.counted;
        let needed = [
            (column_fact("id"), true),
            (column_fact("label"), true),
            (column_fact("prediction"), true),
            (column_fact("score"), counted.has_scores),
            (column_fact("cluster"), counted.has_clusters),
            (slice_fact(1), counted.has_slices),
        ];
        match needed.into_iter().find(|(fact, is_needed)| *is_needed && self.column(fact).is_none()) {
            None => Ok(()),
            Some((fact, _)) => Err(AggregatesError::new(
                Fault::Unguarded,
                format!("the fact `{fact}` is missing, so it is not known which column was counted"),
                "write all rows of the guards, of the statements that this gate prints, into the file",
            )),
        }
    }

    /// Refuses a file that was counted over other columns than the policy names.
    pub(super) fn check_policy(&self, said: &CaseColumns) -> Result<(), AggregatesError> {
        let help = "print the statements with this policy, and run them again";
        let other = |message: String| Err(AggregatesError::new(Fault::OtherPolicy, message, help));
        let score = match &said.score {
            Some(Scores::One(column)) => Some(column),
            Some(Scores::Each(each)) => {
                let positive = said.positive.as_deref().unwrap_or("1");
                each.iter().find(|(label, _)| label == positive).map(|(_, column)| column)
            }
            None => None,
        };
        let roles = [
            ("id", said.id.as_ref()),
            ("label", said.label.as_ref()),
            ("prediction", said.prediction.as_ref()),
            ("score", score),
            ("cluster", said.cluster.as_ref()),
        ];
        for (role, named) in roles {
            if let (Some(counted), Some(named)) = (self.column(&column_fact(role)), named)
                && counted != named
            {
                return other(format!(
                    "in the aggregates the column of the {role} is `{counted}`, but the policy names `{named}`"
                ));
            }
        }
        match (self.column(&column_fact("cluster")), &said.cluster) {
            (None, Some(named)) => {
                other(format!("the buckets are of ids, but the policy names the cluster `{named}`"))
            }
            (Some(counted), None) => {
                other(format!("the buckets are of clusters by `{counted}`, but the policy names no cluster"))
            }
            _ => Ok(()),
        }
    }
}
