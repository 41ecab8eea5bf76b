//! Counts the rows of files that may be larger than memory: each row goes into a partition by the hash of its
//! id; then each partition is paired and counted.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::TEMPORARY;
use super::partitions::Partitions;
use super::row_files::RowFile;
use crate::aggregates::{
    AggregateTable, Counting, Damaged, Places, Plan, SeenLabels, Side, Unpacked, count_clusters,
    pack_clusters, pack_rows,
};
use crate::cases::{CaseColumns, CasesError, CasesFault, Table};
use crate::document::{Diagnostic, thousands};
use crate::rule::NoCases;

/// Target number of a table's rows in a partition.
pub const PARTITION_ROWS: u64 = 1 << 19;

/// Maximum number of partitions.
pub(super) const MAX_PARTITIONS: u64 = 1024;

/// How many rows are read at once, if the format has no row groups.
pub(super) const BATCH: usize = 1 << 16;

/// A partition with this many times its share of rows means that ids repeat.
const SKEW: u64 = 16;

/// A difference of this many rows between partitions is chance.
const CHANCE: u64 = 100_000;

/// How far counting has progressed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountProgress {
    /// Whether rows are still being read; otherwise they are being paired and counted.
    pub is_reading: bool,
    /// Rows of both tables that were read or counted so far.
    pub rows: u64,
    /// The share of this step that is done, from 0 to 1.
    pub share: f64,
}

/// Receives progress, from several threads at once.
pub type TellProgress<'t> = &'t (dyn Fn(CountProgress) + Sync);

/// Files whose rows are counted.
#[derive(Debug, Clone, Copy)]
pub struct CountedFiles<'f> {
    /// The folder that the names are relative to.
    pub folder: &'f Path,
    /// The candidate's predictions.
    pub candidate: &'f str,
    /// The baseline's predictions.
    pub baseline: Option<&'f str>,
}

/// Counts the rows of files, about `partition_rows` of each table at a time.
pub fn count_files(
    plan: &Plan,
    said: &CaseColumns,
    files: CountedFiles<'_>,
    partition_rows: u64,
    tell: TellProgress<'_>,
) -> Result<AggregateTable, NoCases> {
    let begin = |name: &str| Opened::begin(plan, said, &files.folder.join(name), name);
    let (ours, theirs) = rayon::join(|| begin(files.candidate), || files.baseline.map(begin).transpose());
    let (ours, theirs) = (ours?, theirs?);
    let rows = ours.estimated_rows().max(theirs.as_ref().map_or(0, Opened::estimated_rows));
    let partitions = rows.div_ceil(partition_rows).clamp(1, MAX_PARTITIONS);
    let partitions = usize::try_from(partitions).unwrap_or(1);
    let progress = ReadingProgress::new(tell, 1 + usize::from(theirs.is_some()));
    let spread = |opened: Opened, file: usize| {
        opened.spread(plan, said, partitions, &|rows, share| {
            progress.tell(file, rows, share);
        })
    };
    let (ours, theirs) =
        rayon::join(|| spread(ours, 0), || theirs.map(|theirs| spread(theirs, 1)).transpose());
    count_partitions(plan, ours?, theirs?, tell)
}

/// Pairs and counts each partition.
fn count_partitions(
    plan: &Plan,
    mut ours: Spread,
    mut theirs: Option<Spread>,
    tell: TellProgress<'_>,
) -> Result<AggregateTable, NoCases> {
    let mut counting = Counting::new(plan, &ours.header, &ours.places);
    let partitions = ours.rows.count();
    let mut rows = 0;
    for partition in 0..partitions {
        rows +=
            ours.rows.records(partition) + theirs.as_ref().map_or(0, |theirs| theirs.rows.records(partition));
        let (candidate, baseline) = rayon::join(
            || ours.side(plan, partition),
            || theirs.as_mut().map(|theirs| theirs.side(plan, partition)).transpose(),
        );
        counting.add(&candidate?, baseline?.as_ref());
        #[expect(clippy::cast_precision_loss, reason = "a share that is shown in percent")]
        let share = (partition + 1) as f64 / partitions as f64;
        tell(CountProgress { is_reading: false, rows, share });
    }
    let clusters = ours.count_clusters()?;
    Ok(counting.finish(clusters))
}

/// A file with its first rows, from which the number of rows is estimated.
struct Opened {
    file: RowFile,
    header: Table,
    places: Places,
    first: Option<Table>,
}

impl Opened {
    fn begin(plan: &Plan, said: &CaseColumns, path: &Path, shown: &str) -> Result<Self, NoCases> {
        let mut file = RowFile::open(path, shown)?;
        let of_file = |error| NoCases::of(shown, error);
        let header = file.rows.header().clone();
        let places = Places::of(plan, &header, said).map_err(of_file)?;
        let first = file.rows.next_rows(&places.all(), BATCH).map_err(of_file)?;
        Ok(Self { file, header, places, first })
    }

    fn estimated_rows(&self) -> u64 {
        self.file.estimated_rows(self.first.as_ref().map_or(0, Table::rows))
    }

