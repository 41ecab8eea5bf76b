//! Counts rows into aggregates, cell by cell like the SQL statements.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use rayon::prelude::*;

use super::counts::{Counts, MAX_SUMS, Sums};
use super::guarding::count_guards;
use super::places::Places;
use super::plan::{NOT_SCORED, Plan, Sum, Task};
use super::sides::{NONE, Side, join_rows};
use super::table::{AggregateTable, Row, RowKind};
use crate::cases::{CaseColumns, CasesError, Column, Table};

/// Pairs of rows that are counted at once.
const BLOCK: usize = 1 << 15;

/// Log loss treats probabilities closer to 0 or 1 as this close.
const SMALLEST: f64 = f64::EPSILON;

/// The slice columns' group, the bucket, and the codes of the label and both predictions.
type CellKey = (u32, u16, u32, u32, u32);
type Cells = HashMap<CellKey, (u64, Sums), FixedState>;
/// The group, whether the label is positive, and both bins.
type BinKey = (u32, bool, u16, u16);
type Bins = HashMap<BinKey, u64, FixedState>;

/// Counts the rows of one table, or of two paired by id. If a guard counts anything, there are no cells.
///
/// # Errors
///
/// If a column is missing, a cell that must be a number is not one, or the cases have weights.
pub fn count_rows(
    plan: &Plan,
    candidate: &Table,
    baseline: Option<&Table>,
    said: &CaseColumns,
) -> Result<AggregateTable, CasesError> {
    let places = Places::of(plan, candidate, said)?;
    let side = |table, places: &Places| Side::of_table(plan, table, places);
    let theirs = || baseline.map(|table| side(table, &Places::of(plan, table, said)?)).transpose();
    let (ours, theirs) = rayon::join(|| side(candidate, &places), theirs);
    let (ours, theirs) = (ours?, theirs?);
    let mut counting = Counting::new(plan, candidate, &places);
    counting.add(&ours, theirs.as_ref());
    Ok(counting.finish(None))
}

/// Adds up the counts of parts of the cases. All rows of an id must be in the same part.
pub struct Counting<'p> {
    plan: &'p Plan,
    columns: Vec<(String, String)>,
    guards: Vec<(RowKind, &'static str, u64)>,
    counts: Counts,
}

impl<'p> Counting<'p> {
    /// Starts without rows, for tables with the columns of `header` at these places.
    pub fn new(plan: &'p Plan, header: &Table, places: &Places) -> Self {
        Self { plan, columns: places.facts(header), guards: Vec::new(), counts: Counts::default() }
    }

    /// Adds the rows of a part.
    pub fn add(&mut self, candidate: &Side<'_>, baseline: Option<&Side<'_>>) {
        let pairs = join_rows(baseline.map(|side| &*side.id), &candidate.id);
        let guards = count_guards(self.plan, baseline, candidate, &pairs);
        if self.guards.is_empty() {
            self.guards = guards;
        } else {
            for ((_, name, sum), (_, _, more)) in self.guards.iter_mut().zip(guards) {
                *sum = if *name == "version" { more } else { *sum + more };
            }
        }
        // Rows that a guard counts can't be put into cells.
        if self.is_clean() {
            PartCounter { plan: self.plan, candidate, baseline }.count(&pairs, &mut self.counts);
        }
    }

    fn is_clean(&self) -> bool {
        let is_allowed = |name: &str| self.plan.unscored_are_wrong && name.starts_with("predictions_missing");
        self.guards.iter().all(|(kind, name, n)| *kind != RowKind::Guard || *n == 0 || is_allowed(name))
    }

