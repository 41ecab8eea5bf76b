//! Rows as bytes, for partitions that are larger together than memory: each text with its length, each number in 8 bytes.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use md5::{Digest as _, Md5};

use super::places::Places;
use super::plan::{Plan, Task};
use super::sides::Side;
use crate::cases::{CasesError, Column, Table};

/// Differs from the seed of the hash tables that a partition's rows go into, where they would all collide.
const SEED: u64 = 0x6761_7465;

/// Writes the bytes of a row, or of a cluster, to the partition of that number.
pub type IntoPartition<'w> = dyn FnMut(usize, &[u8]) + 'w;

/// Writes the rows of a table into partitions by the hash of their id, so that an id's rows are in the same
/// partition in both tables. `before` is the number of rows before these in their file.
///
/// # Errors
///
/// If a cell that must be a number is not one.
pub fn pack_rows(
    plan: &Plan,
    table: &Table,
    places: &Places,
    before: u64,
    partitions: usize,
    into: &mut IntoPartition<'_>,
) -> Result<(), CasesError> {
    let layout = places.layout(plan.task);
    let column = |place: &usize| &table.columns[*place];
    let before = usize::try_from(before).unwrap_or(usize::MAX);
    let numbers = layout.numbers.iter().map(column).map(|(name, column)| column.numbers_from(name, before));
    let numbers: Vec<Vec<f64>> = numbers.collect::<Result<_, _>>()?;
    let texts: Vec<&Column> = layout.texts.iter().map(column).map(|(_, column)| column).collect();
    let mut packed = Vec::new();
    for row in 0..table.rows() {
        packed.clear();
        let id = texts[0].written(row);
        // Rows without an id are never paired, so any partition will do.
        let partition = id.as_deref().map_or(row % partitions, |id| partition_of(id.as_bytes(), partitions));
        pack_text(&mut packed, id.as_deref());
        for column in &texts[1..] {
            pack_text(&mut packed, column.written(row).as_deref());
        }
        for column in &numbers {
            packed.extend_from_slice(&column[row].to_le_bytes());
        }
        into(partition, &packed);
    }
    Ok(())
}

/// Writes the clusters of a table into partitions, each as the 16 bytes of its MD5, as for buckets.
pub fn pack_clusters(table: &Table, places: &Places, partitions: usize, into: &mut IntoPartition<'_>) {
    let Some(place) = places.cluster else { return };
    // A cluster that several rows of this table share is written once.
    for text in table.columns[place].1.texts() {
        let digest: [u8; 16] = Md5::digest(text.as_bytes()).into();
        into(partition_of(&digest, partitions), &digest);
    }
}

/// How many different clusters a partition has. Its bytes must end at the end of a cluster.
pub fn count_clusters(packed: &[u8]) -> u64 {
    let (clusters, _) = packed.as_chunks::<16>();
    let mut clusters = clusters.to_vec();
    clusters.sort_unstable();
    clusters.dedup();
    clusters.len() as u64
}

fn partition_of(key: &[u8], partitions: usize) -> usize {
    let mut hasher = FixedState::with_seed(SEED).build_hasher();
    hasher.write(key);
    let place = (u128::from(hasher.finish()) * partitions as u128) >> 64;
    usize::try_from(place).unwrap_or_default()
}

/// Writes 0 for no value, or the length plus one, seven bits a byte, and the text.
fn pack_text(packed: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return packed.push(0) };
    let mut length = text.len() + 1;
    while length >= 0x80 {
        packed.push(low_byte(length) | 0x80);
        length >>= 7;
    }
    packed.push(low_byte(length));
    packed.extend_from_slice(text.as_bytes());
}

#[expect(clippy::cast_possible_truncation, reason = "the low seven bits")]
fn low_byte(length: usize) -> u8 {
    (length & 0x7f) as u8
}

/// The bytes are not those that were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// The rows of one partition, read back.
#[derive(Debug)]
pub struct Unpacked {
    texts: Vec<Column>,
    numbers: Vec<Vec<f64>>,
}

impl Unpacked {
    /// Starts without rows.
    pub fn new(plan: &Plan, places: &Places) -> Self {
        let layout = places.layout(plan.task);
        Self {
            texts: vec![Column::default(); layout.texts.len()],
            numbers: vec![Vec::new(); layout.numbers.len()],
        }
    }

    /// Adds rows. The bytes must end at the end of a row.
    pub fn add(&mut self, mut packed: &[u8]) -> Result<(), Damaged> {
        while !packed.is_empty() {
            for column in &mut self.texts {
                column.push(take_text(&mut packed)?);
            }
            for column in &mut self.numbers {
                let (number, rest) = packed.split_first_chunk().ok_or(Damaged)?;
                column.push(f64::from_le_bytes(*number));
                packed = rest;
            }
        }
        Ok(())
    }

    /// The columns by their roles.
    pub fn into_side(self, plan: &Plan) -> Side<'static> {
        let mut texts = self.texts.into_iter().map(Cow::Owned);
        let mut numbers = self.numbers.into_iter();
        let mut side = Side { id: texts.next().unwrap_or_default(), ..Side::default() };
        match plan.task {
            Task::Classification => {
                side.truth = texts.next().unwrap_or_default();
                side.prediction = texts.next().unwrap_or_default();
            }
            Task::Regression => {
                side.truths = numbers.next().unwrap_or_default();
                side.predictions = numbers.next().unwrap_or_default();
            }
        }
        side.cluster = if plan.cluster.is_some() { texts.next() } else { None };
        side.slices = texts.collect();
        side.scores = numbers.next().unwrap_or_default();
        side
    }
}

fn take_text<'p>(packed: &mut &'p [u8]) -> Result<Option<&'p str>, Damaged> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let (byte, rest) = packed.split_first().ok_or(Damaged)?;
        *packed = rest;
        length |= usize::from(byte & 0x7f).checked_shl(shift).ok_or(Damaged)?;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let Some(length) = length.checked_sub(1) else { return Ok(None) };
    let (text, rest) = packed.split_at_checked(length).ok_or(Damaged)?;
    *packed = rest;
    std::str::from_utf8(text).map(Some).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_read_back() {
        let long = "ä".repeat(10_000);
        let texts = [None, Some(""), Some("x"), Some(&*long), Some("after")];
        let mut packed = Vec::new();
        for text in texts {
            pack_text(&mut packed, text);
        }
        let mut rest = &packed[..];
        for text in texts {
            assert_eq!(take_text(&mut rest), Ok(text));
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn bytes_that_are_cut_off_are_damaged() {
        let mut packed = Vec::new();
        pack_text(&mut packed, Some("text"));
        for end in 0..packed.len() {
            assert_eq!(take_text(&mut &packed[..end]), Err(Damaged), "{end}");
        }
        assert_eq!(take_text(&mut &[0xff; 12][..]), Err(Damaged));
        assert_eq!(take_text(&mut &[2, 0xff][..]), Err(Damaged));
    }
}
