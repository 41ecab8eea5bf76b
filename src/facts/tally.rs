//! Counts the decisions in a file of predictions, a few rows at a time, so memory does not grow with the
//! rows.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::count_files::BATCH;
use super::digested::{Digested, Hashes};
use super::row_files::{is_parquet, open_rows};
use super::unique_ids::UniqueIds;
use crate::cases::{
    CaseColumns, Cases, CasesError, DecisionColumns, DecisionTally, IdBounds, ParquetReader, ParquetWindow,
    RowReader, Table, id_hashes,
};
use crate::run::Digest;

/// A file of predictions, as recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Predictions<'p> {
    pub(super) path: &'p str,
    pub(super) digest: Option<&'p Digest>,
    pub(super) size: u64,
}

/// The decisions in a file, and cases with each pair of a label and a prediction that occurs. `None` if a
/// table of all rows is needed, to compute something else or to report what is wrong.
pub(super) fn tally(
    file: &mut (impl Read + Seek + Send),
    predictions: Predictions<'_>,
    said: &CaseColumns,
) -> Option<(DecisionTally, Cases)> {
    let counting = match Counting::of(file, predictions, said, |_| UniqueIds::in_order()) {
        Err(Stop::NotInOrder) => {
            file.seek(SeekFrom::Start(0)).ok()?;
            Counting::of(file, predictions, said, UniqueIds::hashed)
        }
        counting => counting,
    };
    counting.ok()?.finish(said)
}

/// Why counting can't go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Some ids are not above those of earlier rows.
    NotInOrder,
    /// A table of all rows is needed.
    Irregular,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Irregular
    }
}

impl From<CasesError> for Stop {
    fn from(_: CasesError) -> Self {
        Self::Irregular
    }
}

/// The counts of the rows so far.
struct Counting {
    header: Table,
    columns: DecisionColumns,
    ids: UniqueIds,
    tally: Option<DecisionTally>,
}

/// The counts of some rows.
struct Part {
    tally: DecisionTally,
    ids: IdBounds,
    /// Empty if bounds are enough.
    hashes: Vec<u64>,
}

impl Part {
    fn of(columns: &DecisionColumns, table: &Table, with_hashes: bool) -> Result<Self, Stop> {
        let ids = &table.columns[columns.id].1;
        let (tally, bounds) = columns.count(table).zip(IdBounds::of(ids)).ok_or(Stop::Irregular)?;
        Ok(Self { tally, ids: bounds, hashes: if with_hashes { id_hashes(ids) } else { Vec::new() } })
    }
}

/// Approximate number of bytes in a row of text.
const BYTES_A_ROW: u64 = 16;

impl Counting {
    fn of(
        file: &mut (impl Read + Seek + Send),
        predictions: Predictions<'_>,
        said: &CaseColumns,
        ids: impl FnOnce(u64) -> UniqueIds,
    ) -> Result<Self, Stop> {
        let begin = |reader: &dyn RowReader| {
            let columns = DecisionColumns::of(reader.header(), said).ok_or(Stop::Irregular)?;
            let ids = ids(reader.rows().unwrap_or(predictions.size / BYTES_A_ROW));
            Ok(Self { header: reader.header().clone(), columns, ids, tally: None })
        };
        if is_parquet(predictions.path) {
            count_row_groups(file, predictions, begin)
        } else {
            count_batches(file, predictions, begin)
        }
    }

    fn add(&mut self, part: Part) -> Result<(), Stop> {
        // A row group may be empty.
        if part.tally.rows() == 0 {
            return Ok(());
        }
        if !self.ids.add(part.ids, &part.hashes)? {
            return Err(Stop::NotInOrder);
        }
        match &mut self.tally {
            Some(tally) => tally.add(part.tally),
            None => self.tally = Some(part.tally),
        }
        Ok(())
    }

    fn finish(self, said: &CaseColumns) -> Option<(DecisionTally, Cases)> {
        let tally = self.tally?;
        if !self.ids.are_unique().ok()? {
            return None;
        }
        let cases = self.columns.cases_of_pairs(&self.header, &tally, said)?;
        Some((tally, cases))
    }
}

