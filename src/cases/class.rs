//! The true and the predicted class of each case, and how often each was taken for each.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use rayon::prelude::*;

use super::codes::Codes;
use super::slices::{slice_column, slice_name};
use super::{Cases, CasesError, Column};

/// Rows that are counted at once.
const BLOCK: usize = 1 << 16;

/// The largest table of counts, in cells.
const MAX_CELLS: usize = 1 << 16;

/// What a case that was not scored is taken for, where that counts as wrong.
const NOT_SCORED: &str = "(not scored)";

/// Counts of cases by true and predicted class: only pairs that occur.
pub type DecisionCounts = Vec<(u32, u32, u64)>;

/// The class of each case: a place in the labels, or `u32::MAX` for a text that is no label.
pub(super) struct Classes<'c> {
    codes: &'c Codes,
    of_code: Vec<u32>,
    /// Rows that were not scored, with the class that they have.
    unscored: Option<(&'c [bool], u32)>,
}

/// For each row a byte, and for each byte the part of the place in a table of counts that it gives.
struct ByBytes<'c> {
    codes: &'c [u8],
    part: [usize; 256],
}

impl<'c> ByBytes<'c> {
    fn rows(&self, rows: &Range<usize>) -> (&'c [u8], &[usize; 256]) {
        (&self.codes[rows.clone()], &self.part)
    }
}

/// Tables that are counted into in turn, where they are small: most cases fall into one cell, and each step would wait
/// for the one before.
const TURNS: usize = 4;

/// A table of so many cells is small.
const SMALL: usize = 1 << 10;

/// How many rows fall into each cell, whose place is the sum of what its columns give.
fn count_bytes(columns: &[Option<(&[u8], &[usize; 256])>; 3], rows: usize, cells: usize) -> Vec<u64> {
    let last = if cells > SMALL { 0 } else { TURNS - 1 };
    let mut turns = vec![0_u64; cells * (last + 1)];
    let mut count = |row: usize, place: usize| turns[place + (row & last) * cells] += 1;
    let part = |(codes, part): (&[u8], &[usize; 256]), row: usize| part[usize::from(codes[row])];
    match *columns {
        [Some(truth), Some(predicted), Some(slices)] => {
            (0..rows).for_each(|row| count(row, part(truth, row) + part(predicted, row) + part(slices, row)));
        }
        _ => (0..rows).for_each(|row| {
            count(row, columns.iter().flatten().map(|column| part(*column, row)).sum());
        }),
    }
    let mut counts = turns.split_off(cells * last);
    for turn in turns.chunks(cells) {
        counts.iter_mut().zip(turn).for_each(|(sum, count)| *sum += count);
    }
    counts
}

fn limited(code: u32, bound: usize) -> usize {
    (code as usize).min(bound - 1)
}

impl Classes<'_> {
    #[inline]
    fn get(&self, row: usize) -> u32 {
        match self.unscored {
            Some((unscored, class)) if unscored[row] => class,
            _ => self.of_code.get(self.codes.get(row) as usize).copied().unwrap_or(u32::MAX),
        }
    }

    /// The class of each code, up to `classes - 1` for what is no label, where each code is a byte; times `factor`.
    fn of_bytes(&self, classes: usize, factor: usize) -> Option<ByBytes<'_>> {
        let Codes::Narrow(codes) = self.codes else { return None };
        if self.unscored.is_some() {
            return None;
        }
        let class =
            |code: usize| self.of_code.get(code).map_or(classes - 1, |class| limited(*class, classes));
        Some(ByBytes { codes, part: std::array::from_fn(|code| class(code) * factor) })
    }

    pub(super) fn to_vec(&self) -> Vec<u32> {
        (0..self.codes.len()).map(|row| self.get(row)).collect()
    }
}

impl Cases {
    fn classes_of<'c>(&'c self, column: &'c Column) -> Classes<'c> {
        let mut places: HashMap<&str, u32> = HashMap::new();
        for (label, place) in self.labels.iter().zip(0..) {
            // Of a label that is declared twice the first place counts.
            places.entry(label).or_insert(place);
        }
        let class = |text| places.get(text).copied().unwrap_or(u32::MAX);
        Classes { codes: column.codes(), of_code: column.texts().map(class).collect(), unscored: None }
    }

