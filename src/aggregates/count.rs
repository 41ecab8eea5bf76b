//! Rows to aggregates, cell by cell as the SQL statements count them.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::guarding::count_guards;
use super::plan::{NOT_SCORED, Plan, Sum, Task};
use super::sides::{NONE, Side, join_rows};
use super::table::{AggregateTable, Row, RowKind};
use crate::cases::{CaseColumns, CasesError, Table};

/// Pairs of rows that are counted at once.
const BLOCK: usize = 1 << 15;

/// The most sums of a cell.
const MAX_SUMS: usize = 8;

/// Probabilities closer to 0 or 1 than this have its logarithm.
const SMALLEST: f64 = f64::EPSILON;

/// The slice columns' group, the bucket, and the codes of the label and both predictions.
type CellKey = (u32, u16, u32, u32, u32);
type Cells = HashMap<CellKey, (u64, [i128; MAX_SUMS]), FixedState>;
/// The columns that make a slice, the slice, the bucket, and the label with both predictions.
type MergedKey<'n> = (&'n str, &'n str, u16, [String; 3]);
/// The group, whether the label is positive, and both bins.
type BinKey = (u32, bool, u16, u16);
type Bins = HashMap<BinKey, u64, FixedState>;

/// Counts the rows of one table, or of two that are paired by id. If a guard counts anything, there are no cells.
///
/// # Errors
///
/// If a column is missing, a cell that must be a number is none, or the cases have weights.
pub fn count_rows(
    plan: &Plan,
    candidate: &Table,
    baseline: Option<&Table>,
    said: &CaseColumns,
) -> Result<AggregateTable, CasesError> {
    let side = |table| Side::of(plan, table, said);
    let (candidate, baseline) = rayon::join(|| side(candidate), || baseline.map(side).transpose());
    let (candidate, baseline) = (candidate?, baseline?);
    let pairs = join_rows(baseline.as_ref().map(|side| side.id), candidate.id);
    let counter = Counter { plan, candidate: &candidate, baseline: baseline.as_ref() };
    let mut table = AggregateTable { sum_columns: plan.sum_columns(), rows: Vec::new() };
    let sums = table.sum_columns.len();
    let mut is_clean = true;
    for (kind, name, n) in count_guards(plan, counter.baseline, counter.candidate, &pairs) {
        let is_allowed = plan.unscored_are_wrong && name.starts_with("predictions_missing");
        is_clean &= kind != RowKind::Guard || n == 0 || is_allowed;
        let mut row = Row::named(kind, name, n, sums);
        if name == "positive" {
            row.truth.clone_from(&plan.positive);
        }
        table.rows.push(row);
    }
    if is_clean {
        counter.count(&pairs, &mut table);
    }
    Ok(table)
}

struct Counter<'t> {
    plan: &'t Plan,
    candidate: &'t Side<'t>,
    baseline: Option<&'t Side<'t>>,
}

