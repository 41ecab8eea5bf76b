//! How often each class was predicted as each class: all that many metrics need.

use std::collections::BTreeMap;

use crate::cases::Sample;

/// Up to this many classes, a table has a cell for every pair; beyond, only pairs that occur are stored.
const MAX_DENSE_CLASSES: usize = 256;

/// Weights of cases by true and predicted class. Pairs that do not occur are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Confusion {
    cells: BTreeMap<(u32, u32), f64>,
}

/// The sums of a class: right decisions, predictions of it, and cases of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ClassSums {
    pub(super) class: u32,
    pub(super) hits: f64,
    pub(super) predicted: f64,
    pub(super) truth: f64,
    /// Whether any case has this class or is predicted as it; a weight of zero counts.
    pub(super) is_true: bool,
}

impl Confusion {
    /// The confusion of a sample.
    pub fn of(sample: &Sample) -> Self {
        // One more class, for texts that are not labels.
        let classes = sample.labels.len() + 1;
        if classes > MAX_DENSE_CLASSES {
            let mut confusion = Self::default();
            for case in 0..sample.n {
                confusion.add(sample.truth[case], sample.predicted[case], sample.weight(case));
            }
            return confusion;
        }
        let place = |class: u32| (class as usize).min(classes - 1);
        let mut cells: Vec<(f64, Option<(u32, u32)>)> = vec![(0.0, None); classes * classes];
        for case in 0..sample.n {
            let (truth, predicted) = (sample.truth[case], sample.predicted[case]);
            let cell = &mut cells[place(truth) * classes + place(predicted)];
            cell.0 += sample.weight(case);
            cell.1 = Some((truth, predicted));
        }
        Self { cells: cells.into_iter().filter_map(|(weight, pair)| Some((pair?, weight))).collect() }
    }

    /// Builds it from counts of true and predicted class; each case has weight 1.
    pub fn of_counts(counts: impl IntoIterator<Item = (u32, u32, u64)>) -> Self {
        let mut confusion = Self::default();
        for (truth, predicted, count) in counts {
            #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
            confusion.add(truth, predicted, count as f64);
        }
        confusion
    }

    /// Adds weight to a cell.
    pub fn add(&mut self, truth: u32, predicted: u32, weight: f64) {
        *self.cells.entry((truth, predicted)).or_insert(0.0) += weight;
    }

    /// Removes one case from a cell, and removes the cell with its last case.
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

    /// The sums of every class that occurs as true or predicted, in order.
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
