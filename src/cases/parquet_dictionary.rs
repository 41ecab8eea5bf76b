//! A column of one row group whose cells are all indices into a dictionary: the indices become the codes
//! directly, without decoding a value for each cell.

use std::collections::HashMap;
use std::hash::Hash;

use bytes::Bytes;
use foldhash::fast::FixedState;
use parquet::basic::{Encoding, Type as Physical};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;

use super::codes::{Codes, MISSING};
use super::parquet_chunk::{ROOM, no_text, other_rows};
use super::parquet_runs::{Packed, cut_short, is_one_run, read_runs};

/// The dictionary indices that a file stores instead of values.
pub(super) struct Indices {
    /// For each cell, an index into the dictionary, or [`MISSING`].
    pub(super) codes: Codes,
    dictionary: Bytes,
    size: usize,
}

/// Whether every cell is an index, according to the file's metadata.
pub(super) fn has_indices_only(chunk: &ColumnChunkMetaData) -> bool {
    let only = [Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];
    chunk.dictionary_page_offset().is_some()
        && chunk
            .page_encoding_stats_mask()
            .is_some_and(|mask| only.iter().any(|encoding| mask.is_only(*encoding)))
}

/// Reads the indices; `None` if a page contains values after all.
pub(super) fn read_indices(
    pages: &mut dyn PageReader,
    most: i16,
    rows: usize,
) -> Result<Option<Indices>, ParquetError> {
    let Some(Page::DictionaryPage { buf: dictionary, num_values, .. }) = pages.get_next_page()? else {
        return Ok(None);
    };
    let size = num_values as usize;
    let codes = if size < usize::from(u8::MAX) {
        read_codes(pages, most, rows, u8::MAX)?.map(Codes::Narrow)
    } else {
        read_codes(pages, most, rows, MISSING)?.map(Codes::Wide)
    };
    let Some(codes) = codes else { return Ok(None) };
    if codes.bound() as usize > size {
        return Err(beyond());
    }
    Ok(Some(Indices { codes, dictionary, size }))
}

/// The index of each cell, or `missing`.
fn read_codes<N: Packed + PartialEq>(
    pages: &mut dyn PageReader,
    most: i16,
    rows: usize,
    missing: N,
) -> Result<Option<Vec<N>>, ParquetError> {
    let mut codes: Vec<N> = Vec::with_capacity(rows.min(ROOM));
    let Ok(all_there) = u8::try_from(most) else { return Ok(None) };
    let mut levels: Vec<u8> = Vec::new();
    while let Some(page) = pages.get_next_page()? {
        if !matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY) {
            return Ok(None);
        }
        let cells = page.num_values() as usize;
        if cells > rows - codes.len() {
            return Err(other_rows(rows));
        }
        let Some((of_levels, values)) = parts(&page, most)? else { return Ok(None) };
        levels.clear();
        if most > 0 && !is_one_run(of_levels, bits(most), cells, all_there) {
            read_runs(of_levels, bits(most), cells, &mut levels)?;
        }
        let missing_cells = levels.iter().map(|level| usize::from(*level != all_there)).sum::<usize>();
        let there = cells - missing_cells;
        let Some((width, values)) = values.split_first() else { return Err(cut_short()) };
        if usize::from(*width) > N::BITS {
            return Ok(None);
        }
        let start = codes.len();
        read_runs(values, *width, there, &mut codes)?;
        if codes[start..].contains(&missing) {
            return Err(beyond());
        }
        if there < cells {
            let mut present = codes.split_off(start).into_iter();
            let next = |level: &u8| if *level == all_there { present.next() } else { None };
            codes.extend(levels.iter().map(next).map(|code| code.unwrap_or(missing)));
        }
    }
    if codes.len() < rows {
        return Err(other_rows(rows));
    }
    Ok(Some(codes))
}

fn beyond() -> ParquetError {
    ParquetError::General("an index is beyond its dictionary".into())
}

/// The number of bits in a definition level.
fn bits(most: i16) -> u8 {
    u8::try_from(16 - most.leading_zeros()).unwrap_or(16)
}

/// Definition levels, and values.
type Parts<'p> = (&'p [u8], &'p [u8]);

/// Splits a page into its parts; `None` if the levels have an obsolete encoding.
fn parts(page: &Page, most: i16) -> Result<Option<Parts<'_>>, ParquetError> {
    match page {
        Page::DataPage { buf, .. } if most == 0 => Ok(Some((&[], buf))),
        Page::DataPage { buf, def_level_encoding: Encoding::RLE, .. } => {
            let (length, rest) = buf.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let length = u32::from_le_bytes(*length) as usize;
            rest.split_at_checked(length).map(Some).ok_or_else(cut_short)
        }
        Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let rest = buf.get(*rep_levels_byte_len as usize..).ok_or_else(cut_short)?;
            rest.split_at_checked(*def_levels_byte_len as usize).map(Some).ok_or_else(cut_short)
        }
        _ => Ok(None),
    }
}

impl Indices {
    /// The keys of a dictionary of numbers, and the code of each cell.
    pub(super) fn keys(
        self,
        physical: Physical,
        key: impl Fn(u64) -> i64,
    ) -> Result<(Codes, Vec<i64>), ParquetError> {
        let bytes = if physical == Physical::INT32 || physical == Physical::FLOAT { 4 } else { 8 };
        let values: Vec<i64> = self
            .dictionary
            .chunks_exact(bytes)
            .take(self.size)
            .map(|value| {
                let mut whole = [0; 8];
                whole[..bytes].copy_from_slice(value);
                key(u64::from_le_bytes(whole))
            })
            .collect();
        self.in_order_of_cells(&values)
    }

    /// The texts of a dictionary, and the code of each cell.
    pub(super) fn texts(self) -> Result<(Codes, Vec<Box<str>>), ParquetError> {
        let mut values: Vec<Box<str>> = Vec::with_capacity(self.size.min(self.dictionary.len()));
        let mut rest = &self.dictionary[..];
        for _ in 0..self.size {
            let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(cut_short)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (text, behind) = behind.split_at_checked(length).ok_or_else(cut_short)?;
            values.push(std::str::from_utf8(text).map_err(|_| no_text())?.into());
            rest = behind;
        }
        self.in_order_of_cells(&values)
    }

    /// Each value once, in the order of its first cell. A dictionary may contain unused and repeated values.
    fn in_order_of_cells<V: Hash + Eq + Clone>(self, values: &[V]) -> Result<(Codes, Vec<V>), ParquetError> {
        if values.len() < self.size {
            return Err(cut_short());
        }
        let mut first: HashMap<&V, u32, FixedState> = HashMap::default();
        let same: Vec<u32> =
            values.iter().zip(0..).map(|(value, index)| *first.entry(value).or_insert(index)).collect();
        let mut code_of = vec![MISSING; values.len()];
        let mut kept: Vec<V> = Vec::with_capacity(first.len());
        for index in self.codes.iter().filter(|code| *code != MISSING) {
            let value = same[index as usize] as usize;
            if code_of[value] == MISSING {
                code_of[value] = u32::try_from(kept.len()).unwrap_or(MISSING);
                kept.push(values[value].clone());
                if kept.len() == first.len() {
                    break;
                }
            }
        }
        let code_of: Vec<u32> = same.iter().map(|value| code_of[*value as usize]).collect();
        if code_of.iter().zip(0..).all(|(code, index)| *code == index) || self.codes.len() == 0 {
            return Ok((self.codes, kept));
        }
        let mut codes = Codes::default();
        codes.append(&self.codes, &code_of);
        Ok((codes, kept))
    }
}
