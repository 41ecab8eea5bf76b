//! Counts of decisions, a few rows at a time: all that metrics of decisions need from a table of any length.

use std::collections::BTreeMap;

use super::codes::Codes;
use super::{CaseColumns, Cases, Column, Roles, Table};

/// How many cases with each label received each prediction; pairs that never occur are left out.
pub type Decisions = BTreeMap<(Box<str>, Box<str>), u64>;

/// Decisions by the values of a column; `None` for its cells without a value.
pub type SlicedDecisions = BTreeMap<Option<Box<str>>, Decisions>;

/// A column with more distinct values than this is not shown as slices.
pub const MOST_SLICES: usize = 20;

/// The largest table of counts, in cells.
const MAX_CELLS: usize = 1 << 16;

/// Counts of some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionTally {
    /// Counts of all rows.
    pub all: Decisions,
    /// Counts by each column without another role, in the order of the table; `None` if it has too many
    /// values for slices.
    pub by: Vec<(Box<str>, Option<SlicedDecisions>)>,
}

/// The columns of a table that has labels and predictions, and nothing else that a metric is computed from.
#[derive(Debug, Clone)]
pub struct DecisionColumns {
    /// The ids.
    pub id: usize,
    label: usize,
    prediction: usize,
    others: Vec<usize>,
}

impl DecisionColumns {
    /// `None` if counting pairs is not enough: for scores, weights or errors, or to report what is wrong.
    pub fn of(header: &Table, said: &CaseColumns) -> Option<Self> {
        let roles = Roles::of(header, said).ok()?;
        let is_plain = roles.score.is_none() && roles.scores.is_empty() && roles.weight.is_none();
        if !is_plain || header.column("error").is_some() {
            return None;
        }
        let (id, label, prediction) = (roles.id?, roles.label?, roles.prediction?);
        // A policy may name the same column for several roles.
        if id == label || id == prediction || label == prediction {
            return None;
        }
        let others = (0..header.columns.len()).filter(|index| !roles.is_taken(*index)).collect();
        Some(Self { id, label, prediction, others })
    }

    /// Counts the rows of `table`, which must have all columns. `None` if a label or a prediction has no
    /// value, or if there are too many distinct ones.
    pub fn count(&self, table: &Table) -> Option<DecisionTally> {
        let column = |index: usize| &table.columns[index].1;
        let (labels, predictions) = (column(self.label), column(self.prediction));
        if !labels.is_full_of_texts() || !predictions.is_full_of_texts() {
            return None;
        }
        let by = |index: &usize| {
            let (name, slices) = &table.columns[*index];
            let counts = match slices.distinct(MOST_SLICES) {
                Some(_) => Some(sliced(labels, predictions, Some(slices))?),
                None => None,
            };
            Some((name.clone(), counts))
        };
        let by: Vec<_> = self.others.iter().map(by).collect::<Option<_>>()?;
        // Each column puts each row into exactly one slice.
        let all = match by.iter().find_map(|(_, slices)| slices.as_ref()) {
            Some(slices) => added_up(slices.values()),
            None => added_up(sliced(labels, predictions, None)?.values()),
        };
        Some(DecisionTally { all, by })
    }

    /// One case for each pair of a label and a prediction, without any other value. It shows which labels
    /// exist and in which order. `None` if that depends on the rows.
    pub fn cases_of_pairs(&self, header: &Table, tally: &DecisionTally, said: &CaseColumns) -> Option<Cases> {
        let mut table = header.clone();
        for (row, (label, prediction)) in tally.all.keys().enumerate() {
            for (index, (_, column)) in table.columns.iter_mut().enumerate() {
                match index {
                    _ if index == self.id => column.push(Some(&row.to_string())),
                    _ if index == self.label => column.push(Some(label)),
                    _ if index == self.prediction => column.push(Some(prediction)),
                    _ => column.push(None),
                }
            }
        }
        Cases::new(table, said).ok().filter(|cases| !cases.are_numbers && cases.unscored() == 0)
    }
}