/// Reads text one batch of rows after the other.
fn count_batches(
    file: &mut (impl Read + Send),
    predictions: Predictions<'_>,
    begin: impl FnOnce(&dyn RowReader) -> Result<Counting, Stop>,
) -> Result<Counting, Stop> {
    let mut digested = Digested::new(file, predictions.digest);
    let mut rows = open_rows(predictions.path, Box::new(&mut digested), predictions.size)?;
    let mut counting = begin(&*rows)?;
    let every: Vec<usize> = (0..counting.header.columns.len()).collect();
    while let Some(table) = rows.next_rows(&every, BATCH)? {
        counting.add(Part::of(&counting.columns, &table, counting.ids.need_hashes())?)?;
    }
    drop(rows);
    if digested.read_to_end()?.are(predictions.digest) { Ok(counting) } else { Err(Stop::Irregular) }
}

/// Reads one row group of a Parquet file on each core. Each byte is read only once, so the digest covers
/// exactly what is counted.
fn count_row_groups(
    file: &mut (impl Read + Seek + Send),
    predictions: Predictions<'_>,
    begin: impl FnOnce(&dyn RowReader) -> Result<Counting, Stop>,
) -> Result<Counting, Stop> {
    let window = ParquetWindow::open(file, predictions.size)?;
    let reader = ParquetReader::open(window.clone())?;
    let counting = begin(&reader)?;
    let (columns, with_hashes) = (counting.columns.clone(), counting.ids.need_hashes());
    let (footer, last) = window.footer();
    let groups = reader.places().filter(|groups| groups.last().is_none_or(|group| group.end <= footer));
    let groups = groups.ok_or(Stop::Irregular)?;
    file.seek(SeekFrom::Start(0))?;
    let source =
        Mutex::new(RowGroups { file, groups: &groups, next: 0, hashes: Hashes::new(predictions.digest) });
    let found = Mutex::new(InOrder { counting, pending: BTreeMap::new(), next: 0, stopped: None });
    let next_part = || -> Result<Option<(usize, Part)>, Stop> {
        let Some((group, bytes)) = locked(&source).next()? else { return Ok(None) };
        let table = window.with(groups[group].start, bytes, || reader.read_group(group))?;
        Ok(Some((group, Part::of(&columns, &table, with_hashes)?)))
    };
    rayon::broadcast(|_| {
        while locked(&found).stopped.is_none() {
            let added = match next_part() {
                Ok(Some((group, part))) => locked(&found).add(group, part),
                Ok(None) => return,
                Err(stop) => Err(stop),
            };
            if let Err(stop) = added {
                locked(&found).stopped = Some(stop);
            }
        }
    });
    let found = found.into_inner().map_err(|_| Stop::Irregular)?;
    if let Some(stop) = found.stopped {
        return Err(stop);
    }
    let mut source = source.into_inner().map_err(|_| Stop::Irregular)?;
    source.hash_to(footer)?;
    source.hashes.update(&last);
    if source.hashes.are(predictions.digest) { Ok(found.counting) } else { Err(Stop::Irregular) }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The row groups of a file, read one after the other.
struct RowGroups<'f, F> {
    file: &'f mut F,
    groups: &'f [Range<u64>],
    next: usize,
    /// Hashes of all bytes read.
    hashes: Hashes,
}

impl<F: Read + Seek> RowGroups<'_, F> {
    /// The next row group, and its bytes.
    fn next(&mut self) -> io::Result<Option<(usize, Bytes)>> {
        let Some(place) = self.groups.get(self.next) else { return Ok(None) };
        self.hash_to(place.start)?;
        // A damaged file may claim a size that exceeds memory.
        let size = place.end - place.start;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(size).map_err(io::Error::other)?)?;
        if self.file.by_ref().take(size).read_to_end(&mut bytes)? as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hashes.update(&bytes);
        self.next += 1;
        Ok(Some((self.next - 1, bytes.into())))
    }

    /// Hashes the bytes up to a position; they are in no row group.
    fn hash_to(&mut self, place: u64) -> io::Result<()> {
        let mut left = place.saturating_sub(self.file.stream_position()?);
        let mut bytes = [0; 1 << 13];
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(bytes.len()).min(bytes.len());
            self.file.read_exact(&mut bytes[..some])?;
            self.hashes.update(&bytes[..some]);
            left -= some as u64;
        }
        Ok(())
    }
}

/// Adds parts in the order of the file, whichever is ready first.
struct InOrder {
    counting: Counting,
    pending: BTreeMap<usize, Part>,
    next: usize,
    stopped: Option<Stop>,
}

impl InOrder {
    fn add(&mut self, group: usize, part: Part) -> Result<(), Stop> {
        self.pending.insert(group, part);
        while let Some(part) = self.pending.remove(&self.next) {
            self.next += 1;
            self.counting.add(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