impl Counter<'_> {
    fn count(&self, pairs: &[(u32, u32)], table: &mut AggregateTable) {
        let (group_of, names) = self.groups();
        let group = |row: u32| group_of.get(row as usize).copied().unwrap_or(0);
        let (cells, bins) = pairs
            .par_chunks(BLOCK)
            .map(|pairs| {
                let (mut cells, mut bins) = (Cells::default(), Bins::default());
                for &(theirs, ours) in pairs {
                    let key = self.key(group(ours), theirs, ours);
                    let cell = cells.entry(key).or_insert((0, [0; MAX_SUMS]));
                    cell.0 += 1;
                    self.add_sums(&mut cell.1, theirs, ours);
                    if self.plan.has_bins {
                        *bins.entry(self.bins(group(ours), theirs, ours)).or_default() += 1;
                    }
                }
                (cells, bins)
            })
            .reduce(Default::default, |(mut cells, mut bins), (more_cells, more_bins)| {
                for (key, (n, sums)) in more_cells {
                    let cell = cells.entry(key).or_insert((0, [0; MAX_SUMS]));
                    cell.0 += n;
                    cell.1.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
                }
                for (key, n) in more_bins {
                    *bins.entry(key).or_default() += n;
                }
                (cells, bins)
            });
        self.write_cells(&cells, &names, table);
        self.write_bins(&bins, &names, table);
    }

    /// The group of each of the candidate's rows by its slices, and the slices of each group: columns with value.
    fn groups(&self) -> (Vec<u32>, Vec<Vec<(String, String)>>) {
        if self.plan.slicings.is_empty() {
            return (Vec::new(), vec![Vec::new()]);
        }
        let mut known: HashMap<Vec<&str>, u32, FixedState> = HashMap::default();
        let mut names = Vec::new();
        let group_of = (0..self.candidate.id.len())
            .map(|row| {
                let values: Vec<&str> =
                    self.candidate.slices.iter().map(|column| column.text(row).unwrap_or_default()).collect();
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                *known.entry(values).or_insert_with_key(|values| {
                    names.push(self.slices(values));
                    next
                })
            })
            .collect();
        (group_of, names)
    }

    /// The slices that a row with these values of the slice columns is in, each with the columns that make it.
    fn slices(&self, values: &[&str]) -> Vec<(String, String)> {
        let slice = |slicing: &Vec<usize>| {
            let part = |column: &usize| {
                let value = if values[*column].is_empty() { "(none)" } else { values[*column] };
                format!("{}={value}", self.plan.slice_columns[*column])
            };
            let parts: Vec<String> = slicing.iter().map(part).collect();
            (self.plan.slicing_name(slicing), parts.join(", "))
        };
        self.plan.slicings.iter().map(slice).collect()
    }

    fn key(&self, group: u32, theirs: u32, ours: u32) -> CellKey {
        let column = self.candidate.cluster.unwrap_or(self.candidate.id);
        let bucket = bucket_of(column.text(ours as usize).unwrap_or_default());
        if self.plan.task == Task::Regression {
            return (group, bucket, 0, 0, 0);
        }
        let code = |side: &Side<'_>, row: u32| side.prediction.code(row as usize).unwrap_or(NONE);
        let truth = self.candidate.truth.code(ours as usize).unwrap_or(NONE);
        let theirs = self.baseline.map_or(NONE, |side| code(side, theirs));
        (group, bucket, truth, theirs, code(self.candidate, ours))
    }

    fn is_positive(&self, ours: u32) -> bool {
        self.candidate.truth.text(ours as usize) == Some(&self.plan.positive)
    }

    fn bins(&self, group: u32, theirs: u32, ours: u32) -> BinKey {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "guarded to be within 0 and 1"
        )]
        let bin = |score: f64| (score * 1000.0 + 0.5).floor() as u16;
        let theirs = self.baseline.map_or(0, |side| bin(side.scores[theirs as usize]));
        (group, self.is_positive(ours), theirs, bin(self.candidate.scores[ours as usize]))
    }

    /// In the order of the plan's columns.
    fn add_sums(&self, sums: &mut [i128; MAX_SUMS], theirs: u32, ours: u32) {
        let mut place = 0;
        for sum in self.plan.sums() {
            let mut add = |side: Option<(&Side<'_>, u32)>| {
                if let Some((side, row)) = side {
                    sums[place] += millionths(self.value(*sum, side, row as usize, ours));
                }
                place += 1;
            };
            if sum.is_of_a_model() {
                add(self.baseline.map(|side| (side, theirs)));
            }
            add(Some((self.candidate, ours)));
        }
    }

    fn value(&self, sum: Sum, side: &Side<'_>, row: usize, ours: u32) -> f64 {
        let truth = || self.candidate.truths[ours as usize];
        let error = || side.predictions[row] - truth();
        match sum {
            Sum::Brier => {
                let gap = side.scores[row] - f64::from(u8::from(self.is_positive(ours)));
                gap * gap
            }
            Sum::LogLoss => {
                let score = side.scores[row];
                let given = if self.is_positive(ours) {
                    score.clamp(SMALLEST, 1.0 - SMALLEST)
                } else if score > 1.0 - SMALLEST {
                    SMALLEST
                } else {
                    1.0 - score
                };
                -given.ln()
            }
            Sum::Label => truth(),
            Sum::LabelSquared => truth() * truth(),
            Sum::Error => error(),
            Sum::Absolute => error().abs(),
            Sum::Squared => error() * error(),
        }
    }

    fn write_cells(&self, cells: &Cells, names: &[Vec<(String, String)>], table: &mut AggregateTable) {
        let classes = self.plan.task == Task::Classification;
        let text = |is_there: bool, column: &crate::cases::Column, code: u32| -> String {
            if !is_there {
                return String::new();
            }
            column.texts().nth(code as usize).unwrap_or_default().to_owned()
        };
        let decision = |side: &Side<'_>, code: u32| {
            let text = text(classes, side.prediction, code);
            if classes && text.is_empty() { NOT_SCORED.to_owned() } else { text }
        };
        // Texts that are missing and empty have two codes, and are one cell.
        let mut merged: BTreeMap<MergedKey<'_>, (u64, [i128; MAX_SUMS])> = BTreeMap::new();
        for (&(group, bucket, truth, theirs, ours), (n, sums)) in cells {
            let texts = [
                text(classes, self.candidate.truth, truth),
                self.baseline.map_or_else(String::new, |side| decision(side, theirs)),
                decision(self.candidate, ours),
            ];
            let own = names.get(group as usize).into_iter().flatten();
            let slices = own.map(|(columns, slice)| (columns.as_str(), slice.as_str()));
            for (columns, slice) in [("", "all")].into_iter().chain(slices) {
                let cell =
                    merged.entry((columns, slice, bucket, texts.clone())).or_insert((0, [0; MAX_SUMS]));
                cell.0 += n;
                cell.1.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
            }
        }
        for ((columns, slice, bucket, [truth, baseline, candidate]), (n, sums)) in merged {
            let sum = |(column, sum): (&String, &i128)| {
                (self.baseline.is_some() || !column.ends_with("_baseline")).then_some(*sum)
            };
            table.rows.push(Row {
                slice: slice.to_owned(),
                bucket: format!("{bucket:03x}"),
                truth,
                baseline,
                candidate,
                sums: table.sum_columns.iter().zip(&sums).map(sum).collect(),
                ..Row::named(RowKind::Cell, columns, n, 0)
            });
        }
    }

    fn write_bins(&self, bins: &Bins, names: &[Vec<(String, String)>], table: &mut AggregateTable) {
        let mut merged: BTreeMap<(&str, &str, bool, u16, u16), u64> = BTreeMap::new();
        for (&(group, positive, theirs, ours), n) in bins {
            let own = names.get(group as usize).into_iter().flatten();
            let slices = own.map(|(columns, slice)| (columns.as_str(), slice.as_str()));
            for (columns, slice) in [("", "all")].into_iter().chain(slices) {
                *merged.entry((columns, slice, positive, theirs, ours)).or_default() += n;
            }
        }
        for ((columns, slice, positive, theirs, ours), n) in merged {
            table.rows.push(Row {
                slice: slice.to_owned(),
                truth: u8::from(positive).to_string(),
                baseline: self.baseline.map_or_else(String::new, |_| theirs.to_string()),
                candidate: ours.to_string(),
                ..Row::named(RowKind::Score, columns, n, table.sum_columns.len())
            });
        }
    }
}

/// A value in millionths, rounded to the nearest.
fn millionths(value: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "guarded to fit 64 bits")]
    let rounded = (value * 1_000_000.0 + 0.5).floor() as i64;
    i128::from(rounded)
}

/// The first three digits of the MD5 of a text.
pub(super) fn bucket_of(text: &str) -> u16 {
    use md5::{Digest as _, Md5};
    let digest = Md5::digest(text.as_bytes());
    u16::from(digest[0]) << 4 | u16::from(digest[1] >> 4)
}
