//! Aggregates that a verdict can rely on: their guards are clean and their counts add up.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{AggregatesError, AggregatesFault as Fault};
use super::found::Found;
use super::plan::{BUCKET_DIGITS, NOT_SCORED, Task};
use super::table::{AggregateTable, Row, RowKind};
use crate::cases::{CaseColumns, label_order};

/// Cases of one slice and bucket with the same label and decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The bucket.
    pub bucket: u16,
    /// The class, an index into the labels.
    pub truth: u32,
    /// The baseline's decision.
    pub baseline: u32,
    /// The candidate's decision.
    pub candidate: u32,
    /// The number of cases.
    pub n: u64,
    /// The sums, in the order of [`Aggregates::sum_columns`].
    pub sums: Vec<i128>,
}

/// Cases of one slice with the same label and bins of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreCell {
    /// Whether the label is the positive one.
    pub positive: bool,
    /// The bin of the baseline's score.
    pub baseline: u16,
    /// The bin of the candidate's score.
    pub candidate: u16,
    /// The number of cases.
    pub n: u64,
}

/// The cells of one slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slice {
    /// Decisions and sums.
    pub cells: Vec<Cell>,
    /// Bins of scores, where they were counted.
    pub scores: Vec<ScoreCell>,
}

impl Slice {
    /// The number of cases.
    pub fn cases(&self) -> u64 {
        self.cells.iter().fold(0, |sum, cell| sum.saturating_add(cell.n))
    }
}

/// The aggregates of one or two models on the same cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregates {
    /// Whether labels and predictions are classes or numbers.
    pub task: Task,
    /// Whether two models are compared.
    pub has_baseline: bool,
    /// Whether clusters, not ids, are in buckets.
    pub has_clusters: bool,
    /// The number of clusters.
    pub clusters: Option<u64>,
    /// Whether every score is a multiple of a thousandth, so that binning loses nothing.
    pub scores_are_exact: bool,
    /// The number of labels; `None` if they are numbers.
    pub classes: Option<usize>,
    /// The labels and predictions that occur, in declared order, and the placeholder for unscored cases.
    pub labels: Vec<Box<str>>,
    /// The positive class, if there are two classes.
    pub positive: Option<u32>,
    /// The names of the sums.
    pub sum_columns: Vec<String>,
    /// All cases.
    pub all: Slice,
    /// Slices by their columns, such as `region, tier`, and by their key, such as `region=EU, tier=b`.
    pub slices: BTreeMap<String, BTreeMap<String, Slice>>,
}

impl Aggregates {
    /// Checks rows: guards first, then whether counts add up, then whether they were counted for this policy.
    pub fn of(table: &AggregateTable, columns: &CaseColumns) -> Result<Self, AggregatesError> {
        let found = Found::of(table)?;
        found.check_guards(columns)?;
        found.check_rows()?;
        found.check_columns()?;
        found.check_policy(columns)?;
        let classes = found.counted.task == Task::Classification;
        let mut texts: Vec<&str> = Vec::new();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        // Labels first, as in a table of cases.
        let cells = || table.rows.iter().filter(|row| row.kind == RowKind::Cell && classes);
        let labels = cells().map(|row| &row.truth);
        let decisions = cells().map(|row| &row.candidate);
        let theirs = cells().filter(|_| found.counted.has_baseline).map(|row| &row.baseline);
        texts.extend(
            labels.chain(decisions).chain(theirs).map(String::as_str).filter(|text| known.insert(text)),
        );
        let has_unscored = columns.unscored_are_wrong && known.contains(NOT_SCORED);
        texts.retain(|text| !(has_unscored && *text == NOT_SCORED));
        let (mut labels, positive) = if classes { label_order(&texts, columns) } else { (Vec::new(), None) };
        let classes = classes.then_some(labels.len());
        if has_unscored {
            labels.push(NOT_SCORED.into());
        }
        let mut aggregates = Self {
            task: found.counted.task,
            has_baseline: found.counted.has_baseline,
            has_clusters: found.counted.has_clusters,
            clusters: found.fact("clusters"),
            scores_are_exact: found.fact("scores_between_bins") == Some(0),
            classes,
            labels,
            positive,
            sum_columns: table.sum_columns.clone(),
            all: Slice::default(),
            slices: BTreeMap::new(),
        };
        aggregates.check_positive(&found)?;
        aggregates.fill(table)?;
        aggregates.check_sums()?;
        aggregates.check_totals(&found)?;
        aggregates.check_buckets(&found)?;
        Ok(aggregates)
    }