    /// Reads all rows into partitions.
    fn spread(
        mut self,
        plan: &Plan,
        said: &CaseColumns,
        partitions: usize,
        tell: &dyn Fn(u64, f64),
    ) -> Result<Spread, NoCases> {
        let shown = self.file.shown.clone();
        let of_file = |error| NoCases::of(&shown, error);
        let (wanted, places) = (self.places.all(), self.places.among_all());
        let mut spread = Spread {
            rows: Partitions::new(partitions),
            clusters: Partitions::new(partitions),
            header: self.header,
            places: self.places,
            shown: shown.clone(),
        };
        let (mut labels, mut rows) = (SeenLabels::default(), 0);
        let mut next = self.first;
        while let Some(table) = next {
            let mut failed = Ok(());
            let mut add = |into: &mut Partitions, partition: usize, record: &[u8]| {
                if failed.is_ok() {
                    failed = into.add(partition, record);
                }
            };
            pack_rows(plan, &table, &places, rows, partitions, &mut |partition, record| {
                add(&mut spread.rows, partition, record);
            })
            .map_err(of_file)?;
            if partitions > 1 {
                pack_clusters(&table, &places, partitions, &mut |partition, record| {
                    add(&mut spread.clusters, partition, record);
                });
            }
            failed.map_err(|error| temporary(&error))?;
            if plan.score.is_some() {
                labels.add(&table, &places, spread.header.columns.len());
            }
            rows += table.rows() as u64;
            tell(rows, self.file.share(rows));
            next = self.file.rows.next_rows(&wanted, BATCH).map_err(of_file)?;
        }
        spread.check_scores(plan, said, labels).map_err(of_file)?;
        spread.check_ids(rows)?;
        Ok(spread)
    }
}

/// The rows of one table in partitions.
struct Spread {
    rows: Partitions,
    clusters: Partitions,
    header: Table,
    places: Places,
    shown: String,
}

impl Spread {
    /// Columns such as `p_yes` have the scores of labels if each label that occurs has one.
    fn check_scores(&self, plan: &Plan, said: &CaseColumns, labels: SeenLabels) -> Result<(), CasesError> {
        if plan.score.is_none() {
            return Ok(());
        }
        let found = Places::of(plan, &labels.into_table(&self.header, &self.places), said)?;
        if found == self.places {
            return Ok(());
        }
        Err(CasesError {
            fault: CasesFault::Columns,
            message: "it is ambiguous which columns have the scores: not all of them cover every label"
                .into(),
            help: "name the column of the positive label's scores: `cases: { score: … }`".into(),
        })
    }

    /// Refuses a table if most rows share a few ids: their partition would not fit into memory.
    fn check_ids(&self, rows: u64) -> Result<(), NoCases> {
        let most = (rows / self.rows.count() as u64).saturating_mul(SKEW).saturating_add(CHANCE);
        let largest = (0..self.rows.count()).map(|partition| self.rows.records(partition)).max().unwrap_or(0);
        if self.rows.count() == 1 || largest <= most {
            return Ok(());
        }
        let message = format!(
            "ids repeat too often to be counted: {} of {} rows have the same few ids in `{}`",
            thousands(largest),
            thousands(rows),
            self.places.id_name(&self.header)
        );
        let fault = CasesFault::Ids;
        let help = "name the column that has an id for each case: `cases: { id: … }`".into();
        Err(NoCases::of(&self.shown, CasesError { fault, message, help }))
    }

    /// The rows of a partition.
    fn side(&mut self, plan: &Plan, partition: usize) -> Result<Side<'static>, NoCases> {
        let mut unpacked = Unpacked::new(plan, &self.places);
        let mut add = |bytes: &[u8]| {
            unpacked
                .add(bytes)
                .map_err(|Damaged| io::Error::new(io::ErrorKind::InvalidData, "it was changed"))
        };
        self.rows.read(partition, &mut add).map_err(|error| temporary(&error))?;
        Ok(unpacked.into_side(plan))
    }

    /// The number of clusters in all partitions; `None` if a single partition has all rows, because its
    /// clusters are known.
    fn count_clusters(&mut self) -> Result<Option<u64>, NoCases> {
        let mut clusters = 0;
        for partition in 0..self.clusters.count() {
            let mut all = Vec::new();
            let mut add = |bytes: &[u8]| {
                all.extend_from_slice(bytes);
                Ok(())
            };
            self.clusters.read(partition, &mut add).map_err(|error| temporary(&error))?;
            clusters += count_clusters(&all);
        }
        Ok((self.clusters.count() > 1).then_some(clusters))
    }
}

fn temporary(error: &io::Error) -> NoCases {
    let message = format!("a temporary file can't be used: {error}");
    let help = format!(
        "rows are sorted into files in {}; set TMPDIR to a folder with as much space as the tables need",
        std::env::temp_dir().display()
    );
    NoCases::Unusable(Diagnostic::new(TEMPORARY, message).help(help).boxed())
}

/// The progress of files that are read at the same time.
struct ReadingProgress<'t> {
    tell: TellProgress<'t>,
    /// For each file, the number of rows, and the share in millionths.
    files: Vec<[AtomicU64; 2]>,
}

impl<'t> ReadingProgress<'t> {
    fn new(tell: TellProgress<'t>, files: usize) -> Self {
        Self { tell, files: std::iter::repeat_with(Default::default).take(files).collect() }
    }

    fn tell(&self, file: usize, rows: u64, share: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        let share = (share * 1e6) as u64;
        self.files[file][0].store(rows, Ordering::Relaxed);
        self.files[file][1].store(share, Ordering::Relaxed);
        let sum =
            |place: usize| self.files.iter().map(|file| file[place].load(Ordering::Relaxed)).sum::<u64>();
        #[expect(clippy::cast_precision_loss, reason = "a share that is shown in percent")]
        let share = sum(1) as f64 / (self.files.len() as f64 * 1e6);
        (self.tell)(CountProgress { is_reading: true, rows: sum(0), share });
    }
}

#[cfg(test)]
mod tests;
