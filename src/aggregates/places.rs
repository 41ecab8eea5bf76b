//! Which columns of a table are counted.

use super::plan::{Plan, Task, column_fact, slice_fact};
use crate::cases::{CaseColumns, CasesError, CasesFault, Column, Roles, Table};

/// The indexes in a table of the columns that are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub(super) id: usize,
    pub(super) label: usize,
    pub(super) prediction: usize,
    /// The score of the positive label, if a metric needs it.
    pub(super) score: Option<usize>,
    pub(super) cluster: Option<usize>,
    pub(super) slices: Vec<usize>,
}

impl Places {
    /// Finds the columns that the policy names, and the others by their usual names.
    ///
    /// # Errors
    ///
    /// If a column is missing, could be one of several, or the cases have weights.
    pub fn of(plan: &Plan, table: &Table, said: &CaseColumns) -> Result<Self, CasesError> {
        let roles = Roles::of(table, said)?;
        if let Some(weight) = roles.weight {
            return Err(error(
                format!(
                    "weighted cases can't be aggregated, and `{}` is a column of weights",
                    table.columns[weight].0
                ),
                "use the files of predictions, or write `cases: { weight: null }` if the weights do not matter",
            ));
        }
        let role = |place: Option<usize>, role: &str, name: &str| {
            place.ok_or_else(|| {
                error(
                    format!("there is no column of the {role}, such as `{name}`"),
                    "name it in the policy, under `cases:`",
                )
            })
        };
        let named = |name: &String| {
            table.columns.iter().position(|(known, _)| **known == **name).ok_or_else(|| {
                error(format!("there is no column `{name}`"), "write it into the tables of both models")
            })
        };
        let (label, prediction) =
            (role(roles.label, "label", "y_true")?, role(roles.prediction, "prediction", "y_pred")?);
        let own = roles.scores.iter().find(|(label, _)| **label == *plan.positive).map(|(_, place)| *place);
        let score = match &plan.score {
            None => None,
            Some(_) => Some(role(roles.score.or(own), "scores", "score")?),
        };
        Ok(Self {
            id: role(roles.id, "ids", "id")?,
            label,
            prediction,
            score,
            cluster: plan.cluster.as_ref().map(named).transpose()?,
            slices: plan.slice_columns.iter().map(named).collect::<Result<_, _>>()?,
        })
    }

    /// Every index, each once.
    pub fn all(&self) -> Vec<usize> {
        let mut all = vec![self.id, self.label, self.prediction];
        all.extend(self.score.iter().chain(&self.cluster).chain(&self.slices));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The indexes in a table that has only the columns of [`Self::all`].
    #[must_use]
    pub fn among_all(&self) -> Self {
        let all = self.all();
        let place = |place: usize| all.binary_search(&place).unwrap_or_default();
        Self {
            id: place(self.id),
            label: place(self.label),
            prediction: place(self.prediction),
            score: self.score.map(place),
            cluster: self.cluster.map(place),
            slices: self.slices.iter().map(|slice| place(*slice)).collect(),
        }
    }

    /// The name of the column of ids.
    pub fn id_name<'t>(&self, header: &'t Table) -> &'t str {
        &header.columns[self.id].0
    }

    /// The names of the columns, by the facts that record them.
    pub(super) fn facts(&self, table: &Table) -> Vec<(String, String)> {
        let name = |place: usize| table.columns[place].0.to_string();
        let roles = [
            ("id", Some(self.id)),
            ("label", Some(self.label)),
            ("prediction", Some(self.prediction)),
            ("score", self.score),
            ("cluster", self.cluster),
        ];
        let roles = roles.into_iter().filter_map(|(role, place)| Some((column_fact(role), name(place?))));
        let slices = self.slices.iter().zip(1..).map(|(place, number)| (slice_fact(number), name(*place)));
        roles.chain(slices).collect()
    }
}

/// Columns of texts and of numbers, in the order in which rows are written to partitions.
pub(super) struct Layout {
    pub(super) texts: Vec<usize>,
    pub(super) numbers: Vec<usize>,
}

impl Places {
    /// Labels and predictions are texts if they are classes, and numbers otherwise.
    pub(super) fn layout(&self, task: Task) -> Layout {
        let (mut texts, mut numbers) = (vec![self.id], Vec::new());
        let both = [self.label, self.prediction];
        if task == Task::Classification {
            texts.extend(both);
        } else {
            numbers.extend(both);
        }
        texts.extend(self.cluster.iter().chain(&self.slices));
        numbers.extend(&self.score);
        Layout { texts, numbers }
    }
}

/// The labels that occur, as far as needed: a column of scores per label is recognised by the label's name.
#[derive(Debug, Clone, Default)]
pub struct SeenLabels(Column);

impl SeenLabels {
    /// Adds the labels of some rows.
    pub fn add(&mut self, table: &Table, places: &Places, columns: usize) {
        for text in table.columns[places.label].1.texts() {
            // With more labels than columns, there can't be one column per label.
            if self.0.len() <= columns && self.0.code_of(text).is_none() {
                self.0.push(Some(text));
            }
        }
    }

    /// The header with these labels, so that the columns of scores are found as in the whole table.
    #[must_use]
    pub fn into_table(self, header: &Table, places: &Places) -> Table {
        let mut table = header.clone();
        table.columns[places.label].1 = self.0;
        table
    }
}

fn error(message: String, help: &str) -> CasesError {
    CasesError { fault: CasesFault::Columns, message, help: help.to_owned() }
}
