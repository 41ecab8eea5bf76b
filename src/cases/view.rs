//! A table whose columns are identified and whose cells are checked.

use std::sync::Arc;

use super::column::number;
use super::ids::check_ids;
use super::{CaseColumns, CasesError, CasesFault, Column, Roles, Sample, Table};

/// The cases of one run.
#[derive(Debug, Clone)]
pub struct Cases {
    pub(super) table: Arc<Table>,
    pub(super) roles: Roles,
    id: usize,
    /// Rows without a prediction or a score. Empty if there are no such rows.
    pub(super) unscored: Vec<bool>,
    pub(super) labels: Vec<Box<str>>,
    pub(super) positive: Option<u32>,
    pub(super) are_numbers: bool,
    unscored_are_wrong: bool,
    /// Whether an evaluation tool recorded them. Each metric then has values only for the cases that it was
    /// measured on.
    kept_by_tool: bool,
}

impl Cases {
    /// Checks a table. Refuses what no verdict can rest on: no rows, missing or repeated ids, missing labels,
    /// scores that are not numbers.
    pub fn new(table: Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let roles = Roles::of(&table, said)?;
        let id = roles.id.ok_or_else(|| {
            let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("`{name}`")).collect();
            CasesError::new(
                CasesFault::Columns,
                format!("no column of ids: the columns are {}", names.join(", ")),
                "write an `id` for each case, or name its column: `cases: { id: sample }`",
            )
        })?;
        if table.rows() == 0 {
            return Err(CasesError::new(CasesFault::Ids, "there are no rows", "write a row for each case"));
        }
        Self::with_roles(table, roles, id, said)
    }

    /// Reads cases that an evaluation tool recorded: the first column is the id, and the others are values
    /// and slices, whatever their names.
    pub fn of_values(table: Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let place = |name: &str| table.columns.iter().position(|(column, _)| **column == *name);
        let cluster = said.cluster.as_deref().and_then(place);
        let roles = Roles { id: Some(0), cluster, ..Roles::default() };
        Ok(Self { kept_by_tool: true, ..Self::with_roles(table, roles, 0, said)? })
    }

    fn with_roles(table: Table, roles: Roles, id: usize, said: &CaseColumns) -> Result<Self, CasesError> {
        check_ids(&table.columns[id].1, &table.columns[id].0)?;
        let mut cases = Self {
            unscored: Vec::new(),
            table: Arc::new(table),
            roles,
            id,
            labels: Vec::new(),
            positive: None,
            are_numbers: false,
            unscored_are_wrong: said.unscored_are_wrong,
            kept_by_tool: false,
        };
        cases.look_at_labels()?;
        cases.find_unscored()?;
        cases.order_labels(said);
        cases.are_numbers = cases.look_like_numbers();
        cases.weights()?;
        Ok(cases)
    }

    /// The number of cases.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The table that contains them.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The ids, each once; the code of an id is its row.
    pub fn ids(&self) -> &Column {
        &self.table.columns[self.id].1
    }

    /// The labels, if any.
    pub fn labels(&self) -> Option<&Column> {
        self.roles.label.map(|index| &self.table.columns[index].1)
    }

    pub(super) fn predictions(&self) -> Option<&Column> {
        self.roles.prediction.map(|index| &self.table.columns[index].1)
    }

    /// The clusters, if any.
    pub fn clusters(&self) -> Option<&Column> {
        self.roles.cluster.map(|index| &self.table.columns[index].1)
    }

    /// The cluster of each case, as a number.
    pub fn cluster_codes(&self) -> Option<Vec<u32>> {
        let clusters = self.clusters()?;
        Some(clusters.codes().iter().collect())
    }

    /// A column that has no other role.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let index = self.table.columns.iter().position(|(known, _)| **known == *name)?;
        (!self.roles.is_taken(index)).then(|| &self.table.columns[index].1)
    }

    /// Names of the columns that can be slices.
    pub fn slice_columns(&self) -> Vec<&str> {
        self.table
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.roles.is_taken(*index))
            .map(|(_, (name, _))| &**name)
            .collect()
    }

    /// Whether an evaluation tool recorded them: a metric then has no value on the cases of another task.
    pub fn is_kept_by_tool(&self) -> bool {
        self.kept_by_tool
    }

    /// How many cases were not scored.
    pub fn unscored(&self) -> usize {
        self.unscored.iter().filter(|unscored| **unscored).count()
    }

    /// Whether unscored cases count as wrong.
    pub fn unscored_are_wrong(&self) -> bool {
        self.unscored_are_wrong
    }

    /// The number of classes; `None` if the labels are numbers or missing.
    pub fn classes(&self) -> Option<usize> {
        (!self.are_numbers && self.roles.label.is_some()).then_some(self.labels.len())
    }

    /// Whether the cases have labels and predictions.
    pub fn has_decisions(&self) -> bool {
        self.roles.label.is_some() && self.roles.prediction.is_some()
    }

    /// The columns that must agree with those of another run on the same cases: a name with both columns.
    pub(super) fn must_agree<'c>(&'c self, other: &'c Self) -> Vec<(String, &'c Column, &'c Column)> {
        let both = [
            ("label", self.roles.label, other.roles.label),
            ("weight", self.roles.weight, other.roles.weight),
            ("cluster", self.roles.cluster, other.roles.cluster),
        ];
        both.into_iter()
            .filter_map(|(what, ours, theirs)| {
                Some((what.to_owned(), &self.table.columns[ours?].1, &other.table.columns[theirs?].1))
            })
            .collect()
    }

    /// All cases as numbers, in the order of the table.
    pub fn sample(&self) -> Result<Sample, CasesError> {
        let rows = self.rows();
        let mut sample =
            Sample { n: rows, positive: self.positive, weights: self.weights()?, ..Sample::default() };
        if let Some(truth) = self.labels()
            && (self.are_numbers || self.numeric_columns())
        {
            sample.target = truth.numbers("label")?;
        }
        if let Some(predictions) = self.predictions()
            && self.numeric_columns()
        {
            sample.estimate = predictions.numbers("prediction")?;
        }
        sample.truth = self.true_classes().map_or_else(Vec::new, |classes| classes.to_vec());
        sample.predicted = self.predicted_classes().map_or_else(Vec::new, |classes| classes.to_vec());
        sample.labels = self.class_names();
        let numbers = |index: usize| self.table.columns[index].1.numbers(&self.table.columns[index].0);
        if !self.roles.scores.is_empty() {
            let mut columns = Vec::new();
            for label in &self.labels {
                let Some((_, index)) = self.roles.scores.iter().find(|(known, _)| known == label) else {
                    return Err(CasesError::new(
                        CasesFault::Columns,
                        format!("the label `{label}` has no column of scores"),
                        "write one column of scores for each label",
                    ));
                };
                columns.push(numbers(*index)?);
            }
            sample.probabilities =
                (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
            if let Some(positive) = self.positive {
                sample.scores.clone_from(&columns[positive as usize]);
            }
        }
        if let Some(score) = self.roles.score {
            sample.scores = numbers(score)?;
        }
        Ok(sample)
    }

    /// A column with the value of a metric on each case.
    pub fn values(&self, name: &str) -> Option<Result<Vec<f64>, CasesError>> {
        let column = self.column(name).filter(|column| column.is_numeric())?;
        Some(column.numbers(name))
    }

    /// The weights; empty if all cases weigh the same.
    fn weights(&self) -> Result<Vec<f64>, CasesError> {
        let Some(index) = self.roles.weight else { return Ok(Vec::new()) };
        let (name, column) = &self.table.columns[index];
        let weights = column.numbers(name)?;
        match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            None => Ok(weights),
            Some(row) => Err(CasesError::new(
                CasesFault::Values,
                format!("row {} has no weight of 0 or more", row + 1),
                "give each case a weight, or ignore the column with `cases: { weight: null }`",
            )),
        }
    }

    fn find_unscored(&mut self) -> Result<(), CasesError> {
        let free = self.is_free_text();
        let mut unscored = Vec::new();
        if let Some(predictions) = self.predictions() {
            let numeric = self.numeric_columns();
            predictions.mark(&mut unscored, |text| {
                text.is_none_or(|text| {
                    text.is_empty() && !free || numeric && number(text).is_none_or(f64::is_nan)
                })
            });
        }
        let scores = self.roles.scores.iter().map(|(_, index)| *index).chain(self.roles.score);
        for index in scores {
            let (name, column) = &self.table.columns[index];
            column.check_numeric(name, 0)?;
            column.mark(&mut unscored, |text| text.is_none_or(|text| number(text).is_none_or(f64::is_nan)));
        }
        if let Some(errors) = self.column("error") {
            errors.mark(&mut unscored, |text| {
                text.is_some_and(|text| {
                    !["", "none", "null", "false", "nan"].contains(&text.to_lowercase().as_str())
                })
            });
        }
        self.unscored = unscored;
        Ok(())
    }
}