impl DecisionTally {
    /// Adds the counts of other rows of the same table.
    pub fn add(&mut self, other: Self) {
        add_decisions(&mut self.all, other.all);
        for ((_, sum), (_, slices)) in self.by.iter_mut().zip(other.by) {
            let Some((known, slices)) = sum.as_mut().zip(slices) else {
                *sum = None;
                continue;
            };
            for (slice, decisions) in slices {
                add_decisions(known.entry(slice).or_default(), decisions);
            }
            if known.keys().flatten().count() > MOST_SLICES {
                *sum = None;
            }
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.all.values().sum()
    }
}

fn add_decisions(sum: &mut Decisions, other: Decisions) {
    for (pair, count) in other {
        *sum.entry(pair).or_default() += count;
    }
}

/// The sum of several slices' counts.
pub fn added_up<'d>(slices: impl Iterator<Item = &'d Decisions>) -> Decisions {
    let mut all = Decisions::new();
    slices.for_each(|decisions| add_decisions(&mut all, decisions.clone()));
    all
}

/// Counts each row by the texts of its label, its prediction, and its slice.
fn sliced(labels: &Column, predictions: &Column, slices: Option<&Column>) -> Option<SlicedDecisions> {
    if labels.is_empty() {
        return Some(SlicedDecisions::new());
    }
    let texts = |column: &Column| column.texts().len();
    // One more slice for cells without a value.
    let (predicted, by) = (texts(predictions), slices.map_or(0, texts) + 1);
    let cells = texts(labels).checked_mul(predicted)?.checked_mul(by).filter(|cells| *cells <= MAX_CELLS)?;
    let columns = [(labels, predicted * by), (predictions, by)];
    let parts: Vec<Part<'_>> = columns
        .into_iter()
        .chain(slices.map(|slices| (slices, 1)))
        .map(|(column, factor)| Part::of(column, factor, cells))
        .collect();
    let counts = count_rows(&parts, labels.len(), cells);
    let mut found = SlicedDecisions::new();
    for (place, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let text = |column: &Column, code: usize| column.texts().nth(code).map(Box::from);
        let pair = (text(labels, place / (predicted * by))?, text(predictions, place / by % predicted)?);
        let slice = slices.and_then(|slices| text(slices, place % by));
        *found.entry(slice).or_default().entry(pair).or_default() += count;
    }
    Some(found)
}

/// How a column contributes to a row's position in a table of counts.
enum Part<'c> {
    /// A summand for each byte.
    Bytes(&'c [u8], Box<[usize; 256]>),
    /// A summand for each code; a code beyond these is a cell without a value.
    Codes(&'c Codes, Vec<usize>),
}

impl<'c> Part<'c> {
    /// Multiplies the code of a cell by `factor`; no result exceeds the last of `cells`.
    fn of(column: &'c Column, factor: usize, cells: usize) -> Self {
        let texts = column.texts().len();
        let part = |code: usize| (code.min(texts) * factor).min(cells - 1);
        match column.codes() {
            Codes::Narrow(bytes) => Self::Bytes(bytes, Box::new(std::array::from_fn(part))),
            codes @ Codes::Wide(_) => Self::Codes(codes, (0..=texts).map(part).collect()),
        }
    }

    #[inline]
    fn get(&self, row: usize) -> usize {
        match self {
            Self::Bytes(bytes, parts) => parts[usize::from(bytes[row])],
            Self::Codes(codes, parts) => parts[(codes.get(row) as usize).min(parts.len() - 1)],
        }
    }
}

/// The number of small tables to count into in turn: most cases fall into one cell, so with a single table
/// each step would wait for the previous one.
const TURNS: usize = 4;

/// A table with at most this many cells is small.
const SMALL: usize = 1 << 10;

/// How many rows fall into each cell. A row's cell index is the sum of what its columns contribute.
fn count_rows(parts: &[Part<'_>], rows: usize, cells: usize) -> Vec<u64> {
    let last = if cells > SMALL { 0 } else { TURNS - 1 };
    let mut turns = vec![0_u64; cells * (last + 1)];
    let mut count = |row: usize, place: usize| turns[place + (row & last) * cells] += 1;
    match parts {
        [
            Part::Bytes(truth, of_truth),
            Part::Bytes(predicted, of_predicted),
            Part::Bytes(slices, of_slice),
        ] => {
            for (row, ((truth, predicted), slice)) in truth.iter().zip(*predicted).zip(*slices).enumerate() {
                let place = of_truth[usize::from(*truth)]
                    + of_predicted[usize::from(*predicted)]
                    + of_slice[usize::from(*slice)];
                count(row, place);
            }
        }
        _ => (0..rows).for_each(|row| count(row, parts.iter().map(|part| part.get(row)).sum())),
    }
    let mut counts = turns.split_off(cells * last);
    for turn in turns.chunks(cells) {
        counts.iter_mut().zip(turn).for_each(|(sum, count)| *sum += count);
    }
    counts
}