    /// The table of all rows. `clusters` is their number if counted separately, since parts can share one.
    pub fn finish(self, clusters: Option<u64>) -> AggregateTable {
        let mut table = AggregateTable { sum_columns: self.plan.sum_columns(), rows: Vec::new() };
        let sums = table.sum_columns.len();
        let is_clean = self.is_clean();
        for (kind, name, n) in self.guards {
            let n = clusters.filter(|_| kind == RowKind::Fact && name == "clusters").unwrap_or(n);
            let mut row = Row::named(kind, name, n, sums);
            if name == "positive" {
                row.truth.clone_from(&self.plan.positive);
            }
            table.rows.push(row);
        }
        for (fact, column) in self.columns {
            table.rows.push(Row { truth: column, ..Row::named(RowKind::Fact, &fact, 1, sums) });
        }
        if is_clean {
            self.counts.write(self.plan, &mut table);
        }
        table
    }
}

/// Counts the rows of one part.
struct PartCounter<'t> {
    plan: &'t Plan,
    candidate: &'t Side<'t>,
    baseline: Option<&'t Side<'t>>,
}

impl PartCounter<'_> {
    fn count(&self, pairs: &[(u32, u32)], counts: &mut Counts) {
        let (group_of, slices) = self.groups(counts);
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
        let classes = self.plan.task == Task::Classification;
        let mut texts = |column: Option<&Column>, missing: &str| {
            if classes { counts.texts(column, missing) } else { counts.texts(None, "") }
        };
        let truth = texts(Some(&self.candidate.truth), "");
        let theirs = match self.baseline {
            Some(side) => texts(Some(&side.prediction), NOT_SCORED),
            None => texts(None, ""),
        };
        let ours = texts(Some(&self.candidate.prediction), NOT_SCORED);
        let slices_of = |group: u32| slices.get(group as usize).into_iter().flatten().copied();
        for ((group, bucket, y, a, b), (n, sums)) in cells {
            let texts = [truth.of(y), theirs.of(a), ours.of(b)];
            for slice in slices_of(group) {
                counts.add_cell((slice, bucket, texts), n, &sums);
            }
        }
        let has_bins: Vec<bool> =
            [true].into_iter().chain(self.plan.slicings.iter().map(|slicing| slicing.has_bins)).collect();
        for ((group, positive, a, b), n) in bins {
            // A group belongs to the slice of all cases and to one slice of each slicing.
            for (slice, _) in slices_of(group).zip(&has_bins).filter(|(_, has_bins)| **has_bins) {
                counts.add_bin((slice, positive, a, b), n);
            }
        }
    }

    /// The group of each of the candidate's rows by its slices, and the slices of each group.
    fn groups(&self, counts: &mut Counts) -> (Vec<u32>, Vec<Vec<u32>>) {
        let all = counts.slice(0, "all");
        if self.plan.slicings.is_empty() {
            return (Vec::new(), vec![vec![all]]);
        }
        let mut known: HashMap<Vec<&str>, u32, FixedState> = HashMap::default();
        let mut slices = Vec::new();
        let group_of = (0..self.candidate.rows())
            .map(|row| {
                let values: Vec<&str> =
                    self.candidate.slices.iter().map(|column| column.text(row).unwrap_or_default()).collect();
                let next = u32::try_from(known.len()).unwrap_or(NONE);
                *known.entry(values).or_insert_with_key(|values| {
                    let own = self.plan.slicings.iter().zip(1..);
                    let own = own.map(|(slicing, number)| {
                        counts.slice(number, &self.plan.slice_name(slicing, values))
                    });
                    slices.push([all].into_iter().chain(own).collect());
                    next
                })
            })
            .collect();
        (group_of, slices)
    }

    fn key(&self, group: u32, theirs: u32, ours: u32) -> CellKey {
        let column = self.candidate.cluster.as_ref().unwrap_or(&self.candidate.id);
        let bucket = bucket_of(column.text(ours as usize).unwrap_or_default());
        if self.plan.task == Task::Regression {
            return (group, bucket, NONE, NONE, NONE);
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

    /// Adds the sums of one pair, in the order of the plan's columns.
    fn add_sums(&self, sums: &mut Sums, theirs: u32, ours: u32) {
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
