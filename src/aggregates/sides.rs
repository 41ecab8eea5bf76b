//! The columns of one model's rows, and how its rows pair with the other model's.

use std::borrow::Cow;

use rayon::prelude::*;

use super::places::Places;
use super::plan::{Plan, Task};
use crate::cases::{CasesError, Column, Table};

/// A missing row or code.
pub(super) const NONE: u32 = u32::MAX;

/// One model's columns.
#[derive(Debug, Default)]
pub struct Side<'t> {
    pub(super) id: Cow<'t, Column>,
    /// Labels and predictions, where they are classes.
    pub(super) truth: Cow<'t, Column>,
    pub(super) prediction: Cow<'t, Column>,
    pub(super) cluster: Option<Cow<'t, Column>>,
    pub(super) slices: Vec<Cow<'t, Column>>,
    /// Labels and predictions, where they are numbers.
    pub(super) truths: Vec<f64>,
    pub(super) predictions: Vec<f64>,
    /// Scores of the positive label; NaN if missing.
    pub(super) scores: Vec<f64>,
}

impl<'t> Side<'t> {
    /// Takes the columns of a whole table.
    ///
    /// # Errors
    ///
    /// If a cell that must be a number is not one.
    pub(super) fn of_table(plan: &Plan, table: &'t Table, places: &Places) -> Result<Self, CasesError> {
        let column = |place: usize| &table.columns[place].1;
        let text = |place: usize| Cow::Borrowed(column(place));
        let numbers = |place: usize| column(place).numbers(&table.columns[place].0);
        let (label, prediction) = (places.label, places.prediction);
        let mut side = Self {
            id: text(places.id),
            cluster: places.cluster.map(text),
            slices: places.slices.iter().map(|place| text(*place)).collect(),
            ..Self::default()
        };
        match plan.task {
            Task::Classification => (side.truth, side.prediction) = (text(label), text(prediction)),
            Task::Regression => (side.truths, side.predictions) = (numbers(label)?, numbers(prediction)?),
        }
        if let Some(score) = places.score {
            side.scores = numbers(score)?;
        }
        Ok(side)
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.id.len()
    }
}

/// Pairs of rows with the same id, the baseline's first, and the rows of either side that have no partner. If
/// a side repeats an id, only the first row is paired: there is no verdict then, and a full join would
/// multiply the rows.
pub(super) fn join_rows(baseline: Option<&Column>, candidate: &Column) -> Vec<(u32, u32)> {
    let row = |row: usize| u32::try_from(row).unwrap_or(NONE);
    let Some(baseline) = baseline else {
        return (0..candidate.len()).map(|own| (NONE, row(own))).collect();
    };
    let mut first = vec![NONE; candidate.texts().len()];
    for own in (0..candidate.len()).rev() {
        if let Some(code) = candidate.code(own) {
            first[code as usize] = row(own);
        }
    }
    let found: Vec<Option<usize>> = (0..baseline.len())
        .into_par_iter()
        .map(|own| baseline.text(own).and_then(|id| candidate.code_of(id)))
        .collect();
    let mut is_paired = vec![false; first.len()];
    let mut pairs = Vec::with_capacity(baseline.len());
    for (theirs, code) in found.into_iter().enumerate() {
        match code {
            None => pairs.push((row(theirs), NONE)),
            Some(code) if !std::mem::replace(&mut is_paired[code], true) => {
                pairs.push((row(theirs), first[code]));
            }
            Some(_) => {}
        }
    }
    let is_alone = |own: &usize| candidate.code(*own).is_none_or(|code| !is_paired[code as usize]);
    pairs.extend((0..candidate.len()).filter(is_alone).map(|own| (NONE, row(own))));
    pairs
}
