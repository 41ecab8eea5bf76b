//! The columns of one model's table, and which of its rows is which of the other's.

use rayon::prelude::*;

use super::plan::{Plan, Task};
use crate::cases::{CaseColumns, CasesError, CasesFault, Column, Roles, Table};

/// A row, or a code, that is not there.
pub(super) const NONE: u32 = u32::MAX;

/// One model's columns.
pub(super) struct Side<'t> {
    pub(super) id: &'t Column,
    pub(super) truth: &'t Column,
    pub(super) prediction: &'t Column,
    pub(super) cluster: Option<&'t Column>,
    pub(super) slices: Vec<&'t Column>,
    /// Labels and predictions as numbers, where that is what they are.
    pub(super) truths: Vec<f64>,
    pub(super) predictions: Vec<f64>,
    /// Scores of the positive label; NaN where there is none.
    pub(super) scores: Vec<f64>,
}

impl<'t> Side<'t> {
    pub(super) fn of(plan: &Plan, table: &'t Table, said: &CaseColumns) -> Result<Self, CasesError> {
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
            place.map(|place| &table.columns[place].1).ok_or_else(|| {
                error(
                    format!("there is no column of the {role}, such as `{name}`"),
                    "name it in the policy, under `cases:`",
                )
            })
        };
        let named = |name: &String| {
            table.column(name).ok_or_else(|| {
                error(format!("there is no column `{name}`"), "write it into the tables of both models")
            })
        };
        let (truth, prediction) =
            (role(roles.label, "label", "y_true")?, role(roles.prediction, "prediction", "y_pred")?);
        let numbers = |column: &Column, name: &str| match plan.task {
            Task::Classification => Ok(Vec::new()),
            Task::Regression => column.numbers(name),
        };
        let scores = match &plan.score {
            None => Vec::new(),
            Some(name) => {
                let own = roles.scores.iter().find(|(label, _)| **label == *plan.positive);
                let place = roles.score.or(own.map(|(_, place)| *place));
                role(place, "scores", "score")?.numbers(name)?
            }
        };
        Ok(Self {
            id: role(roles.id, "ids", "id")?,
            truth,
            prediction,
            cluster: plan.cluster.as_ref().map(named).transpose()?,
            slices: plan.slice_columns.iter().map(named).collect::<Result<_, _>>()?,
            truths: numbers(truth, "label")?,
            predictions: numbers(prediction, "prediction")?,
            scores,
        })
    }
}

fn error(message: String, help: &str) -> CasesError {
    CasesError { fault: CasesFault::Columns, message, help: help.to_owned() }
}

/// Pairs of rows with the same id, the baseline's first, and the rows of either side that have no partner. An id that a
/// side has twice is in as many pairs as a join gives.
pub(super) fn join_rows(baseline: Option<&Column>, candidate: &Column) -> Vec<(u32, u32)> {
    let row = |row: usize| u32::try_from(row).unwrap_or(NONE);
    let Some(baseline) = baseline else {
        return (0..candidate.len()).map(|own| (NONE, row(own))).collect();
    };
    // The candidate's rows of each id, as a list within the rows.
    let (mut first, mut next) = (vec![NONE; candidate.texts().len()], vec![NONE; candidate.len()]);
    for own in (0..candidate.len()).rev() {
        if let Some(code) = candidate.code(own) {
            next[own] = std::mem::replace(&mut first[code as usize], row(own));
        }
    }
    let found: Vec<u32> = (0..baseline.len())
        .into_par_iter()
        .map(|own| {
            let code = baseline.text(own).and_then(|id| candidate.code_of(id));
            code.and_then(|code| first.get(code).copied()).unwrap_or(NONE)
        })
        .collect();
    let mut is_paired = vec![false; candidate.len()];
    let mut pairs = Vec::with_capacity(baseline.len());
    for (theirs, mut ours) in found.into_iter().enumerate() {
        if ours == NONE {
            pairs.push((row(theirs), NONE));
        }
        while ours != NONE {
            pairs.push((row(theirs), ours));
            is_paired[ours as usize] = true;
            ours = next[ours as usize];
        }
    }
    pairs.extend((0..candidate.len()).filter(|own| !is_paired[*own]).map(|own| (NONE, row(own))));
    pairs
}