    fn fill(&mut self, table: &AggregateTable) -> Result<(), AggregatesError> {
        let places: BTreeMap<Box<str>, u32> = self.labels.iter().cloned().zip(0..).collect();
        let class = |text: &str| places.get(text).copied().unwrap_or(u32::MAX);
        let has_baseline = self.has_baseline;
        let mut seen = BTreeSet::new();
        for (number, row) in table.rows.iter().enumerate() {
            let is_counted = matches!(row.kind, RowKind::Cell | RowKind::Score);
            let key = (
                row.kind.name(),
                &row.name,
                &row.slice,
                &row.bucket,
                &row.truth,
                &row.baseline,
                &row.candidate,
            );
            if is_counted && !seen.insert(key) {
                return Err(AggregatesError::new(
                    Fault::Incomplete,
                    format!("row {} is about the same cases as a row before it", number + 1),
                    "write the rows of each statement once, as the engine gave them",
                ));
            }
            let fault = |what: &str| broken(number, what);
            let n = || row.n.ok_or_else(|| fault("has no `n`"));
            match row.kind {
                RowKind::Guard | RowKind::Fact => {}
                RowKind::Cell => {
                    let is_whole = |column: &str| !column.ends_with("_baseline") || has_baseline;
                    let sums = self.sum_columns.iter().zip(&row.sums).map(|(column, sum)| {
                        if is_whole(column) {
                            sum.ok_or_else(|| fault("lacks a sum, so the engine had no answer"))
                        } else {
                            Ok(0)
                        }
                    });
                    let cell = Cell {
                        bucket: bucket(&row.bucket).ok_or_else(|| {
                            fault("has no bucket of three hexadecimal digits in small letters")
                        })?,
                        truth: class(&row.truth),
                        baseline: class(&row.baseline),
                        candidate: class(&row.candidate),
                        n: n()?,
                        sums: sums.collect::<Result<_, _>>()?,
                    };
                    self.slice_of(row).cells.push(cell);
                }
                RowKind::Score => {
                    let bin = |text: &str| {
                        let bin = text.parse().ok().filter(|bin| *bin <= 1000);
                        bin.ok_or_else(|| fault("has no bin from 0 to 1000"))
                    };
                    let cell = ScoreCell {
                        positive: match row.truth.as_str() {
                            "1" => true,
                            "0" => false,
                            _ => return Err(fault("has a `truth` other than 0 and 1")),
                        },
                        baseline: if has_baseline { bin(&row.baseline)? } else { 0 },
                        candidate: bin(&row.candidate)?,
                        n: n()?,
                    };
                    self.slice_of(row).scores.push(cell);
                }
            }
        }
        Ok(())
    }

    fn slice_of(&mut self, row: &Row) -> &mut Slice {
        if row.name.is_empty() && row.slice == "all" {
            return &mut self.all;
        }
        self.slices.entry(row.name.clone()).or_default().entry(row.slice.clone()).or_default()
    }
}

fn broken(row: usize, what: &str) -> AggregatesError {
    AggregatesError::new(
        Fault::Unreadable,
        format!("row {} {what}", row + 1),
        "write the rows as the engine gave them, with the columns of the statements",
    )
}

fn bucket(text: &str) -> Option<u16> {
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (text.len() == BUCKET_DIGITS && text.bytes().all(is_digit))
        .then(|| u16::from_str_radix(text, 16).ok())
        .flatten()
}
