//! Joins the row groups of a column.

use parquet::file::metadata::RowGroupMetaData;
use rayon::prelude::*;

use super::Column;
use super::codes::{Codes, is_same, remap};
use super::keys::Keys;
use super::numbers::NumberKind;
use super::parquet_chunk::Chunk;

/// Maximum number of rows to reserve memory for in advance: per row group, and in total.
const MOST: [usize; 2] = [1 << 24, 1 << 32];

/// One byte for each cell of a column. Each row group writes its codes to their final place if a byte is
/// enough for them.
pub(super) struct NarrowCells {
    cells: Vec<u8>,
    /// The number of rows in each group; 0 if there are too many.
    rows: Vec<usize>,
}

impl NarrowCells {
    pub(super) fn of(groups: &[RowGroupMetaData]) -> Self {
        // The codes of a single row group stay where they were read.
        if groups.len() == 1 {
            return Self { cells: Vec::new(), rows: vec![0] };
        }
        let rows = |group: &RowGroupMetaData| usize::try_from(group.num_rows()).unwrap_or(usize::MAX);
        let mut rows: Vec<usize> = groups.iter().map(rows).collect();
        let all = rows.iter().fold(0_usize, |all, rows| all.saturating_add(*rows));
        if all > MOST[1] || rows.iter().any(|rows| *rows > MOST[0]) {
            rows.fill(0);
        }
        // Zeroed memory that is never written costs nothing.
        Self { cells: vec![0; rows.iter().sum()], rows }
    }

    /// The cells of each row group.
    pub(super) fn of_groups(&mut self) -> Vec<&mut [u8]> {
        let mut rest = &mut self.cells[..];
        let mut groups = Vec::with_capacity(self.rows.len());
        for rows in &self.rows {
            let (group, behind) = rest.split_at_mut(*rows);
            groups.push(group);
            rest = behind;
        }
        groups
    }
}

/// Joins the keys of all row groups.
pub(super) fn join_numbers(kind: NumberKind, chunks: Vec<Chunk>, narrow: &mut NarrowCells) -> Vec<Keys> {
    let keys = |(chunk, cells): (Chunk, &mut [u8])| match chunk.taken_from(cells) {
        Chunk::Numbers(keys) => Some(keys),
        Chunk::Keys(Some(codes), keys) => {
            let key = |code: u32| keys.get(code as usize).copied().unwrap_or(kind.missing());
            Some(Keys::of(&codes.iter().map(key).collect::<Vec<_>>()))
        }
        Chunk::Keys(None, _) | Chunk::Texts(..) | Chunk::Conflict => None,
    };
    chunks.into_iter().zip(narrow.of_groups()).filter_map(keys).collect()
}

/// Joins the codes of all row groups, and gives each distinct value its text.
pub(super) fn join_codes(
    mut chunks: Vec<Chunk>,
    mut narrow: NarrowCells,
    text: impl Fn(i64) -> Box<str>,
) -> Column {
    let mut column = Column::default();
    let texts_of = |chunk: &mut Chunk| match chunk {
        Chunk::Texts(_, texts) => std::mem::take(texts),
        Chunk::Keys(_, keys) => keys.iter().map(|key| text(*key)).collect(),
        Chunk::Numbers(_) | Chunk::Conflict => Vec::new(),
    };
    let code_of: Vec<Vec<u32>> = chunks.iter_mut().map(|chunk| column.add_texts(texts_of(chunk))).collect();
    if let ([code_of], [Chunk::Texts(codes, _) | Chunk::Keys(codes, _)]) = (&code_of[..], &mut chunks[..])
        && is_same(code_of)
        && let Some(codes) = codes.take()
    {
        return column.with_codes(codes);
    }
    if chunks.iter().all(Chunk::is_put) && column.texts().len() < usize::from(u8::MAX) {
        let groups = narrow.of_groups().into_par_iter().zip(&code_of);
        groups.for_each(|(cells, code_of)| remap(cells, code_of));
        return column.with_codes(Codes::Narrow(narrow.cells));
    }
    let mut joined = Codes::default();
    joined.reserve(narrow.cells.len());
    for ((chunk, cells), code_of) in chunks.into_iter().zip(narrow.of_groups()).zip(&code_of) {
        if let Chunk::Texts(Some(codes), _) | Chunk::Keys(Some(codes), _) = chunk.taken_from(cells) {
            joined.append(&codes, code_of);
        }
    }
    column.with_codes(joined)
}