    /// `None` where labels are numbers, or there are none.
    pub(super) fn true_classes(&self) -> Option<Classes<'_>> {
        Some(self.classes_of(self.labels().filter(|_| !self.are_numbers)?))
    }

    /// `None` where predictions are numbers, or there are none.
    pub(super) fn predicted_classes(&self) -> Option<Classes<'_>> {
        let mut classes = self.classes_of(self.predictions().filter(|_| !self.are_numbers)?);
        if self.has_class_of_unscored() {
            classes.unscored = Some((&self.unscored, u32::try_from(self.labels.len()).unwrap_or(u32::MAX)));
        }
        Some(classes)
    }

    fn has_class_of_unscored(&self) -> bool {
        self.unscored_are_wrong() && self.unscored() > 0 && self.predictions().is_some() && !self.are_numbers
    }

    /// The labels in their order, and what cases that were not scored are taken for.
    pub fn class_names(&self) -> Vec<Box<str>> {
        let mut names = self.labels.clone();
        if self.has_class_of_unscored() {
            names.push(NOT_SCORED.into());
        }
        names
    }

    /// The class that counts, where there are two.
    pub fn positive(&self) -> Option<u32> {
        self.positive
    }

    /// Whether decisions are all that metrics can be computed from: no scores, no weights.
    pub fn has_decisions_only(&self) -> bool {
        self.has_decisions()
            && !self.are_numbers
            && self.roles.score.is_none()
            && self.roles.scores.is_empty()
            && self.roles.weight.is_none()
    }

    /// How often each class was taken for each, for each value of a column by a key such as `region=EU`; without a column,
    /// for all cases by an empty key. In one pass on all cores. `None` where there are no decisions, or too many
    /// classes.
    pub fn decision_counts(
        &self,
        by: Option<&str>,
    ) -> Result<Option<BTreeMap<String, DecisionCounts>>, CasesError> {
        let column = by.map(|name| slice_column(self, name)).transpose()?;
        let (Some(truth), Some(predicted)) = (self.true_classes(), self.predicted_classes()) else {
            return Ok(None);
        };
        // One more for a text that is no label; one more slice for cells without a value.
        let classes = self.class_names().len() + 1;
        let slices = column.map_or(0, |column| column.texts().len()) + 1;
        let cells = classes.saturating_mul(classes).saturating_mul(slices);
        if cells > MAX_CELLS {
            return Ok(None);
        }
        let slice_codes = column.map(Column::codes);
        let slice_bytes = match slice_codes {
            Some(Codes::Narrow(codes)) => Some(ByBytes {
                codes,
                part: std::array::from_fn(|code| code.min(slices - 1) * classes * classes),
            }),
            _ => None,
        };
        let of_bytes = truth
            .of_bytes(classes, classes)
            .zip(predicted.of_bytes(classes, 1))
            .filter(|_| slice_bytes.is_some() == slice_codes.is_some());
        let count = |block: usize| {
            let rows = block * BLOCK..((block + 1) * BLOCK).min(self.rows());
            if let Some((truth, predicted)) = &of_bytes {
                let columns = [Some(truth), Some(predicted), slice_bytes.as_ref()];
                return count_bytes(
                    &columns.map(|column| column.map(|by| by.rows(&rows))),
                    rows.len(),
                    cells,
                );
            }
            let mut counts = vec![0_u64; cells];
            for row in rows {
                let slice = slice_codes.map_or(0, |codes| limited(codes.get(row), slices));
                let (truth, predicted) =
                    (limited(truth.get(row), classes), limited(predicted.get(row), classes));
                counts[(slice * classes + truth) * classes + predicted] += 1;
            }
            counts
        };
        let add = |mut sum: Vec<u64>, counts: Vec<u64>| {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            sum
        };
        let counts = (0..self.rows().div_ceil(BLOCK))
            .into_par_iter()
            .fold(|| vec![0; cells], |sum, block| add(sum, count(block)))
            .reduce(|| vec![0; cells], add);
        let class = |place: usize| {
            if place + 1 == classes { u32::MAX } else { u32::try_from(place).unwrap_or(u32::MAX) }
        };
        let mut found: BTreeMap<String, DecisionCounts> = BTreeMap::new();
        for (slice, counts) in counts.chunks(classes * classes).enumerate() {
            let occurs = counts.iter().enumerate().filter(|(_, count)| **count > 0);
            let occurs: DecisionCounts =
                occurs.map(|(cell, count)| (class(cell / classes), class(cell % classes), *count)).collect();
            if occurs.is_empty() {
                continue;
            }
            let key = match (by, column) {
                (Some(name), Some(column)) => slice_name(name, column.texts().nth(slice)),
                _ => String::new(),
            };
            found.entry(key).or_default().extend(occurs);
        }
        Ok(Some(found))
    }
}
