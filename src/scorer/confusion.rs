//! How often each class was taken for each: all that many metrics need.

use std::collections::BTreeMap;

use crate::cases::Sample;

/// Weights of cases by true and predicted class. Only pairs that occur are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Confusion {
    cells: BTreeMap<(u32, u32), f64>,
}

/// The row sums of a class: right decisions, predictions of it, and cases of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ClassSums {
    pub(super) class: u32,
    pub(super) hits: f64,
    pub(super) predicted: f64,
    pub(super) truth: f64,
    /// Whether any case is of it, or taken for it; a weight of zero counts.
    pub(super) is_true: bool,
}

impl Confusion {
    /// Of the cases of a sample.
    pub fn of(sample: &Sample) -> Self {
        let mut confusion = Self::default();
        for case in 0..sample.n {
            confusion.add(sample.truth[case], sample.predicted[case], sample.weight(case));
        }
        confusion
    }

    /// Adds weight to a cell.
    pub fn add(&mut self, truth: u32, predicted: u32, weight: f64) {
        *self.cells.entry((truth, predicted)).or_insert(0.0) += weight;
    }

    /// Takes one case out of a cell, and the cell with the last one.
    pub fn remove(&mut self, truth: u32, predicted: u32, weight: f64, last: bool) {
        if last {
            self.cells.remove(&(truth, predicted));
        } else if let Some(cell) = self.cells.get_mut(&(truth, predicted)) {
            *cell -= weight;
        }
    }

    /// The weight of a cell.
    pub fn cell(&self, truth: u32, predicted: u32) -> f64 {
        self.cells.get(&(truth, predicted)).copied().unwrap_or(0.0)
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, u32, f64)> {
        self.cells.iter().map(|(&(truth, predicted), &weight)| (truth, predicted, weight))
    }

    pub(super) fn total(&self) -> f64 {
        crate::stats::sum(self.cells.values().copied())
    }

    pub(super) fn hits(&self) -> f64 {
        crate::stats::sum(self.cells().filter(|(truth, predicted, _)| truth == predicted).map(|cell| cell.2))
    }

    /// The sums of every class that is true or predicted, in order.
    pub(super) fn classes(&self) -> Vec<ClassSums> {
        let mut sums: BTreeMap<u32, ClassSums> = BTreeMap::new();
        for (truth, predicted, weight) in self.cells() {
            let new = |class| ClassSums { class, hits: 0.0, predicted: 0.0, truth: 0.0, is_true: false };
            let row = sums.entry(truth).or_insert_with(|| new(truth));
            row.truth += weight;
            row.is_true = true;
            if truth == predicted {
                row.hits += weight;
            }
            sums.entry(predicted).or_insert_with(|| new(predicted)).predicted += weight;
        }
        sums.into_values().collect()
    }
}
