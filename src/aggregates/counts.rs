//! Counts of cells and bins by their texts, added up over parts of the cases. They are about as large as the
//! file of aggregates.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use indexmap::IndexSet;

use super::plan::{Plan, Task};
use super::sides::NONE;
use super::table::{AggregateTable, Row, RowKind};
use crate::cases::Column;

/// The maximum number of sums in a cell.
pub(super) const MAX_SUMS: usize = 8;

/// Sums in millionths, in the order of their columns.
pub(super) type Sums = [i128; MAX_SUMS];

/// The slice, the bucket, and the label with both predictions.
type CellKey = (u32, u16, [u32; 3]);
/// The slice, whether the label is positive, and both bins.
type BinKey = (u32, bool, u16, u16);

/// Cells and bins.
#[derive(Default)]
pub(super) struct Counts {
    /// Labels and predictions.
    texts: IndexSet<Box<str>, FixedState>,
    /// The number of the slicing, or 0 for all cases, with the name of the slice.
    slices: IndexSet<(usize, Box<str>), FixedState>,
    cells: HashMap<CellKey, (u64, Sums), FixedState>,
    bins: HashMap<BinKey, u64, FixedState>,
}

/// Maps each code of a column to its text in [`Counts`].
pub(super) struct TextOf {
    codes: Vec<u32>,
    missing: u32,
}

impl TextOf {
    pub(super) fn of(&self, code: u32) -> u32 {
        self.codes.get(code as usize).copied().unwrap_or(self.missing)
    }
}

impl Counts {
    fn text(&mut self, text: &str) -> u32 {
        let place = match self.texts.get_index_of(text) {
            Some(place) => place,
            None => self.texts.insert_full(text.into()).0,
        };
        u32::try_from(place).unwrap_or(NONE)
    }

    /// The texts of a column. Empty text counts as missing.
    pub(super) fn texts(&mut self, column: Option<&Column>, missing: &str) -> TextOf {
        let texts = column.into_iter().flat_map(Column::texts);
        let texts = texts.map(|text| if text.is_empty() { missing } else { text });
        let codes = texts.map(|text| self.text(text)).collect();
        TextOf { codes, missing: self.text(missing) }
    }

    /// The number of a slice.
    pub(super) fn slice(&mut self, slicing: usize, name: &str) -> u32 {
        u32::try_from(self.slices.insert_full((slicing, name.into())).0).unwrap_or(NONE)
    }

    pub(super) fn add_cell(&mut self, key: CellKey, n: u64, sums: &Sums) {
        let cell = self.cells.entry(key).or_insert((0, [0; MAX_SUMS]));
        cell.0 += n;
        cell.1.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
    }

    pub(super) fn add_bin(&mut self, key: BinKey, n: u64) {
        *self.bins.entry(key).or_default() += n;
    }

    /// Adds the rows of the cells and of the bins to a table.
    pub(super) fn write(self, plan: &Plan, table: &mut AggregateTable) {
        let texts: Vec<Box<str>> = self.texts.into_iter().collect();
        let slices: Vec<(String, Box<str>)> = self
            .slices
            .into_iter()
            .map(|(slicing, slice)| {
                let own = slicing.checked_sub(1).and_then(|slicing| plan.slicings.get(slicing));
                (own.map_or_else(String::new, |own| plan.slicing_name(own)), slice)
            })
            .collect();
        let sums = table.sum_columns.len();
        let row = |kind: RowKind, slice: u32, n: u64, sums: usize| {
            let (name, slice) = &slices[slice as usize];
            Row { slice: slice.to_string(), ..Row::named(kind, name, n, sums) }
        };
        let classes = plan.task == Task::Classification;
        for ((slice, bucket, keys), (n, values)) in self.cells {
            let [truth, baseline, candidate] = keys
                .map(|text| texts.get(text as usize).filter(|_| classes).map_or("", |text| text).to_owned());
            let sum = |(column, sum): (&String, &i128)| {
                (plan.has_baseline || !column.ends_with("_baseline")).then_some(*sum)
            };
            table.rows.push(Row {
                bucket: format!("{bucket:03x}"),
                truth,
                baseline,
                candidate,
                sums: table.sum_columns.iter().zip(&values).map(sum).collect(),
                ..row(RowKind::Cell, slice, n, 0)
            });
        }
        for ((slice, positive, theirs, ours), n) in self.bins {
            table.rows.push(Row {
                truth: u8::from(positive).to_string(),
                baseline: if plan.has_baseline { theirs.to_string() } else { String::new() },
                candidate: ours.to_string(),
                ..row(RowKind::Score, slice, n, sums)
            });
        }
    }
}
